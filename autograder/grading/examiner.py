"""How is one submission graded?

Loads it once an environment, puts each question to a fork of what was loaded, and turns verdicts into
a record. Expected values stay on this side; only inputs go in.
"""

import asyncio
import time
import traceback
from collections.abc import Mapping, Sequence

from autograder.checks.conduct import Result
from autograder.checks.plan import COST, MEMORY, Check, Plan
from autograder.course.limits import limits_of
from autograder.course.load import Question
from autograder.grading import fences
from autograder.grading.asked import Account, Asked, Place, put_question, reference_of
from autograder.grading.diagnosis import diagnose
from autograder.grading.environments import by_environment
from autograder.grading.lending import Lender
from autograder.grading.places import lines_of
from autograder.grading.record import CheckRecord, Diagnosis, Measured, Note, QuestionRecord, Record
from autograder.grading.world import World
from autograder.notebook.data import beside
from autograder.notebook.submission import Submission
from autograder.sandbox.accelerator import PROCESSOR
from autograder.sandbox.isolation import Server, Session
from autograder.sandbox.limits import Loaded, SandboxError
from autograder.values.outcomes import Outcome, State

_MOST_TOLD = 4000  # characters of a traceback


async def grade(submission: Submission, world: World) -> Record:
    """Grade one submission. Never raises for what is in it; faults of ours are in the record's state."""
    began = time.perf_counter()
    account = Account()
    questions: dict[str, QuestionRecord] = dict(world.earlier)
    try:
        async with asyncio.TaskGroup() as group:
            await _all_environments(submission, world, account, questions, group)
    except* SandboxError as errors:
        text = "; ".join(dict.fromkeys(str(error) for error in errors.exceptions))
        account.notes[Note(cell=None, kind="not_graded", text=_OURS, private=text)] = None
    in_order = tuple(questions[q.id] for q in world.assignment.questions if q.id in questions)
    graded = len(in_order) == len(world.assignment.questions) and all(q.points is not None for q in in_order)
    return Record(
        key=world.key(submission.digest),
        student=submission.student,
        submission=submission.digest,
        suite=world.suite.digest,
        isolation=world.isolation,
        image=world.image,
        device=world.device,
        state=State.GRADED if graded else State.NOT_GRADED,
        points=round(sum(q.points or 0.0 for q in in_order), 2) if graded else None,
        max_points=world.suite.points,
        questions=in_order,
        notes=tuple(account.notes),
        measured=Measured(
            wall_s=round(time.perf_counter() - began, 3),
            cpu_s=round(account.cpu_s, 3),
            peak_mib=round(account.peak_mib, 1),
            cost_ratios=account.ratios[COST],
            memory_ratios=account.ratios[MEMORY],
        ),
    )


async def _all_environments(
    submission: Submission,
    world: World,
    account: Account,
    questions: dict[str, QuestionRecord],
    group: asyncio.TaskGroup,
) -> None:
    """Load in one environment after the other, so that what loops in one is skipped in the next; the
    questions of one are asked while the next is loaded."""
    plans = {plan.question: plan for plan in world.suite.plans}
    skip: frozenset[int] = frozenset()
    lines = lines_of(submission.cells)
    here = [question for question in world.assignment.questions if question.id not in world.on_device]
    for environment, asked in by_environment(submission, here, world.modules).items():
        put = [(question, plans[question.id]) for question in asked]
        session, loaded = await _load(submission, world, world.servers[environment], put, skip, account)
        skip |= loaded.skipped
        group.create_task(_ask_all(session, loaded, lines, put, account, questions, world))
    for question in world.assignment.questions:
        if plan := world.on_device.get(question.id):
            async with world.card:  # a process of its own: one that has used a card cannot be forked
                server, put = world.accelerated[question.environment], [(question, plan)]
                session, loaded = await _load(submission, world, server, put, skip, account)
                await _ask_all(session, loaded, lines, put, account, questions, world)
            skip |= loaded.skipped
        elif question.device != PROCESSOR and plans[question.id].topic.is_larger_on_device:
            text = f"{question.id} was asked on the processor, with its small run: there was no GPU for it."
            account.notes[Note(cell=None, kind="device", text=text)] = None


async def _load(
    submission: Submission,
    world: World,
    server: Server,
    put: Sequence[tuple[Question, Plan]],
    skip: frozenset[int],
    account: Account,
) -> tuple[Session, Loaded]:
    """Load a submission for these questions; the session is the caller's to close."""
    session = await server.open(limits_of(world.assignment, [question for question, _ in put]))
    try:
        wanted = frozenset(name for _, plan in put for name in plan.topic.reference)
        loaded = await session.load(submission.cells, beside(submission.files, world.data), wanted, skip)
    except BaseException:
        await session.close()
        raise
    for note in loaded.notes:
        account.notes[Note(cell=note.cell, kind=note.kind, text=note.text, private=note.private)] = None
    return session, loaded


