"""`autograder compile ASSIGNMENT...`: from references to hidden suites, with their proofs as lines, JSON and pages."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from autograder.cli.arguments import Commands, add_course, positive
from autograder.cli.grade import add_jail, isolation_of, this_card
from autograder.cli.progress import Progress
from autograder.course.errors import CourseError
from autograder.sandbox.accelerator import CUDA, PROCESSOR
from autograder.values.counting import counted

if TYPE_CHECKING:
    from autograder.course.load import Assignment, Course
    from autograder.sandbox.isolation import Isolation
    from autograder.suite.store import Suite


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "compile",
        parents=[shared],
        help="make an assignment's hidden test suite, and prove it",
        description="Draw the hidden inputs, compute what is right, and prove the suite. "
        "A suite whose proof fails is not written; one that is current is not made again.",
    )
    parser.add_argument(
        "assignments", nargs="+", metavar="ASSIGNMENT", help="assignments of the course, one after the other"
    )
    add_course(parser)
    parser.add_argument("--again", action="store_true", help="make it even if nothing has changed")
    parser.add_argument(
        "--mutants",
        action="store_true",
        help="also change the references in every small way, and list what no check notices",
    )
    parser.add_argument(
        "--class-size",
        type=positive,
        default=200,
        metavar="N",
        help="students, for whom the false failures are reckoned that chance may cause (default: 200)",
    )
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="only train the references, for the bars of trainers; a run that was made is kept, so this can be "
        "stopped and goes on (with --again: all anew)",
    )
    parser.add_argument(
        "--device",
        dest="trained_on",  # the jail, for code that was adopted, has a device of its own
        choices=[PROCESSOR, CUDA],
        default=PROCESSOR,
        help="with --calibrate: where references are trained; cuda also measures how far off they are on this "
        "machine's GPU, for the questions that ask for one (default: cpu)",
    )
    add_jail(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.trained_on == CUDA and not arguments.calibrate:
        raise CourseError("--device cuda is for --calibrate: a suite is the same on every device")
    isolation = isolation_of(arguments)

    from autograder.course.load import load_assignment, load_course

    course = load_course(arguments.course)
    assignments = [load_assignment(course, name) for name in arguments.assignments]  # all there, before one is made
    if arguments.calibrate:
        documents: list[Any] = [_calibrate(course, assignment, arguments) for assignment in assignments]
    else:
        documents = list(_compile(course, assignments, arguments, isolation))
    if arguments.json:
        json.dump(documents[0] if len(documents) == 1 else documents, sys.stdout)
        print()
    return 0


def _compile(
    course: "Course", assignments: list["Assignment"], arguments: argparse.Namespace, isolation: "Isolation"
) -> Iterator[dict[str, Any]]:
    """Compile the assignments and tell of each what was proved, unless it is told as JSON: then yield it."""
    from autograder.suite.compile import compile_suites

    with Progress() as progress:
        again = arguments.again
        suites = compile_suites(course, assignments, again=again, isolation=isolation, report=progress.show)
        if arguments.mutants:  # which takes all cores as well
            suites = iter(list(suites))
        for assignment, suite in zip(assignments, suites, strict=True):
            yield _tell_suite(course, assignment, suite, arguments, progress)


def _tell_suite(
    course: "Course", assignment: "Assignment", suite: "Suite", arguments: argparse.Namespace, progress: Progress
) -> dict[str, Any]:
    from autograder.report.proof import PAGE, bar_told, expected_false_failures, proof_page, ratios
    from autograder.suite.compile import suite_folder
    from autograder.suite.store import replace_file
    from autograder.suite.survive import kept_surveys, survey_suite

    folder = suite_folder(course, assignment.id)
    surveys = kept_surveys(folder, suite)
    if arguments.mutants:
        surveys = survey_suite(course, assignment, suite, progress.show)
    progress.clear()
    expected = expected_false_failures(suite.proof, arguments.class_size)
    head = {"course": course.title, "assignment": assignment.title, "points": suite.points}
    head |= {"suite": suite.digest, "fingerprint": suite.fingerprint}
    page = proof_page(head, suite.proof, surveys, students=arguments.class_size)
    replace_file(folder / PAGE, page.encode())
    if arguments.json:
        document = {
            "assignment": assignment.id,
            "suite": suite.digest,
            "fingerprint": suite.fingerprint,
            "points": suite.points,
            "path": str(folder),
            "page": str(folder / PAGE),
            "expected_false_failures": {"students": arguments.class_size, "at_most": expected},
            "proof": list(suite.proof),
        }
        if arguments.mutants:
            document["mutants"] = surveys
        return document
    for proof in suite.proof:
        print(_line(proof))
        for what, measured in ratios(proof):
            shown = ", ".join(f"{name} {ratio:g}" for name, ratio in measured.items())
            print(f"  {what}, in times of the reference's: {shown}")
        for bar in proof["calibrated"]:
            print(f"  {bar_told(bar)}")
    for survey in surveys if arguments.mutants else ():
        _tell(survey)
    if expected:
        print(f"In a class of {arguments.class_size}, chance fails at most {expected:.2g} right answers, on average.")
    print(f"The suite of {assignment.id}, {suite.points:g} points, is proved: {folder / PAGE}")
    return {}


def _calibrate(course: "Course", assignment: "Assignment", arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the runs that bars are set from, and tell what they set, unless it is told as JSON: then return it."""
    from autograder.report.proof import bar_told
    from autograder.suite.bars import calibrate_assignment

    if arguments.trained_on == CUDA:
        return _measure(course, assignment, arguments)
    with Progress() as progress:
        bars = calibrate_assignment(course, assignment, anew=arguments.again, report=progress.show)
    if arguments.json:
        return {"assignment": assignment.id, "bars": bars}
    for bar in bars:
        print(f"{bar['question']}: {bar_told(bar)}; {_made(bar)}")
    if not bars:
        print(f"No question of {assignment.id} is about a trainer: there is nothing to calibrate.")
    return {}


