"""`autograder compile ASSIGNMENT`: from the references to a hidden suite, with its proof."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from autograder.cli.arguments import Commands, add_assignment, add_course
from autograder.cli.progress import Progress


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "compile",
        parents=[shared],
        help="make an assignment's hidden test suite, and prove it",
        description="Draw the hidden inputs, compute what is right, and prove the suite. "
        "A suite whose proof fails is not written; one that is current is not made again.",
    )
    add_assignment(parser)
    add_course(parser)
    parser.add_argument("--again", action="store_true", help="make it even if nothing has changed")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from autograder.course.load import load_assignment, load_course
    from autograder.suite.compile import compile_suite, suite_folder

    course = load_course(arguments.course)
    assignment = load_assignment(course, arguments.assignment)
    with Progress() as progress:
        suite = compile_suite(course, assignment, again=arguments.again, report=progress.show)
    folder = suite_folder(course, assignment.id)
    if arguments.json:
        document = {
            "assignment": assignment.id,
            "suite": suite.digest,
            "fingerprint": suite.fingerprint,
            "points": suite.points,
            "path": str(folder),
            "proof": list(suite.proof),
        }
        json.dump(document, sys.stdout)
        print()
        return 0
    for proof in suite.proof:
        print(_line(proof))
    print(f"The suite of {assignment.id}, {suite.points:g} points, is proved: {folder}")
    return 0


def _line(proof: Mapping[str, Any]) -> str:
    """What was proved of one question, on one line."""
    margins = [kill["margin"] for kill in proof["kills"] if isinstance(kill["margin"], int | float)]
    least = f", the nearest {min(margins):.3g} times too far off" if margins else ""
    return (
        f"{proof['question']}: {len(proof['right'])} right implementations pass, "
        f"{proof['nulls'] + proof['spoiled']} empty or spoiled ones earn nothing, "
        f"{len(proof['kills'])} misconceptions die{least} ({proof['seconds']:.1f} s)"
    )
