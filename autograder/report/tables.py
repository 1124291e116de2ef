"""Which table does a lecturer open after grading?

`grades.csv` is for people and spreadsheets; programs read `results.jsonl`. UTF-8 without a byte order
mark: with one, the first column is called "\\ufeffstudent" for most programs, a mistake that nobody
sees. Excel reads the file right through Data > From Text/CSV.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PENDING = "pending_manual"
SCORES = "scores.jsonl"  # what holds by the gradebook, in a folder that `gradebook feedback` has made
# A spreadsheet runs a cell that begins so as a formula, and a student chooses the file's name.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_grades(
    records: Iterable[Mapping[str, Any]],
    path: Path | str,
    *,
    questions: Iterable[str] = (),
    manual: Mapping[str, float] | None = None,
) -> None:
    """Write one row a student, sorted by student, and a column a question.

    records: in the form of a line of `results.jsonl`. Points that are missing or None stay blank: no
        number is better than a zero that nobody gave.
    path: replaced at once, so a reader never sees half a table.
    questions: ids in the order of their columns; those that only the records know follow.
    manual: most points of the questions that a person grades, by their ids. Where there are any, no column
        is called `points`, because no number here is a student's whole: `automatic_points` and
        `automatic_max_points` are for the others, `manual_state` says that a person is waited for, and
        the column of a manual question is blank for that person's number.

    A student whose name begins with = + - @, a tab or a carriage return gets an apostrophe before it,
    which spreadsheets do not show and which keeps them from running the name as a formula.
    """
    import pandas as pd  # half a second, which only those pay who write a table

    ordered = sorted(records, key=lambda record: str(record["student"]))
    known = dict.fromkeys(questions)
    known |= dict.fromkeys(question["id"] for record in ordered for question in record.get("questions") or ())
    rows = [_row(record) for record in ordered]
    table = pd.DataFrame(rows, columns=["student", "state", "points", "max_points", *known])
    numbers = table.columns[2:]
    table[numbers] = table[numbers].astype("Float64")
    if manual:
        table = table.rename(columns={"points": "automatic_points", "max_points": "automatic_max_points"})
        table["manual_state"] = PENDING
        table["manual_max_points"] = float(sum(manual.values()))
        table[list(manual)] = ""
    target = Path(path)
    partial = target.with_name(f".{target.name}.part")
    table.to_csv(partial, index=False, encoding="utf-8", float_format="%.10g", lineterminator="\n")
    os.replace(partial, target)


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    row = {question["id"]: question.get("points") for question in record.get("questions") or ()}
    state = str(record["state"])
    return row | {
        "student": safe(str(record["student"])),
        "state": state,
        "points": record.get("points") if state == "graded" else None,
        "max_points": record.get("max_points"),
    }


def safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
