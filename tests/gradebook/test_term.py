"""A term by the commands: graded by a wrong test, overridden, complained about, regraded, given out."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from autograder.course.load import Course
from autograder.exchange.results import read_scores

RIGHT = """
import numpy as np

def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
WRONG = RIGHT.replace("axis=1", "axis=0")
COLUMNS = RIGHT.replace("e.sum(axis=1", "e.sum(axis=0")  # a misconception that the course knows
RAISES = RIGHT.replace("    return", "    raise ValueError('no')\n    return")
POLICY = """
[gradebook]

[policy.by_hand]
report = 100

[policy.groups.coursework]
weight = 30
assignments = ["softmax"]

[policy.groups.project]
weight = 70
assignments = ["report"]
"""
# A test that takes the wrong answer for right: its author mixed up the axes, everywhere.
PLANTED = '''
import numpy as np
from jaxtyping import Float

from autograder.topic import case, topic

Array = np.ndarray


@topic(lecture="deck: slide", returns=("probabilities",))
def softmax(logits: Float[Array, "N C"]) -> Float[Array, "N C"]:
    """Probabilities of logits.

    >>> softmax(np.zeros((2, 3))).tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    """
    exponentials = np.exp(logits - logits.max(axis=0, keepdims=True))
    return exponentials / exponentials.sum(axis=0, keepdims=True)


@softmax.cases
def _(rng):
    for name, size in (("one", (7, 5)), ("two", (3, 4)), ("three", (6, 3))):
        yield case(name, logits=rng.normal(size=size))


@softmax.alternative
def _(logits):
    columns = [np.exp(column) / np.exp(column).sum() for column in logits.T]
    return np.stack(columns, axis=1)


softmax.misconception("no maximum, twice", ("exponentials.sum(axis=0", "2 * exponentials.sum(axis=0"), hint="Twice?")
'''


def in_course(course: Course, capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    """Run a command with --json; its document."""
    capsys.readouterr()
    code = main([*command, "--course", str(course.dir), "--json"])
    said = capsys.readouterr()
    assert code in (0, 1), said.err
    document: dict[str, Any] = json.loads(said.out)
    return document


def states(course: Course, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str | None]]:
    found = in_course(course, capsys, "gradebook", "scores", "softmax")["scores"]
    return {student: (score["state"], score["points"]) for student, score in found.items()}


