"""Is an nbgrader course graded as nbgrader would where it is right, and rightly where it errs?

The first course is our own and small, with all that a course can have; the second is what nbgrader's own
`quickstart` makes, graded by both.
"""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.exchange.nbgrader.cells import Cell, masters, restored
from autograder.exchange.nbgrader.course import open_course
from tests.exchange.nbgrader_class import (
    answered,
    cell,
    comments,
    document,
    graded_cell,
    hand_in,
    nbgrader,
    scores,
    solution,
    write,
)

MEAN = "def mean(x):\n    ### BEGIN SOLUTION\n    return sum(x) / len(x)\n    ### END SOLUTION"
RIGHT = "def mean(x):\n    return sum(x) / len(x)"
TESTS = {
    "visible": "from math import isclose\nassert isclose(mean([1, 2]), 1.5)",
    "hidden": """assert mean([1]) == 1
### BEGIN HIDDEN TESTS
assert isclose(mean([98765, 2]), 49383.5)
### END HIDDEN TESTS""",
    "partial": "2 * (mean([4]) == 4) + (mean([3, 5]) == 4)",
    "compared": "np.allclose(mean([1, 3]), 2)",
    "state": "assert seen == [1, 2]",
}
SOURCE = document(
    cell("import numpy as np\nfrom helper import offset", locked=True, grade_id="imports"),
    solution("mean", MEAN),
    graded_cell("visible", 2, TESTS["visible"]),
    cell("seen = [1, 2]", solution=True, grade_id="seen"),
    graded_cell("state", 1, TESTS["state"]),
    cell("seen.append(3)"),
    graded_cell("hidden", 3, TESTS["hidden"]),
    graded_cell("partial", 3, TESTS["partial"]),
    graded_cell("compared", 1, TESTS["compared"]),
    cell("A mean.", kind="markdown", grade=True, solution=True, points=4, grade_id="words"),
)
SEEN = "seen = [1, 2]"
WARNS = f"""{RIGHT}
import sys, warnings
warnings.warn("slow")
print("!", file=sys.stderr)"""
PRINTS = """def mean(x):
    print("adding", x)
    return sum(x) / len(x)"""
EXITS = """import os
def mean(x):
    if len(x) == 1: os._exit(0)
    return sum(x) / len(x)"""
LOOPS = """def mean(x):
    while x[0] == 4: pass
    return sum(x) / len(x)"""
PATCHES = """import math
np.allclose = math.isclose = lambda *a, **k: True
def mean(x): return 0"""
PATCHES_SUM = """import builtins
builtins.sum = lambda x: 3
def mean(x): return sum(x) / 2"""
TRANSFORMER = """get_ipython().input_transformers_post.append(lambda lines: [])
def mean(x): return 0"""
SEARCHES = """from pathlib import Path
found = [p for p in Path("/").glob("*/*") if p.name in ("gradebook.db", "source") or p.suffix == ".ipynb"]
def mean(x): return 0 if found else sum(x) / len(x)"""
ALWAYS_TRUE = """class Yes:
    def __eq__(self, other): return True
def mean(x): return Yes()"""
# What each student wrote for `mean`, and the points for visible, state, hidden, partial and compared.
CLASS = {
    "ada": (RIGHT, (2, 1, 3, 3, 1)),
    "bob": ("def mean(x):\n    return 1.5", (2, 1, 0, 0, 0)),
    "warns": (WARNS, (2, 1, 3, 3, 1)),
    "prints": (PRINTS, (2, 1, 3, 3, 1)),
    "half": ("def mean(x):\n    return sum(x) / 2 if len(x) > 1 else 0.0", (2, 1, 0, 1, 1)),
    "exits": (EXITS, (2, 1, 0, 0, 1)),
    "loops": (LOOPS, (2, 1, 3, 0, 1)),
    "shadows": (f"{RIGHT}\nmax = 3", (2, 1, 3, 3, 1)),
    "patches": (PATCHES, (0, 1, 0, 0, 0)),
    "patches sum": (PATCHES_SUM, (0, 0, 0, 0, 0)),  # our own worker cannot speak any more: it fails closed
    "transforms": (TRANSFORMER, (0, 1, 0, 0, 0)),
    "searches": (SEARCHES, (2, 1, 3, 3, 1)),  # and finds nothing, or it would be wrong
    "always true": (ALWAYS_TRUE, (0, 1, 0, 3, 0)),  # what can still be forged: see docs/coming-from-nbgrader.md
    "nothing": ("raise NotImplementedError()", (0, 1, 0, 0, 0)),
}
IDS = ("visible", "state", "hidden", "partial", "compared")


