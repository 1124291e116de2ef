"""What does a mistake show that a lecturer adopted from a student?

Its code is a student's: it is put the same questions as a notebook, in the same jail, and only what came back is
kept. What ends its process, fails at loading or looks into files is no mistake to be named.
"""

import asyncio
import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autograder.checks.conduct import Result, conduct
from autograder.checks.plan import Plan
from autograder.course.adopted import FOLDER, Adopted
from autograder.course.errors import CourseError
from autograder.course.limits import limits_of
from autograder.course.load import Assignment, Course, Question
from autograder.notebook.data import beside, data_files
from autograder.sandbox.isolation import PROCESS, Fork, Isolation, Server, start
from autograder.sandbox.limits import Cell, Environment, SandboxError
from autograder.suite.prove import without_long_run
from autograder.topic.kinds import Failure
from autograder.values.asking import Answer, Ask
from autograder.values.outcomes import Outcome

_ENDED = {
    Outcome.TIMED_OUT: "does not end within the question's time",
    Outcome.OUT_OF_MEMORY: "needs more memory than there is",
    Outcome.CRASHED: "ends its process",
    Outcome.FORBIDDEN: "uses what its environment does not have",
    Outcome.MISSING: "does not define what the question asks for",
    Outcome.NOT_GRADED: "could not be asked, for a fault of the jail",
}
_FAILED_LOADING = frozenset({"syntax", "raised", "exit", "stopped"})  # kinds of notes


@dataclass(frozen=True)
class Place:
    """Where code of students runs: the question that it answers, and the jail."""

    course: Course
    assignment: Assignment
    question: Question
    isolation: Isolation


@dataclass(frozen=True)
class Code:
    """What is put into a jail."""

    cells: Sequence[Cell]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """What code showed. refused: why it can be no misconception, as a sentence without subject; else "".

    result: none where it could not be loaded.
    """

    result: Result | None
    refused: str


@dataclass(frozen=True)
class _OneCell:
    number: int
    source: str


def show_adopted(place: Place, plan: Plan, adopted: Sequence[Adopted]) -> dict[str, Result]:
    """What each of these shows, by its name. CourseError where there is no jail, or for one that is refused."""
    if not adopted:
        return {}
    shown = show_codes(place, plan, [as_code(each.source) for each in adopted])
    results = {}
    for each, one in zip(adopted, shown, strict=True):
        if one.refused or one.result is None:
            raise CourseError(f"{each.path}: the adopted code {one.refused}; mend the file, or remove it")
        results[each.name] = one.result
    return results


def as_code(source: str) -> Code:
    return Code((_OneCell(1, source),))


def show_codes(place: Place, plan: Plan, codes: Sequence[Code]) -> list[Shown]:
    """Put a question, long runs left out, to each of these, each in a jail of its own."""
    if place.isolation.kind == PROCESS:
        raise CourseError(
            "what is adopted is a student's code, and --isolation process protects nothing from it: use namespaces "
            "(Linux), or docker"
        )
    try:
        return asyncio.run(_show_all(place, without_long_run(plan), codes))
    except SandboxError as error:
        raise CourseError(
            f"question {place.question.id}: what is in {FOLDER}/{plan.topic.name} is students' code and runs in a jail "
            f"alone, and here is none: {error}"
        ) from error


async def _show_all(place: Place, plan: Plan, codes: Sequence[Code]) -> list[Shown]:
    name = place.question.environment
    data = data_files(place.assignment)
    started = await start(Environment(name, place.course.environments[name]), place.isolation)
    try:
        return [await _show(started.server, place, plan, Code(c.cells, beside(c.files, data))) for c in codes]
    finally:
        await started.server.close()


async def _show(server: Server, place: Place, plan: Plan, code: Code) -> Shown:
    session = await server.open(limits_of(place.assignment, [place.question]))
    try:
        loaded = await session.load(code.cells, code.files, frozenset(plan.topic.reference))
        if loaded.failed is not None:
            return Shown(None, f"cannot be loaded ({loaded.failed.replace('_', ' ')})")
        if loaded.missing:
            return Shown(None, f"does not define {min(loaded.missing)}, or only as the stub")
        fork = await session.question(place.question.cpu_s)
        try:
            result = await _put(plan, fork)
        finally:
            await fork.close()
    finally:
        await session.close()
    failed = [note.text for note in loaded.notes if note.kind in _FAILED_LOADING]
    return Shown(result, f"does not load in one piece: {failed[0]}" if failed else _refusal(result))


async def _put(plan: Plan, fork: Fork) -> Result:
    """One process answers everything: code that ends it is refused anyway."""
    run = conduct(plan)
    try:
        batch = next(run)
        while True:
            batch = run.send(await _answers(fork, batch))
    except StopIteration as stop:
        result: Result = stop.value
        return result


async def _answers(fork: Fork, batch: Sequence[Ask]) -> list[Answer]:
    answers = await fork.ask_all(batch)
    return answers + answers[-1:] * (len(batch) - len(answers))  # fewer, where one ended the process


def _refusal(result: Result) -> str:
    for case, observed in result.sheet.seen.items():
        for shown in observed.values():
            if not isinstance(shown, Failure):
                continue
            if shown.outcome in _ENDED:
                return f"{_ENDED[shown.outcome]}, on the case {case!r}"
            kind = getattr(builtins, str(shown.answer.detail.get("type", "")), None)
            if isinstance(kind, type) and issubclass(kind, OSError):
                return f"looks for a file or another process ({kind.__name__}), on the case {case!r}"
    return ""
