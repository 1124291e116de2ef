"""Which scores did `autograder grade` leave, or `autograder gradebook feedback`?

Read from `scores.jsonl`, where a gradebook has left what people decided; else from `results.jsonl`, or from
`grades.csv` where only that was kept.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autograder.course.errors import CourseError
from autograder.exchange.model import GradeState, Score
from autograder.exchange.tables import Table, column_of, read_table
from autograder.grading.record import Record
from autograder.report.tables import PENDING, SCORES

RESULTS, GRADES = "results.jsonl", "grades.csv"
_STATES = {str(state): state for state in GradeState}  # what `grade` writes, and `gradebook scores`


def read_scores(path: Path) -> tuple[Score, ...]:
    """The scores in a folder that `grade` or `gradebook feedback` has made, or in one of its files."""
    file = path
    if path.is_dir():
        file = next((path / name for name in (SCORES, RESULTS, GRADES) if (path / name).is_file()), path / RESULTS)
    if file.name == SCORES:
        return tuple(each.score for each in read_held(file).values())
    if file.suffix.lower() == ".csv":
        return tuple(_scores_of_table(read_table(file), file))
    return tuple(_score(record) for record in read_records(file))


@dataclass(frozen=True)
class Held:
    """What holds of a student by the gradebook. questions: points. comments: (question or "", text)."""

    score: Score
    questions: Mapping[str, Decimal]
    comments: tuple[tuple[str, str], ...]


def read_held(path: Path) -> dict[str, Held]:
    """What `gradebook feedback` wrote into a folder, by student; {} where it is a folder of `grade` alone.

    path: the folder, or its `scores.jsonl`.
    """
    file = path / SCORES if path.is_dir() else path
    if not file.is_file():
        return {}
    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return {row["student"]: _held(row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise CourseError(f"{file} cannot be read: run `autograder gradebook feedback` again") from error


def _held(row: Mapping[str, Any]) -> Held:
    comments = tuple((each["question"], each["text"]) for each in row["comments"])
    told = "\n".join(f"{question}: {text}" if question else text for question, text in comments)
    points = None if row["points"] is None else Decimal(row["points"])
    score = Score(row["student"], points, Decimal(row["max_points"]), GradeState(row["state"]), told)
    return Held(score, {question: Decimal(each) for question, each in row["questions"].items()}, comments)


def read_records(path: Path) -> tuple[Record, ...]:
    """The records in a folder that `grade` has made, or in its `results.jsonl`."""
    file = path / RESULTS if path.is_dir() else path
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise CourseError(f"{file} does not exist: name the --out folder of `autograder grade`") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{file} cannot be read as the results of `autograder grade`: {error}") from error
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(Record.model_validate(json.loads(line)))
        except (json.JSONDecodeError, ValidationError) as error:
            raise CourseError(f"{file}, line {number}, is no record of this version: grade again") from error
    return tuple(records)


def decimal_of(points: float) -> Decimal:
    """Points as they were meant: the noise of adding floats is far below the ninth decimal."""
    return round(Decimal(repr(points)), 9).normalize()


def _score(record: Record) -> Score:
    state = _STATES.get(record.state, GradeState.UNGRADED)
    maximum = decimal_of(record.max_points)
    if state is GradeState.GRADED and record.manual:
        state = GradeState.PENDING_MANUAL
        maximum += sum((decimal_of(part.max_points) for part in record.manual), Decimal(0))
    graded = state is GradeState.GRADED and record.points is not None
    points = decimal_of(record.points) if graded and record.points is not None else None
    return Score(record.student, points, maximum, state if points is not None else _unfinished(state))


def _unfinished(state: GradeState) -> GradeState:
    return GradeState.UNGRADED if state is GradeState.GRADED else state


def _scores_of_table(table: Table, path: Path) -> Iterator[Score]:
    header = table.header
    places: dict[str, Any] = {name: column_of(header, name) for name in ("student", "state", "points", "max_points")}
    waiting = column_of(header, "manual_state")
    if waiting is not None:
        places |= {name: column_of(header, f"automatic_{name}") for name in ("points", "max_points")}
    missing = [name for name, place in places.items() if place is None]
    told = column_of(header, "comment")
    if missing:
        raise CourseError(f"{path} has no column {missing[0]!r}: name the grades.csv of `autograder grade`")
    for row in range(1, len(table.rows)):
        cells = {name: table.cell(row, place) for name, place in places.items()}
        state = _STATES.get(cells["state"], GradeState.UNGRADED)
        if state is GradeState.GRADED and table.cell(row, waiting) == PENDING:
            state = GradeState.PENDING_MANUAL
        try:
            points = Decimal(cells["points"]) if state is GradeState.GRADED else None
            maximum = Decimal(cells["max_points"])
        except InvalidOperation as error:
            raise CourseError(f"{path}, row {row + 1}: points and max_points of a graded row are numbers") from error
        comment = _named(table.cell(row, told)) if told is not None else ""
        yield Score(_named(cells["student"]), points, maximum, state, comment)


def _named(cell: str) -> str:
    """A student's name without the apostrophe that kept a spreadsheet from running it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in {"=", "+", "-", "@", "\t", "\r"} else cell
