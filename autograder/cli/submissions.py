"""Which submission of a student is meant, the gradebook's or one at a path?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.cli.arguments import add_gradebook, positive
from autograder.course.errors import CourseError, listed, nearest

if TYPE_CHECKING:
    from autograder.course.load import Assignment, Course
    from autograder.notebook.find import Source
    from autograder.notebook.submission import Submission


def add_submission(parser: argparse.ArgumentParser) -> None:
    add_gradebook(parser)
    parser.add_argument(
        "--submission",
        type=Path,
        metavar="PATH",
        help="a file, or the folder or zip of a class, in place of what the gradebook has",
    )
    parser.add_argument("--attempt", type=positive, metavar="N", help="which attempt (default: the last one)")


def submission_of(arguments: argparse.Namespace, course: "Course", assignment: "Assignment") -> "Submission":
    """What the student handed in, from the gradebook or from a path."""
    from autograder.notebook.read import Unreadable, read

    url = arguments.gradebook or course.gradebook
    if arguments.submission:
        source = _at(arguments.submission, arguments.student)
    elif url:
        from autograder.gradebook.database import open_gradebook
        from autograder.gradebook.handed import source_from

        with open_gradebook(url, base=course.dir) as book:
            source = source_from(book, assignment.id, arguments.student, arguments.attempt)
    else:
        raise CourseError("the course has no gradebook: name what was handed in with --submission PATH")
    try:
        return read(source)
    except Unreadable as error:
        raise CourseError(
            f"{arguments.student}: the submission cannot be read, so nothing was asked: {error.sentence}"
        ) from error


def _at(path: Path, student: str) -> "Source":
    """What lies at a path: one submission, whatever it is called, or that of the student among several."""
    from autograder.notebook.find import find

    found = {source.student: source for source in find([path])}
    if len(found) == 1:
        return next(iter(found.values()))
    if student not in found:
        raise CourseError(
            f"{path} holds no submission of {student!r}{nearest(student, found)}; it has: {listed(found)}"
        )
    return found[student]
