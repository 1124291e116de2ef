"""What does an nbgrader course folder hold: assignments, submissions, and where?"""

from dataclasses import dataclass
from pathlib import Path

from autograder.course.errors import CourseError, listed, nearest
from autograder.exchange.nbgrader.settings import Settings, read_settings
from autograder.notebook.files import Listing, Refused, of_folder

_CONFIG = "nbgrader_config.py"
_STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"
TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"
_OWN = frozenset({TIMESTAMP, SECRET})


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
    settings = read_settings(folder / _CONFIG)
    course = Course(folder, settings)
    root = settings.text("CourseDirectory.root", ".")
    if (folder / root).is_dir() and (folder / root).resolve() != folder.resolve():
        raise CourseError(f"{folder / _CONFIG} says that the course is in {root!r}: name that folder")
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
