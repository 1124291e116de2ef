"""How does a new course begin? From a small one that works, with a key of its own."""

import os
import shutil
from pathlib import Path

from autograder.course.errors import CourseError
from autograder.course.key import new_key
from autograder.course.load import Course, load_course

TEMPLATE = Path(__file__).parent / "template"
_RENAMED = {"gitignore": ".gitignore"}  # hidden files are easily lost from a package


def create_course(directory: Path | str) -> Course:
    """Make a course in a folder that is empty or does not exist yet.

    One topic (softmax), one assignment, its solution, a README, and a new key that only the owner may
    read. CourseError, and nothing written, when something is in the folder already.
    """
    folder = Path(directory).absolute()
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{directory} is a file: name a folder for the new course")
    if folder.is_dir() and any(folder.iterdir()):
        raise CourseError(f"{directory} is not empty: name a new folder, so that nothing is overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        for name, wanted in _RENAMED.items():
            (folder / name).rename(folder / wanted)
        course = load_course(folder)
        _write_secret(course.key_file, new_key())
    except OSError as error:
        raise CourseError(f"{directory} cannot be written: {error.strerror}") from error
    return course


def _write_secret(path: Path, text: str) -> None:
    """Write a new file that nobody but its owner can read at any moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
