"""`autograder gradescope pack ASSIGNMENT`: our suite in Gradescope's container; `setup` and `run` are for there."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.cli.arguments import Commands, add_assignment, add_course, cores
from autograder.course.errors import CourseError
from autograder.sandbox.isolation import CONTAINER, NAMESPACES, Isolation
from autograder.sandbox.limits import SandboxError

if TYPE_CHECKING:
    from autograder.course.load import Assignment, Course
    from autograder.grading.record import Record

ACTIONS = ("pack", "setup", "run")
_FAULT = (
    "Your work could not be graded, for a reason that lies with the autograder and not with you. It has no score. "
    "Please tell your instructor."
)


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "gradescope",
        parents=[shared],
        help="an assignment as an autograder zip for Gradescope",
        description="pack: write the zip that Gradescope takes at Configure Autograder. setup and run: what that zip "
        "calls in Gradescope's container, and nobody elsewhere. Exit code 1 of run says that there is no score.",
    )
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help="pack, setup or run")
    add_assignment(parser)
    add_course(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="the zip that pack writes")
    parser.add_argument(
        "--visibility",
        default="visible",
        metavar="WHEN",
        help="when students see the results: visible (default), after_due_date, after_published or hidden",
    )
    parser.add_argument(
        "--pip-options", metavar="OPTIONS", help="of pip in Gradescope's container (default: also PyTorch's CPU index)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from autograder.exchange.gradescope_zip import VISIBILITIES

    if arguments.visibility not in VISIBILITIES:
        raise CourseError(f"--visibility is one of {', '.join(VISIBILITIES)}, not {arguments.visibility!r}")
    return {"pack": _pack, "setup": _setup, "run": _run}[arguments.action](arguments)


def _pack(arguments: argparse.Namespace) -> int:
    from autograder.course.load import load_assignment, load_course
    from autograder.exchange.gradescope_zip import PIP_OPTIONS, pack
    from autograder.exchange.tables import write_whole

    if arguments.out is None:
        raise CourseError("--out is missing: the zip to write, such as --out autograder.zip")
    course = load_course(arguments.course)
    assignment = load_assignment(course, arguments.assignment)
    options = PIP_OPTIONS if arguments.pip_options is None else arguments.pip_options
    packed = pack(course, assignment, visibility=arguments.visibility, pip_options=options)
    write_whole(arguments.out, packed.contents)
    arguments.out.chmod(0o600)
    if arguments.json:
        document = {"assignment": assignment.id, "out": str(arguments.out), "files": packed.files}
        print(json.dumps({**document, "bytes": len(packed.contents), "requirements": packed.requirements}))
    else:
        print(f"{arguments.out}: {packed.files} files, {len(packed.contents) / 2**20:.1f} MiB")
        print("It holds the references, the suite and the key: it is for Gradescope, and for nobody else to see")
    return 0


def _setup(arguments: argparse.Namespace) -> int:
    """While the image is made: is the suite the right one, and who may read what from now on?"""
    root = _root()
    course, assignment = _packed(root, arguments.assignment)

    from autograder.sandbox import permissions
    from autograder.sandbox.limits import Environment
    from autograder.suite.compile import load_suite

    load_suite(course, assignment)
    (root / "source").chmod(0o700)
    names = sorted({question.environment for question in assignment.questions})
    try:
        permissions.close_libraries([Environment(name, course.environments[name]) for name in names])
        count = permissions.close_files()
    except OSError as error:
        raise CourseError(f"{error.filename} cannot be closed to student code: {error.strerror}") from error
    print(f"The suite of {assignment.id} fits; {count} files and folders are closed to student code")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    """For one submission: results.json, with a score or with none."""
    root = _root()
    results = root / "results" / "results.json"
    results.unlink(missing_ok=True)
    why = _FAULT
    try:
        record = _graded(root, arguments.assignment)
        if record.points is not None:
            return _score(results, record, arguments)
        print(f"No score: {record.state}", *(note.text for note in record.notes), sep="; ")
        if record.state == "unreadable":
            why = record.notes[-1].text if record.notes else "What was handed in cannot be read."
    except (CourseError, SandboxError) as error:
        print(f"No score: {error}", file=sys.stderr)
    except BaseException:
        _leave(results, _FAULT)
        raise
    _leave(results, why)
    return 1


def _score(results: Path, record: "Record", arguments: argparse.Namespace) -> int:
    from autograder.exchange.gradescope import results_json
    from autograder.exchange.tables import write_whole

    results.parent.mkdir(exist_ok=True)
    write_whole(results, results_json(record, arguments.visibility))
    print(f"{record.points:g} of {record.max_points:g} points, isolation: {record.isolation}")
    return 0


def _leave(results: Path, sentence: str) -> None:
    from autograder.exchange.gradescope import no_score_json
    from autograder.exchange.tables import write_whole

    results.parent.mkdir(exist_ok=True)
    write_whole(results, no_score_json(sentence))


def _graded(root: Path, assignment_id: str) -> "Record":
    course, assignment = _packed(root, assignment_id)

    from autograder.grading.batch import grade_class
    from autograder.notebook.find import source_of
    from autograder.sandbox import permissions
    from autograder.suite.compile import load_suite

    suite = load_suite(course, assignment)
    root.chmod(0o700)
    permissions.close_places()
    source = replace(source_of(root / "submission"), student="submission")
    ours = ("source", "submission", "submission_metadata.json", "results")
    closed = tuple(str(root / name) for name in ours if (root / name).exists())

    isolation, why = asyncio.run(_isolation(closed))
    try:
        # No public examples are looked at: nothing here would show them.
        done = asyncio.run(grade_class(course, assignment, suite, [source], jobs=cores(), isolation=isolation))
    except SandboxError as error:
        raise SandboxError(f"no isolation holds here; namespaces: {why}; {isolation.kind}: {error}") from error
    return done.records[0]


async def _isolation(closed: tuple[str, ...]) -> tuple[Isolation, str]:
    """Namespaces where a jail can be made of them, tried; else a user of its own, and why."""
    from autograder.sandbox.isolation import start
    from autograder.sandbox.limits import Environment, Limits

    try:
        started = await start(Environment("trial", ("numpy",)), Isolation(NAMESPACES))
    except SandboxError as error:
        return Isolation(CONTAINER, closed=closed), str(error)
    try:
        session = await started.server.open(Limits(disk_mib=1))
        await session.close()
    except SandboxError as error:
        return Isolation(CONTAINER, closed=closed), str(error)
    finally:
        await started.server.close()
    return Isolation(NAMESPACES), ""


def _root() -> Path:
    """Gradescope's folder, of which this very program is a part: elsewhere, what follows would do harm."""
    import autograder
    from autograder.exchange.gradescope_zip import ROOT

    if not Path(autograder.__file__).resolve().is_relative_to(ROOT / "source"):
        raise CourseError(
            f"this is for Gradescope's container, where {ROOT}/source holds the zip; here it is "
            "`autograder gradescope pack`"
        )
    return ROOT


def _packed(root: Path, assignment_id: str) -> "tuple[Course, Assignment]":
    from autograder.course.load import load_assignment, load_course

    course = load_course(root / "source" / "course")
    return course, load_assignment(course, assignment_id)
