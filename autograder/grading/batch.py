"""How is a class graded?

One asyncio scheduler: each slot takes the next submission until none is left. A grade never
depends on what another submission did: whatever could not be graded for a fault of ours is graded once
more, alone, before it is shown to a person. Records go to a ledger as they come, and what it knows is not
graded again.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.errors import CourseError
from autograder.course.load import Assignment, Course
from autograder.grading.examiner import grade, not_graded, unreadable
from autograder.grading.examples import with_public
from autograder.grading.fences import must_be_there
from autograder.grading.ledger import Ledger, Memory, is_final
from autograder.grading.order import longest_first
from autograder.grading.record import ManualRecord, Record, digest_of_grading
from autograder.grading.world import World
from autograder.notebook.data import data_files
from autograder.notebook.files import digest_of
from autograder.notebook.find import Source, find
from autograder.notebook.read import read
from autograder.notebook.submission import Submission, Unreadable
from autograder.sandbox.accelerator import PROCESSOR
from autograder.sandbox.isolation import USUAL, Isolation, start_all
from autograder.sandbox.limits import Environment
from autograder.suite.devices import OnDevice, on_device
from autograder.suite.store import Suite
from autograder.values.outcomes import State

OVERLAP = 2  # submissions in flight for each job: one is loaded while another waits for the examiner
Progress = Callable[[int, int, Record | None], None]


@dataclass(frozen=True)
class Class:
    """What grading a class brought, records in the order of students. sources: what was handed in.

    records: none where they went to a ledger of the caller's. passed_over: why a GPU that is here, and was asked for by
    a question, was not computed on.
    """

    records: Sequence[Record]
    wall_s: float
    sources: tuple[Source, ...] = ()
    passed_over: str = ""

    def count(self, state: State) -> int:
        return sum(record.state == state for record in self.records)


async def grade_class(
    course: Course,
    assignment: Assignment,
    suite: Suite,
    paths: Sequence[Path] | Sequence[Source],
    *,
    jobs: int,
    isolation: Isolation = USUAL,
    examples: bool = False,
    progress: Progress = lambda done, total, record: None,
    ledger: Ledger | None = None,
) -> Class:
    """Grade every submission found at `paths`. Raises CourseError for paths that hold none.

    paths: or the submissions themselves, where it has been settled whose they are.
    examples: also look at what public examples show where points were lost, for feedback pages.
    ledger: gets the records as they come; without it they are kept in memory and returned.
    """
    began = time.perf_counter()
    sources = [each for each in paths if isinstance(each, Source)]
    found = sources or find([each for each in paths if isinstance(each, Path)])
    progress(0, len(found), None)
    world = await open_world(course, assignment, suite, isolation)
    try:
        records = await grade_found(found, world, jobs, progress, examples=examples, ledger=ledger)
    finally:
        await world.close()
    in_order = tuple(sorted(records, key=lambda record: record.student))
    return Class(in_order, time.perf_counter() - began, tuple(found), world.passed_over)


async def open_world(course: Course, assignment: Assignment, suite: Suite, isolation: Isolation = USUAL) -> World:
    """Start the warm servers that the assignment's questions need. Its servers are the caller's to close."""
    must_be_there(assignment)
    data = data_files(assignment)
    names = sorted({question.environment for question in assignment.questions})
    environments = [Environment(name, course.environments[name]) for name in names]
    card, placed, passed_over = isolation.accelerator, OnDevice(), ""
    if card:
        try:
            placed = on_device(course, assignment, suite, card)
        except CourseError as error:
            if isolation.must_compute_there:
                raise
            passed_over = str(error)
    seeing = sorted({question.environment for question in assignment.questions if question.id in placed.plans})
    seeing_card = [Environment(name, course.environments[name], card) for name in seeing]
    all_started = await start_all([*environments, *seeing_card], isolation)
    started = dict(zip(names, all_started[: len(names)], strict=True))
    accelerated = {name: each.server for name, each in zip(seeing, all_started[len(names) :], strict=True)}
    found = {name: version for each in started.values() for name, version in each.versions.items()}
    packages = sorted({package for environment in environments for package in environment.packages})
    in_suite = {
        "title",
        "prompt",
        "manual",
        "topic",
        "points",
        "weights",
        "cost_factor",
        "memory_factor",
        "scoring",
        "groups",
    }  # or of no weight at all
    limits = [assignment.limits.model_dump(), *(each.model_dump(exclude=in_suite) for each in assignment.questions)]
    return World(
        suite,
        assignment,
        {name: each.server for name, each in started.items()},
        " ".join([found["python"], *(f"{name}=={found[name]}" for name in packages), digest_of_grading(limits)]),
        {name: each.modules for name, each in started.items()},
        isolation.kind,
        " ".join(sorted({each.image for each in started.values()})),
        device=card.name if card and placed.plans else PROCESSOR,
        device_digest=placed.digest,
        on_device=placed.plans,
        accelerated=accelerated,
        passed_over=passed_over,
        data=data,
        data_digest=digest_of(sorted(data.items())) if data else "",
    )


async def grade_found(
    found: Sequence[Source],
    world: World,
    jobs: int,
    progress: Progress = lambda done, total, record: None,
    *,
    examples: bool = False,
    ledger: Ledger | None = None,
) -> list[Record]:
    """Grade submissions, keeping `jobs` cores busy; what failed through a fault of ours once more, alone.

    Returns the records, or none where a ledger was given, which has them.
    """
    kept = Memory() if ledger is None else ledger
    waiting = iter(longest_first(found))
    done = 0
    ours: list[Source] = []

    async def slot() -> None:
        nonlocal done
        for source in waiting:
            record = await _one(source, world, kept, examples=examples)
            if is_final(record):
                kept.keep(source, record)
            else:
                ours.append(source)
            done += 1
            progress(done, len(found), record)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(jobs * OVERLAP, len(found))):
            group.create_task(slot())
    for source in ours:
        kept.keep(source, await _one(source, world, kept, examples=examples))
    return list(kept.records.values()) if isinstance(kept, Memory) else []


async def _one(source: Source, world: World, ledger: Ledger, *, examples: bool) -> Record:
    try:
        submission = read(source)
    except Unreadable as error:
        record = unreadable(error.student, error.digest or _digest(error.sentence), error.sentence, world)
    else:
        known = ledger.known(world.key(submission.digest))
        record = (
            known.model_copy(update={"student": source.student})
            if known
            else await _graded(submission, world, examples)
        )
    manual = tuple(ManualRecord(id=part.id, max_points=part.points) for part in world.assignment.manual)
    return record.model_copy(update={"manual": manual})


async def _graded(submission: Submission, world: World, examples: bool) -> Record:
    """The record of what could be read. A fault of ours that nobody foresaw ends no class: it is this one's alone."""
    try:
        record = await grade(submission, world)
        return await with_public(record, submission, world) if examples and record.state == State.GRADED else record
    except CourseError:
        raise  # the lecturer's, who is told
    except Exception as error:  # noqa: BLE001 - whatever it is, the class goes on
        return not_graded(submission, error, world)


def _digest(sentence: str) -> str:
    """What stands for the bytes that could not be read: all that is known of them is why."""
    return hashlib.sha256(f"unreadable: {sentence}".encode()).hexdigest()
