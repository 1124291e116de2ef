"""Is grades.csv what a lecturer's spreadsheet reads right?"""

import csv
from pathlib import Path
from typing import Any

from autograder.report.results import write_results
from autograder.report.tables import write_grades


def record(student: str, points: float | None, **questions: float | None) -> dict[str, Any]:
    return {
        "student": student,
        "state": "graded" if points is not None else "unreadable",
        "points": points,
        "max_points": 20.0,
        "questions": [{"id": name, "points": each, "max_points": 10.0} for name, each in questions.items()],
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_write_grades_has_a_row_a_student_and_a_column_a_question(tmp_path: Path) -> None:
    write_grades([record("bob", 12.5, a=10.0, b=2.5), record("李雷", 20.0, a=10.0, b=10.0)], tmp_path / "g.csv")
    assert rows_of(tmp_path / "g.csv") == [
        {"student": "bob", "state": "graded", "points": "12.5", "max_points": "20", "a": "10", "b": "2.5"},
        {"student": "李雷", "state": "graded", "points": "20", "max_points": "20", "a": "10", "b": "10"},
    ]


def test_write_grades_leaves_blank_what_was_not_graded(tmp_path: Path) -> None:
    rows = [record("eve", None), {**record("ada", None, a=None, b=3.0), "state": "not_graded", "points": 3.0}]
    write_grades(rows, tmp_path / "g.csv", questions=["a", "b"])
    ada, eve = rows_of(tmp_path / "g.csv")
    assert (ada["student"], ada["points"], ada["a"], ada["b"]) == ("ada", "", "", "3")
    assert (eve["student"], eve["points"], eve["a"], eve["b"]) == ("eve", "", "", "")


def test_write_grades_of_nobody_is_a_head(tmp_path: Path) -> None:
    write_grades([], tmp_path / "g.csv", questions=["a"])
    assert (tmp_path / "g.csv").read_text(encoding="utf-8") == "student,state,points,max_points,a\n"


def test_write_grades_keeps_names_whole_and_runs_none_as_a_formula(tmp_path: Path) -> None:
    names = ['Smith, "Jane"', "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "a=b", "0012"]
    write_grades([record(name, 1.0, a=1.0) for name in names], tmp_path / "g.csv")
    seen = {row["student"] for row in rows_of(tmp_path / "g.csv")}
    assert seen == {
        'Smith, "Jane"', "'=cmd|' /C calc'!A0", "'+1", "'-1", "'@SUM(A1)", "'\tx", "a=b", "0012",
    }  # fmt: skip


def test_write_grades_shows_no_rounding_of_sums(tmp_path: Path) -> None:
    write_grades([record("ada", 0.1 + 0.2, a=0.1 + 0.2)], tmp_path / "g.csv")
    assert rows_of(tmp_path / "g.csv")[0]["points"] == "0.3"


def test_write_results_are_lines_sorted_by_student(tmp_path: Path) -> None:
    write_results([record("李雷", 1.0), record("ada", 2.0)], tmp_path / "r.jsonl")
    lines = (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('{"student": "ada"')
    assert '"李雷"' in lines[1]
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]
