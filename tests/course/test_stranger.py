"""Can another lecturer's course be declared, with signatures of its own, without a line of ours being changed?"""

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from autograder.cli.main import main

ROOT = Path(__file__).parents[2]
COURSE = Path(__file__).parent / "stranger"
SOLUTION = (COURSE / "solutions" / "vision" / "vision.py").read_text(encoding="utf-8")

# Of each question: what a student writes in place of a piece of the solution, and how it must be called.
WRONG = {
    "conv": ("@ filters[i, j]", "@ filters[KH - 1 - i, KW - 1 - j]", "filters flipped"),
    "net": ("[y]) / len(y)", "[y])", "gradients summed over the batch"),
    "rmsnorm": ("r * g - x * r**3 * np.mean(g * x, axis=1, keepdims=True)", "r * g", "size taken as a constant"),
    "triplet": ("on * (negative - positive)", "on * (anchor - positive)", "anchor moved by its like alone"),
    "linear": ("np.sum(dy, axis=0)", "np.mean(dy, axis=0)", "gradient of b averaged"),
}


@pytest.fixture(scope="module")
def records(
    tmp_path_factory: pytest.TempPathFactory, keep_reference: Callable[[], AbstractContextManager[None]]
) -> dict[str, dict[str, object]]:
    """The record of each student, by name: of who hands in the solution, and of who makes one mistake."""
    folder = tmp_path_factory.mktemp("stranger")
    course, handed_in, out = folder / "course", folder / "class", folder / "out"
    shutil.copytree(COURSE, course)
    handed_in.mkdir()
    (handed_in / "right.py").write_text(SOLUTION, encoding="utf-8")
    for question, (old, new, _) in WRONG.items():
        assert SOLUTION.count(old) == 1
        (handed_in / f"{question}.py").write_text(SOLUTION.replace(old, new), encoding="utf-8")
    with keep_reference():
        assert main(["compile", "vision", "--course", str(course)]) == 0
        assert main(["release", "vision", "--course", str(course)]) == 0
        assert main(["grade", "vision", str(handed_in), "--course", str(course), "--out", str(out)]) == 0
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["student"]: record for record in map(json.loads, lines)}


@pytest.mark.slow
def test_stranger_solution_earns_every_point(records: dict[str, dict[str, object]]) -> None:
    assert (records["right"]["points"], records["right"]["max_points"]) == (36.0, 36.0)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG)
def test_stranger_mistake_costs_points_and_is_named(wrong: str, records: dict[str, dict[str, object]]) -> None:
    for question in records[wrong]["questions"]:
        named = {check["diagnosis"]["name"] for check in question["checks"] if check["diagnosis"]}
        if question["id"] == wrong:
            assert question["points"] < question["max_points"]
            assert named == {WRONG[wrong][2]}
        else:
            assert question["points"] == question["max_points"]
            assert not named


def test_no_file_of_ours_knows_the_stranger() -> None:
    """Neither the folder, nor what its course is about."""
    words = ("stranger", "rms_fwd", "two_layer_loss", "triplet_loss")
    for path in (ROOT / "autograder").rglob("*"):
        if path.suffix in (".py", ".html", ".toml", ".md"):
            text = path.read_text(encoding="utf-8")
            assert not [word for word in words if word in text], path
