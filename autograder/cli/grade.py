"""`autograder grade ASSIGNMENT PATH...`: a class of notebooks to results and a grade file."""

import argparse
import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.cli import grade_peers
from autograder.cli.arguments import Commands, add_assignment, add_course, add_gradebook, add_roster, cores, positive
from autograder.cli.ledgers import Ledgers, open_ledgers
from autograder.cli.progress import Progress
from autograder.course.errors import CourseError
from autograder.sandbox import accelerator
from autograder.sandbox.accelerator import CUDA, PROCESSOR, Accelerator
from autograder.sandbox.isolation import DOCKER, KINDS, NAMESPACES, PROCESS, Isolation
from autograder.values.counting import counted

if TYPE_CHECKING:
    from autograder.course.load import Assignment, Course
    from autograder.exchange.downloads import Download
    from autograder.grading.batch import Class
    from autograder.grading.record import Record
    from autograder.topic.declare import Topic

RESULTS, GRADES = "results.jsonl", "grades.csv"
# Of each record, all that the table needs: the whole of a class would not fit into little memory.
_ROW: dict[str, Any] = {
    **dict.fromkeys(("student", "state", "points", "max_points"), True),
    "questions": {"__all__": {"id": True, "points": True}},
}


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
        "paths", type=Path, nargs="*", metavar="PATH", help="a notebook, a script, or a folder or zip of them"
    )
    add_course(parser)
    add_roster(parser, "whose the files of an LMS's download are")
    add_gradebook(parser)
    grade_peers.add_arguments(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the results go; of an nbgrader course, optional")
    parser.add_argument(
        "--jobs", type=positive, default=cores(), metavar="N", help="submissions at a time (default: one a core)"
    )
    add_isolation(parser)
    parser.set_defaults(run=run, wrong=parser.error)


def add_isolation(parser: argparse.ArgumentParser) -> None:
    add_jail(parser, unsafe=True)
    parser.add_argument(
        "--device",
        choices=["auto", PROCESSOR, CUDA],
        default="auto",
        help="where questions that ask for a GPU are put: on it, where there is one on which they were measured "
        "(default); on the processor; or on a GPU and nowhere else",
    )
    parser.add_argument(
        "--unsafe", action="store_true", help="write what was graded without a jail, which nobody should be given"
    )


def add_jail(parser: argparse.ArgumentParser, *, unsafe: bool = False) -> None:
    """unsafe: whether no jail at all may be asked for."""
    parser.set_defaults(unsafe=False, device=PROCESSOR)
    without = (
        ", or an ordinary process, which protects nothing: for developing a course on a machine without the others"
    )
    parser.add_argument(
        "--isolation",
        choices=KINDS if unsafe else [kind for kind in KINDS if kind != PROCESS],
        default=NAMESPACES,
        help=f"where student code runs: Linux namespaces (default), containers of the Docker engine"
        f"{without if unsafe else ''}",
    )
    parser.add_argument("--image", default="", metavar="NAME", help="the worker image, for docker")
    parser.add_argument(
        "--runtime",
        default="",
        metavar="NAME",
        help="another runtime of the engine, such as runsc (gVisor), for docker",
    )


def isolation_of(arguments: argparse.Namespace) -> Isolation:
    """What was asked for, with what is said about it."""
    if arguments.isolation != DOCKER:
        for option in ("image", "runtime"):
            if getattr(arguments, option):
                raise CourseError(f"--{option} is for --isolation docker, not for {arguments.isolation}")
    if arguments.isolation == PROCESS:
        fate = (
            "What it could have changed is written all the same, as --unsafe says."
            if arguments.unsafe
            else ("So no grades are written; --unsafe writes them.")
        )
        print(
            "WARNING: no isolation. Student code runs as you: it can read the tests, the answers and your files, "
            f"change them, and send them away. {fate}",
            file=sys.stderr,
        )
    elif arguments.unsafe:
        raise CourseError("--unsafe is for --isolation process alone: the others need no such word")
    must = arguments.device == CUDA
    card = this_card() if must else accelerator.found() if arguments.device != PROCESSOR else None
    return Isolation(arguments.isolation, arguments.image, arguments.runtime, accelerator=card, must_compute_there=must)


def this_card() -> Accelerator:
    """This machine's GPU; CourseError where there is none."""
    card = accelerator.found()
    if card is None:
        raise CourseError("--device cuda: there is no GPU here, or its driver is not loaded: see `autograder doctor`")
    return card


def run(arguments: argparse.Namespace) -> int:
    isolation = isolation_of(arguments)
    if arguments.format != grade_peers.OWN:
        return grade_peers.run(arguments, isolation)
    for given, name in ((arguments.paths, "PATH"), (arguments.out, "--out")):
        if not given:
            arguments.wrong(f"the following arguments are required: {name}")
    writes = arguments.isolation != PROCESS or arguments.unsafe
    _must_be_writable(arguments.out)

    from autograder.course.load import load_assignment, load_course

    course = load_course(arguments.course)
    assignment = load_assignment(course, arguments.assignment)

    from autograder.grading.batch import grade_class  # a second of imports, after the cheap mistakes
    from autograder.suite.compile import load_suite

    suite = load_suite(course, assignment)
    download = _download(arguments, assignment.id)
    with open_ledgers(arguments, course, assignment, download, writes=writes) as ledgers:
        with Progress() as progress:

            def seen(done: int, total: int, record: "Record | None") -> None:
                progress.count(done, total, "graded", known=ledgers.chain.reused if ledgers.chain else 0)

            graded = asyncio.run(
                grade_class(
                    course,
                    assignment,
                    suite,
                    [each.source for each in download.handed],
                    jobs=arguments.jobs,
                    isolation=isolation,
                    examples=True,
                    progress=seen,
                    ledger=ledgers.chain,
                )
            )
            if ledgers.results is not None:
                graded = replace(graded, records=ledgers.results)
                progress.show("writing results and pages")
                topics = {plan.question: plan.topic for plan in suite.plans}
                _write(graded, arguments.out, course, assignment, topics)
                _write_submissions(download, arguments.out)
                ledgers.results.write()
        return _end(arguments, graded, download, assignment, ledgers, writes=writes)


def _end(
    arguments: argparse.Namespace,
    graded: "Class",
    download: "Download",
    assignment: "Assignment",
    ledgers: Ledgers,
    *,
    writes: bool,
) -> int:
    """Say what there is now; the exit code."""
    from autograder.values.outcomes import State

    if graded.passed_over:
        print(f"The GPU of this machine was passed over: {graded.passed_over}", file=sys.stderr)
    states = Counter(str(record.state) for record in graded.records)
    counts = {str(state): states[state] for state in State}
    if arguments.json:
        document = {"assignment": assignment.id, "submissions": len(graded.records), **counts}
        document |= {"wall_s": round(graded.wall_s, 3), "results": str(arguments.out / RESULTS) if writes else None}
        if arguments.roster:
            document["unknown"] = list(download.unknown)
        if ledgers.feed is not None:
            document |= {"gradebook": ledgers.place, "waiting_for_regrade": ledgers.feed.waiting}
        json.dump(document, sys.stdout)
        print()
    else:
        _tell(graded, counts, arguments.out if writes else None)
        _tell_download(download)
        ledgers.tell()
        if assignment.manual:
            parts = ", ".join(question.id for question in assignment.manual)
            print(f"Still to be graded by a person, and in no number: {parts}")
    return 0 if counts[State.GRADED] == len(graded.records) else 1


def _download(arguments: argparse.Namespace, assignment: str) -> "Download":
    """Whose submissions they are, by the roster and by the names that an LMS gives to files."""
    from autograder.exchange.downloads import read_downloads
    from autograder.exchange.rosters import read_roster

    roster = None
    if arguments.roster:
        _, book = read_roster(arguments.roster, id_column=arguments.id_column, encoding=arguments.encoding)
        roster = book.roster
    return read_downloads(arguments.paths, assignment=assignment, roster=roster)


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
    from autograder.report.tables import SCORES, write_grades

    try:
        (out / SCORES).unlink(missing_ok=True)  # of a gradebook that this grading may have changed
        write_grades(
            [record.model_dump(include=_ROW) for record in graded.records],
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


def _write_submissions(download: "Download", out: Path) -> None:
    """Late markers, attempts, and the names under which an LMS takes feedback back."""
    from autograder.exchange.downloads import as_json
    from autograder.exchange.feedback import SUBMISSIONS
    from autograder.exchange.tables import write_whole

    contents = json.dumps(as_json(download), ensure_ascii=False, indent=1) + "\n"
    write_whole(out / SUBMISSIONS, contents.encode())


def _tell_download(download: "Download") -> None:
    for word, names in (
        ("late", [each.key for each in download.handed if each.late]),
        ("an earlier attempt, not graded", [f"{each.key}, {each.submitted}" for each in download.earlier]),
        ("no file to be graded", download.passed_over),
        ("nobody in the roster; graded under this name", download.unknown),
    ):
        for name in names:
            print(f"  {name}: {word}")


def _tell(graded: "Class", counts: dict[str, int], out: Path | None) -> None:
    points = sorted(record.points for record in graded.records if record.points is not None)
    print(f"{counted(len(graded.records), 'submission')} in {graded.wall_s:.1f} s: {counts['graded']} graded, ", end="")
    print(f"{counts['unreadable']} unreadable, {counts['not_graded']} not graded")
    if points:
        middle = points[len(points) // 2]
        print(f"Points: lowest {points[0]:g}, middle {middle:g}, highest {points[-1]:g}")
    for record in graded.records:
        if record.state != "graded":
            why = record.notes[-1].text if record.notes else "no reason given"
            print(f"  {record.student}: {str(record.state).replace('_', ' ')}: {why}")
    if out is None:
        print("Nothing was written: without isolation these are no grades")
        return
    print(f"Grades: {out / GRADES}; every check of every student: {out / RESULTS}")
    print(f"Pages: for students {out / 'feedback'}; for teaching staff {out / 'ta' / 'index.html'}")
