"""Which files does an assignment come with, that lie beside every student's notebook?

All that its folder holds but `assignment.toml` and the released notebook: what students were handed out, they
find again when they are graded. No link leads out of the folder, and hidden files are left out.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from autograder.course.errors import CourseError
from autograder.notebook.files import Listing, Refused, of_folder

if TYPE_CHECKING:
    from autograder.course.load import Assignment

MAX_DATA = 32 * 2**20  # bytes: each jail gets a copy of its own


def data_names(assignment: "Assignment", listing: Listing | None = None) -> tuple[str, ...]:
    """The paths of an assignment's files in its folder, with `/`, sorted. listing: of that folder, if it is at hand."""
    from autograder.course.load import ASSIGNMENT_FILE  # heavy, and a student's `check` wants `beside` alone

    own = {ASSIGNMENT_FILE, f"{assignment.id}.ipynb"}
    return tuple(name for name in (listing or of_folder(assignment.dir)).names if name not in own)


def data_files(assignment: "Assignment") -> dict[str, bytes]:
    """An assignment's files by their path. Raises CourseError where they cannot be read, or are too large."""
    try:
        listing = of_folder(assignment.dir)
        files = {name: listing.read(name) for name in data_names(assignment, listing)}
    except Refused as refused:
        raise CourseError(f"{assignment.dir}: a file that comes with the assignment: {refused}") from refused
    size = sum(map(len, files.values()))
    if size > MAX_DATA:
        largest = max(files, key=lambda name: len(files[name]))
        raise CourseError(
            f"{assignment.dir}: its files take {size // 2**20} MiB, more than {MAX_DATA // 2**20}: each student's jail "
            f"gets a copy; make them smaller, {largest} first"
        )
    return files


def beside(files: Mapping[str, bytes], data: Mapping[str, bytes]) -> dict[str, bytes]:
    """What lies beside a notebook: a student's own files, and the assignment's where both have one of a name."""
    folders = {str(parent) for name in data for parent in PurePosixPath(name).parents}
    own = {
        name: content
        for name, content in files.items()
        if name not in folders and not any(str(parent) in data for parent in PurePosixPath(name).parents)
    }
    return {**own, **data}
