"""Do the guides for newcomers from nbgrader and otter show commands that work, in the order in which they stand?"""

import shutil
from pathlib import Path

import pytest

from tests.guides import Reader, commands

MADE = Path(__file__).parent / "otter_made"


@pytest.mark.slow
def test_coming_from_nbgrader_runs(tmp_path: Path) -> None:
    lines = commands("coming-from-nbgrader.md")
    assert len(lines) > 4
    Reader(tmp_path).follow(lines)
    course = tmp_path / "my-course"
    assert {path.name for path in course.glob("feedback/bitdiddle/ps1/*.html")} == {"problem1.html", "problem2.html"}
    assert "bitdiddle" in (course / "grades.csv").read_text(encoding="utf-8")


@pytest.mark.slow
def test_coming_from_otter_runs(tmp_path: Path) -> None:
    shutil.copytree(MADE, tmp_path, dirs_exist_ok=True)
    lines = commands("coming-from-otter.md")
    assert len(lines) > 3
    Reader(tmp_path).follow(lines)
    assert [(tmp_path / out / "feedback" / "ada.html").exists() for out in ("graded", "graded-too")] == [True, True]
