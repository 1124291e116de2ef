"""Do our own assignments live in nbgrader: released, exchanged, collected, and with hidden points in its gradebook?

Everything of nbgrader's is done by nbgrader itself, over an exchange of the tests' own.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from tests.exchange.nbgrader_class import hand_in, nbgrader, scores

WHY = '\n# %% [markdown] autograder={"question": "why"}\n# Nothing overflows, the largest exponent is 0.\n'
MANUAL = '\n[[questions]]\nid = "why"\nmanual = true\npoints = 4\n'
SOFTMAX = (
    "def softmax(logits):\n"
    "    e = np.exp(logits - logits.max(axis=1, keepdims=True))\n"
    "    return e / e.sum(axis=1, keepdims=True)"
)
WRONG = SOFTMAX.replace("axis=1", "axis=0")


def answered(path: Path, answers: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in made["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        cell["source"] = answers.get(name, cell["source"])
    return made


@pytest.fixture(scope="module")
def term(tmp_path_factory: pytest.TempPathFactory, keep_reference: "Any") -> Iterator[tuple[Path, Path]]:
    """Our course and nbgrader's, one assignment released, and three who handed it in; one of them by the exchange."""
    folder = tmp_path_factory.mktemp("term")
    context: AbstractContextManager[None] = keep_reference()
    with context:
        course = create_course(folder / "ours")
        with (course.dir / "assignments" / "softmax" / "assignment.toml").open("a", encoding="utf-8") as file:
            file.write(MANUAL)
        with (course.dir / "solutions" / "softmax" / "softmax.py").open("a", encoding="utf-8") as file:
            file.write(WHY)
        theirs = folder / "theirs"
        nbgrader(folder, "quickstart", "theirs")
        shutil.rmtree(theirs / "source" / "ps1")
        exchange = folder / "exchange"
        exchange.mkdir(mode=0o777)
        exchange.chmod(0o777)
        config = theirs / "nbgrader_config.py"
        config.write_text(
            f'c = get_config()\nc.CourseDirectory.course_id = "dl"\nc.Exchange.root = {str(exchange)!r}\n',
            encoding="utf-8",
        )
        assert main(["compile", "softmax", "--course", str(course.dir)]) == 0
        assert main(["release", "softmax", "--course", str(course.dir), "--nbgrader", str(theirs)]) == 0
        said = nbgrader(theirs, "generate_assignment", "softmax")
        given = theirs / "release" / "softmax" / "softmax.ipynb"
        assert given.exists(), said
        right = {"softmax": SOFTMAX, "why": "The largest exponent is 0."}
        hand_in(theirs, "wrong", "softmax", {"softmax": answered(given, {"softmax": WRONG, "why": "?"})})
        hand_in(theirs, "nothing", "softmax", {"softmax": answered(given, {})})
        _by_the_exchange(theirs, folder / "student", right)
        assert main(_grade(course.dir, theirs)) == 0
        assert main(_export(course.dir, theirs)) == 0
        yield course.dir, theirs


def _by_the_exchange(theirs: Path, desk: Path, answers: dict[str, str]) -> None:
    said = nbgrader(theirs, "release_assignment", "softmax")
    desk.mkdir()
    shutil.copy(theirs / "nbgrader_config.py", desk)
    said += nbgrader(desk, "fetch_assignment", "softmax", "--course", "dl")
    notebook = desk / "softmax" / "softmax.ipynb"
    assert notebook.exists(), said
    notebook.write_text(json.dumps(answered(notebook, answers)), encoding="utf-8")
    said += nbgrader(desk, "submit", "softmax", "--course", "dl")
    said += nbgrader(theirs, "collect", "softmax")
    assert len(list((theirs / "submitted").glob("*/softmax/timestamp.txt"))) == 3, said


def _grade(ours: Path, theirs: Path) -> list[str]:
    return ["grade", "softmax", str(theirs / "submitted"), "--course", str(ours), "--out", str(ours / "out")]


def _export(ours: Path, theirs: Path) -> list[str]:
    return ["export", "nbgrader", "--grades", str(ours / "out"), "--out", str(theirs)]


def collected(theirs: Path) -> str:
    """The one who came by the exchange: whoever runs the tests."""
    (name,) = {path.name for path in (theirs / "submitted").iterdir()} - {"wrong", "nothing"}
    return name


