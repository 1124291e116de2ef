"""`make soak`: everything a release is judged by that takes longer than CI has. Resumable.

Each step leaves a file under `.soak/`, named after what was graded and by what, so a killed run goes on
where it was, and a change of the code starts anew. Prints one line of JSON a step.
"""

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import os
import sys
import time
import tomllib
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.checks.plan import Plan
from autograder.course.key import load_key
from autograder.course.load import Assignment, Course, load_assignment, load_course
from autograder.grading.batch import grade_class, grade_found, open_world
from autograder.grading.record import Record
from autograder.notebook.find import find
from autograder.suite.compile import compile_suite, load_suite
from autograder.suite.draw import FEW_DRAWS, seed_of
from autograder.suite.plans import Worth, draw_shown
from autograder.suite.prove import false_failures, faults_of_wrong, without_long_run
from autograder.suite.right import Shown, right_implementations, show
from autograder.suite.store import Suite
from autograder.topic.parts import TopicError

ROOT = Path(__file__).parents[1]
CLASS = ROOT / "examples" / "class"
CLASS_OF = "foundations"  # the assignment that the example class handed in
STYLES = 10  # seeds a step, in the jail
IMPLEMENTATIONS = 25  # seeds a step, in this process
LONG_RUN = 10  # every so manyth seed trains to the bar, which has its own bound
NEXT_KEY = 20  # under every so manyth seed what is wrong is tried too, as under a course's next key


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--assignment", action="append", help="only this one; may be repeated")
    parser.add_argument("--question", action="append", help="only this one of right and wrong implementations")
    parser.add_argument("--seeds", type=int, default=1000, help="fresh suites for right implementations")
    parser.add_argument("--style-seeds", type=int, default=200, help="fresh suites for the right styles of the class")
    arguments = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")  # a core has its process
    course = load_course(ROOT)
    failed = 0
    for name in arguments.assignment or sorted(path.parent.name for path in ROOT.glob("assignments/*/assignment.toml")):
        failed += _soak(course, load_assignment(course, name), arguments)
    print(f"{failed} steps failed" if failed else "every step passed")
    return 1 if failed else 0


def _soak(course: Course, assignment: Assignment, arguments: argparse.Namespace) -> int:
    """Every step of one assignment that is not done yet; how many failed."""
    suite = compile_suite(course, assignment)
    kept = ROOT / ".soak" / suite.digest[:16]  # the judging code is part of what a suite is
    kept.mkdir(parents=True, exist_ok=True)
    failed = 0
    begins = range(0, arguments.seeds, IMPLEMENTATIONS)
    only = tuple(arguments.question or ())
    steps = {"-".join(["implementations", *only, f"{begin:04}"]): begin for begin in begins}
    waiting = {name: begin for name, begin in steps.items() if not (kept / f"{name}.json").exists()}
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        running = {
            pool.submit(
                _implementations, assignment.id, begin, min(begin + IMPLEMENTATIONS, arguments.seeds), only
            ): name
            for name, begin in waiting.items()
        }
        for done in as_completed(running):
            failed += _keep(kept, assignment, running[done], done.result())
    failed += sum(_said(kept, name) for name in steps.keys() - waiting.keys())
    if assignment.id == CLASS_OF:
        kept = ROOT / ".soak" / _code(suite)
        kept.mkdir(parents=True, exist_ok=True)
        for name, step in _in_the_jail(course, assignment, suite, arguments.style_seeds):
            done_before = (kept / f"{name}.json").exists()
            failed += _said(kept, name) if done_before else _keep(kept, assignment, name, step())
    return failed


def _keep(kept: Path, assignment: Assignment, name: str, found: dict[str, Any]) -> int:
    line = json.dumps({"assignment": assignment.id, "step": name, **found})
    (kept / f"{name}.json").write_text(line + "\n")
    return _said(kept, name)


def _said(kept: Path, name: str) -> int:
    """Print what a step found; 1 where something failed."""
    line = (kept / f"{name}.json").read_text().strip()
    print(line, flush=True)
    return bool(json.loads(line)["failures"])


