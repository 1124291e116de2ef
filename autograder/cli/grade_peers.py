"""`autograder grade --format nbgrader|otter`: a course of another system, graded as it is."""

import argparse
import asyncio
import importlib
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.cli.progress import Progress
from autograder.course.errors import CourseError
from autograder.sandbox.isolation import PROCESS, Isolation
from autograder.values.counting import counted

if TYPE_CHECKING:
    from autograder.exchange.peers.jail import Bounds
    from autograder.grading.record import Record

OWN, NBGRADER, OTTER = "autograder", "nbgrader", "otter"
FORMATS = (OWN, NBGRADER, OTTER)
_SECONDS = 30.0  # nbgrader's own limit for a cell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=OWN,
        help="whose course it is: for nbgrader the arguments are COURSE_FOLDER [ASSIGNMENT], for otter the source "
        "notebook or the autograder zip, and what was handed in",
    )
    parser.add_argument(
        "--packages", metavar="NAMES", help="libraries that notebooks of another system may import, with commas between"
    )
    parser.add_argument(
        "--cell-seconds",
        type=_seconds,
        metavar="S",
        help=f"CPU time of one cell or test of another system's (default: what the course says, or {_SECONDS:g})",
    )


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return number


def run(arguments: argparse.Namespace, isolation: Isolation) -> int:
    if isolation.kind == PROCESS:
        raise CourseError(f"--format {arguments.format} needs a jail: its tests run beside student code")
    return _nbgrader(arguments, isolation) if arguments.format == NBGRADER else _otter(arguments, isolation)


def _warm_up() -> None:
    """Load what is needed at the end, while the servers start: half a second."""
    importlib.import_module("pandas")


def _packages(arguments: argparse.Namespace) -> tuple[str, ...]:
    return tuple(name.strip() for name in (arguments.packages or "").split(",") if name.strip())


def _bounds(arguments: argparse.Namespace, course_says: float | None = None) -> "Bounds":
    from autograder.exchange.peers.jail import Bounds

    return Bounds(arguments.cell_seconds or course_says or _SECONDS)


def _nbgrader(arguments: argparse.Namespace, isolation: Isolation) -> int:
    from autograder.exchange.nbgrader import book, write
    from autograder.exchange.nbgrader.course import assignment_of, open_course
    from autograder.exchange.nbgrader.grade import Class, doubtful, grade_course
    from autograder.exchange.nbgrader.records import as_records, questions_of
    from autograder.exchange.peers.worlds import Worlds

    if len(arguments.paths) > 1:
        raise CourseError("--format nbgrader takes a course folder and at most one assignment")
    course = open_course(Path(arguments.assignment))
    assignment = assignment_of(course, str(arguments.paths[0]) if arguments.paths else None)
    out = arguments.out or course.dir / "autograder" / assignment

    async def grade(progress: Progress) -> tuple[Class, str]:
        worlds = Worlds(isolation, _packages(arguments))
        try:
            graded = await grade_course(
                course,
                assignment,
                worlds,
                _bounds(arguments, course.settings.seconds),
                arguments.jobs,
                lambda done, total: progress.count(done, total, "graded"),
            )
            return graded, worlds.versions
        finally:
            await worlds.close()

    with Progress() as progress, ThreadPoolExecutor(1) as aside:
        aside.submit(_warm_up)
        if book.available():
            aside.submit(book.api)
        graded, versions = asyncio.run(grade(progress))
        progress.show("writing marks and pages")
        if book.available():
            book.save(course, assignment, graded)
        write.write(course, assignment, graded)
        records = as_records(graded, versions=versions, isolation=isolation.kind)
        questions, manual = questions_of(graded.masters)
        _write(records, out, questions, manual)
    for remark in course.settings.remarks:
        print(f"WARNING: {remark}", file=sys.stderr)
    if graded.doubts:
        print(f"WARNING: {doubtful(graded.doubts)}", file=sys.stderr)
    saved = course.database if book.available() else None
    told = [
        f"Gradebook: {saved}"
        if saved
        else "No gradebook.db was written: nbgrader is not installed here (pip install nbgrader, and grade again)",
        f"For formgrader: {course.step('autograded')}; for `nbgrader release_feedback`: {course.step('feedback')}",
    ]
    return _tell(arguments, assignment, records, graded.wall_s, out, told, {"gradebook": saved})


