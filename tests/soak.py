"""`make soak`: everything a release is judged by that takes longer than CI has. Resumable.

Each step leaves a file under `.soak/`, named after what was graded and by what, so a killed run goes on
where it was, and a change of the code starts anew. Prints one line of JSON a step.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.checks.plan import Plan
from autograder.course.key import load_key
from autograder.course.load import Assignment, Course, load_assignment, load_course
from autograder.grading.batch import grade_class, grade_found, open_world
from autograder.grading.record import Record
from autograder.notebook.find import find
from autograder.suite.compile import compile_suite
from autograder.suite.draw import Shown, Worth, draw_shown, right_implementations, seed_of
from autograder.suite.prove import false_failures, without_long_run
from autograder.suite.store import Suite

ROOT = Path(__file__).parents[1]
CLASS = ROOT / "examples" / "class"
BLOCK = 10  # seeds a step


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--assignment", default="foundations")
    parser.add_argument("--seeds", type=int, default=200)
    arguments = parser.parse_args()
    course = load_course(ROOT)
    assignment = load_assignment(course, arguments.assignment)
    suite = compile_suite(course, assignment)
    kept = ROOT / ".soak" / _code(suite)
    kept.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name, step in _steps(course, assignment, suite, arguments.seeds):
        path = kept / f"{name}.json"
        if not path.exists():
            began = time.perf_counter()
            found = {"step": name, **step(), "seconds": 0.0}
            found["seconds"] = round(time.perf_counter() - began, 1)
            path.write_text(json.dumps(found) + "\n")
        line = path.read_text().strip()
        failed += bool(json.loads(line)["failures"])
        print(line, flush=True)
    print(f"{failed} steps failed" if failed else "every step passed")
    return 1 if failed else 0


def _steps(
    course: Course, assignment: Assignment, suite: Suite, seeds: int
) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    yield "class-twice", lambda: _class_twice(course, assignment, suite)
    for begin in range(0, seeds, BLOCK):
        numbers = range(begin, min(begin + BLOCK, seeds))
        yield f"implementations-{begin:04}", lambda n=numbers: _implementations(course, assignment, suite, n)
        yield f"styles-{begin:04}", lambda n=numbers: _styles(course, assignment, suite, n)


def _class_twice(course: Course, assignment: Assignment, suite: Suite) -> dict[str, Any]:
    """The class twice with one job and twice with all cores: four times the same records."""
    failures = []
    first: list[dict[str, Any]] | None = None
    for jobs in (1, 2, max(2, os.cpu_count() or 1), 1):
        graded = asyncio.run(grade_class(course, assignment, suite, [CLASS], jobs=jobs))
        records = [record.model_dump(mode="json", exclude={"measured"}) for record in graded.records]
        first = first or records
        failures += [
            f"{jobs} jobs: {one['student']}" for one, other in zip(records, first, strict=True) if one != other
        ]
    return {"submissions": len(first or []), "failures": failures}


def _implementations(course: Course, assignment: Assignment, suite: Suite, seeds: range) -> dict[str, Any]:
    """References, float32 and alternatives in this process, under seeds nobody has seen."""
    failures, tried = [], 0
    for number in seeds:
        for plan, shown in _fresh(course, assignment, suite, number):
            for name, names in right_implementations(plan.topic).items():
                tried += 1
                found = false_failures(plan, names, shown[name])
                failures += [f"{plan.question} {name} seed {number}: {failure}" for failure in found]
    return {"tried": tried, "failures": failures}


def _styles(course: Course, assignment: Assignment, suite: Suite, seeds: range) -> dict[str, Any]:
    """Every right style of the example class, in the jail, under suites nobody has seen."""
    expected = tomllib.loads((CLASS / "expected.toml").read_text(encoding="utf-8"))["students"]
    right = {student for student, each in expected.items() if each.get("style") == "right"}
    failures, tried = [], 0
    for number, records in asyncio.run(_graded_under(course, assignment, suite, seeds, right)):
        for record in records:
            tried += 1
            wrong = [
                f"{question.id}/{check.id} {check.outcome} {check.evidence or check.message}"
                for question in record.questions
                for check in question.checks
                if check.outcome != "passed"
            ]
            if record.points != record.max_points:
                failures.append(f"seed {number} {record.student}: {record.points} {wrong}")
    return {"tried": tried, "failures": failures}


async def _graded_under(
    course: Course, assignment: Assignment, suite: Suite, seeds: range, students: set[str]
) -> list[tuple[int, list[Record]]]:
    world = await open_world(course, assignment, suite, "namespaces")
    found = [source for source in find([CLASS]) if source.student in students]
    graded = []
    try:
        for number in seeds:
            plans = tuple(plan for plan, _ in _fresh(course, assignment, suite, number))
            fresh = replace(world, suite=replace(suite, plans=plans, digest=f"fresh {number}"))
            graded.append((number, await grade_found(found, fresh, os.cpu_count() or 1)))
    finally:
        await asyncio.gather(*(server.close() for server in world.servers.values()))
    return graded


def _fresh(course: Course, assignment: Assignment, suite: Suite, number: int) -> Iterator[tuple[Plan, Shown]]:
    """A plan a question from one seed. Long runs are tried under every tenth: the bar has its own bound."""
    key = load_key(course)
    bars = {plan.question: plan for plan in suite.plans}
    for question in assignment.questions:
        kept = bars[question.id]
        worth = Worth(question.id, question.points, question.weights)
        seed = seed_of(key, assignment.id, question.id, f"soak {number}")
        plan, shown = draw_shown(kept.topic, worth, seed, kept.bar)
        yield (plan if number % BLOCK == 0 else without_long_run(plan)), shown


def _code(suite: Suite) -> str:
    hashed = hashlib.sha256(suite.digest.encode())
    for folder in (ROOT / "autograder", CLASS):
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