@pytest.mark.slow
def test_what_nbgrader_gives_out_has_our_checks_and_no_solution(term: tuple[Path, Path]) -> None:
    ours, theirs = term
    given = (theirs / "release" / "softmax" / "softmax.ipynb").read_text(encoding="utf-8")
    assert "np.sum(exponentials" in (theirs / "source" / "softmax" / "softmax.ipynb").read_text(encoding="utf-8")
    assert "np.sum(exponentials" not in given
    assert "the largest exponent is 0" not in given
    assert "Probabilities of C classes" in given
    released = ours / "assignments" / "softmax" / "softmax.ipynb"
    assert main(["release", "softmax", "--course", str(ours)]) == 0
    ids = [
        [
            cell["metadata"]["nbgrader"]["grade_id"]
            for cell in json.loads(text)["cells"]
            if "nbgrader" in cell["metadata"]
        ]
        for text in (given, released.read_text(encoding="utf-8"))
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) >= 3


@pytest.mark.slow
def test_hidden_points_are_in_nbgraders_gradebook(term: tuple[Path, Path]) -> None:
    from nbgrader.api import Gradebook

    _, theirs = term
    who = collected(theirs)
    with Gradebook(f"sqlite:///{theirs}/gradebook.db", "dl") as book:
        given = {
            (student, name): book.find_grade(name, "softmax", "softmax", student)
            for student in (who, "wrong", "nothing")
            for name in ("softmax", "why")
        }
        points = {key: (grade.auto_score, grade.needs_manual_grade) for key, grade in given.items()}
        totals = {student: book.find_submission("softmax", student).score for student in (who, "wrong", "nothing")}
        most = book.find_assignment("softmax").max_score
        hint = book.find_comment("softmax", "softmax", "softmax", "wrong").auto_comment
    assert points == {
        (who, "softmax"): (10.0, False), (who, "why"): (None, True),
        ("wrong", "softmax"): (0.0, False), ("wrong", "why"): (None, True),
        ("nothing", "softmax"): (0.0, False), ("nothing", "why"): (0.0, False),
    }  # fmt: skip
    assert totals == {who: 10.0, "wrong": 0.0, "nothing": 0.0}
    assert most == 14.0
    assert "wrong values" in hint


@pytest.mark.slow
def test_nbgrader_exports_and_sends_what_was_written(term: tuple[Path, Path], tmp_path: Path) -> None:
    _, theirs = term
    said = nbgrader(theirs, "export", "--to", str(tmp_path / "grades.csv"))
    assert "wrong" in (tmp_path / "grades.csv").read_text(encoding="utf-8"), said
    pages = theirs / "feedback" / "wrong" / "softmax" / "softmax.html"
    assert "wrong values" in pages.read_text(encoding="utf-8")
    said = nbgrader(theirs, "release_feedback", "softmax", f"--Exchange.root={tmp_path}", "--course=dl")
    assert len(list((tmp_path / "dl" / "feedback").glob("*.html"))) == 3, said
    assert (theirs / "autograded" / "wrong" / "softmax" / "softmax.ipynb").exists()


@pytest.mark.slow
def test_what_a_person_gave_stays(term: tuple[Path, Path], tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    ours, made = term
    theirs = tmp_path / "theirs"
    shutil.copytree(made, theirs)
    with Gradebook(f"sqlite:///{theirs}/gradebook.db", "dl") as book:
        for name, points in (("why", 3.5), ("softmax", 2.0)):
            grade = book.find_grade(name, "softmax", "softmax", "wrong")
            grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()
    assert main(_export(ours, theirs)) == 0
    held = scores(theirs / "gradebook.db")
    assert held["wrong", "softmax", "why"] == (None, 3.5, True)
    assert held["wrong", "softmax", "softmax"] == (0.0, 2.0, True)


@pytest.mark.slow
def test_who_handed_in_anew_is_left_out(
    term: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, made = term
    theirs = tmp_path / "theirs"
    shutil.copytree(made, theirs)
    shutil.rmtree(theirs / "submitted" / "nothing")
    path = theirs / "submitted" / "wrong" / "softmax" / "softmax.ipynb"
    path.write_text(json.dumps(answered(path, {"softmax": SOFTMAX})), encoding="utf-8")
    assert main([*_export(ours, theirs), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["students"] == 1
    left = {each["student"]: each["why"] for each in document["left_out"]}
    assert left.keys() == {"wrong", "nothing"}
    assert "handed in anew" in left["wrong"]


@pytest.mark.slow
def test_other_points_in_source_are_refused(
    term: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, made = term
    theirs = tmp_path / "theirs"
    shutil.copytree(made, theirs)
    path = theirs / "source" / "softmax" / "softmax.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace('"points": 10', '"points": 9'), encoding="utf-8")
    assert main(_export(ours, theirs)) == 2
    assert "has 9 points, the question 10" in capsys.readouterr().err
