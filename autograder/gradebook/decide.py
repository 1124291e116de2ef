"""How does a person's decision come into the gradebook?

Each is a row with who and why. It is checked against the course first: a typing mistake must not wait in the
gradebook until the day of the final grades.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, insert, select

from autograder.course.errors import CourseError, listed, nearest
from autograder.gradebook.database import Gradebook, now
from autograder.gradebook.facts import handins, students_of
from autograder.gradebook.policy import WHOLE, Task
from autograder.gradebook.tables import Kind, decisions


@dataclass(frozen=True)
class Decision:
    """What somebody decided. attempt: its number; of manual points, the last one where None is given."""

    kind: Kind
    student: str
    assignment: str
    question: str = WHOLE
    attempt: int | None = None
    points: Decimal | None = None
    moment: datetime | None = None
    text: str = ""


def decide(book: Gradebook, tasks: list[Task], decision: Decision, *, author: str, reason: str) -> int:
    """Write a decision down; its number, by which it can be withdrawn. CourseError for one that cannot be meant."""
    _must_be_said(author, reason)
    with book.writing() as connection:
        _must_be_somebody(connection, decision.student)
        task = _task(tasks, decision.assignment)
        _must_be_asked(task, decision)
        attempt = _attempt(connection, task, decision)
        made = connection.execute(
            insert(decisions)
            .values(
                kind=str(decision.kind),
                student=decision.student,
                assignment=decision.assignment,
                question=decision.question,
                attempt=attempt,
                points=decision.points,
                moment=decision.moment,
                text=decision.text,
                author=author,
                reason=reason,
                at=now(),
            )
            .returning(decisions.c.id)
        )
        return int(made.scalar_one())


def withdraw(book: Gradebook, number: int, *, author: str, reason: str) -> int:
    """Let an earlier decision not hold any more. Both stay to be read."""
    _must_be_said(author, reason)
    with book.writing() as connection:
        row = connection.execute(select(decisions).where(decisions.c.id == number)).first()
        if row is None or row.kind == Kind.WITHDRAW:
            raise CourseError(f"there is no decision {number} to be withdrawn; `autograder gradebook audit` lists them")
        if connection.execute(select(decisions.c.id).where(decisions.c.withdraws == number)).first():
            raise CourseError(f"decision {number} has been withdrawn already")
        made = connection.execute(
            insert(decisions)
            .values(
                kind=str(Kind.WITHDRAW),
                student=row.student,
                assignment=row.assignment,
                question=row.question,
                withdraws=number,
                text="",
                author=author,
                reason=reason,
                at=now(),
            )
            .returning(decisions.c.id)
        )
        return int(made.scalar_one())


def _must_be_said(author: str, reason: str) -> None:
    if not author.strip():
        raise CourseError("nobody is named as the author: give --author NAME")
    if not reason.strip():
        raise CourseError("no reason is given: give --reason TEXT")


def _must_be_somebody(connection: Connection, student: str) -> None:
    known = students_of(connection)
    if student not in known:
        raise CourseError(
            f"the gradebook knows no student {student!r}{nearest(student, known)}; students come with "
            "`autograder grade` or `autograder gradebook enrol`"
        )


def _task(tasks: list[Task], assignment: str) -> Task:
    for task in tasks:
        if task.id == assignment:
            return task
    known = [task.id for task in tasks]
    raise CourseError(f"there is no assignment {assignment!r}{nearest(assignment, known)}; there are: {listed(known)}")


def _must_be_asked(task: Task, decision: Decision) -> None:
    known = {**task.questions, **task.manual}
    whole = decision.question == WHOLE
    if not whole and decision.question not in known:
        raise CourseError(
            f"{task.id} has no question {decision.question!r}{nearest(decision.question, known)}; "
            f"there are: {listed(known)}"
        )
    if decision.kind == Kind.MANUAL and decision.question not in task.manual:
        what = f"{task.id}/{decision.question}" if decision.question else task.id
        parts = listed([f"{task.id}/{each}" for each in task.manual]) if task.manual else "no part of it is"
        raise CourseError(f"{what} is not graded by hand ({parts}); `gradebook override` changes what was graded")
    if decision.points is not None:
        most = task.maximum if whole else known[decision.question]
        if not 0 <= decision.points <= most:
            raise CourseError(
                f"{decision.points} points are not between 0 and {most.normalize():f}, the most there are"
            )


def _attempt(connection: Connection, task: Task, decision: Decision) -> int | None:
    """The number of the attempt it is about."""
    if decision.kind not in (Kind.MANUAL, Kind.CHOOSE, Kind.SUBMITTED) or task.by_hand:
        return None
    numbers = [each.number for each in handins(connection, task.id, decision.student)]
    if not numbers:
        raise CourseError(
            f"{decision.student} has handed in nothing for {task.id}; an override gives points all the same"
        )
    if decision.attempt is None:
        return numbers[-1]
    if decision.attempt not in numbers:
        raise CourseError(
            f"{decision.student} has no attempt {decision.attempt} of {task.id}; there are: {listed(map(str, numbers))}"
        )
    return decision.attempt
