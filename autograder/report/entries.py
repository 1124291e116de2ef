"""From where does a report read a class: from the folder of one run, or from the gradebook?

Either way a student at a time. A run has what was graded; a gradebook has what counts, with everything that
people decided.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Connection

from autograder.course.errors import CourseError, listed
from autograder.course.load import Assignment, Course
from autograder.gradebook.feed import record_of
from autograder.grading.record import Record
from autograder.report.decided import decided_of
from autograder.report.results import RESULTS
from autograder.report.tally import Entry, Item


def items_of(assignment: Assignment, *, manual: bool) -> list[Item]:
    """The questions of an assignment. manual: with those that a person grades."""
    items = [Item(each.id, each.title or each.id, each.points) for each in assignment.questions]
    if manual:
        items += [Item(each.id, each.title or each.id, each.points, manual=True) for each in assignment.manual]
    return items


def records_in(folder: Path) -> Iterator[Record]:
    """The records of a run, one at a time, from its `--out` folder or its `results.jsonl`.

    Raises CourseError where there are none, or where a line is no record of this version.
    """
    path = folder / RESULTS if folder.is_dir() else folder
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield Record.model_validate_json(line)
                except ValidationError as error:
                    raise CourseError(f"{path}, line {number}, is no record of this version: grade again") from error
    except FileNotFoundError as error:
        raise CourseError(f"{path} does not exist: name the --out folder of `autograder grade`") from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error


def items_in(folder: Path) -> list[Item]:
    """The questions that records name, where there is no course to ask: those of nbgrader and otter."""
    found: dict[str, Item] = {}
    for record in records_in(folder):
        for question in record.questions:
            found.setdefault(question.id, Item(question.id, question.id, question.max_points))
    return list(found.values())


def entries_in(folder: Path, items: Sequence[Item]) -> Iterator[Entry]:
    """Everybody of a run. Raises CourseError where a record is of another assignment."""
    known = {item.id for item in items}
    for record in records_in(folder):
        other = [question.id for question in record.questions if question.id not in known]
        if other:
            raise CourseError(
                f"{folder} holds results of a question {other[0]!r}, which the assignment does not have; "
                f"it has: {listed(known)}"
            )
        given = {question.id: question.points for question in record.questions if question.points is not None}
        yield Entry(record.student, str(record.state), record.points, given, record)


def entries_of(connection: Connection, course: Course, assignment: str, *, now: datetime) -> Iterator[Entry]:
    """Everybody of a gradebook: score and points as they hold, and the record of the attempt that counts."""
    for student, decided in decided_of(connection, course, assignment, now=now).items():
        record = record_of(connection, decided.record) if decided.record is not None else None
        points = None if decided.score.points is None else float(decided.score.points)
        given = {question: float(each) for question, each in (decided.points or {}).items()}
        yield Entry(student, str(decided.score.standing), points, given, record)
