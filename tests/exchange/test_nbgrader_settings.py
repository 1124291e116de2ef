"""Is nbgrader_config.py read as nbgrader runs it, or refused with what to do?"""

from pathlib import Path

import pytest

from autograder.course.errors import CourseError
from autograder.exchange.nbgrader.course import Course, open_course


def course(folder: Path, *lines: str) -> Course:
    (folder / "source").mkdir(exist_ok=True)
    text = "\n".join(["c = get_config()", *lines, ""])
    (folder / "nbgrader_config.py").write_text(text, encoding="utf-8")
    return open_course(folder)


@pytest.mark.parametrize(
    "line",
    [
        "c.CourseDirectory.course_id = 'dl'",
        "c['CourseDirectory']['course_id'] = 'dl'",
        "c.CourseDirectory.course_id = name = 'dl'",
        "config = get_config()\nconfig.CourseDirectory.course_id = 'dl'",
    ],
)
def test_a_setting_is_found_however_it_is_written(line: str, tmp_path: Path) -> None:
    assert course(tmp_path, line).id == "dl"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("if True:\n    c.CourseDirectory.course_id = 'dl'", "line 3: CourseDirectory.course_id is set on a condition"),
        ("c.ClearSolutions.code_stub = dict(python='pass')", "line 2: ClearSolutions.code_stub is computed"),
        ("c.Autograde.exclude_overwriting = spared", "line 2: Autograde.exclude_overwriting is computed"),
        ("c.CourseDirectory.course_id += 'x'", "is set on a condition"),
        (
            "load_subconfig('base.py')",
            "line 2: the settings of other files are not read: write those of 'base.py' here",
        ),
        ("c.CourseDirectory.root = 'source'", "says that the course is in 'source': name that folder"),
    ],
)
def test_what_cannot_be_read_is_refused(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=said.replace("(", r"\(")):
        course(tmp_path, line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("c.LateSubmissionPlugin.penalty_method = 'zero'", "late penalties are not taken off"),
        ("c.AssignLatePenalties.plugin_class = MyPlugin", "late penalties are not taken off"),
        ("c.Autograde.autograde_preprocessors += ['mine.Own']", "no other steps"),
    ],
)
def test_what_is_not_followed_is_said(line: str, said: str, tmp_path: Path) -> None:
    (remark,) = course(tmp_path, line).settings.remarks
    assert "nbgrader_config.py, line 2: " in remark
    assert said in remark


def test_no_remark_where_nothing_differs(tmp_path: Path) -> None:
    made = course(
        tmp_path, "c.LateSubmissionPlugin.penalty_method = 'none'", f"c.CourseDirectory.root = {str(tmp_path)!r}"
    )
    assert made.settings.remarks == ()
    assert course(tmp_path, "c.CourseDirectory.root = '/srv/another/machine'").id == ""