def _otter(arguments: argparse.Namespace, isolation: Isolation) -> int:
    from autograder.exchange.otter.assignment import open_assignment
    from autograder.exchange.otter.grade import Graded, grade_class
    from autograder.exchange.otter.results import as_records, student_page
    from autograder.exchange.peers.worlds import Worlds
    from autograder.report.filenames import page_names

    if not arguments.paths or not arguments.out:
        raise CourseError("--format otter takes the assignment, what was handed in, and --out DIR")
    assignment = open_assignment(Path(arguments.assignment))
    out: Path = arguments.out

    async def grade(progress: Progress) -> tuple[list[Graded], str]:
        worlds = Worlds(isolation, _packages(arguments))
        try:
            graded = await grade_class(
                assignment,
                arguments.paths,
                worlds,
                _bounds(arguments),
                arguments.jobs,
                lambda done, total: progress.count(done, total, "graded"),
            )
            return graded, worlds.versions
        finally:
            await worlds.close()

    began = time.perf_counter()
    with Progress() as progress, ThreadPoolExecutor(1) as aside:
        aside.submit(_warm_up)
        graded, versions = asyncio.run(grade(progress))
        records = as_records(assignment, graded, versions=versions, isolation=isolation.kind)
        _write(records, out, list(assignment.questions), dict(assignment.manual))
        names = page_names(each.student for each in graded)
        feedback = out / "feedback"
        try:
            feedback.mkdir(exist_ok=True)
            for each, record in zip(graded, records, strict=True):
                html = student_page(assignment, each, record)
                (feedback / names[each.student]).write_text(html, encoding="utf-8")
        except OSError as error:
            raise CourseError(f"--out {out} cannot be written: {error.strerror}") from error
    for remark in assignment.remarks:
        print(f"WARNING: {assignment.name}: {remark}", file=sys.stderr)
    told = [f"Pages for students: {feedback}"]
    return _tell(arguments, assignment.name, records, time.perf_counter() - began, out, told, {})


def _write(
    records: Sequence["Record"], out: Path, questions: Sequence[str], manual: dict[str, float] | None = None
) -> None:
    from autograder.report.results import write_results
    from autograder.report.tables import write_grades

    rows = [record.as_json() for record in records]
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_results(rows, out / "results.jsonl")
        write_grades(rows, out / "grades.csv", questions=questions, manual=manual or {})
    except OSError as error:
        raise CourseError(f"--out {out} cannot be written: {error.strerror}") from error


def _tell(
    arguments: argparse.Namespace,
    assignment: str,
    records: Sequence["Record"],
    wall_s: float,
    out: Path,
    told: Sequence[str],
    more: dict[str, str | None],
) -> int:
    from autograder.values.outcomes import State

    counts = {str(state): sum(record.state == state for record in records) for state in State}
    if arguments.json:
        document = {"assignment": assignment, "submissions": len(records), **counts, **more}
        json.dump(document | {"wall_s": round(wall_s, 3), "results": str(out / "results.jsonl")}, sys.stdout)
        print()
    else:
        print(f"{counted(len(records), 'submission')} in {wall_s:.1f} s: {counts['graded']} graded, ", end="")
        print(f"{counts['unreadable']} unreadable, {counts['not_graded']} not graded")
        for record in records:
            if record.state != State.GRADED:
                why = record.notes[0].text if record.notes else "no reason given"
                print(f"  {record.student}: {str(record.state).replace('_', ' ')}: {why}")
        waiting = sorted({part.id for record in records for part in record.manual})
        if waiting:
            print(f"Still to be graded by a person, and in no number: {', '.join(waiting)}")
        print(f"Grades: {out / 'grades.csv'}; every test of every student: {out / 'results.jsonl'}")
        for line in told:
            print(line)
    return 0 if counts[str(State.GRADED)] == len(records) else 1
