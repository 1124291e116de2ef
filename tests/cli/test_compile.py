"""Does a new course compile as `init` made it, and is a suite kept only when it is proved?"""

import json
import shutil
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.load import Course

pytestmark = pytest.mark.slow  # seconds each: jails, servers or thousands of draws


def test_compile_of_a_new_course_proves_its_suite(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "softmax", "--course", str(new_course.dir), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["assignment"] == "softmax"
    assert document["points"] == 10.0
    (proof,) = document["proof"]
    assert proof["faults"] == []
    assert len(proof["kills"]) == 3
    assert Path(document["path"]).is_dir()


def test_compile_again_keeps_what_has_not_changed(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compile", "softmax", "--course", str(new_course.dir), "--json"]
    suites = []
    for _ in range(2):
        assert main(command) == 0
        suites.append(json.loads(capsys.readouterr().out)["suite"])
    assert suites[0] == suites[1]


def test_compile_with_a_misconception_that_survives_writes_nothing(
    new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    path = new_course.dir / "reference" / "activations.py"
    harmless = 'softmax.misconception("harmless", ("np.exp(shifted)", "np.exp(shifted) * 1.0"), hint="None.")\n'
    path.write_text(path.read_text(encoding="utf-8") + harmless, encoding="utf-8")
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 2
    said = capsys.readouterr()
    assert "harmless" in said.err
    assert said.out == ""
    assert not (new_course.dir / ".autograder").exists()


def test_compile_of_the_same_again_has_the_same_digest(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compile", "softmax", "--course", str(new_course.dir), "--json", "--again"]
    documents = []
    for _ in range(2):
        assert main(command) == 0
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0]["suite"] == documents[1]["suite"]  # though one took longer than the other


def test_suite_without_the_proof_of_its_own_is_made_again(
    new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compile", "softmax", "--course", str(new_course.dir), "--json"]
    assert main(command) == 0
    document = json.loads(capsys.readouterr().out)
    path = Path(document["path"]) / "proof.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**kept, "suite": "0" * 64, "questions": []}), encoding="utf-8")
    assert main(command) == 0
    assert len(json.loads(capsys.readouterr().out)["proof"]) == 1
    assert json.loads(path.read_text(encoding="utf-8"))["suite"] == document["suite"]


def test_compile_of_several_tells_of_each_or_makes_none(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    first = new_course.dir / "assignments" / "softmax"
    shutil.copytree(first, first.with_name("again"))
    course = ["--course", str(new_course.dir), "--json"]
    assert main(["compile", "softmax", "nowhere", *course]) == 2
    assert not (new_course.dir / ".autograder").exists()
    capsys.readouterr()
    assert main(["compile", "softmax", "again", *course]) == 0
    assert [each["assignment"] for each in json.loads(capsys.readouterr().out)] == ["softmax", "again"]
