"""Do the guides for newcomers from nbgrader and otter show commands that work, in the order in which they stand?"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MADE = Path(__file__).parent / "otter_made"


def commands(guide: str) -> list[str]:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    return [
        line.removeprefix("$ ")
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def run_all(lines: list[str], folder: Path) -> None:
    """Run them as one script that stops at the first that fails, with the programs of this environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        ["sh", "-ec", "\n".join(lines)],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_coming_from_nbgrader_runs(tmp_path: Path) -> None:
    lines = commands("coming-from-nbgrader.md")
    assert len(lines) > 4
    run_all(lines, tmp_path)
    course = tmp_path / "my-course"
    assert {path.name for path in course.glob("feedback/bitdiddle/ps1/*.html")} == {"problem1.html", "problem2.html"}
    assert "bitdiddle" in (course / "grades.csv").read_text(encoding="utf-8")


@pytest.mark.slow
def test_coming_from_otter_runs(tmp_path: Path) -> None:
    shutil.copytree(MADE, tmp_path, dirs_exist_ok=True)
    lines = commands("coming-from-otter.md")
    assert len(lines) > 3
    run_all(lines, tmp_path)
    assert [(tmp_path / out / "feedback" / "ada.html").exists() for out in ("graded", "graded-too")] == [True, True]
