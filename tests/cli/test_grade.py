"""Does `grade` leave what it says, end to end, on a course as `init` makes it?"""

import csv
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from autograder.course.load import Course

RIGHT = """
import numpy as np

def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
WRONG = RIGHT.replace("e.sum(axis=1", "e.sum(axis=0")


@pytest.fixture(scope="module")
def compiled(
    tmp_path_factory: pytest.TempPathFactory, keep_reference: Callable[[], AbstractContextManager[None]]
) -> Course:
    course = create_course(tmp_path_factory.mktemp("new") / "course")
    with keep_reference():
        assert main(["compile", "softmax", "--course", str(course.dir)]) == 0
    return course


@pytest.mark.slow
def test_grade_leaves_results_and_grades(
    compiled: Course, notebook: Callable[..., bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handed_in, out = tmp_path / "class", tmp_path / "out"
    handed_in.mkdir()
    (handed_in / "李雷.ipynb").write_bytes(notebook(RIGHT))
    (handed_in / "bob.py").write_text(WRONG, encoding="utf-8")
    (handed_in / "eve.ipynb").write_bytes(b"")
    capsys.readouterr()
    command = ["grade", "softmax", str(handed_in), "--course", str(compiled.dir), "--out", str(out), "--json"]
    assert main(command) == 1
    document = json.loads(capsys.readouterr().out)
    assert {key: document[key] for key in ("assignment", "submissions", "graded", "unreadable", "not_graded")} == {
        "assignment": "softmax", "submissions": 3, "graded": 2, "unreadable": 1, "not_graded": 0,
    }  # fmt: skip
    records = [json.loads(line) for line in Path(document["results"]).read_text(encoding="utf-8").splitlines()]
    assert [(record["student"], record["state"], record["points"]) for record in records] == [
        ("bob", "graded", 0.0),
        ("eve", "unreadable", None),
        ("李雷", "graded", 10.0),
    ]
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["student"], row["points"], row["softmax"]) for row in rows] == [
        ("bob", "0", "0"),
        ("eve", "", ""),
        ("李雷", "10", "10"),
    ]


@pytest.mark.slow
def test_grade_of_the_solution_earns_every_point(
    compiled: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = compiled.dir / "solutions" / "softmax" / "softmax.py"
    command = ["grade", "softmax", str(solution), "--course", str(compiled.dir), "--out", str(tmp_path / "out")]
    held = tmp_path / "out" / "scores.jsonl"  # of an earlier look into a gradebook, before which export would look here
    held.parent.mkdir()
    held.write_text("old", encoding="utf-8")
    assert main(command) == 0
    assert "highest 10" in capsys.readouterr().out
    assert not held.exists()


def test_grade_of_a_path_without_submission_writes_nothing(
    compiled: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["grade", "softmax", "nowhere.ipynb", "--course", str(compiled.dir), "--out", str(tmp_path / "out")]
    assert main(command) == 2
    assert "nowhere.ipynb does not exist" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_grade_without_a_suite_says_to_compile(
    new_course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = new_course.dir / "solutions" / "softmax" / "softmax.py"
    command = ["grade", "softmax", str(solution), "--course", str(new_course.dir), "--out", str(tmp_path / "out")]
    assert main(command) == 2
    assert "autograder compile softmax" in capsys.readouterr().err
