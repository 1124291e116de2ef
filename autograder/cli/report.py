"""`autograder report ASSIGNMENT`: how a class did, and what its questions are worth."""

import argparse
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from autograder.cli.arguments import Commands, add_assignment, add_course, add_gradebook
from autograder.course.errors import CourseError

if TYPE_CHECKING:
    from autograder.report.tally import Tally


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "report",
        parents=[shared],
        help="how the class did: points, questions, mistakes, time; a page and tables",
        description="Say how a class did: points, how hard each question is and how well it discriminates, which "
        "mistakes were made by whom, what grading cost. With --out as a page and tables. For teaching staff.",
    )
    add_assignment(parser)
    add_course(parser)
    add_gradebook(parser)
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="the --out folder of a run (default: the course's gradebook)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="gets report.html and the tables")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.results and arguments.gradebook:
        raise CourseError("--results and --gradebook are two places to read from: give one of them")
    found = _of_run(arguments) if arguments.results else _of_gradebook(arguments)
    if not found.tally.students:
        raise CourseError(f"{found.source} has no students: grade a class first")

    from autograder.report.analysis import analyse
    from autograder.report.class_page import PAGE, document_of, lines_of, page_of
    from autograder.report.class_tables import write_tables
    from autograder.report.html import write_page

    report = analyse(found.tally, found.max_points)
    written: list[Path] = []
    if arguments.out:
        try:
            arguments.out.mkdir(parents=True, exist_ok=True)
            written = [arguments.out / PAGE, *write_tables(report, found.tally, arguments.out)]
            links = _links(found.tally.students, arguments.results, arguments.out)
            text = page_of(
                report, found.tally, course=found.course, assignment=found.title, source=found.source, links=links
            )
            write_page(arguments.out / PAGE, text)
        except OSError as error:
            raise CourseError(f"--out {arguments.out} cannot be written: {error.strerror}") from error
    if arguments.json:
        document = {"assignment": arguments.assignment, "source": found.source, **document_of(report)}
        print(json.dumps(document | {"written": [str(path) for path in written]}, ensure_ascii=False))
    else:
        print("\n".join(lines_of(report)))
        print(f"Page: {written[0]}; tables beside it" if written else "For the page and the tables: --out DIR")
    return 0


@dataclass(frozen=True)
class _Class:
    """A class that was read: its numbers, and what it is called. source: where it was read."""

    tally: "Tally"
    course: str
    title: str
    source: str

    @property
    def max_points(self) -> float:
        return sum(item.max_points for item in self.tally.items)


def _of_run(arguments: argparse.Namespace) -> _Class:
    """From the folder of a run. Without a course, as for nbgrader's and otter's, questions are those of the records."""
    from autograder.course.load import COURSE_FILE, load_assignment, load_course
    from autograder.report.entries import entries_in, items_in, items_of
    from autograder.report.tally import Tally

    if (arguments.course / COURSE_FILE).is_file():
        course = load_course(arguments.course)
        assignment = load_assignment(course, arguments.assignment)
        named, title = course.title, assignment.title
        items = items_of(assignment, manual=False)
    else:
        named, title = "", arguments.assignment
        items = items_in(arguments.results)
    tally = Tally(items)
    for entry in entries_in(arguments.results, items):
        tally.add(entry)
    return _Class(tally, named, title, str(arguments.results))


def _of_gradebook(arguments: argparse.Namespace) -> _Class:
    """From the gradebook: what counts, with what people decided."""
    from autograder.cli.book import opened
    from autograder.course.load import load_assignment
    from autograder.gradebook.database import now
    from autograder.report.entries import entries_of, items_of
    from autograder.report.tally import Tally

    course, opening = opened(arguments)
    assignment = load_assignment(course, arguments.assignment)
    tally = Tally(items_of(assignment, manual=True))
    with opening as book, book.reading() as connection:
        for entry in entries_of(connection, course, assignment.id, now=now()):
            tally.add(entry)
        return _Class(tally, course.title, assignment.title, f"the gradebook {book.place}")


def _links(students: Iterable[str], results: Path | None, out: Path) -> dict[str, str]:
    """Where the pages for teaching staff lie, seen from the report, of those students who have one."""
    from autograder.report.filenames import page_names
    from autograder.report.pages import STAFF

    if results is None or not (results / STAFF).is_dir():
        return {}
    folder = os.path.relpath(results / STAFF, out)
    names = page_names(students)
    return {student: quote(f"{folder}/{name}") for student, name in names.items() if (results / STAFF / name).is_file()}
