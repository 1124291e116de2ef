"""How do the gradebook's scores become a table?

As `grades.csv` has it: a row a student, blank where there is no number, and a word that says why.
`autograder export --grades FILE` reads it.
"""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.gradebook.policy import Score, Total
from autograder.report.tables import safe

_SCORE = (
    "student",
    "state",
    "points",
    "max_points",
    "attempt",
    "days_late",
    "free_days",
    "penalty",
    "overridden",
    "comment",
)


def write_scores(scores: Mapping[str, Score], comments: Mapping[str, str], path: Path) -> None:
    """One assignment's scores and comments, {student: score} and {student: text}."""
    rows = [
        [
            safe(student),
            str(score.standing),
            _text(score.points),
            _text(score.maximum),
            _text(score.attempt),
            score.days_late,
            score.free_days,
            _text(score.penalty),
            "yes" if score.overridden else "",
            safe(comments.get(student, "")),
        ]
        for student, score in scores.items()
    ]
    _write([_SCORE, *rows], path)


def write_totals(totals: Mapping[str, Total], scores: Mapping[str, Mapping[str, Score]], path: Path) -> None:
    """The course: each student's total and groups in percent, and the points of each assignment."""
    groups = list(next(iter(totals.values())).groups) if totals else []
    tasks = list(next(iter(scores.values()))) if scores else []
    head = ["student", "state", "total", "so_far", *groups]
    for task in tasks:
        head += [task, f"{task} state"]
    rows = []
    for student, total in totals.items():
        row = [safe(student), "complete" if total.percent is not None else "open", _text(total.percent)]
        row += [_text(total.so_far), *(_text(total.groups[group]) for group in groups)]
        for score in scores[student].values():
            row += [_text(score.points), str(score.standing)]
        rows.append(row)
    _write([head, *rows], path)


def _write(rows: Sequence[Sequence[object]], path: Path) -> None:
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\n").writerows(rows)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(made.getvalue(), encoding="utf-8", newline="")
    os.replace(partial, path)


def _text(value: object) -> str:
    return "" if value is None else str(value)
