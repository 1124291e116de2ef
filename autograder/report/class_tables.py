"""Which tables does a class report leave for spreadsheets and pandas?

UTF-8 without a byte order mark, blank where there is no number; a name that a spreadsheet would run as a
formula gets an apostrophe before it, as in `grades.csv`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.report import wording
from autograder.report.analysis import ClassReport
from autograder.report.signature import Unexplained
from autograder.report.tables import safe
from autograder.report.tally import COSTS, VERDICTS, Tally

_Rows = Sequence[Mapping[str, Any]]


def write_tables(report: ClassReport, tally: Tally, out: Path) -> list[Path]:
    """Write the CSV tables into a folder that is there; their paths."""
    return [
        _write(_students(tally), ["student", "state", "points", *tally.given, *COSTS], out / "students.csv"),
        _write(
            [_question(each) for each in report.questions],
            ["question", "title", "manual", "max_points", "students", "mean_share", "discrimination", *VERDICTS],
            out / "questions.csv",
        ),
        _write(_outcomes(report), ["question", "outcome", "students"], out / "outcomes.csv"),
        _write(_known(report), ["question", "mistake", "hint", "count", "student"], out / "misconceptions.csv"),
        _write(_unknown(report), ["group", "question", "kind", "ends", "count", "student"], out / "unexplained.csv"),
        _write(
            [{"measure": name} | asdict(cost) | {"who": safe(cost.who)} for name, cost in report.costs.items()],
            ["measure", "median", "p95", "largest", "who"],
            out / "cost.csv",
        ),
    ]


def ends_of(group: Unexplained) -> list[dict[str, str]]:
    """How the checks of a group ended, in words, sorted."""
    ends = sorted(group.ends, key=lambda end: (end.block, end.case, end.outcome, end.signature))
    return [
        {"block": end.block, "case": end.case, "outcome": wording.LABELS[end.outcome], "signature": end.signature}
        for end in ends
    ]


def _students(tally: Tally) -> _Rows:
    return [
        {"student": safe(student), "state": tally.states[place], "points": tally.points[place]}
        | {question: points[place] for question, points in tally.given.items()}
        | {name: tally.costs[name][place] for name in COSTS}
        for place, student in enumerate(tally.students)
    ]


def _question(question: Any) -> dict[str, Any]:
    item = question.item
    return {
        "question": item.id,
        "title": safe(item.title),
        "manual": item.manual,
        "max_points": item.max_points,
        "students": question.students,
        "mean_share": question.mean_share,
        "discrimination": question.discrimination,
        **question.verdicts,
    }


def _outcomes(report: ClassReport) -> _Rows:
    return [
        {"question": each.item.id, "outcome": str(outcome), "students": count}
        for each in report.questions
        for outcome, count in each.outcomes.items()
    ]


def _known(report: ClassReport) -> _Rows:
    return [
        {"question": key.question, "mistake": key.name, "hint": key.hint, "count": len(who), "student": safe(student)}
        for key, who in report.known
        for student in who
    ]


def _unknown(report: ClassReport) -> _Rows:
    rows = []
    for number, (group, who) in enumerate(report.unknown, 1):
        ends = "; ".join(
            f"{end['block']} on {end['case']!r}: {end['outcome']}" + (f" ({end['signature']})" * bool(end["signature"]))
            for end in ends_of(group)
        )
        for student in who:
            row = {"group": number, "question": group.question, "kind": group.kind, "ends": safe(ends)}
            rows.append(row | {"count": len(who), "student": safe(student)})
    return rows


def _write(rows: _Rows, header: Sequence[str], path: Path) -> Path:
    import pandas as pd  # half a second, which only those pay who write a table

    partial = path.with_name(f".{path.name}.part")
    table = pd.DataFrame(rows, columns=list(header))
    table.to_csv(partial, index=False, encoding="utf-8", float_format="%.10g", lineterminator="\n")
    os.replace(partial, path)
    return path
