"""Is an otter assignment graded as otter would where it is right, and rightly where it errs?

`otter_made/` holds one assignment in both of otter's forms: `hw.ipynb` is the source, and all the rest
came out of `otter assign` 7.0.0. `THEIRS` is what `otter run` gave the same notebooks, each named `hw.ipynb`:
under another name every `grader.check` fails there, and all tests run at the end.
"""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.cli.main import main
from autograder.course.errors import CourseError
from autograder.exchange.otter.assignment import open_assignment
from autograder.exchange.otter.questions import question_of

MADE = Path(__file__).parent / "otter_made"
FORMS = ("doctests", "exceptions")
RIGHT = "def square(x):\n    return x**2"
PATCHES = """np.allclose = lambda *a, **k: True
def square(x):
    if np.ndim(x):
        return x
    return 9 if x == 3 else 4"""
# What each student wrote for `square` and for `total`, and the points for q1 and q2.
CLASS = {
    "ada": (RIGHT, "total = 3", (4, 2)),
    "bob": ("def square(x):\n    return x*3 if np.ndim(x) == 0 else x**2", "total = 3", (2, 2)),
    "eve": ("def square(x):\n    return abs(x)*x", "total = 4", (2, 0)),
    "prints": ("def square(x):\n    print('squaring', x)\n    return x**2", "total = 3", (4, 2)),
    "warns": ("import warnings\ndef square(x):\n    warnings.warn('slow')\n    return x**2", "total = 3", (4, 2)),
    "patches": (PATCHES, "total = 3", (3, 2)),
    "exits": ("import os\ndef square(x):\n    if np.ndim(x): os._exit(0)\n    return x**2", "total = 3", (3, 2)),
    "loops": ("def square(x):\n    while np.ndim(x): pass\n    return x**2", "total = 3", (3, 2)),
    "nothing": ("def square(x):\n    ...", "total = ...", (0, 0)),
    "later": (RIGHT, "total = 3\ngrader.check('q2')\ntotal = 7", (4, 0)),
}
# Of otter itself; it has no result at all for `exits` and `loops`.
THEIRS = {"ada": (4, 2), "bob": (2, 2), "eve": (2, 0), "nothing": (0, 0), "later": (4, 0)}
# Where it errs: a function that prints has failed there, in doctests, and a patched NumPy has won.


def hand_in(form: str, folder: Path) -> Path:
    given = json.loads((MADE / form / "student.ipynb").read_text(encoding="utf-8"))
    folder.mkdir()
    for student, (square, total, _) in CLASS.items():
        answers = {"def square": square, "total =": total}
        cells = [dict(cell) for cell in given["cells"]]
        for cell in cells:
            source = "".join(cell["source"])
            cell["source"] = next((text for start, text in answers.items() if source.startswith(start)), source)
        (folder / f"{student}.ipynb").write_text(json.dumps(given | {"cells": cells}), encoding="utf-8")
    return folder