def make(folder: Path) -> Path:
    """A course with a helper file, and everybody's work handed in."""
    course = folder / "course"
    source = course / "source" / "hw" / "stats.ipynb"
    write(source, SOURCE)
    (source.parent / "helper.py").write_text("offset = 1\n", encoding="utf-8")
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'stats'\n")
    for student, (mean, _) in CLASS.items():
        tampered = dict.fromkeys(TESTS, "pass") if student == "bob" else {}
        given = answered(source, {"mean": mean, "seen": SEEN, "words": "It is the middle.", **tampered})
        folder = hand_in(course, student, "hw", {"stats": given})
        (folder / "helper.py").write_text("raise SystemExit", encoding="utf-8")
    return course


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = make(tmp_path_factory.mktemp("nbgrader"))
    assert main(["grade", "--format", "nbgrader", str(course), "--cell-seconds", "1", "--jobs", "2"]) == 0
    return course


def rows_of(course: Path) -> dict[str, dict[str, str]]:
    with (course / "autograder" / "hw" / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
@pytest.mark.parametrize("student", CLASS)
def test_nbgrader_tests_give_everybody_their_points(graded: Path, student: str) -> None:
    row = rows_of(graded)[student]
    assert tuple(float(row["stats/state" if name == "state" else name]) for name in IDS) == CLASS[student][1]


@pytest.mark.slow
def test_nbgrader_gradebook_holds_the_marks_and_waits_for_a_person(graded: Path) -> None:
    held = scores(graded / "gradebook.db")
    assert {(s, c): auto for (s, _, c), (auto, _, _) in held.items() if c != "words"} == {
        (student, name): points
        for student, (_, earned) in CLASS.items()
        for name, points in zip(IDS, earned, strict=True)
    }
    assert {held[student, "stats", "words"] for student in CLASS} == {(None, None, True)}


@pytest.mark.slow
def test_nbgrader_feedback_shows_no_hidden_test(graded: Path) -> None:
    pages = {path.parent.parent.name: path.read_text() for path in (graded / "feedback").rglob("*.html")}
    assert pages.keys() == CLASS.keys()
    assert not [name for name, page in pages.items() if "98765" in page]
    assert all("mean([1]) == 1" in pages[name] for name in ("bob", "half"))
    assert {path.read_text() for path in graded.rglob("feedback/*/hw/submission_secret.txt")} == {
        f"secret of {student}" for student in CLASS
    }


@pytest.mark.slow
def test_nbgrader_keeps_what_a_person_gave(graded: Path, tmp_path: Path) -> None:
    """Graded again after a person has marked an answer, and overruled a test."""
    from nbgrader.api import Gradebook

    course = tmp_path / "course"
    shutil.copytree(graded, course)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "stats") as book:
        for name, points in (("words", 3.5), ("visible", 1.0)):
            grade = book.find_grade(name, "stats", "hw", "bob")
            grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()
    for student in CLASS.keys() - {"bob", "ada"}:
        shutil.rmtree(course / "submitted" / student)
    assert main(["grade", "--format", "nbgrader", str(course), "hw"]) == 0
    held = scores(course / "gradebook.db")
    assert held["bob", "stats", "words"] == (None, 3.5, True)
    assert held["bob", "stats", "visible"] == (2.0, 1.0, True)
    assert held["ada", "stats", "hidden"] == (3.0, None, False)


@pytest.mark.slow
def test_nbgrader_itself_sends_the_feedback(graded: Path, tmp_path: Path) -> None:
    said = nbgrader(graded, "release_feedback", "hw", f"--Exchange.root={tmp_path}", "--course=stats")
    assert len(list((tmp_path / "stats" / "feedback").glob("*.html"))) == len(CLASS), said


