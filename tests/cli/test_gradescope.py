"""Does `gradescope pack` write what Gradescope needs and nothing else, and do its other actions keep off elsewhere?"""

import io
import json
import zipfile
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.load import Course, load_assignment, load_course
from autograder.exchange.gradescope import no_score_json, results_json
from autograder.grading.record import Record
from autograder.suite.compile import load_suite
from tests.exchange.test_results import record

pytestmark = pytest.mark.slow  # seconds each: jails, servers or thousands of draws


@pytest.fixture
def compiled(new_course: Course) -> Course:
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 0
    return new_course


def pack(course: Course, *more: str) -> int:
    out = course.dir.parent / "autograder.zip"
    return main(["gradescope", "pack", "softmax", "--course", str(course.dir), "--out", str(out), *more])


def test_pack_holds_what_grading_takes(compiled: Course, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert pack(compiled, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    contents = Path(document["out"]).read_bytes()
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        names = set(archive.namelist())
        modes = {each.filename: each.external_attr >> 16 & 0o777 for each in archive.infolist()}
        setup, run = (archive.read(name).decode() for name in ("setup.sh", "run_autograder"))
        requirements = archive.read("requirements.txt").decode().splitlines()
    assert {
        "course/course.toml",
        "course/reference/activations.py",
        "course/assignments/softmax/assignment.toml",
    } < names
    assert {f"course/{compiled.key_file.name}", "course/.autograder/suites/softmax/suite.bin"} < names
    assert {"autograder/__init__.py", "autograder/sandbox/profiles/server.json"} < names
    assert not [
        name
        for name in names
        if name.startswith("course/solutions") or "__pycache__" in name or name.endswith(".ipynb")
    ]
    assert (modes["setup.sh"], modes["run_autograder"], modes[f"course/{compiled.key_file.name}"]) == (
        0o755,
        0o755,
        0o600,
    )
    assert "gradescope setup softmax" in setup
    assert "gradescope run softmax --visibility visible" in run
    assert {line.split("==")[0] for line in requirements} >= {"numpy", "safetensors", "pyseccomp", "pydantic"}
    assert not [line for line in requirements if line.startswith("gradient-autograder")]


def test_pack_holds_what_was_adopted(new_course: Course) -> None:
    path = new_course.dir / "adopted" / "softmax" / "doubled.py"
    path.parent.mkdir(parents=True)
    head = '# /// adopted\n# name = "doubled"\n# hint = "Why twice?"\n# ///\n'
    path.write_text(head + "def softmax(logits):\n    return 2 * logits\n", encoding="utf-8")
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 0
    assert pack(new_course) == 0
    with zipfile.ZipFile(new_course.dir.parent / "autograder.zip") as archive:
        archive.extractall(new_course.dir.parent / "unpacked")
    course = load_course(new_course.dir.parent / "unpacked" / "course")
    suite = load_suite(course, load_assignment(course, "softmax"))  # which it fits, where it is unpacked
    assert [each.name for each in suite.plans[0].adopted] == ["doubled"]


def test_pack_of_the_same_course_is_the_same_zip(compiled: Course) -> None:
    out = compiled.dir.parent / "autograder.zip"
    assert pack(compiled) == 0
    first = out.read_bytes()
    assert pack(compiled) == 0
    assert out.read_bytes() == first


def test_pack_tells_options_to_the_container(compiled: Course) -> None:
    assert pack(compiled, "--visibility", "hidden", "--pip-options=--no-index --find-links /wheels") == 0
    with zipfile.ZipFile(compiled.dir.parent / "autograder.zip") as archive:
        assert "--visibility hidden" in archive.read("run_autograder").decode()
        assert "--no-index --find-links /wheels -r" in archive.read("setup.sh").decode()


def test_pack_says_what_is_missing(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack(new_course) == 2
    assert "run `autograder compile softmax`" in capsys.readouterr().err
    assert main(["gradescope", "pack", "softmax", "--course", str(new_course.dir)]) == 2
    assert "--out is missing" in capsys.readouterr().err
    assert pack(new_course, "--visibility", "never") == 2
    assert "after_published" in capsys.readouterr().err


def test_pack_takes_no_key_from_elsewhere(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    away = new_course.dir.parent / "course.key"
    new_course.key_file.rename(away)
    path = new_course.dir / "course.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('key = "course.key"', 'key = "../course.key"'), encoding="utf-8")
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 0
    capsys.readouterr()
    assert pack(new_course) == 2
    assert "lies outside the course" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["setup", "run"])
def test_what_changes_a_machine_is_refused_elsewhere(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradescope", action, "softmax"]) == 2
    assert "for Gradescope's container" in capsys.readouterr().err


def test_results_are_visible_when_they_shall_be() -> None:
    graded = Record.model_validate(record("jdoe", 7.5))
    for visibility in ("visible", "after_due_date"):
        document = json.loads(results_json(graded, visibility))
        assert {document["visibility"], *(test["visibility"] for test in document["tests"])} == {visibility}
        assert document["stdout_visibility"] == "hidden"


def test_no_score_is_no_score() -> None:
    document = json.loads(no_score_json("It holds no notebook."))
    assert document["output"] == "It holds no notebook."
    assert not {"score", "tests"} & document.keys()
