"""Are the scores those that `grade` left, and is nothing that nobody graded a number?"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from autograder.course.errors import CourseError
from autograder.exchange.gradescope import public_lines, results_json
from autograder.exchange.model import GradeState
from autograder.exchange.results import decimal_of, read_records, read_scores
from autograder.report.results import write_results
from autograder.report.tables import write_grades


def record(student: str, points: float | None, state: str = "graded", **more: Any) -> dict[str, Any]:
    check = {
        "id": "dW: huge logits", "kind": "gradient", "case": "huge logits", "outcome": "wrong_value", "points": 0.0,
        "max_points": 2.5, "message": "dW has the right shape but wrong values.", "evidence": "SECRET 0.3515",
        "diagnosis": {"name": "summed", "hint": "Mean or sum?"},
    }  # fmt: skip
    question = {"id": "softmax", "points": points, "max_points": 10.0, "checks": [check]}
    return {
        "key": "k", "student": student, "submission": "s", "suite": "u", "isolation": "namespaces", "device": "cpu",
        "state": state, "points": points, "max_points": 10.0, "questions": [question] if points is not None else [],
        "notes": [{"cell": 1, "kind": "raised", "text": "told", "private": "SECRET note"}], **more,
    }  # fmt: skip


def manual() -> list[dict[str, Any]]:
    return [{"id": "plot", "max_points": 5.0, "state": "pending_manual", "points": None}]


RECORDS = [
    record("=1+1", 0.1 + 0.2),
    record("bob", None, "unreadable"),
    record("eve", None, "not_graded"),
    record("李雷", 10.0),
]
EXPECTED = [
    ("=1+1", Decimal("0.3"), GradeState.GRADED),
    ("bob", None, GradeState.UNREADABLE),
    ("eve", None, GradeState.UNGRADED),
    ("李雷", Decimal(10), GradeState.GRADED),
]


def test_scores_are_the_same_in_both_files(tmp_path: Path) -> None:
    write_results(RECORDS, tmp_path / "results.jsonl")
    write_grades(RECORDS, tmp_path / "grades.csv")
    for path in (tmp_path, tmp_path / "results.jsonl", tmp_path / "grades.csv"):
        found = read_scores(path)
        assert [(score.student, score.points, score.state) for score in found] == EXPECTED
        assert {score.maximum for score in found} == {Decimal(10)}


def test_a_part_that_waits_for_a_person_makes_no_number(tmp_path: Path) -> None:
    records = [record("ada", 8.0, manual=manual())]
    write_results(records, tmp_path / "results.jsonl")
    write_grades(records, tmp_path / "grades.csv", manual={"plot": 5.0})
    for path in (tmp_path / "results.jsonl", tmp_path / "grades.csv"):
        (score,) = read_scores(path)
        assert (score.points, score.state) == (None, GradeState.PENDING_MANUAL)


@pytest.mark.parametrize(
    ("name", "contents", "said"),
    [
        ("results.jsonl", "{}\n", "line 1, is no record of this version"),
        ("results.jsonl", "not json\n", "line 1, is no record"),
        ("grades.csv", "student,points\nx,1\n", "has no column 'state'"),
        ("grades.csv", "student,state,points,max_points\nx,graded,,10\n", "row 2: points and max_points"),
        ("other.txt", "", "does not exist"),
    ],
)
def test_other_files_are_refused(name: str, contents: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(contents, encoding="utf-8")
    with pytest.raises(CourseError, match=said):
        read_scores(tmp_path)


@pytest.mark.parametrize(
    ("points", "text"), [(0.1 + 0.2, "0.3"), (84.99499999999999, "84.995"), (1 / 3, "0.333333333")]
)
def test_decimal_of_drops_the_noise_of_floats(points: float, text: str) -> None:
    assert decimal_of(points) == Decimal(text)


def test_gradescope_gets_scores_and_hints_and_nothing_hidden(tmp_path: Path) -> None:
    write_results([record("ada", 7.5, manual=manual())], tmp_path / "results.jsonl")
    (ada,) = read_records(tmp_path)
    text = results_json(ada).decode()
    document = json.loads(text)
    assert document["score"] == 7.5
    assert "plot" in document["output"]
    (test,) = document["tests"]
    assert (test["score"], test["max_score"], test["status"], test["number"]) == (7.5, 10.0, "failed", "1")
    assert test["output"] == "dW: wrong values. dW has the right shape but wrong values. Mean or sum?"
    for hidden in ("SECRET", "huge logits"):
        assert hidden not in text
    allowed = {
        "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility",
        "stdout_visibility", "tests", "extra_data",
    }  # fmt: skip
    assert set(document) <= allowed
    assert public_lines(ada.questions[0])


def test_gradescope_gets_no_made_up_number(tmp_path: Path) -> None:
    write_results([record("bob", None, "unreadable")], tmp_path / "results.jsonl")
    (bob,) = read_records(tmp_path)
    with pytest.raises(CourseError, match="bob is unreadable: there is no score"):
        results_json(bob)
