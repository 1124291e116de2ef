"""What does an nbgrader course folder hold: settings, assignments, submissions?

`nbgrader_config.py` is a program, and is never run: what it assigns to settings we know, as plain values,
is read from its text.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course.errors import CourseError, listed, nearest
from autograder.notebook.files import Listing, Refused, of_folder

_CONFIG = "nbgrader_config.py"
_STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"
TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"
_OWN = frozenset({TIMESTAMP, SECRET})
_TEXT = (
    "CourseDirectory.course_id CourseDirectory.db_url CourseDirectory.directory_structure CourseDirectory.root "
    "CourseDirectory.source_directory CourseDirectory.submitted_directory CourseDirectory.autograded_directory "
    "CourseDirectory.feedback_directory ClearHiddenTests.begin_test_delimeter ClearHiddenTests.end_test_delimeter "
    "ClearSolutions.begin_solution_delimeter ClearSolutions.end_solution_delimeter ClearSolutions.text_stub"
).split()


@dataclass(frozen=True)
class Settings:
    """What a course says of itself where it differs from nbgrader's defaults."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, key: str, usual: str) -> str:
        return str(self.values.get(key, usual))

    @property
    def seconds(self) -> float | None:
        """The time that a cell may take, where the course says so."""
        for key in ("Execute.timeout", "ExecutePreprocessor.timeout"):
            value = self.values.get(key)
            if isinstance(value, int | float) and value > 0:
                return float(value)
        return None


@dataclass(frozen=True)
class Submitted:
    """What one student handed in of one assignment."""

    student: str
    folder: Path
    listing: Listing

    def files(self) -> dict[str, bytes]:
        """Every file but the notebooks and what nbgrader itself leaves there. Raises Refused."""
        names = [name for name in self.listing.names if name not in _OWN and not name.endswith(".ipynb")]
        return Listing(tuple(names), self.listing.read).read_all()

    def beside(self, name: str) -> str:
        """The text of a file of nbgrader's own; "" where there is none."""
        if name not in self.listing.names:
            return ""
        try:
            return self.listing.read(name)[:500].decode("utf-8", "replace").strip()
        except Refused:
            return ""


@dataclass(frozen=True)
class Course:
    dir: Path
    settings: Settings

    def step(self, name: str) -> Path:
        """The folder of one of nbgrader's steps: source, submitted, autograded or feedback."""
        return self.dir / self.settings.text(f"CourseDirectory.{name}_directory", name)

    @property
    def id(self) -> str:
        return self.settings.text("CourseDirectory.course_id", "")

    @property
    def database(self) -> str:
        return self.settings.text("CourseDirectory.db_url", f"sqlite:///{(self.dir / 'gradebook.db').resolve()}")

    def source_files(self, assignment: str) -> dict[str, bytes]:
        """The instructor's files beside the notebooks, which replace a student's of the same name."""
        kept = self.settings.values.get("Autograde.exclude_overwriting")
        spared = kept.get(assignment, []) if isinstance(kept, dict) else []
        listing = of_folder(self.step("source") / assignment)
        names = [name for name in listing.names if not name.endswith((".ipynb", ".pyc")) and name not in spared]
        return Listing(tuple(names), listing.read).read_all()

    def submissions(self, assignment: str) -> list[Submitted]:
        """Everybody who handed the assignment in, by name."""
        root = self.step("submitted")
        folders = sorted(path for path in root.glob(f"*/{assignment}") if path.is_dir()) if root.is_dir() else []
        if not folders:
            raise CourseError(
                f"{root} holds no submission of {assignment!r}: collect them first (`nbgrader collect {assignment}`)"
            )
        return [Submitted(path.parent.name, path, of_folder(path)) for path in folders]


def open_course(folder: Path) -> Course:
    """The course in a folder. Raises CourseError where it is none, or laid out in another way."""
    settings = _settings(folder / _CONFIG)
    course = Course(folder, settings)
    structure = settings.text("CourseDirectory.directory_structure", _STRUCTURE).replace("\\", "/")
    if structure != _STRUCTURE:
        raise CourseError(
            f"{folder / _CONFIG} arranges folders as {structure!r}; only nbgrader's usual {_STRUCTURE!r} is read here"
        )
    if not course.step("source").is_dir():
        raise CourseError(
            f"{folder} is no nbgrader course, it has no folder {course.step('source').name!r}: name the folder that "
            f"holds {_CONFIG}, source/ and submitted/"
        )
    return course


def assignment_of(course: Course, asked: str | None) -> str:
    """The assignment that was asked for, or the only one that there is. Raises CourseError."""
    known = sorted({path.parent.name for path in course.step("source").glob("*/*.ipynb")})
    if asked in known:
        return asked
    if asked:
        raise CourseError(
            f"{course.step('source')} has no assignment {asked!r}{nearest(asked, known)}: {listed(known)}"
        )
    if len(known) == 1:
        return known[0]
    raise CourseError(f"{course.dir} has several assignments, name one: {listed(known)}")


def _settings(path: Path) -> Settings:
    if not path.exists():
        return Settings()
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from error
    values: dict[str, Any] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            key = ast.unparse(statement.targets[0])
            if key.startswith("c."):
                try:
                    values[key.removeprefix("c.")] = ast.literal_eval(statement.value)
                except ValueError:
                    if key.removeprefix("c.") in _TEXT:
                        raise CourseError(
                            f"{path}, line {statement.lineno}: {key} is computed, and this file is read, not run: "
                            "write its value there"
                        ) from None
    return Settings(values)
