"""What do attacks on tests in the same process win: nothing of our own suites, of legacy tests what the guides say?"""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from autograder.cli.main import main
from tests.exchange.nbgrader_class import answered, cell, document, graded_cell, hand_in, solution, write
from tests.exchange.peer_attacks import ATTACKS, CHECKING, HEAD, HERE, RIGHT, TESTS, THERE, Wins
from tests.hostile import course as attacked
from tests.hostile.act import SOFTMAX

DOCS = Path(__file__).parents[2] / "docs"
SECONDS = ["--cell-seconds", "2", "--jobs", "2"]
HONEST = "zz-honest"
CLASS = {**ATTACKS, HONEST: RIGHT}
FORMS = ("doctests", "exceptions")


def file_of(name: str) -> str:
    return re.sub(r"\W+", "-", name)


def attacked_course(folder: Path) -> Path:
    """A course with a test of each kind, all but one hidden, and every attack handed in."""
    course = folder / "course"
    source = course / "source" / "hw" / "hw.ipynb"
    tests = [
        graded_cell(name, 1, test if name == "shown" else f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS")
        for name, test in TESTS.items()
    ]
    solved = f"### BEGIN SOLUTION\n{RIGHT}\n### END SOLUTION"
    write(source, document(cell(HEAD, locked=True, grade_id="head"), solution("wave", solved), *tests))
    (source.parent / "checking.py").write_text(CHECKING, encoding="utf-8")
    for name, code in CLASS.items():
        hand_in(course, file_of(name), "hw", {"hw": answered(source, {"wave": code})})
    return course


def otter_class(folder: Path, form: str) -> tuple[Path, Path]:
    """The autograder zip with the same tests in one of otter's forms, and the folder of what was handed in."""
    made, handed = folder / f"{form}-made", folder / f"{form}-class"
    (made / "tests").mkdir(parents=True)
    (made / "files").mkdir()
    (made / "files" / "checking.py").write_text(CHECKING, encoding="utf-8")
    (made / "otter_config.json").write_text('{"lang": "python"}', encoding="utf-8")
    for name in ("requirements.txt", "environment.yml"):
        (made / name).write_text("", encoding="utf-8")
    questions = [name for name in TESTS if name != "scored"]
    for name in questions:
        text = (_doctest if form == "doctests" else _function)(name, TESTS[name])
        (made / "tests" / f"{name}.py").write_text(text, encoding="utf-8")
    start = cell("import otter\ngrader = otter.Notebook('hw.ipynb')")
    checks = [cell(f"grader.check({name!r})") for name in questions]
    for name, code in CLASS.items():
        write(handed / file_of(name) / "hw.ipynb", document(start, cell(HEAD), cell(code), *checks))
    return Path(shutil.make_archive(str(folder / form), "zip", made)), handed


def _doctest(name: str, test: str) -> str:
    code = "\n".join(f">>> {line}" for line in test.split("\n"))
    suite = {"type": "doctest", "cases": [{"code": code, "hidden": name != "shown"}]}
    return f"OK_FORMAT = True\n\ntest = {{'name': {name!r}, 'points': 1, 'suites': [{suite!r}]}}\n"


def _function(name: str, test: str) -> str:
    body = "\n".join(f"    {line}" for line in test.split("\n"))
    head = "OK_FORMAT = False\n\nfrom otter.test_files import test_case\nimport numpy as np\n"
    case = f"@test_case(points=None, hidden={name != 'shown'})\ndef test_{name}(wave):\n{body}\n"
    return f"{head}\nname = {name!r}\npoints = 1\n\n{case}"


def won(grades: Path) -> dict[str, set[str]]:
    """For each who handed in, the tests that earned anything."""
    with grades.open(encoding="utf-8", newline="") as file:
        return {
            row["student"]: {name for name in TESTS if row.get(name) and float(row[name])}
            for row in csv.DictReader(file)
        }


def said(system: str) -> dict[str, set[str]]:
    return {file_of(name): set(getattr(HERE.get(name, Wins()), system).split()) for name in ATTACKS}


@pytest.mark.slow
def test_attacks_win_nothing_of_our_own_suite(tmp_path: Path) -> None:
    course = attacked.make(tmp_path / "course")
    for name, code in CLASS.items():
        write(tmp_path / "class" / f"{file_of(name)}.ipynb", document(cell(HEAD), cell(SOFTMAX), cell(code)))
    assert main(["compile", "hostile", "--course", str(course.dir)]) == 0
    handed, out = str(tmp_path / "class"), tmp_path / "out"
    assert main(["grade", "hostile", handed, "--course", str(course.dir), "--out", str(out), "--jobs", "2"]) == 0
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    points = {r["student"]: {q["id"]: q["points"] for q in r["questions"]}["wave"] for r in map(json.loads, lines)}
    assert points == {file_of(name): 10.0 if name == HONEST else 0.0 for name in CLASS}


@pytest.mark.slow
def test_attacks_win_of_legacy_nbgrader_tests_what_is_said(tmp_path: Path) -> None:
    course = attacked_course(tmp_path)
    assert main(["grade", "--format", "nbgrader", str(course), "hw", *SECONDS]) == 1  # of one a person is asked
    of_nbgrader = won(course / "autograder" / "hw" / "grades.csv")
    assert of_nbgrader.pop(HONEST) == set(TESTS)
    assert of_nbgrader == said("nbgrader")


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_attacks_win_of_legacy_otter_tests_what_is_said(form: str, tmp_path: Path) -> None:
    packed, handed = otter_class(tmp_path, form)
    command = ["grade", "--format", "otter", str(packed), str(handed), "--out", str(tmp_path / "out"), *SECONDS]
    assert main(command) == 0
    of_otter = won(tmp_path / "out" / "grades.csv")
    assert of_otter.pop(HONEST) == set(TESTS) - {"scored"}
    assert of_otter == said(form)


def rows(guide: str, heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell; an empty cell is a dash."""
    text = (DOCS / guide).read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [[each.strip() for each in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {first: ["" if each == "–" else each.replace(",", "") for each in rest] for first, *rest in cells[2:]}


HEADING = "What a determined student can still forge"


def test_guides_name_every_attack_that_wins_and_what_it_wins() -> None:
    assert rows("coming-from-nbgrader.md", HEADING) == {
        name: [wins.nbgrader, THERE.get(name, Wins()).nbgrader] for name, wins in HERE.items() if wins.nbgrader
    }
    assert rows("coming-from-otter.md", HEADING) == {
        name: [wins.doctests, wins.exceptions] for name, wins in HERE.items() if wins.doctests or wins.exceptions
    }


@pytest.mark.parametrize("peer", ["nbgrader", "otter"])
def test_guides_name_every_attack_that_wins_nothing(peer: str) -> None:
    text = " ".join((DOCS / f"coming-from-{peer}.md").read_text(encoding="utf-8").split())
    system = "doctests" if peer == "otter" else peer
    nothing = [name for name in ATTACKS if not getattr(HERE.get(name, Wins()), system)]
    there = [name for name in nothing if getattr(THERE.get(name, Wins()), system)]
    assert f" Tried, and won nothing: {'; '.join(nothing)}. " in text
    assert f" Of these, {peer} itself loses to: {'; '.join(there)}. " in text