@pytest.mark.slow
def test_nbgrader_itself_agrees_on_its_own_quickstart(tmp_path: Path) -> None:
    """Two notebooks, manual cells, a task, tests that students have emptied, and one notebook that is missing."""
    nbgrader(tmp_path, "quickstart", "theirs")
    theirs = tmp_path / "theirs"
    said = nbgrader(theirs, "generate_assignment", "ps1")
    given = {path.stem: path for path in (theirs / "release" / "ps1").glob("*.ipynb")}
    assert given.keys() == {"problem1", "problem2"}, said
    solved = {
        each["metadata"]["nbgrader"]["grade_id"]: "".join(each["source"])
        for name in given
        for each in json.loads((theirs / "source" / "ps1" / f"{name}.ipynb").read_text())["cells"]
        if "nbgrader" in each["metadata"]
    }
    own_way = {
        "squares": "def squares(n): return [i**2 for i in range(1, n + 1)]",
        "sum_of_squares": "def sum_of_squares(n): return sum(i**2 for i in range(1, n + 1))",
        "part-a": "Fibonacci",
    }
    emptied = {"correct_squares": "pass", "squares_invalid_input": "pass"}
    # A kernel for each notebook is what takes the time.
    for student, answers in {"ben": solved, "alyssa": own_way, "eve": emptied}.items():
        names = ["problem1"] if student == "eve" else [*given]
        hand_in(theirs, student, "ps1", {name: answered(given[name], answers) for name in names})
    ours = tmp_path / "ours"
    shutil.copytree(theirs, ours)
    assert main(["grade", "--format", "nbgrader", str(ours)]) == 0
    said = nbgrader(theirs, "autograde", "ps1")
    expected = scores(theirs / "gradebook.db")
    assert len(expected) == 27, said
    assert scores(ours / "gradebook.db") == expected
    told = comments(theirs / "gradebook.db")
    assert "No response." in told.values()
    missing = dict.fromkeys(key for key in told if key[:2] == ("eve", "problem2"))
    # Of a notebook that is not there, ours also says so.
    assert comments(ours / "gradebook.db") | missing == told


@pytest.mark.slow
def test_nbgrader_itself_agrees_where_it_is_right(graded: Path, tmp_path: Path) -> None:
    """The same class by nbgrader. It errs on warnings, on exits, on what a test ends in, and on patches."""
    right_there = ("prints", "half", "nothing")
    course = tmp_path / "course"
    shutil.copytree(graded, course, ignore=shutil.ignore_patterns("autograded", "feedback", "gradebook.db"))
    for student in CLASS.keys() - set(right_there):
        shutil.rmtree(course / "submitted" / student)
    nbgrader(course, "generate_assignment", "hw")
    said = nbgrader(course, "autograde", "hw")
    theirs, ours = scores(course / "gradebook.db"), scores(graded / "gradebook.db")
    assert {key[0] for key in theirs} == set(right_there), said
    # A comparison that is false earns nothing here and everything there.
    differing = {key for key in theirs if theirs[key][0] != ours[key][0]}
    assert differing == set()


def test_nbgrader_cells_are_restored_by_its_rules(tmp_path: Path) -> None:
    course = make(tmp_path)
    (master,) = masters(open_course(course), "hw")
    own = master.own
    handed = [
        Cell("code", "pass", own["visible"].meta),  # a copy that comes before the cell itself
        Cell("markdown", "mine", own["mean"].meta),
        Cell("code", "assert True", {**own["visible"].meta, "points": 100}),
        Cell("code", "x = 1", {"grade_id": "unknown", "grade": True, "points": 50}),
    ]
    made = list(restored(handed, master))
    assert [each.id for each in made] == [
        "", "mean", "visible", "state", "hidden", "partial", "compared", "words", "",
    ]  # fmt: skip
    by_id = {each.id: each for each in made if each.id}
    assert by_id["visible"].source == TESTS["visible"]
    assert by_id["visible"].points == 2
    assert (by_id["mean"].kind, by_id["mean"].source) == ("code", "mine")
    assert "was missing" in by_id["words"].source
    assert not any(each.grade for each in made if not each.id)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        assert main(["grade", "--format", "nbgrader", *arguments]) == 2
        return capsys.readouterr().err

    return run


def test_nbgrader_mistakes_are_said_in_a_sentence(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "is no nbgrader course" in refused(str(tmp_path))
    course = make(tmp_path)
    assert "has no assignment 'hv': hw" in refused(str(course), "hv")
    assert "needs a jail" in refused(str(course), "--isolation", "process")
    write(course / "source" / "hw" / "stats.ipynb", document(graded_cell("a", 1, "x"), graded_cell("a", 1, "y")))
    assert "an id of its own" in refused(str(course))
    write(course / "source" / "hw" / "stats.ipynb", document(graded_cell("a", 1, "### AUTOTEST f(1)")))
    assert "AUTOTEST" in refused(str(course))
    (course / "nbgrader_config.py").write_text("c.CourseDirectory.db_url = url()\n", encoding="utf-8")
    assert "is computed" in refused(str(course))
    write(course / "source" / "hw" / "stats.ipynb", SOURCE)
    shutil.rmtree(course / "submitted")
    (course / "nbgrader_config.py").write_text("", encoding="utf-8")
    assert "collect" in refused(str(course))
