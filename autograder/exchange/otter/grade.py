"""How is a class of an otter assignment graded?

Each question's tests run where the notebook calls `grader.check`, or at its end where it does not; where
it does so twice, the last time counts.
"""

import ast
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.exchange.otter.assignment import OtterAssignment
from autograder.exchange.otter.questions import Question
from autograder.exchange.peers.jail import Bounds, run
from autograder.exchange.peers.model import Code, Ran, Step
from autograder.exchange.peers.plan import plan
from autograder.exchange.peers.worlds import Worlds
from autograder.notebook.find import Source, find
from autograder.notebook.read import read
from autograder.notebook.submission import Cell, Submission, Unreadable

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
    except Unreadable as error:
        return Graded(source.student, error.digest, Ran({}), error.sentence, time.perf_counter() - began)
    files = {"otter.py": STUB} | dict(submission.files) | dict(assignment.files)
    helpers = [content.decode("utf-8", "replace") for name, content in files.items() if name.endswith(".py")]
    tests = [case.test.source for question in assignment.questions.values() for case in question.cases]
    server = await worlds.server([*(cell.source for cell in submission.cells), *helpers, *tests])
    ran = await run(server, plan(_steps(assignment, submission)), assignment.instructor, files, bounds)
    return Graded(source.student, submission.digest, ran, "", time.perf_counter() - began)


def _steps(assignment: OtterAssignment, submission: Submission) -> list[Step]:
    last: dict[str, int] = {}
    for position, cell in enumerate(submission.cells):
        last |= dict.fromkeys(_checked(cell.source) & assignment.questions.keys(), position)
    steps: list[Step] = []
    seed = assignment.grading
    if seed.seed is not None and seed.seed_variable is None:
        steps.append(Code(_SEED, "import numpy as _otter_np, random as _otter_random"))
    for position, cell in enumerate(submission.cells):
        if seed.seed is not None and not cell.source.startswith("%%"):
            steps.append(_seeding(assignment, cell))
        steps.append(Code(cell.number, cell.source))
        steps += [assignment.questions[name].group for name, place in last.items() if place == position]
    steps += [question.group for name, question in assignment.questions.items() if name not in last]
    return steps


def _seeding(assignment: OtterAssignment, cell: Cell) -> Code:
    seed = assignment.grading
    if seed.seed_variable is not None:
        return Code(_SEED + cell.number, f"{seed.seed_variable} = {seed.seed}")
    return Code(_SEED + cell.number, f"_otter_np.random.seed({seed.seed}); _otter_random.seed({seed.seed})")


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
