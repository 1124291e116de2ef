"""Do tests of an nbgrader notebook that need what earlier tests did find it?"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autograder.cli.main import main
from tests.exchange.nbgrader_class import answered, cell, document, graded_cell, hand_in, solution, write

STACK = """class Stack:
    def __init__(self):
        self.items = []
    def push(self, x):
        self.items.append(x)"""
POP = "\n    def pop(self):\n        return self.items.pop()"
MAKE = "\nstack = Stack()"
DRAW = "import random\n{}drawn = random.random()"
SEED = "random.seed(0)\n"
SOURCE = document(
    solution("draw", DRAW.format(f"### BEGIN SOLUTION\n{SEED}### END SOLUTION\n")),
    graded_cell("drawn", 1, "assert drawn == 0.8444218515250481"),
    solution("stack", f"### BEGIN SOLUTION\n{STACK}{POP}\n### END SOLUTION{MAKE}"),
    graded_cell("push", 1, "two = 2\nstack.push(1)\nstack.push(two)\nassert len(stack.items) == 2"),
    graded_cell("last", 1, "assert stack.pop() == 2"),
    graded_cell("empty", 2, "assert stack.pop() == 1 and not stack.items"),
    cell("stack.items.append(5)", locked=True, grade_id="later"),
    graded_cell("alone", 1, "assert Stack().items == []"),
    graded_cell("silent", 1, "%%capture said\nprint(two)"),
    graded_cell("said", 1, "assert said.stdout == '2\\n'"),
    graded_cell(
        "named", 1, "assert len(stack.items) >= two\n### BEGIN HIDDEN TESTS\nassert two == 2\n### END HIDDEN TESTS"
    ),
)
CLASS = {
    "right": (f"{STACK}{POP}{MAKE}", {"push": 1, "last": 1, "empty": 2, "alone": 1, "said": 1}),
    "first in first out": (
        f"{STACK}{POP.replace('pop()', 'pop(0)')}{MAKE}",
        {"push": 1, "last": 0, "empty": 0, "alone": 1, "said": 1},
    ),
    "shared": (f"{STACK.replace('= []', '= shared')}{POP}\nshared = []{MAKE}", {"push": 1, "last": 1, "alone": 0}),
    "no push": (f"{STACK.replace('self.items.append(x)', 'pass')}{POP}{MAKE}", {"push": 0, "said": 1, "named": 0}),
    "no pop": (f"{STACK}{MAKE}", {"push": 1, "last": 0, "empty": 0, "alone": 1}),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = tmp_path_factory.mktemp("state") / "course"
    source = course / "source" / "hw" / "stack.ipynb"
    write(source, SOURCE)
    for student, (answer, _) in CLASS.items():
        draw = DRAW.format(SEED if student == "right" else "")
        hand_in(course, student, "hw", {"stack": answered(source, {"stack": answer, "draw": draw})})
    assert main(["grade", "--format", "nbgrader", str(course)]) == 0
    return course


def points_of(course: Path) -> dict[str, dict[str, Any]]:
    lines = (course / "autograder" / "hw" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    records = {record["student"]: record for record in map(json.loads, lines)}
    return {name: {each["id"]: each for each in record["questions"]} for name, record in records.items()}


@pytest.mark.slow
@pytest.mark.parametrize("student", CLASS)
def test_nbgrader_tests_that_need_what_earlier_ones_changed_find_it(graded: Path, student: str) -> None:
    found = points_of(graded)[student]
    expected = CLASS[student][1]
    assert {name: found[name]["points"] for name in expected} == expected


@pytest.mark.slow
def test_nbgrader_test_of_a_seed_is_not_passed_without_it(graded: Path) -> None:
    """Our generators began at 0, as many a course asks for."""
    drawn = {student: found["drawn"]["points"] for student, found in points_of(graded).items()}
    assert drawn == {student: float(student == "right") for student in CLASS}


@pytest.mark.slow
def test_nbgrader_solution_that_passes_in_order_is_not_doubted(
    graded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grade", "--format", "nbgrader", str(graded)]) == 0
    assert "does not pass on the solution" not in capsys.readouterr().err


@pytest.mark.slow
def test_nbgrader_feedback_on_a_test_that_uses_names_of_an_earlier_one(graded: Path) -> None:
    """The visible part of a test with hidden parts ran without those names, and the student read of a NameError."""
    page = (graded / "feedback" / "no push" / "hw" / "stack.html").read_text(encoding="utf-8")
    assert "named <span" in page
    assert "AssertionError" in page.rpartition("named <span")[2]
    assert "NameError" not in page


@pytest.mark.slow
def test_nbgrader_cells_with_magics_run_with_packages_of_the_lecturers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """IPython was only there where it was named, and such cells were left out: with numpy and pytest for one test."""
    course = tmp_path / "course"
    source = course / "source" / "hw" / "magic.ipynb"
    given = cell("%matplotlib inline\nthree = 3", locked=True, grade_id="given")
    raises = "import pytest\nwith pytest.raises(TypeError):\n    len(three)"
    made = solution("two", "### BEGIN SOLUTION\ntwo = 2\n### END SOLUTION")
    write(source, document(given, made, graded_cell("raises", 2, raises)))
    hand_in(course, "ada", "hw", {"magic": answered(source, {"two": "two = 2"})})
    assert main(["grade", "--format", "nbgrader", str(course)]) == 0
    assert "No module named 'pytest'; name it in --packages" in capsys.readouterr().err
    assert points_of(course)["ada"]["raises"]["points"] == 0
    assert main(["grade", "--format", "nbgrader", str(course), "--packages", "numpy,pytest"]) == 0
    assert points_of(course)["ada"]["raises"]["points"] == 2
    assert main(["grade", "--format", "nbgrader", str(course), "--packages", "numpy,pytets"]) == 2
    assert "--packages names pytets, not installed here" in capsys.readouterr().err


@pytest.mark.slow
def test_nbgrader_is_there_while_it_is_imported() -> None:
    """A short class was graded before the import had ended, and the run with an internal error."""
    program = """
import threading
from autograder.exchange.nbgrader import book
thread = threading.Thread(target=book.api)
thread.start()
asked = 0
while thread.is_alive():
    assert book.available()
    asked += 1
assert asked, "the import ended at once, so nothing was tried"
assert book.api().Gradebook
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
