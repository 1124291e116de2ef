"""How do marks get into nbgrader's own database?

Through nbgrader's API alone, imported here and nowhere else, and only when there is something to write:
so that formgrader shows what was graded, and what a person has given stays.
"""

import importlib
import importlib.util
import json
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autograder.course.errors import CourseError
from autograder.exchange.nbgrader.cells import Master
from autograder.exchange.nbgrader.course import TIMESTAMP, Course
from autograder.exchange.nbgrader.grade import Class, Graded, Mark, Notebook
from autograder.notebook.quick import without_addresses

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

_ABSENT = "nbgrader is not installed here, and its gradebook is written by its own code: pip install nbgrader"

_IMPORTING = threading.Lock()  # it is imported while a class is graded, and wanted at the end
_UNTOUCHED = "No response."  # nbgrader's words for it


def available() -> bool:
    """Whether nbgrader is installed beside us."""
    return importlib.util.find_spec("nbgrader") is not None


def api() -> ModuleType:
    """nbgrader's API. Its package imports a web server and a grammar of addresses, two seconds that are not needed
    here, so the module is imported without them. Raises CourseError where nbgrader is not installed."""
    with _IMPORTING:
        if "nbgrader.api" not in sys.modules:
            spec = importlib.util.find_spec("nbgrader")
            if spec is None or spec.submodule_search_locations is None:
                raise CourseError(_ABSENT)
            package = ModuleType("nbgrader")
            package.__path__ = list(spec.submodule_search_locations)
            package.__spec__ = spec  # or `available` fails meanwhile
            is_there = "nbgrader" in sys.modules
            sys.modules.setdefault("nbgrader", package)
            try:
                with without_addresses():
                    importlib.import_module("nbgrader.api")
            finally:
                if not is_there:
                    del sys.modules["nbgrader"]
        return sys.modules["nbgrader.api"]


def save(course: Course, assignment: str, graded: Class) -> None:
    """Write the assignment and everybody's marks. Raises CourseError where the database forbids it."""
    nbgrader = api()
    try:
        with (
            warnings.catch_warnings(),
            _no_program(nbgrader),
            nbgrader.Gradebook(course.database, course.id or "default_course") as book,
        ):
            warnings.simplefilter("ignore")  # of nbgrader's own, about how it uses SQLAlchemy
            # nbgrader commits after each step, and waits for the disk; here a class is written whole or not at all.
            commit, book.db.commit = book.db.commit, book.db.flush
            _assignment(book, assignment, graded)
            for each in graded.graded:
                if not each.unreadable:
                    _student(book, assignment, each)
            commit()
    except nbgrader.InvalidEntry as error:
        raise CourseError(f"{course.database} refuses what was graded: {error}") from error


@contextmanager
def _no_program(nbgrader: Any) -> Iterator[None]:
    """nbgrader starts the program `alembic` to learn the version of a new database, a second that it knows itself."""
    from alembic.script import ScriptDirectory

    usual = nbgrader.get_alembic_version
    migrations = ScriptDirectory(str(Path(str(nbgrader.__file__)).with_name("alembic")))
    nbgrader.get_alembic_version = migrations.get_current_head
    try:
        yield
    finally:
        nbgrader.get_alembic_version = usual


def _assignment(book: "Gradebook", assignment: str, graded: Class) -> None:
    book.update_or_create_assignment(assignment)
    for master in graded.masters:
        _notebook(book, assignment, master)


def _notebook(book: "Gradebook", assignment: str, master: Master) -> None:
    """The cells of one notebook, as `nbgrader generate_assignment` would write them."""
    own = master.own
    kinds = {
        "grade": {name for name, cell in own.items() if cell.grade},
        "solution": {name for name, cell in own.items() if cell.solution},
        "task": {name for name, cell in own.items() if cell.task},
        "source": set(own),
    }
    try:
        known = book.find_notebook(master.name, assignment)
    except api().MissingEntry:
        known = None
    if known is not None and any(
        {cell.name for cell in getattr(known, f"{kind}_cells")} != names for kind, names in kinds.items()
    ):
        if len(known.submissions):
            raise CourseError(
                f"the gradebook holds marks for {master.name!r} with other cells than source/ has now: as with "
                f"nbgrader, cells cannot come or go once there are submissions; put them back, or remove the "
                f"assignment first (`nbgrader db assignment remove {assignment}`)"
            )
        book.remove_notebook(master.name, assignment)
        known = None
    if known is None:
        book.add_notebook(master.name, assignment, kernelspec=json.dumps(master.kernel))
    place = (master.name, assignment)
    for name, cell in own.items():
        if cell.grade:
            book.update_or_create_grade_cell(name, *place, max_score=cell.points, cell_type=cell.kind)
        if cell.solution:
            book.update_or_create_solution_cell(name, *place)
        if cell.task:
            book.update_or_create_task_cell(name, *place, max_score=cell.points, cell_type=cell.kind)
        book.update_or_create_source_cell(
            name,
            *place,
            cell_type=cell.kind,
            locked=cell.locked,
            source=cell.source,
            checksum=cell.meta["checksum"],
        )


def _student(book: "Gradebook", assignment: str, graded: Graded) -> None:
    student = graded.student.student
    book.update_or_create_student(student)
    timestamp = graded.student.beside(TIMESTAMP)
    known: dict[str, Any] = {"timestamp": timestamp} if timestamp else {}
    book.update_or_create_submission(assignment, student, **known)
    for notebook in graded.notebooks:
        for mark in notebook.marks:
            _grade(book, assignment, student, notebook, mark)
        for cell in notebook.cells:
            if cell.solution and not cell.grade:
                untouched = cell.meta.get("checksum") == cell.checksum()
                comment = book.find_comment(cell.id, notebook.name, assignment, student)
                comment.auto_comment = _UNTOUCHED if untouched else None


def _grade(book: "Gradebook", assignment: str, student: str, notebook: Notebook, mark: Mark) -> None:
    """One mark. What a person gave stays, and is to be looked at again, as nbgrader has it."""
    place = (mark.cell.id, notebook.name, assignment, student)
    grade = book.find_grade(*place)
    grade.auto_score = mark.result.points
    waits = mark.result.points is None and not (mark.cell.task and grade.manual_score is not None)
    grade.needs_manual_grade = waits or (mark.cell.grade and grade.manual_score is not None)
    if mark.cell.solution or mark.cell.task:
        comment = book.find_comment(*place)
        untouched = mark.manual and mark.result.outcome == "failed" and not notebook.absent
        hints = None if mark.manual else mark.result.shown or None
        comment.auto_comment = _UNTOUCHED if untouched else hints
