"""Does each student get their own page, under a name that the LMS takes?"""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autograder.course.errors import CourseError
from autograder.exchange.feedback import canvas_zip, moodle_zip
from autograder.exchange.rosters import read_roster
from autograder.report.filenames import page_names
from autograder.report.results import write_results
from tests.exchange.test_downloads import WORKSHEET
from tests.exchange.test_results import record


def graded(folder: Path, submissions: list[dict[str, Any]] | None, *records: dict[str, Any]) -> Path:
    """What `grade` leaves: records, a page each, and whose files they were."""
    write_results(records, folder / "results.jsonl")
    names = page_names(each["student"] for each in records)
    (folder / "feedback").mkdir()
    for each in records:
        (folder / "feedback" / names[each["student"]]).write_text(f"<p>{each['student']}", encoding="utf-8")
    if submissions is not None:
        (folder / "submissions.json").write_text(json.dumps(submissions), encoding="utf-8")
    return folder


def entries(contents: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def moodle_takes(path: str) -> tuple[str, str]:
    """Participant and file, as Moodle's importer splits a path at underscores."""
    parts = path.split("/")
    while parts:
        info = parts.pop(0).split("_", 4)
        if len(info) >= 4 and info[1].isdigit() and (info[2], info[3]) == ("assignsubmission", "file"):
            return info[1], "/".join([*info[4:], *parts]).strip("/")
    raise AssertionError(f"Moodle would pass over {path}")


def canvas_takes(name: str) -> tuple[str, str]:
    """User and attachment, as Canvas infers them: the first two parts that are numbers."""
    parts = name.split("_")
    user, attachment = [part for part in parts if re.fullmatch(r"\d+", part)][:2]
    assert not parts[-1].startswith("link")
    return user, attachment


def test_moodle_zip_by_the_download_that_was_graded(tmp_path: Path) -> None:
    submissions = [
        {"student": "ada", "lms": "moodle", "files": ["Ada L_11_assignsubmission_file/hw.ipynb"]},
        {"student": "李雷", "lms": "moodle", "files": ["李雷_12_assignsubmission_file_hw.ipynb"]},
        {"student": "eve", "lms": "moodle", "files": ["Eve_13_assignsubmission_file_/hw.ipynb"]},
    ]
    ended = [record("ada", 1.0), record("李雷", None, "unreadable"), record("eve", None, "not_graded")]
    folder = graded(tmp_path, submissions, *ended, record("late-by-mail", 2.0))
    packed = moodle_zip(folder)
    found = {moodle_takes(name): contents.decode() for name, contents in entries(packed.contents).items()}
    assert found == {("11", "feedback.html"): "<p>ada", ("12", "feedback.html"): "<p>李雷"}
    assert packed.left_out == (("eve", "not_graded"), ("late-by-mail", "no participant is known by this name"))
    assert moodle_zip(folder).contents == packed.contents


def test_moodle_zip_by_the_worksheet(tmp_path: Path) -> None:
    sheet = tmp_path / "worksheet.csv"
    sheet.write_text(WORKSHEET.replace('"Jane Doe",0013', '"Jane_Doe",0013').removeprefix("\ufeff"), encoding="utf-8")
    folder = graded(
        tmp_path, None, record("0012", 1.0), record("0013", 1.0), record("Jane Doe", 1.0), record("李雷", 1.0)
    )
    packed = moodle_zip(folder, read_roster(sheet)[1])
    found = {moodle_takes(name): contents.decode() for name, contents in entries(packed.contents).items()}
    page = "feedback.html"
    assert found == {("4711", page): "<p>0012", ("4712", page): "<p>0013", ("4713", page): "<p>李雷"}
    assert packed.left_out == (("Jane Doe", "no participant is known by this name"),)


def test_canvas_zip_goes_by_the_names_it_came_with(tmp_path: Path) -> None:
    submissions = [
        {"student": "ada", "lms": "canvas", "files": ["lovelaceada_LATE_7_70_u.py", "lovelaceada_LATE_7_71_hw.ipynb"]},
        {"student": "bob", "lms": "canvas", "files": ["smithbob_8_80_hw.py"]},
        {"student": "eve", "lms": "canvas", "files": ["adamseve_9_90_hw.zip"]},
    ]
    folder = graded(tmp_path, submissions, record("ada", 7.5), record("bob", 1.0), record("eve", 2.0))
    found = {canvas_takes(name): (name, data) for name, data in entries(canvas_zip(folder).contents).items()}
    assert set(found) == {("7", "71"), ("8", "80"), ("9", "90")}
    name, contents = found["7", "71"]
    assert name == "lovelaceada_LATE_7_71_hw.ipynb"
    cell = json.loads(contents)["cells"][0]
    assert "7.5 of 10 points" in cell["source"]
    assert "Mean or sum?" in cell["source"]
    script = found["8", "80"][1].decode()
    compile(script, "hw.py", "exec")
    assert "1 of 10 points" in script
    assert entries(found["9", "90"][1]) == {"feedback.html": b"<p>eve"}
    for said in (cell["source"], script):
        assert "SECRET" not in said
        assert "huge logits" not in said


def test_feedback_without_the_lms_s_names_says_what_to_do(tmp_path: Path) -> None:
    folder = graded(tmp_path, None, record("ada", 1.0))
    with pytest.raises(CourseError, match="grade the zip that Canvas gives"):
        canvas_zip(folder)
    (folder / "submissions.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CourseError, match="no feedback to be packed: ada: no participant"):
        moodle_zip(folder)
