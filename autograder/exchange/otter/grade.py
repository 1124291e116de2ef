"""How is a class of an otter assignment graded?

Each question's tests run where the notebook calls `grader.check` or otter's own metadata say so, or at its end where
neither does; where it is asked for twice, the last time counts.
"""

import ast
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.exchange.otter.assignment import OtterAssignment
from autograder.exchange.otter.carried import Carried, carried
from autograder.exchange.otter.questions import Question
from autograder.exchange.peers.jail import Bounds, run
from autograder.exchange.peers.model import Code, Ran, Step
from autograder.exchange.peers.plan import plan
from autograder.exchange.peers.worlds import Worlds
from autograder.notebook.find import Source, find
from autograder.notebook.read import contents_of, read
from autograder.notebook.submission import Submission, Unreadable

OVERLAP = 2  # submissions in flight for each job, as in grading.batch
_SEED = 3_000_000  # numbers of the cells that set the seed begin here
Progress = Callable[[int, int], None]

# Stands where otter is imported: everything a notebook does with it is for students, and does nothing.
STUB = b'''"""otter, in a notebook that is being graded."""


class _Nothing:
    def __init__(self, *arguments, **keywords):
        pass

    def __call__(self, *arguments, **keywords):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing()

    def __repr__(self):
        return ""


Notebook = _Nothing


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Nothing()
'''


@dataclass(frozen=True)
class Graded:
    """One student's work: the results of all cases, by their ids. unreadable: why there are none."""

    student: str
    digest: str
    ran: Ran
    unreadable: str = ""
    wall_s: float = 0.0

    def score(self, question: Question) -> float | None:
        """What a question earned; None where one of its cases could not be judged."""
        results = [self.ran.results[case.test.id] for case in question.cases]
        if any(result.points is None for result in results):
            return None
        if question.all_or_nothing:
            return question.points if all(result.outcome == "passed" for result in results) else 0.0
        return sum(result.points or 0.0 for result in results)


async def grade_class(
    assignment: OtterAssignment,
    paths: Sequence[Path],
    worlds: Worlds,
    bounds: Bounds,
    jobs: int,
    progress: Progress = lambda done, total: None,
) -> list[Graded]:
    """Grade every submission found at the paths. Raises CourseError for paths that hold none."""
    found = find(paths)
    progress(0, len(found))
    done: dict[str, Graded] = {}
    waiting = iter(found)

    async def slot() -> None:
        for source in waiting:
            done[source.student] = await _one(assignment, source, worlds, bounds)
            progress(len(done), len(found))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(OVERLAP * jobs, len(found))):
            group.create_task(slot())
    for source in found:
        if any(result.outcome == "not_graded" for result in done[source.student].ran.results.values()):
            done[source.student] = await _one(assignment, source, worlds, bounds)  # once more, alone
    return [done[source.student] for source in found]


async def _one(assignment: OtterAssignment, source: Source, worlds: Worlds, bounds: Bounds) -> Graded:
    began = time.perf_counter()
    try:
        submission = await asyncio.to_thread(read, source)
        kept = carried(await asyncio.to_thread(contents_of, source))
    except Unreadable as error:
        return Graded(source.student, error.digest, Ran({}), error.sentence, time.perf_counter() - began)
    files = {"otter.py": STUB} | dict(submission.files) | dict(assignment.files)
    helpers = [content.decode("utf-8", "replace") for name, content in files.items() if name.endswith(".py")]
    tests = [case.test.source for question in assignment.questions.values() for case in question.cases]
    server = await worlds.server([*(cell.source for cell in submission.cells), *helpers, *tests])
    ran = await run(server, plan(_steps(assignment, submission, kept)), assignment.instructor, files, bounds)
    if assignment.own_name and kept.assignment not in ("", assignment.own_name):
        other = f"this notebook was given out for {kept.assignment!r}, and was graded as {assignment.own_name!r}"
        ran = replace(ran, notes=(other, *ran.notes))
    return Graded(source.student, submission.digest, ran, "", time.perf_counter() - began)


def _steps(assignment: OtterAssignment, submission: Submission, kept: Carried) -> list[Step]:
    # What runs, and which questions are checked after it.
    stops: list[tuple[list[Step], set[str]]] = [([], set(kept.checks.get(0, ())))]
    for cell in submission.cells:
        if cell.number not in kept.ignored:
            seeding = [] if cell.source.startswith("%%") else _seeding(assignment, _SEED + cell.number)
            stops.append(([*seeding, Code(cell.number, cell.source)], _checked(cell.source)))
        if names := kept.checks.get(cell.number):
            stops.append((_seeding(assignment, 2 * _SEED + cell.number), set(names)))
    last = {name: place for place, (_, names) in enumerate(stops) for name in names & assignment.questions.keys()}
    steps: list[Step] = []
    if assignment.grading.seed is not None and assignment.grading.seed_variable is None:
        steps.append(Code(_SEED, "import numpy as _otter_np, random as _otter_random"))
    for place, (own, _) in enumerate(stops):
        steps += own
        steps += [assignment.questions[name].group for name, where in last.items() if where == place]
    return [*steps, *(question.group for name, question in assignment.questions.items() if name not in last)]


def _seeding(assignment: OtterAssignment, number: int) -> list[Step]:
    seed = assignment.grading
    if seed.seed is None:
        return []
    if seed.seed_variable is not None:
        return [Code(number, f"{seed.seed_variable} = {seed.seed}")]
    return [Code(number, f"_otter_np.random.seed({seed.seed}); _otter_random.seed({seed.seed})")]


def _checked(source: str) -> set[str]:
    """The questions that a cell asks otter to check."""
    if ".check(" not in source:
        return set()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "check"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }
