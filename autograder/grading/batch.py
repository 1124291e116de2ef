"""How is a class graded?

One asyncio scheduler: each slot takes the next submission until none is left. A grade never
depends on what another submission did: whatever could not be graded for a fault of ours is graded once
more, alone, before it is shown to a person.
"""

import asyncio
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from autograder.course.load import Assignment, Course
from autograder.grading.examiner import World, grade, unreadable
from autograder.grading.examples import with_public
from autograder.grading.order import longest_first
from autograder.grading.record import ManualRecord, Record
from autograder.notebook.find import Source, find
from autograder.notebook.read import read
from autograder.notebook.submission import Unreadable
from autograder.sandbox.environment import module_names
from autograder.sandbox.session import Environment, Server
from autograder.suite.store import Suite
from autograder.values.outcomes import State

OVERLAP = 2  # submissions in flight for each job: one is loaded while another waits for the examiner
Progress = Callable[[int, int, Record | None], None]


@dataclass(frozen=True)
class Class:
    """What grading a class brought, records in the order of students. sources: what was handed in."""

    records: tuple[Record, ...]
    wall_s: float
    sources: tuple[Source, ...] = ()

    def count(self, state: State) -> int:
        return sum(record.state == state for record in self.records)


async def grade_class(
    course: Course,
    assignment: Assignment,
    suite: Suite,
    paths: Sequence[Path],
    *,
    jobs: int,
    isolation: str = "namespaces",
    examples: bool = False,
    progress: Progress = lambda done, total, record: None,
) -> Class:
    """Grade every submission found at `paths`. Raises CourseError for paths that hold none.

    examples: also look at what public examples show where points were lost, for feedback pages.
    """
    began = time.perf_counter()
    found = find(paths)
    progress(0, len(found), None)
    world = await open_world(course, assignment, suite, isolation)
    try:
        records = await grade_found(found, world, jobs, progress, examples=examples)
    finally:
        await asyncio.gather(*(server.close() for server in world.servers.values()))
    in_order = tuple(sorted(records, key=lambda record: record.student))
    return Class(in_order, time.perf_counter() - began, tuple(found))


async def open_world(course: Course, assignment: Assignment, suite: Suite, isolation: str) -> World:
    """Start the warm servers that the assignment's questions need. Its servers are the caller's to close."""
    names = sorted({question.environment for question in assignment.questions})
    environments = [Environment(name, course.environments[name]) for name in names]
    started = await asyncio.gather(*(Server.start(each, isolation=isolation) for each in environments))
    packages = sorted({package for environment in environments for package in environment.packages})
    versions = " ".join([platform.python_version(), *(f"{name}=={version(name)}" for name in packages)])
    modules = {environment.name: module_names(environment) for environment in environments}
    return World(suite, assignment, dict(zip(names, started, strict=True)), versions, modules, isolation)


async def grade_found(
    found: Sequence[Source],
    world: World,
    jobs: int,
    progress: Progress = lambda done, total, record: None,
    *,
    examples: bool = False,
) -> list[Record]:
    """Grade submissions, keeping `jobs` cores busy; what failed through a fault of ours once more, alone."""
    records: dict[str, Record] = {}
    waiting = iter(longest_first(found))

    async def slot() -> None:
        for source in waiting:
            records[source.student] = await _one(source, world, examples=examples)
            progress(len(records), len(found), records[source.student])

    async with asyncio.TaskGroup() as group:
        for _ in range(min(jobs * OVERLAP, len(found))):
            group.create_task(slot())
    for source in found:
        if records[source.student].state == State.NOT_GRADED:
            records[source.student] = await _one(source, world, examples=examples)
    return list(records.values())


async def _one(source: Source, world: World, *, examples: bool) -> Record:
    try:
        submission = read(source)
    except Unreadable as error:
        record = unreadable(error.student, error.digest, error.sentence, world)
    else:
        record = await grade(submission, world)
        if examples and record.state == State.GRADED:
            record = await with_public(record, submission, world)
    manual = tuple(ManualRecord(id=part.id, max_points=part.points) for part in world.assignment.manual)
    return record.model_copy(update={"manual": manual})
