"""Gradescope: its lists of students, and `results.json` as its autograders leave it.

Rules from gradescope-autograders.readthedocs.io. A student reads what stands in `results.json`, so it
holds what feedback pages show of hidden checks and no more: how they ended, and the hint.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from autograder.course.errors import CourseError
from autograder.exchange.formats import Book, decimal_text
from autograder.exchange.model import Column, Filled, Roster, Student, Trouble, both_orders
from autograder.exchange.tables import Table, column_of
from autograder.grading.record import QuestionRecord, Record
from autograder.report import wording
from autograder.values.outcomes import State

NAME = "gradescope"
SUFFIXES = (".csv",)


def recognises(table: Table) -> bool:
    header = table.header
    named = column_of(header, "First Name") is not None or column_of(header, "Name") is not None
    return named and column_of(header, "SID") is not None and column_of(header, "Email") is not None


def read(table: Table, id_column: str = "") -> Book:
    """A course's roster or an assignment's grades. Gradescope takes no grade file back: no columns."""
    if not recognises(table):
        raise CourseError("this is no list of students of Gradescope: it has a name, SID and Email")
    students = []
    for row in range(1, len(table.rows)):

        def cell(*names: str, row: int = row) -> str:
            return table.cell(row, column_of(table.header, *names)).strip()

        parts = both_orders(cell("First Name"), cell("Last Name"))
        names = tuple(name for name in (cell("Name"), *parts) if name)
        section = cell("Sections", "Section")
        students.append(Student(row, sis_id=cell("SID"), email=cell("Email"), names=names, section=section))
    return Book(table, Roster(tuple(students)), ())


def troubles(book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
    return []


def write(book: Book, column: Column, filled: Sequence[Filled]) -> Table:
    raise CourseError("Gradescope takes no grade file: export results.json, without a roster")


def excused() -> str:
    return ""


def written(points: Decimal, book: Book) -> str:
    return decimal_text(points)


def results_json(record: Record, visibility: str = "visible") -> bytes:
    """One graded submission for Gradescope's harness. CourseError where there is no number: none is made up.

    visibility: when students see it: `visible`, `after_due_date`, `after_published` or `hidden`.
    """
    if record.state != State.GRADED or record.points is None:
        raise CourseError(f"{record.student} is {record.state.replace('_', ' ')}: there is no score to be written")
    waiting = ", ".join(part.id for part in record.manual)
    document: dict[str, Any] = {
        "score": record.points,
        "execution_time": round(record.measured.wall_s),
        "output": f"Graded by a person, and not in this score: {waiting}." if waiting else "",
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": [_test(question, place, visibility) for place, question in enumerate(record.questions, 1)],
        "extra_data": {"key": record.key, "suite": record.suite},
    }
    return _as_json(document)


def no_score_json(sentence: str) -> bytes:
    """What is left where nothing was graded: the sentence for the student, and no score, not even 0.

    Gradescope takes results without any score for an autograder that has failed, and keeps no grade.
    """
    return _as_json(
        {"output": sentence, "output_format": "text", "visibility": "visible", "stdout_visibility": "hidden"}
    )


def _as_json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def public_lines(question: QuestionRecord) -> list[str]:
    """What a student may read of a question's checks: a line for each that failed, without the hidden case's name."""
    lines = []
    for check in wording.failing(question):
        hint = f" {check.diagnosis.hint}" if check.diagnosis else ""
        lines.append(f"{wording.block_of(check)}: {wording.label_of(check)}. {check.message}{hint}".strip())
    return list(dict.fromkeys(lines))


def _test(question: QuestionRecord, place: int, visibility: str) -> dict[str, Any]:
    points = question.points
    full = points is not None and points >= question.max_points
    return {
        **({} if points is None else {"score": points}),
        "max_score": question.max_points,
        "status": "passed" if full else "failed",
        "name": question.id,
        "number": str(place),
        "output": "\n".join(public_lines(question)),
        "visibility": visibility,
    }
