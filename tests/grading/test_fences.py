"""Does `forbidden` in an assignment cost the one question its points, and say why?"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from tests.cli.test_grade import RIGHT

WITHOUT = RIGHT.replace("np.exp(", "np.power(np.e, ")


def with_forbidden(folder: Path, forbidden: str) -> Path:
    course = create_course(folder / "course")
    (path,) = course.dir.glob("assignments/*/assignment.toml")
    text = path.read_text(encoding="utf-8")
    marker = 'topic = "softmax"\n'
    assert marker in text
    path.write_text(text.replace(marker, f'{marker}forbidden = ["{forbidden}"]\n'), encoding="utf-8")
    return course.dir


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["namespaces", "process"])
def test_forbidden_function_is_an_outcome_of_its_own(
    isolation: str, tmp_path: Path, keep_reference: Callable[[], AbstractContextManager[None]]
) -> None:
    course, handed_in, out = with_forbidden(tmp_path, "numpy.exp"), tmp_path / "class", tmp_path / "out"
    handed_in.mkdir()
    (handed_in / "uses.py").write_text(RIGHT, encoding="utf-8")
    (handed_in / "without.py").write_text(WITHOUT, encoding="utf-8")
    with keep_reference():
        assert main(["compile", "softmax", "--course", str(course)]) == 0
    command = ["grade", "softmax", str(handed_in), "--course", str(course), "--out", str(out)]
    options = ["--isolation", isolation, *(["--unsafe"] if isolation == "process" else [])]
    assert main([*command, *options]) == 0
    records = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    uses, without = records
    checks = uses["questions"][0]["checks"]
    assert uses["points"] == 0
    assert {check["outcome"] for check in checks} <= {"forbidden", "carried"}
    assert "used numpy.exp, which this question does not allow at cell 1, line 5" in checks[0]["message"]
    assert without["points"] == without["max_points"]


def test_forbidden_that_is_not_there_is_the_lecturers_mistake(
    tmp_path: Path, keep_reference: Callable[[], AbstractContextManager[None]], capsys: pytest.CaptureFixture[str]
) -> None:
    course = with_forbidden(tmp_path, "numpy.expo")
    (tmp_path / "a.py").write_text(RIGHT, encoding="utf-8")
    with keep_reference():
        assert main(["compile", "softmax", "--course", str(course)]) == 0
    command = ["grade", "softmax", str(tmp_path / "a.py"), "--course", str(course), "--out", str(tmp_path / "out")]
    assert main(command) == 2
    assert "forbidden: numpy has no 'numpy.expo'" in capsys.readouterr().err


@pytest.mark.slow
def test_process_writes_no_grades_unless_told(
    tmp_path: Path, keep_reference: Callable[[], AbstractContextManager[None]], capsys: pytest.CaptureFixture[str]
) -> None:
    course = create_course(tmp_path / "course").dir
    (tmp_path / "a.py").write_text(RIGHT, encoding="utf-8")
    with keep_reference():
        assert main(["compile", "softmax", "--course", str(course)]) == 0
    command = ["grade", "softmax", str(tmp_path / "a.py"), "--course", str(course), "--out", str(tmp_path / "out")]
    assert main([*command, "--isolation", "process"]) == 0
    said = capsys.readouterr()
    assert "WARNING: no isolation" in said.err
    assert "Nothing was written" in said.out
    assert not (tmp_path / "out").exists()
    assert main([*command, "--isolation", "process", "--unsafe", "--json"]) == 0
    assert (tmp_path / "out" / "results.jsonl").exists()
    (record,) = map(json.loads, (tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines())
    assert (record["isolation"], record["points"]) == ("process", 10.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--unsafe"], "--unsafe is for --isolation process alone"),
        (["--image", "x"], "--image is for --isolation docker, not for namespaces"),
        (["--isolation", "process", "--runtime", "x"], "--runtime is for --isolation docker, not for process"),
    ],
)
def test_options_that_mean_nothing_there_are_refused(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grade", "a", "b", "--out", str(tmp_path / "out"), *options]) == 2
    assert said in capsys.readouterr().err
