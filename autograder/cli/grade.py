"""`autograder grade ASSIGNMENT PATH...`: a class of notebooks to results and a grade file."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.cli.arguments import Commands, add_assignment, add_course, cores, positive
from autograder.cli.progress import Progress
from autograder.course.errors import CourseError

if TYPE_CHECKING:
    from autograder.course.load import Assignment, Course
    from autograder.grading.batch import Class
    from autograder.grading.record import Record
    from autograder.topic.declare import Topic

RESULTS, GRADES = "results.jsonl", "grades.csv"


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "grade",
        parents=[shared],
        help="grade submissions: files, folders, zips",
        description="Grade submissions by the compiled suite. Exit code 1 says that somebody got no number: "
        f"a file that cannot be read, or a fault of ours; {RESULTS} says which.",
    )
    add_assignment(parser)
    parser.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="a notebook, a script, or a folder or zip of them"
    )
    add_course(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    parser.add_argument(
        "--jobs", type=positive, default=cores(), metavar="N", help="submissions at a time (default: one a core)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    _must_be_writable(arguments.out)

    from autograder.course.load import load_assignment, load_course

    course = load_course(arguments.course)
    assignment = load_assignment(course, arguments.assignment)

    from autograder.grading.batch import grade_class  # a second of imports, after the cheap mistakes
    from autograder.suite.compile import load_suite
    from autograder.values.outcomes import State

    suite = load_suite(course, assignment)
    with Progress() as progress:

        def seen(done: int, total: int, record: "Record | None") -> None:
            progress.count(done, total, "graded")

        graded = asyncio.run(
            grade_class(
                course,
                assignment,
                suite,
                arguments.paths,
                jobs=arguments.jobs,
                examples=True,
                progress=seen,
            )
        )
        progress.show("writing results and pages")
        topics = {plan.question: plan.topic for plan in suite.plans}
        _write(graded, arguments.out, course, assignment, topics)
    counts = {str(state): graded.count(state) for state in State}
    if arguments.json:
        document = {"assignment": assignment.id, "submissions": len(graded.records), **counts}
        document |= {"wall_s": round(graded.wall_s, 3), "results": str(arguments.out / RESULTS)}
        json.dump(document, sys.stdout)
        print()
    else:
        _tell(graded, counts, arguments.out)
        if assignment.manual:
            parts = ", ".join(question.id for question in assignment.manual)
            print(f"Still to be graded by a person, and in no number: {parts}")
    return 0 if counts[State.GRADED] == len(graded.records) else 1


def _must_be_writable(out: Path) -> None:
    """Said before anybody is graded, not after."""
    place = out.absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise CourseError(f"--out {out} cannot be written, {place} is no folder that you may write to: name another")


def _write(
    graded: "Class", out: Path, course: "Course", assignment: "Assignment", topics: "Mapping[str, Topic]"
) -> None:
    from autograder.report.pages import Pages, write_pages
    from autograder.report.results import write_results
    from autograder.report.tables import write_grades

    records = [record.as_json() for record in graded.records]
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_results(records, out / RESULTS)
        write_grades(
            records,
            out / GRADES,
            questions=[question.id for question in assignment.questions],
            manual={question.id: question.points for question in assignment.manual},
        )
        write_pages(
            Pages(course, assignment, topics),
            graded.records,
            graded.sources,
            out,
            manual=[question.id for question in assignment.manual],
        )
    except OSError as error:
        raise CourseError(f"--out {out} cannot be written: {error.strerror}") from error


def _tell(graded: "Class", counts: dict[str, int], out: Path) -> None:
    points = sorted(record.points for record in graded.records if record.points is not None)
    print(f"{len(graded.records)} submissions in {graded.wall_s:.1f} s: {counts['graded']} graded, ", end="")
    print(f"{counts['unreadable']} unreadable, {counts['not_graded']} not graded")
    if points:
        middle = points[len(points) // 2]
        print(f"Points: lowest {points[0]:g}, middle {middle:g}, highest {points[-1]:g}")
    for record in graded.records:
        if record.state != "graded":
            why = record.notes[-1].text if record.notes else "no reason given"
            print(f"  {record.student}: {str(record.state).replace('_', ' ')}: {why}")
    print(f"Grades: {out / GRADES}; every check of every student: {out / RESULTS}")
    print(f"Pages: for students {out / 'feedback'}; for teaching staff {out / 'ta' / 'index.html'}")
