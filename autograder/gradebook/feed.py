"""How does a class that is graded get into the gradebook?

A submission at a time: what was handed in, whose attempt it is and its record are written together or not
at all. Whatever is written twice is written once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from autograder.course.policy import Policy
from autograder.gradebook.archive import packed
from autograder.gradebook.database import Gradebook, now
from autograder.gradebook.tables import attempts, gradings, policies, records, students, submissions
from autograder.grading.ledger import is_final
from autograder.grading.record import Record
from autograder.notebook.find import Source


@dataclass(frozen=True)
class Receipt:
    """What the LMS says of one submission. submitted: None where it gives no time; late: None where no marker."""

    submitted: datetime | None = None
    late: bool | None = None


class Feed:
    """A ledger in a gradebook.

    waiting: students whose attempt has a grade from another suite or world already. It stays: changing
    grades is `regrade`'s, which shows the difference first.
    """

    def __init__(self, book: Gradebook, assignment: str, receipts: Mapping[str, Receipt] | None = None) -> None:
        self._book = book
        self._assignment = assignment
        self._receipts = receipts or {}
        self.waiting: list[str] = []

    def known(self, key: str) -> Record | None:
        with self._book.reading() as connection:
            return record_of(connection, key)

    def keep(self, source: Source, record: Record) -> None:
        with self._book.reading() as connection:
            new = not _has(connection, submissions.c.digest, record.submission)
        kept = packed(source, record.submission) if new else None
        receipt = self._receipts.get(record.student, Receipt())
        with self._book.writing() as connection:
            enrol(connection, {record.student: ""})
            if kept and not _has(connection, submissions.c.digest, record.submission):
                values = {"digest": record.submission, "suffix": kept[0], "archive": kept[1]}
                connection.execute(insert(submissions).values(values))
            attempt = _attempt(connection, self._assignment, source, record, receipt)
            if not is_final(record):
                return
            keep_record(connection, self._assignment, record)
            standing = standing_record(connection, attempt)
            if standing is None:
                connection.execute(insert(gradings).values(attempt=attempt, record=record.key, at=now()))
            elif standing != record.key:
                self.waiting.append(record.student)


def start_term(book: Gradebook, policy: Policy) -> None:
    """Let scores follow this policy if there is none yet; a later one is adopted by `regrade`, with a reason."""
    with book.reading() as connection:
        if connection.execute(select(policies.c.id)).first() is not None:
            return
    with book.writing() as connection:
        if connection.execute(select(policies.c.id)).first() is None:
            document = policy.model_dump(mode="json")
            values = {"document": document, "author": "autograder", "reason": "the first grading", "at": now()}
            connection.execute(insert(policies).values(values))


def enrol(connection: Connection, names: Mapping[str, str]) -> int:
    """Add students, {student: name}, that are not there yet; a name that was not known is filled in."""
    added = 0
    for student, name in names.items():
        known = connection.execute(select(students.c.name).where(students.c.student == student)).scalar()
        if known is None:
            connection.execute(insert(students).values(student=student, name=name, at=now()))
            added += 1
        elif name and not known:
            connection.execute(students.update().where(students.c.student == student).values(name=name))
    return added


def record_of(connection: Connection, key: str) -> Record | None:
    """The record with this key. It has no student: who handed it in, attempts say."""
    document = connection.execute(select(records.c.document).where(records.c.key == key)).scalar()
    return None if document is None else Record.model_validate(document)


def keep_record(connection: Connection, assignment: str, record: Record) -> None:
    """Add a record unless it is there."""
    if _has(connection, records.c.key, record.key):
        return
    document = record.model_copy(update={"student": ""}).as_json()
    values = {"key": record.key, "assignment": assignment, "suite": record.suite, "state": str(record.state)}
    points = {question.id: question.points for question in record.questions}
    connection.execute(insert(records).values(**values, points=points, document=document, at=now()))


def standing_record(connection: Connection, attempt: int) -> str | None:
    """The key of the record that an attempt's score comes from."""
    latest = select(gradings.c.record).where(gradings.c.attempt == attempt).order_by(gradings.c.id.desc()).limit(1)
    key: str | None = connection.execute(latest).scalar()
    return key


def _attempt(connection: Connection, assignment: str, source: Source, record: Record, receipt: Receipt) -> int:
    """The number in the table of this attempt, which is a new one if something else was handed in last."""
    of_student = (attempts.c.assignment == assignment) & (attempts.c.student == record.student)
    earlier = connection.execute(select(attempts).where(of_student).order_by(attempts.c.number)).all()
    for row in reversed(earlier):
        same_time = receipt.submitted is not None and row.submitted == receipt.submitted
        if row.submission == record.submission and (row is earlier[-1] or same_time):
            return int(row.id)
    number = earlier[-1].number + 1 if earlier else 1
    made = connection.execute(
        insert(attempts)
        .values(
            assignment=assignment,
            student=record.student,
            number=number,
            submission=record.submission,
            place=source.path,
            submitted=receipt.submitted,
            late=receipt.late,
            at=now(),
        )
        .returning(attempts.c.id)
    )
    return int(made.scalar_one())


def _has(connection: Connection, column: Any, value: str) -> bool:
    return connection.execute(select(column).where(column == value)).first() is not None
