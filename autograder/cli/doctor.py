"""`autograder doctor`: what this machine can isolate, and what is missing."""

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from autograder.cli.arguments import Commands
from autograder.sandbox.isolation import Isolation

if TYPE_CHECKING:
    from autograder.sandbox.escape import Trial
    from autograder.sandbox.machine import Fact

_VERBS = {"isolate": "isolate", "limit": "limit", "filter": "filter system calls", "accelerate": "accelerate"}


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "doctor",
        parents=[shared],
        help="what this machine can isolate, and what is missing",
        description="Say what this machine can isolate, limit, filter and accelerate, and try a small escape from each "
        "isolation that it has. Exit code 1 says that none holds, so that nothing can be graded here.",
    )
    parser.add_argument("--image", default="", metavar="NAME", help="the worker image, for docker")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from autograder.sandbox import escape, machine

    facts = machine.facts(arguments.image)
    there = [fact.name for fact in facts if fact.area == "isolate" and fact.ok]
    trials = escape.run([Isolation(name, arguments.image if name == "docker" else "") for name in there])
    holds = any(trial.holds for trial in trials)
    if arguments.json:
        print(json.dumps({"works": holds, "facts": [asdict(fact) for fact in facts], "trials": _as_json(trials)}))
    else:
        _tell(facts, trials, holds=holds)
    return 0 if holds else 1


def _as_json(trials: "list[Trial]") -> list[dict[str, object]]:
    return [{**asdict(trial), "holds": trial.holds} for trial in trials]


def _tell(facts: "list[Fact]", trials: "list[Trial]", *, holds: bool) -> None:
    from autograder.sandbox.escape import ACTS

    for area, verb in _VERBS.items():
        print(f"To {verb}:")
        for fact in facts:
            if fact.area == area:
                print(f"  {'yes' if fact.ok else 'no ':3} {fact.name}: {fact.found}")
                if fact.mend and not fact.ok:
                    print(f"      to have it: {fact.mend}")
    for trial in trials:
        print(f"Escapes from {trial.isolation}:")
        if trial.failed:
            print(f"  not tried: {trial.failed}")
        for name, what in trial.walls.items():
            print(f"  {name}: {what}")
        for attempt in trial.attempts:
            end = "stopped" if attempt.stopped else "NOT STOPPED"
            doubt = "" if attempt.proves else "; fails without a jail too, so this proves nothing"
            print(f"  {end}: {ACTS[attempt.act]} ({attempt.how}{doubt})")
    held = [trial.isolation for trial in trials if trial.holds]
    print(f"You can grade here, with --isolation {' or '.join(held)}." if holds else "Nothing can be graded here.")
