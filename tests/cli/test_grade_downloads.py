"""From an LMS's zip to its next gradebook, end to end: grade, export, feedback."""

import json
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from tests.cli.test_grade import RIGHT, WRONG
from tests.exchange.lms import Canvas, Person


@pytest.mark.slow
def test_a_canvas_zip_goes_out_and_comes_back(
    tmp_path: Path,
    notebook: Callable[..., bytes],
    keep_reference: Callable[[], AbstractContextManager[None]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = [
        Person(987, "jdoe", "S1", "Jane", "Doe"),
        Person(988, "lilei", "S2", "雷", "李"),
        Person(989, "x", "S3", "X", "Y"),
    ]
    people[2].grades["Softmax"] = "4.00"
    canvas = Canvas(people, {"Softmax": 10, "Other": 10})
    roster, handed_in, out = tmp_path / "roster.csv", tmp_path / "submissions.zip", tmp_path / "out"
    roster.write_bytes(canvas.export())
    with zipfile.ZipFile(handed_in, "w") as archive:
        archive.writestr("doejane_LATE_987_5551_softmax.ipynb", notebook(RIGHT))
        archive.writestr("李雷_988_5552_softmax-1.ipynb", notebook(WRONG))
        archive.writestr("ghost_700_5553_softmax.ipynb", notebook(RIGHT))
    course = create_course(tmp_path / "course")
    with keep_reference():
        assert main(["compile", "softmax", "--course", str(course.dir)]) == 0
        capsys.readouterr()
        shared = ["--course", str(course.dir), "--out", str(out), "--roster", str(roster)]
        assert main(["grade", "softmax", str(handed_in), "--json", *shared]) == 0
    assert json.loads(capsys.readouterr().out)["unknown"] == ["ghost_700"]
    kept = json.loads((out / "submissions.json").read_text(encoding="utf-8"))
    assert [(each["student"], each["late"]) for each in kept] == [
        ("ghost_700", False),
        ("jdoe", True),
        ("lilei", False),
    ]
    sent = tmp_path / "sent.csv"
    command = ["export", "canvas", "--grades", str(out), "--roster", str(roster), "--out", str(sent)]
    command += ["--assignment-column", "Softmax"]
    assert main(command) == 2
    assert "unmatched: ghost_700" in capsys.readouterr().err
    assert main([*command, "--leave-out", "ghost_700"]) == 0
    canvas.upload(sent.read_bytes())
    assert [person.grades for person in people] == [{"Softmax": "10.00"}, {"Softmax": "0.00"}, {"Softmax": "4.00"}]
    roster.write_bytes(canvas.export())
    assert main(["export", "--verify", str(sent), str(roster)]) == 0
    feedback = tmp_path / "feedback.zip"
    assert main(["export", "canvas-feedback", "--grades", str(out), "--out", str(feedback)]) == 0
    with zipfile.ZipFile(feedback) as archive:
        assert "李雷_988_5552_softmax-1.ipynb" in archive.namelist()
        page = json.loads(archive.read("doejane_LATE_987_5551_softmax.ipynb"))
    assert "10 of 10 points" in page["cells"][0]["source"]