def _made(bar: Mapping[str, Any]) -> str:
    refused = f"; what was kept is of another {', '.join(bar['refused'])}" if bar["refused"] else ""
    return (f"{bar['new']} made now in {bar['took_s']:.1f} s" if bar["new"] else "all kept") + refused


def _measure(course: "Course", assignment: "Assignment", arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure on this machine's GPU what its questions need, and tell it, unless it is told as JSON: then return it."""
    from autograder.report.proof import bar_told
    from autograder.suite.compile import load_suite
    from autograder.suite.devices import measure_on

    card = this_card()
    with Progress() as progress:
        suite = load_suite(course, assignment)
        found = measure_on(course, assignment, suite, card, anew=arguments.again, report=progress.show)
    if arguments.json:
        return {"assignment": assignment.id, "device": card.name, "questions": found}
    for each in found:
        print(f"{each['question']} on {card.name}: up to {each['parity']:.3g} times as much is allowed as elsewhere")
        for bar in each["bars"]:
            print(f"  {bar_told(bar)}; {_made(bar)}")
    if not found:
        print(f'No question of {assignment.id} asks for a GPU (device = "cuda").')
    return {}


def _tell(survey: Mapping[str, Any]) -> None:
    """What became of the mutants of one question; every survivor as the edit that it is."""
    declared = f", {len(survey['harmless'])} declared harmless" if survey["harmless"] else ""
    survivors = len(survey["survivors"])
    print(f"{survey['question']}: {counted(survey['mutants'], 'mutant')}, {survivors or 'none'} to judge{declared}")
    for mutant in survey["survivors"]:
        _show_edit(mutant, f"{mutant['kind']}, passes every check")
    for mutant in survey["stale"]:
        _show_edit(mutant, "declared harmless, but a check fails")
    if survivors:
        print(f"  draw cases that show them, or declare them: {survey['topic']}.harmless((old, new), because=...)")


def _show_edit(mutant: Mapping[str, str], what: str) -> None:
    print(f"  {what}:")
    for sign, text in (("-", mutant["old"]), ("+", mutant["new"])):
        for line in text.splitlines():
            print(f"    {sign} {line.strip()}")


def _line(proof: Mapping[str, Any]) -> str:
    """What was proved of one question, on one line."""
    from autograder.report.proof import least_margin

    margin = least_margin(proof)
    adopted = f" ({len(proof['adopted'])} adopted)" if proof["adopted"] else ""
    least = f", the nearest {margin:.3g} times too far off" if margin is not None else ""
    return (
        f"{proof['question']}: {len(proof['right'])} right implementations pass, "
        f"{proof['nulls'] + proof['spoiled']} empty or spoiled ones earn nothing, "
        f"{len(proof['kills'])} misconceptions{adopted} die{least} ({proof['seconds']:.1f} s)"
    )
