"""Whose are the files of a download? Nobody is guessed, and nobody can pass for somebody else."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course.errors import CourseError
from autograder.exchange.downloads import Download, as_json, read_downloads
from autograder.exchange.model import Roster
from autograder.exchange.rosters import read_roster
from autograder.notebook.read import read
from tests.exchange.test_formats import BLACKBOARD, CANVAS, MOODLE

Make = Callable[..., bytes]
WORKSHEET = (
    '\ufeffIdentifier,"Full name","ID number","Email address",Status,Grade,"Maximum Grade"\n'
    '"Participant 4711","Jane Doe",0012,jane@example.edu,"Submitted for grading",,100.00\n'
    '"Participant 4712","Jane Doe",0013,jane2@example.edu,"Submitted for grading",,100.00\n'
    '"Participant 4713",李雷,0014,lei@example.edu,"No submission",,100.00\n'
)


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in files.items():
            archive.writestr(name, contents)
    return path


def roster_of(text: str, tmp_path: Path) -> Roster:
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode())
    return read_roster(path)[1].roster


def keys(download: Download) -> list[str]:
    return [each.key for each in download.handed]


def test_canvas_zip(tmp_path: Path, notebook: Make) -> None:
    files = {
        "doejane_LATE_987_5551_hw1-1.ipynb": notebook("from utils import f"),
        "doejane_987_5552_utils-1.py": b"def f(): pass",
        "李雷_988_5553_988_1_作业_v2.ipynb": notebook("x = 1"),
        "roerick_989_text.html": b"<p>I have no file",
        "ghostgary_700_5554_hw1.py": b"x = 1",
    }
    download = read_downloads([packed(tmp_path / "submissions.zip", files)], roster=roster_of(CANVAS, tmp_path))
    assert keys(download) == ["ghostgary_700", "jdoe", "lilei"]
    ghost, jane, li = download.handed
    assert (jane.late, li.late, ghost.late) == (True, False, False)
    assert download.unknown == ("ghostgary_700",)
    assert download.passed_over == ("roerick_989_text.html",)
    submission = read(jane.source)
    assert submission.student == "jdoe"
    assert submission.cells[0].source == "from utils import f"
    assert dict(submission.files) == {"utils.py": b"def f(): pass"}
    assert jane.files == ("doejane_987_5552_utils-1.py", "doejane_LATE_987_5551_hw1-1.ipynb")
    assert read(li.source).cells[0].source == "x = 1"


def test_canvas_zip_without_a_roster_has_names_that_a_roster_knows_later(tmp_path: Path, notebook: Make) -> None:
    path = packed(tmp_path / "submissions.zip", {"doejane_987_5551_hw1.ipynb": notebook("x = 1")})
    download = read_downloads([path])
    assert keys(download) == ["doejane_987"]
    assert download.unknown == ()
    (found,) = roster_of(CANVAS, tmp_path).find("doejane_987")
    assert found.lms_id == "987"


def test_a_canvas_name_with_a_number_is_settled_by_the_roster_alone(tmp_path: Path, notebook: Make) -> None:
    """A student chooses the display name: `x_987` must not hand in for the student 987."""
    roster = roster_of(CANVAS.replace('"Roe, Rick"', "rick_987"), tmp_path)
    files = {"rick_987_989_5551_hw1.ipynb": notebook("x = 1"), "doejane_987_5552_hw1.ipynb": notebook("y = 1")}
    download = read_downloads([packed(tmp_path / "s.zip", files)], roster=roster)
    assert [(each.key, read(each.source).cells[0].source) for each in download.handed] == [
        ("jdoe", "y = 1"), ("rroe", "x = 1"),
    ]  # fmt: skip


def test_a_canvas_name_that_is_another_s_prefix_names_nobody(tmp_path: Path, notebook: Make) -> None:
    """Rick calls himself `doejane_987`: his file's name then reads as Jane's and as his own."""
    roster = roster_of(CANVAS.replace('"Roe, Rick"', "doejane_987"), tmp_path)
    name = "doejane_987_989_5551_hw1.ipynb"
    download = read_downloads([packed(tmp_path / "s.zip", {name: notebook("x = 1")})], roster=roster)
    assert (keys(download), download.unknown) == ([name], (name,))


def test_a_canvas_id_with_another_name_is_nobody_s(tmp_path: Path, notebook: Make) -> None:
    path = packed(tmp_path / "s.zip", {"mallory_987_5551_hw1.ipynb": notebook("x = 1")})
    assert read_downloads([path], roster=roster_of(CANVAS, tmp_path)).unknown == ("mallory_987",)


def test_a_canvas_file_s_own_name_cannot_pass_for_a_user(tmp_path: Path, notebook: Make) -> None:
    path = packed(tmp_path / "s.zip", {"gary_700_5551_doejane_987_5552_hw1.ipynb": notebook("x = 1")})
    download = read_downloads([path], roster=roster_of(CANVAS, tmp_path))
    assert download.unknown == ("gary_700",)


def test_canvas_hidden_names_stay_unknown(tmp_path: Path, notebook: Make) -> None:
    path = packed(tmp_path / "s.zip", {"LATE_anon_aB3dE_5551_hw1.ipynb": notebook("x = 1")})
    download = read_downloads([path], roster=roster_of(CANVAS, tmp_path))
    assert (download.unknown, download.handed[0].late) == (("anon_aB3dE",), True)


def test_canvas_two_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "s.zip", {"doejane_987_1_a.csv": b"1", "doejane_987_2_a.csv": b"2", "doejane_987_3_h.py": b"x = 1"}
    )
    (handed,) = read_downloads([path]).handed
    assert dict(read(handed.source).files) == {"a.csv": b"1", "a-2.csv": b"2"}


def test_moodle_folders_by_participant(tmp_path: Path, notebook: Make) -> None:
    files = {
        "Jane Doe_4711_assignsubmission_file_/hw1.ipynb": notebook("a = 1"),
        "Jane Doe_4712_assignsubmission_file/src/hw1.ipynb": notebook("b = 1"),
        "Jane Doe_4712_assignsubmission_onlinetext/onlinetext.html": b"hello",
        "李雷_4713_assignsubmission_onlinetext_/onlinetext.html": b"no file",
        "Old Student_4600_assignsubmission_file_/hw1.ipynb": notebook("c = 1"),
    }
    download = read_downloads([packed(tmp_path / "s.zip", files)], roster=roster_of(WORKSHEET, tmp_path))
    assert keys(download) == ["0012", "0013", "Old Student_4600"]
    assert download.unknown == ("Old Student_4600",)
    assert download.passed_over == ("李雷_4713",)
    assert [read(each.source).cells[0].source for each in download.handed] == ["a = 1", "b = 1", "c = 1"]


def test_moodle_names_alone_decide_only_where_there_is_one(tmp_path: Path, notebook: Make) -> None:
    files = {
        "Jane Doe_4711_assignsubmission_file_hw1.ipynb": notebook("a = 1"),
        "李雷_4713_assignsubmission_file_hw1.ipynb": notebook("b = 1"),
    }
    path = packed(tmp_path / "s.zip", files)
    assert keys(read_downloads([path], roster=roster_of(MOODLE, tmp_path))) == ["0012", "0013"]
    twice = MOODLE + "Jane,Doe,0015,,,jane3@example.edu,-,,-,1764000000\n"
    download = read_downloads([path], roster=roster_of(twice, tmp_path))
    assert download.unknown == ("Jane Doe_4711",)


def test_blackboard_attempts(tmp_path: Path, notebook: Make) -> None:
    info = "Name: Jane Doe (jane_doe)\nAssignment: HW 1\nDate Submitted: Friday\n\nFiles:\n\tFilename: x\n"
    files = {
        "HW 1_jane_doe_attempt_2026-11-20-10-00-00.txt": info.encode(),
        "HW 1_jane_doe_attempt_2026-11-20-10-00-00_hw1.ipynb": notebook("first = 1"),
        "HW 1_jane_doe_attempt_2026-11-21-09-00-00.txt": info.encode(),
        "HW 1_jane_doe_attempt_2026-11-21-09-00-00_hw1.ipynb": notebook("from utils import second"),
        "HW 1_jane_doe_attempt_2026-11-21-09-00-00_utils.py": b"second = 2",
        "HW 1_lilei_attempt_2026-11-20-08-00-00_李_attempt_2020-01-01-00-00-00_x.py": b"x = 1",
    }
    path = packed(tmp_path / "s.zip", files)
    roster = roster_of(BLACKBOARD.replace('"jdoe"', '"jane_doe"'), tmp_path)
    download = read_downloads([path], roster=roster)
    assert keys(download) == ["jane_doe", "lilei"]
    jane = download.handed[0]
    assert (jane.attempt, jane.submitted) == (2, "2026-11-21-09-00-00")
    assert dict(read(jane.source).files) == {"utils.py": b"second = 2"}
    assert [(each.key, each.attempt) for each in download.earlier] == [("jane_doe", 1)]
    assert keys(read_downloads([path])) == [
        "HW 1_lilei",
        "jane_doe",
    ]  # the text file tells one login, nothing the other


def test_blackboard_login_that_ends_another_is_settled_by_its_text_file_alone(tmp_path: Path, notebook: Make) -> None:
    files = {"HW_1_jane_doe_attempt_2026-11-20-10-00-00_x.ipynb": notebook("x = 1")}
    roster = roster_of(BLACKBOARD.replace('"jdoe"', '"jane_doe"').replace('"lilei"', '"doe"'), tmp_path)
    assert read_downloads([packed(tmp_path / "s.zip", files)], roster=roster).unknown == ("HW_1_jane_doe",)
    files["HW_1_jane_doe_attempt_2026-11-20-10-00-00.txt"] = "姓名: Jane (JD) Doe (jane_doe)\n作业: HW 1\n".encode()
    assert keys(read_downloads([packed(tmp_path / "t.zip", files)], roster=roster)) == ["jane_doe"]
    files["HW_1_jane_doe_attempt_2026-11-20-10-00-00.txt"] = b"Name: Jane Doe (mallory)\n"
    assert read_downloads([packed(tmp_path / "u.zip", files)], roster=roster).unknown == ("HW_1_jane_doe",)


def test_nbgrader_submitted(tmp_path: Path, notebook: Make) -> None:
    root = tmp_path / "submitted"
    for name, contents in {
        "ada/hw1/hw1.ipynb": notebook("x = 1"),
        "ada/hw1/timestamp.txt": b"2026-11-20 10:00:00.1 UTC\n",
        "ada/hw2/hw2.ipynb": notebook("y = 1"),
        "bob/hw2/hw2.ipynb": notebook("z = 1"),
        "李雷/hw1/hw1.ipynb": notebook("w = 1"),
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    download = read_downloads([root], assignment="hw1")
    assert keys(download) == ["ada", "李雷"]
    assert download.handed[0].submitted == "2026-11-20 10:00:00.1 UTC"
    assert read(download.handed[0].source).files == {}


def test_folders_and_files_are_matched_by_identity_or_whole_name(tmp_path: Path, notebook: Make) -> None:
    root = tmp_path / "class"
    root.mkdir()
    for name in ("S123.ipynb", "李, 雷.ipynb", "Scan_20260314.ipynb", "jane.ipynb"):
        (root / name).write_bytes(notebook("x = 1"))
    (root / "rroe").mkdir()
    (root / "rroe" / "hw1.py").write_bytes(b"x = 1")
    download = read_downloads([root], roster=roster_of(CANVAS, tmp_path))
    assert keys(download) == ["Scan_20260314", "jane", "jdoe", "lilei", "rroe"]
    assert set(download.unknown) == {"Scan_20260314", "jane"}


def test_a_folder_with_one_other_name_is_no_download_of_canvas(tmp_path: Path, notebook: Make) -> None:
    root = tmp_path / "class"
    root.mkdir()
    for name in ("lab_2_3_final.ipynb", "bob.ipynb"):
        (root / name).write_bytes(notebook("x = 1"))
    assert keys(read_downloads([root])) == ["bob", "lab_2_3_final"]


@pytest.mark.parametrize("inside", ["lab_2_3_final.ipynb", "mine/hw1/hw1.ipynb"])
def test_one_student_s_own_zip_is_named_by_itself(inside: str, tmp_path: Path, notebook: Make) -> None:
    path = packed(tmp_path / "ada.zip", {inside: notebook("x = 1")})
    assert keys(read_downloads([path], assignment="hw1")) == ["ada"]


def test_two_submissions_of_one_student_are_refused(tmp_path: Path, notebook: Make) -> None:
    root = tmp_path / "class"
    root.mkdir()
    for name in ("S123.ipynb", "jdoe.ipynb"):
        (root / name).write_bytes(notebook("x = 1"))
    with pytest.raises(CourseError, match="two submissions are of 'jdoe'"):
        read_downloads([root], roster=roster_of(CANVAS, tmp_path))


def test_a_download_of_texts_holds_nothing_to_grade(tmp_path: Path) -> None:
    path = packed(tmp_path / "s.zip", {"李雷_4713_assignsubmission_onlinetext_/onlinetext.html": b"x"})
    with pytest.raises(CourseError, match=r"no file to be graded in .*s\.zip: only 李雷_4713"):
        read_downloads([path])


@pytest.mark.parametrize("wrapper", ["", "submissions/", "a/b/"])
def test_a_class_of_one_is_known_inside_of_a_wrapper_or_without(wrapper: str, tmp_path: Path, notebook: Make) -> None:
    name = f"{wrapper}Jane Doe_4711_assignsubmission_file_/hw1.ipynb"
    download = read_downloads([packed(tmp_path / "s.zip", {name: notebook("x = 1")})])
    assert keys(download) == ["Jane Doe_4711"]


def test_a_zip_in_a_canvas_zip_is_opened(tmp_path: Path, notebook: Make) -> None:
    inner = packed(tmp_path / "inner.zip", {"hw/hw1.ipynb": notebook("x = 1"), "hw/data.csv": b"1"}).read_bytes()
    path = packed(tmp_path / "s.zip", {"doejane_987_1_hw1.zip": inner, "doejane_987_2_photo.png": b"x"})
    (handed,) = read_downloads([path]).handed
    assert dict(read(handed.source).files) == {"data.csv": b"1"}


def test_what_is_kept_of_a_download(tmp_path: Path, notebook: Make) -> None:
    path = packed(tmp_path / "s.zip", {"doejane_LATE_987_5551_hw1.ipynb": notebook("x = 1")})
    assert as_json(read_downloads([path])) == [
        {
            "student": "doejane_987", "name": "doejane_987", "matched": False, "lms": "canvas", "attempt": None,
            "late": True, "submitted": "", "files": ["doejane_LATE_987_5551_hw1.ipynb"],
        }
    ]  # fmt: skip
