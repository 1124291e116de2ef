"""Does `release` write the student notebook once, and does `--check` only look?"""

import json
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.load import Course


def command(course: Course, *options: str) -> list[str]:
    return ["release", "softmax", "--course", str(course.dir), *options]


def notebook(course: Course) -> Path:
    return course.dir / "assignments" / "softmax" / "softmax.ipynb"


def test_release_writes_the_notebook_and_check_says_when_it_is_no_longer_current(
    new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(new_course, "--check")) == 1
    assert "is not there: run `autograder release softmax`" in capsys.readouterr().out
    assert not notebook(new_course).exists()
    assert main(command(new_course)) == 0
    assert "softmax.ipynb: 1 question, 1 with public checks" in capsys.readouterr().out
    assert main(command(new_course, "--check")) == 0
    before = notebook(new_course).read_bytes()
    source = new_course.dir / "solutions" / "softmax" / "softmax.py"
    source.write_text(source.read_text(encoding="utf-8").replace("Scores may", "The scores may"), encoding="utf-8")
    assert main(command(new_course, "--check")) == 1
    assert "is not what its source and references make" in capsys.readouterr().out
    assert notebook(new_course).read_bytes() == before
    assert main(command(new_course)) == 0
    assert main(command(new_course, "--check")) == 0


def test_release_leaves_a_current_notebook_alone(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(new_course)) == 0
    first = notebook(new_course).stat().st_mtime_ns
    assert main(command(new_course)) == 0
    assert "unchanged" in capsys.readouterr().out
    assert notebook(new_course).stat().st_mtime_ns == first


def test_release_with_json_prints_one_document(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    for current in (False, True):
        assert main(command(new_course, "--json")) == 0
        document = json.loads(capsys.readouterr().out)
        expected = {"assignment": "softmax", "path": str(notebook(new_course)), "questions": 1, "public_checks": 1}
        assert document == {**expected, "current": current}


def test_release_of_a_source_that_does_not_fit_writes_nothing(
    new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    source = new_course.dir / "solutions" / "softmax" / "softmax.py"
    source.write_text(source.read_text(encoding="utf-8").replace("    ### END SOLUTION\n", ""), encoding="utf-8")
    assert main(command(new_course)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "softmax.py: the cell that begins 'def softmax(logits):'" in said.err
    assert not notebook(new_course).exists()