async def _ask_all(
    session: Session,
    loaded: Loaded,
    lines: Mapping[str, int],
    asked: Sequence[tuple[Question, Plan]],
    account: Account,
    questions: dict[str, QuestionRecord],
    world: World,
) -> None:
    """Put the questions of one environment, and end its session."""
    try:
        fenced = any(question.forbidden for question, _ in asked)
        for number, (question, plan) in enumerate(asked, start=1):
            fence = fences.ask(question, plan.topic.reference, always=fenced)
            reference = reference_of(question, plan.topic, world)
            place = Place(session, loaded, lines, question, fence, account, reference)
            last = number == len(asked) and not plan.costs and not question.uses  # others need more forks
            result = await put_question(plan, Asked(place, last=last))
            replaced = _to_replace(question, result, questions)
            if replaced:
                again = await put_question(plan, Asked(place, _lender(question, replaced, world)))
                if again.total > result.total or _is_ours(again):
                    result = again
                    account.notes[_told(question, replaced)] = None
                else:
                    replaced = ()
            questions[question.id] = _record(
                result, replaced, world.device if question.id in world.on_device else PROCESSOR
            )
            for name in plan.costs:
                if (measured := result.verdicts[name].measured) is not None:
                    account.ratios[name][question.id] = round(measured, 2)
    finally:
        await session.close()


def unreadable(student: str, digest: str, sentence: str, world: World) -> Record:
    """The record of a submission that could not be read: no number, and the student is told why."""
    return _without_number(State.UNREADABLE, student, digest, Note(cell=None, kind="unreadable", text=sentence), world)


def not_graded(submission: Submission, error: Exception, world: World) -> Record:
    """The record of a submission at which our own code failed: no number, and staff is told where."""
    where = "".join(traceback.format_exception(error))[-_MOST_TOLD:]
    note = Note(cell=None, kind="not_graded", text=_OURS, private=where)
    return _without_number(State.NOT_GRADED, submission.student, submission.digest, note, world)


def _without_number(state: State, student: str, digest: str, note: Note, world: World) -> Record:
    return Record(
        key=world.key(digest),
        student=student,
        submission=digest,
        suite=world.suite.digest,
        isolation=world.isolation,
        image=world.image,
        device=world.device,
        state=state,
        points=None,
        max_points=world.suite.points,
        notes=(note,),
    )


_HELD = "It earns what the worst of its group earns, which is {worst}."
_OURS = "This submission could not be graded; the fault is ours, and it will be graded again."


def _to_replace(question: Question, result: Result, graded: Mapping[str, QuestionRecord]) -> tuple[str, ...]:
    """The questions that this one uses and that lost points, where it lost some as well."""
    if _is_ours(result) or result.total >= result.plan.points:
        return ()
    used = [graded[name] for name in question.uses if name in graded]
    return tuple(each.id for each in used if each.points is not None and each.points < each.max_points)


def _lender(question: Question, replaced: Sequence[str], world: World) -> Lender:
    topics = [plan.topic for plan in world.suite.plans if plan.question in replaced]
    return Lender([(topic, reference_of(question, topic, world)) for topic in topics], question.cpu_s)


def _told(question: Question, replaced: Sequence[str]) -> Note:
    names = " and ".join(replaced)
    text = f"{question.id}: your answer to {names} was not right, so it was replaced by a right one here."
    return Note(cell=None, kind="replaced", text=text)


def _is_ours(result: Result) -> bool:
    """Whether something in it could not be graded, for a fault of ours."""
    return any(verdict.outcome == Outcome.NOT_GRADED for verdict in result.verdicts.values())


def _record(result: Result, replaced: tuple[str, ...] = (), device: str = PROCESSOR) -> QuestionRecord:
    diagnoses = diagnose(result)
    checks = tuple(_check_record(result, check, diagnoses) for check in result.plan.checks)
    return QuestionRecord(
        id=result.plan.question,
        points=None if _is_ours(result) else result.total,
        max_points=result.plan.points,
        checks=checks,
        replaced=replaced,
        device=device,
    )


def _check_record(result: Result, check: Check, diagnoses: Mapping[str, Diagnosis]) -> CheckRecord:
    verdict = result.verdicts[check.id]
    worst = result.worst(check)
    held = result.verdicts[worst.id].fraction < verdict.fraction  # by the others of its group
    message = f"{verdict.message} {_HELD.format(worst=worst.block)}".strip() if held else verdict.message
    return CheckRecord(
        id=check.id,
        kind=check.kind,
        case=verdict.case,
        outcome=verdict.outcome,
        points=result.points(check),
        max_points=check.points,
        message=message,
        evidence=verdict.evidence,
        diagnosis=diagnoses.get(check.id),
    )