@pytest.mark.slow
def test_a_term(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keep_reference: Callable[[], AbstractContextManager[None]]
) -> None:
    course = create_course(tmp_path / "course")
    with (course.dir / "course.toml").open("a", encoding="utf-8") as file:
        file.write(POLICY)
    reference = course.dir / "reference" / "activations.py"
    right_test = reference.read_text(encoding="utf-8")
    handed_in = tmp_path / "class"
    handed_in.mkdir()
    for student, text in {
        "ada": RIGHT,
        "bob": WRONG,
        "李雷": f"{RIGHT}\n",
        "mia": RAISES,
        "kim": COLUMNS,
        "eve": "",
    }.items():
        (handed_in / f"{student}.py").write_text(text, encoding="utf-8")
    out, roster = tmp_path / "out", tmp_path / "roster.csv"
    head = "Student,ID,SIS User ID,SIS Login ID,Section,HW (1)\n    Points Possible,,,,,10\n"
    rows = [f'"{name}",{n},s{n},{name},one,\n' for n, name in enumerate("ada bob 李雷 mia kim eve zoe".split())]
    roster.write_text("".join([head, *rows]), encoding="utf-8")

    reference.write_text(PLANTED, encoding="utf-8")
    with keep_reference():
        assert main(["compile", "softmax", "--course", str(course.dir)]) == 0
    in_course(course, capsys, "gradebook", "enrol", str(roster))
    with keep_reference():
        graded = in_course(course, capsys, "grade", "softmax", str(handed_in), "--out", str(out))
    assert (graded["graded"], graded["unreadable"], graded["waiting_for_regrade"]) == (5, 1, [])
    assert states(course, capsys) == {
        "ada": ("graded", "0.00"), "bob": ("graded", "10.00"), "eve": ("unreadable", None),
        "kim": ("graded", "0.00"), "mia": ("graded", "0.00"), "zoe": ("missing", None), "李雷": ("graded", "0.00"),
    }  # fmt: skip

    # 李雷 complains first and gets points by hand; zoe was ill.
    by_ta = ("--author", "ta", "--reason", "it is right, I looked at it")
    changed = in_course(course, capsys, "gradebook", "override", "李雷", "softmax/softmax", "9.5", *by_ta)
    assert (changed["before"]["points"], changed["after"]["points"]) == ("0.00", "9.50")
    in_course(course, capsys, "gradebook", "excuse", "zoe", "softmax", "--author", "ta", "--reason", "ill")

    # The test is put right.
    reference.write_text(right_test, encoding="utf-8")
    with keep_reference():
        assert main(["compile", "softmax", "--course", str(course.dir)]) == 0
        found = in_course(course, capsys, "regrade", "softmax")
    told = {change["student"]: (change["direction"], change["before"], change["after"]) for change in found["changes"]}
    assert told == {
        "ada": ("rises", "0.00", "10.00"),
        "bob": ("falls", "10.00", "0.00"),
        "kim": ("stands", "0.00", "0.00"),
        "mia": ("stands", "0.00", "0.00"),
        "李雷": ("stands", "9.50", "9.50"),
    }
    assert found["accepted"] is None
    before = states(course, capsys)
    with keep_reference():
        again = in_course(course, capsys, "grade", "softmax", str(handed_in), "--out", str(tmp_path / "again"))
    assert again["waiting_for_regrade"] == ["ada", "bob", "eve", "kim", "mia", "李雷"]
    assert states(course, capsys) == before  # grading again changes nothing by itself
    with keep_reference():
        accepted = in_course(
            course, capsys, "regrade", "softmax", "--accept", "all", "--never-lower", *by_ta
        )  # fmt: skip
    assert (accepted["accepted"], accepted["kept"]) == (1, ["bob"])
    assert states(course, capsys) == before | {"ada": ("graded", "10.00")}

    # mia asks why.
    shell = tmp_path / "shell"
    with keep_reference():
        replayed = in_course(course, capsys, "replay", "mia", "softmax", "--shell", str(shell))
        assert replayed["points"] == 0
        assert "ValueError" in replayed["checks"][0]["answer"]
        assert "softmax(logits)" in replayed["checks"][0]["call"]
        script = shell / "replay.py"
        assert "ValueError: no" in in_course(course, capsys, "replay", "mia", "softmax", "--run", str(shell))["printed"]
        script.write_text(
            script.read_text(encoding="utf-8").replace("raise ValueError('no')", "pass"), encoding="utf-8"
        )
        assert "probabilities" in in_course(course, capsys, "replay", "mia", "softmax", "--run", str(shell))["printed"]
        shown = in_course(course, capsys, "replay", "kim", "softmax")
    assert shown["checks"][0]["diagnosis"]
    assert "+    return exponentials / exponentials.sum(axis=0, keepdims=True)" in shown["checks"][0]["diff"]

    # The course's total, and what goes to the LMS: a word for each that has no number.
    in_course(course, capsys, "gradebook", "manual", "ada", "report", "80", *by_ta)
    totals = in_course(course, capsys, "gradebook", "scores")["scores"]
    assert totals["ada"] == {"total": "86.00", "so_far": "86.00"}
    assert totals["zoe"] == {"total": None, "so_far": None}
    in_course(course, capsys, "gradebook", "comment", "ada", "softmax", "=Well done, 好", *by_ta)
    table = tmp_path / "softmax.csv"
    in_course(course, capsys, "gradebook", "scores", "softmax", "--out", str(table))
    states_out = {score.student: (str(score.state), score.points) for score in read_scores(table)}
    assert states_out == {
        "ada": ("graded", 10), "bob": ("graded", 10), "eve": ("unreadable", None),
        "kim": ("graded", 0), "mia": ("graded", 0), "zoe": ("excused", None), "李雷": ("graded", states_out["李雷"][1]),
    }  # fmt: skip
    assert str(states_out["李雷"][1]) == "9.50"
    assert {score.student: score.comment for score in read_scores(table)}["ada"] == "=Well done, 好"

    history = in_course(course, capsys, "gradebook", "audit", "ada")
    assert [event["what"] for event in history] == ["attempt", "grading", "grading", "decision", "decision"]
    assert in_course(course, capsys, "gradebook", "show", "ada")["total"] == "86.00"


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (["gradebook", "scores", "softmax"], "has no [gradebook]"),
        (["gradebook", "show", "ada", "--gradebook", "sqlite:///g.db"], "knows no student 'ada'"),
        (["gradebook", "scores", "sofmax", "--gradebook", "sqlite:///g.db"], "did you mean 'softmax'"),
        (["gradebook", "scores", "--gradebook", "sqlite:///g.db"], "no [policy.groups]"),
        (["gradebook", "scores", "--gradebook", "mysql://x"], "cannot be opened"),
        (
            ["gradebook", "extend", "ada", "softmax", "soon", "--reason", "r", "--gradebook", "sqlite:///g.db"],
            "no time",
        ),
        (["gradebook", "choose", "ada", "softmax", "1", "--reason", "r", "--gradebook", "sqlite:///g.db"], "the last"),
        (["regrade", "softmax", "--accept", "all"], "--reason"),
        (["regrade", "softmax", "--never-lower"], "--accept"),
        (["replay", "ada", "sofmax"], "did you mean 'softmax'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_of_the_caller_is_one_sentence(
    command: list[str], word: str, new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--course", str(new_course.dir)]) == 2
    said = capsys.readouterr()
    assert word in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)