def _in_the_jail(
    course: Course, assignment: Assignment, suite: Suite, seeds: int
) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    yield "class-twice", lambda: _class_twice(course, assignment, suite)
    for begin in range(0, seeds, STYLES):
        numbers = range(begin, min(begin + STYLES, seeds))
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
            f"{jobs} jobs: {one['student']}: {_difference(one, other)}"
            for one, other in zip(records, first, strict=True)
            if one != other
        ]
    return {"submissions": len(first or []), "failures": failures}


def _difference(one: Any, other: Any, at: str = "") -> str:
    """Where two records differ first, and how."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next(_difference(one[key], other[key], f"{at}.{key}") for key in one if one[key] != other[key])
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        differing = (number for number in range(len(one)) if one[number] != other[number])
        return next(_difference(one[number], other[number], f"{at}[{number}]") for number in differing)
    return f"{at} is {one!r}, was {other!r}"


def _implementations(assignment_id: str, begin: int, end: int, only: Collection[str] = ()) -> dict[str, Any]:
    """What is right and what is wrong, in this process, under seeds nobody has seen.

    References, float32 and alternatives must pass. Nulls and misconceptions must not, as a course's next key draws
    such a seed, and a suite under which one of them does is not compiled.
    """
    began = time.perf_counter()
    course = load_course(ROOT)
    assignment = load_assignment(course, assignment_id)
    suite = load_suite(course, assignment)
    if only:
        chosen = tuple(question for question in assignment.questions if question.id in only)
        assignment = replace(assignment, questions=chosen)
    failures, tried = [], 0
    for number in range(begin, end):
        try:
            for plan, shown in _fresh(course, assignment, suite, number):
                found, count = _faults(plan, shown, wrong=number % NEXT_KEY == 0)
                failures += [f"{plan.question} seed {number}: {failure}" for failure in found]
                tried += count
        except TopicError as error:  # cases of which no plan can be made
            failures.append(f"seed {number}: {error}")
    return {"tried": tried, "failures": failures, "seconds": round(time.perf_counter() - began, 1)}


def _faults(plan: Plan, shown: Shown, *, wrong: bool) -> tuple[list[str], int]:
    """A sentence for each fault, and how many implementations were tried."""
    found, tried = [], len(shown)
    for name, names in right_implementations(plan.topic).items():
        found += [f"{name}: {failure}" for failure in false_failures(plan, names, shown[name])]
    if wrong:
        seen = {each.name: show(plan.topic, each.names, plan.cases.values()) for each in plan.topic.misconceptions}
        found += faults_of_wrong(replace(without_long_run(plan), wrong=seen))
        tried += len(seen)
    return found, tried


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
    world = await open_world(course, assignment, suite)
    found = [source for source in find([CLASS]) if source.student in students]
    graded = []
    try:
        for number in seeds:
            plans = tuple(plan for plan, _ in _fresh(course, assignment, suite, number))
            fresh = replace(world, suite=replace(suite, plans=plans, digest=f"fresh {number}"))
            graded.append((number, await grade_found(found, fresh, os.cpu_count() or 1)))
    finally:
        await world.close()
    return graded


def _fresh(course: Course, assignment: Assignment, suite: Suite, number: int) -> Iterator[tuple[Plan, Shown]]:
    """A plan a question from one seed; the long run of a trainer is in every LONG_RUNth."""
    key = load_key(course)
    bars = {plan.question: plan for plan in suite.plans}
    for question in assignment.questions:
        kept = bars[question.id]
        worth = Worth(question.id, question.points, question.weights)
        seed = seed_of(key, assignment.id, question.id, f"soak {number}")
        plan, shown = draw_shown(kept.topic, worth, seed, kept.bar, kept.mark, kept.draws or FEW_DRAWS)
        yield (plan if number % LONG_RUN == 0 else without_long_run(plan)), shown


def _code(suite: Suite) -> str:
    """What grades the class: the suite, the class, and everything between a notebook and its record."""
    hashed = hashlib.sha256(suite.digest.encode())
    for folder in (CLASS, *(ROOT / "autograder" / part for part in ("sandbox", "notebook", "grading", "values"))):
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