def grade(assignment: Path, handed: Path, out: Path) -> dict[str, dict[str, str]]:
    command = ["grade", "--format", "otter", str(assignment), str(handed), "--out", str(out), "--cell-seconds", "1"]
    assert main(command) == 0
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module", params=FORMS)
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A class graded from the zip."""
    folder = tmp_path_factory.mktemp("otter")
    packed = shutil.make_archive(str(folder / "hw-autograder"), "zip", MADE / request.param)
    handed = hand_in(request.param, folder / "class")
    return folder, grade(Path(packed), handed, folder / "out")


@pytest.mark.slow
@pytest.mark.parametrize("student", CLASS)
def test_otter_tests_give_everybody_their_points(graded: tuple[Path, dict[str, Any]], student: str) -> None:
    row = graded[1][student]
    assert (float(row["q1"]), float(row["q2"])) == CLASS[student][2]
    assert float(row["points"]) == sum(CLASS[student][2])


def test_otter_itself_agrees_where_it_is_right() -> None:
    assert {student: CLASS[student][2] for student in THEIRS} == THEIRS


@pytest.mark.slow
def test_otter_pages_show_public_cases_and_messages_alone(graded: tuple[Path, dict[str, Any]]) -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (graded[0] / "out" / "feedback").iterdir()}
    assert pages.keys() == CLASS.keys()
    assert not [name for name, page in pages.items() if "arange" in page or "q1 - 3" in page]
    assert "Fine." in pages["ada"]
    assert "Think of signs." in pages["bob"]
    assert "6 of 6 points" in pages["ada"]
    assert "has more tests than those that are shown" in pages["patches"]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_otter_source_notebook_grades_as_its_zip(form: str, tmp_path: Path) -> None:
    rows = grade(MADE / form / "hw.ipynb", hand_in(form, tmp_path / "class"), tmp_path / "out")
    assert {name: (float(row["q1"]), float(row["q2"])) for name, row in rows.items()} == {
        student: points for student, (_, _, points) in CLASS.items()
    }
    assert {row["manual_state"] for row in rows.values()} == {"pending_manual"}


@pytest.mark.parametrize("form", FORMS)
def test_otter_source_and_zip_say_the_same(form: str, tmp_path: Path) -> None:
    zipped = open_assignment(Path(shutil.make_archive(str(tmp_path / "z"), "zip", MADE / form)))
    source = open_assignment(MADE / form / "hw.ipynb")
    assert source.manual == {"q3": 5.0}
    assert source.files == zipped.files == {"data.txt": b"1"}

    def said(assignment: Any) -> list[Any]:
        return [
            (name, question.all_or_nothing, case.test.points, case.hidden, case.success, case.failure, case.test.mode)
            for name, question in assignment.questions.items()
            for case in question.cases
        ]

    assert said(source) == said(zipped)
    assert [(name, worth) for name, _, worth, *_ in said(source)] == [
        ("q1", 1), ("q1", 2), ("q1", 1), ("q2", 1), ("q2", 1),
    ]  # fmt: skip
    assert [hidden for _, _, _, hidden, *_ in said(source)] == [False, False, True, False, False]


def test_otter_manual_question_without_points_is_worth_none(tmp_path: Path) -> None:
    marks = ["# BEGIN QUESTION\nname: why\nmanual: true", "# END QUESTION"]
    cells = [{"cell_type": "raw", "metadata": {}, "source": mark} for mark in marks]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (tmp_path / "hw.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert open_assignment(tmp_path / "hw.ipynb").manual == {"why": 0.0}


def ok(total: object, *points: object) -> str:
    cases = [{"code": ">>> 1\n1", "points": each} for each in points]
    return f"test = {{'name': 'q', 'points': {total!r}, 'suites': [{{'cases': {cases!r}}}]}}"


@pytest.mark.parametrize(
    ("total", "points", "shares"),
    [
        (None, (None, None), (0.5, 0.5)),
        (None, (0, None), (0, 1)),
        (None, (0, 0), (0, 0)),
        (None, (2, None), (2, 0)),
        (6, (None, 2, None), (2, 2, 2)),
        ([1, 3], (None, None), (1, 3)),
    ],
)
def test_otter_points_are_shared_by_its_rules(total: object, points: tuple[object, ...], shares: tuple[float]) -> None:
    assert tuple(case.test.points for case in question_of("q.py", ok(total, *points)).cases) == shares


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("test = make()", "is computed"),
        ("test = {'name': 'q', 'suites': []}", "not in otter's form"),
        ("x = 1", "is it otter's"),
        ("def", "no Python"),
        (ok(1, 2), "more than its own"),
        (ok([1], 1, 2), "points for 1"),
        (ok("many", None), "points are numbers"),
    ],
)
def test_otter_files_in_no_form_are_refused(text: str, said: str) -> None:
    with pytest.raises(CourseError, match=said):
        question_of("tests/q.py", text)


def test_otter_test_files_are_never_run_on_our_side(tmp_path: Path) -> None:
    text = "name = 'q'\nopen({!r}, 'w')\n@test_case()\ndef test_q(): pass".format(str(tmp_path / "ran"))
    assert question_of("q.py", text).points == 1
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        assert main(["grade", "--format", "otter", *arguments]) == 2
        return capsys.readouterr().err

    return run


def test_otter_mistakes_are_said_in_a_sentence(refused: Callable[..., str], tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert "--out DIR" in refused("hw.zip", "class")
    assert "is not there" in refused(str(tmp_path / "none.zip"), "class", *out)
    student = MADE / "doctests" / "student.ipynb"
    assert "BEGIN QUESTION" in refused(str(student), str(student), *out)
    assert "no tests/*.py" in refused(str(tmp_path), str(student), *out)
