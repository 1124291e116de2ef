"""How is one submission graded?

Loads it once an environment, puts each question to a fork of what was loaded, and turns verdicts into
a record. Expected values stay on this side; only inputs go in.
"""

import asyncio
import itertools
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.checks.conduct import Result, conduct
from autograder.checks.plan import COST, COSTS, MEMORY, Check, Plan
from autograder.course.limits import limits_of
from autograder.course.load import Assignment, Question
from autograder.grading import fences
from autograder.grading.diagnosis import diagnose
from autograder.grading.environments import by_environment
from autograder.grading.lending import Lender
from autograder.grading.metering import Reference, metered
from autograder.grading.places import lines_of, placed
from autograder.grading.record import CheckRecord, Diagnosis, Measured, Note, QuestionRecord, Record, key_of
from autograder.notebook.data import beside
from autograder.notebook.submission import Submission
from autograder.sandbox.accelerator import PROCESSOR
from autograder.sandbox.isolation import Fork, Server, Session
from autograder.sandbox.limits import Loaded, SandboxError, Usage
from autograder.suite.store import Suite
from autograder.topic.declare import Topic
from autograder.values.asking import Answer, Ask
from autograder.values.codec import Handle
from autograder.values.outcomes import Outcome, State

_MOST_TOLD = 4000  # characters of a traceback
MAX_FORKS = 4  # of one question: the first, and three more after something ended one


@dataclass(frozen=True)
class World:
    """What a class is graded in: the suite, the assignment, and a warm server an environment.

    versions: of Python and of the packages that student code meets. modules: what can be imported in
    each environment. device: the GPU's name, where something is asked on one; device_digest: of what was measured on
    it. image: the digest of the container image, where student code runs in one. data: the
    files that come with the assignment, by their path; they lie beside every notebook.
    earlier: questions of the submission that were graded already and are used by those of the assignment.
    on_device: the plans of questions that are asked on a GPU. accelerated: a server an environment that may see it.
    card: held by whoever computes on it, one submission at a time: its memory is not divided.
    """

    suite: Suite
    assignment: Assignment
    servers: Mapping[str, Server]
    versions: str
    modules: Mapping[str, frozenset[str]]
    isolation: str
    image: str = ""
    device: str = PROCESSOR
    device_digest: str = ""
    data: Mapping[str, bytes] = field(default_factory=dict)
    data_digest: str = ""
    earlier: Mapping[str, QuestionRecord] = field(default_factory=dict)
    on_device: Mapping[str, Plan] = field(default_factory=dict)
    accelerated: Mapping[str, Server] = field(default_factory=dict)
    card: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def close(self) -> None:
        """End all servers."""
        await asyncio.gather(*(server.close() for server in (*self.servers.values(), *self.accelerated.values())))

    def key(self, submission: str) -> str:
        place = " ".join(filter(None, (self.isolation, self.image, fences.words(self.assignment), self.data_digest)))
        device = " ".join(filter(None, (self.device, self.device_digest)))
        return key_of(submission, self.suite.digest, self.versions, place, device)


@dataclass
class _Account:
    """What student code has used so far."""

    cpu_s: float = 0.0
    peak_mib: float = 0.0
    ratios: dict[str, dict[str, float]] = field(default_factory=lambda: {name: {} for name in COSTS})
    notes: dict[Note, None] = field(default_factory=dict)


async def grade(submission: Submission, world: World) -> Record:
    """Grade one submission. Never raises for what is in it; faults of ours are in the record's state."""
    began = time.perf_counter()
    account = _Account()
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
    account: _Account,
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
    account: _Account,
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
    account: _Account,
    questions: dict[str, QuestionRecord],
    world: World,
) -> None:
    """Put the questions of one environment, and end its session."""
    try:
        fenced = any(question.forbidden for question, _ in asked)
        for number, (question, plan) in enumerate(asked, start=1):
            fence = fences.ask(question, plan.topic.reference, always=fenced)
            reference = _reference(question, plan.topic, world)
            place = _Place(session, loaded, lines, question, fence, account, reference)
            last = number == len(asked) and not plan.costs and not question.uses  # others need more forks
            result = await _put(plan, _Asked(place, last=last))
            replaced = _to_replace(question, result, questions)
            if replaced:
                again = await _put(plan, _Asked(place, _lender(question, replaced, world)))
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


async def _put(plan: Plan, asked: "_Asked") -> Result:
    """Put one question: drive its checks with whatever answers for the student."""
    run = conduct(plan)
    try:
        batch = next(run)
        while True:
            batch = run.send(await asked.answers(batch))
    except StopIteration as stop:
        result: Result = stop.value
        return result
    finally:
        await asked.close()


@dataclass(frozen=True)
class _Place:
    """Where a question is put. lines: of each cell. reference: its own, for what is held against it while it runs."""

    session: Session
    loaded: Loaded
    lines: Mapping[str, int]
    question: Question
    fence: Ask | None
    account: _Account
    reference: Reference


class _Asked:
    """One question being asked: its fork, a new one after something ended the last, and its budget.

    lender: answers for functions of earlier questions, where it is put with right ones.
    """

    def __init__(self, place: _Place, lender: Lender | None = None, *, last: bool = False) -> None:
        self._session = place.session
        self._loaded = place.loaded
        self._lines = place.lines
        self._question = place.question
        self._fence = place.fence
        self._account = place.account
        self._reference = place.reference
        self._lender = lender
        self._refused: Answer | None = None  # by the fence
        self._remaining = place.question.cpu_s
        self._is_last = last
        self._forks = 0
        self._fork: Fork | None = None
        self._last = Answer("crashed")  # how the last fork ended
        self._kept: list[Handle] = []  # what this fork keeps for later asks

    async def answers(self, batch: Sequence[Ask]) -> list[Answer]:
        """The answers to a batch of asks that do not wait for each other."""
        answers: list[Answer] = []
        while len(answers) < len(batch):
            if batch[len(answers)].meter is not None:
                answers.append(await self._metered(batch[len(answers)]))
                continue
            known = self._known(batch[len(answers)])
            if known is not None:
                answers.append(known)
                continue
            if self._fork is None:
                await self._open()
                continue
            asking = itertools.takewhile(lambda ask: self._known(ask) is None, batch[len(answers) :])
            came = await self._fork.ask_all([self._lender.with_calls(ask) if self._lender else ask for ask in asking])
            answers += map(self._told, came)
            self._kept += [value for answer in came for value in _values(answer) if isinstance(value, Handle)]
            if self._fork.ended:
                self._last = answers[-1]
                await self.settle()
        return answers

    async def _open(self) -> None:
        """A new process, in which first of all the fence is put up."""
        self._fork = await self._session.question(self._remaining, last=self._is_last)
        self._forks += 1
        put = self._lender.put() if self._lender else None
        for first in (put, self._fence):
            if first is None:
                continue
            answer = await self._fork.ask(first)
            if answer.status == "forbidden":
                self._refused = self._told(answer)
            elif not answer.returned:
                self._last = answer
                return await self.settle()

    async def _metered(self, ask: Ask) -> Answer:
        """The answer to an ask with a meter, which says itself how much CPU time it may use."""
        assert ask.meter is not None
        await self.settle()
        session = await self._reference.session() if ask.meter.right else self._session
        if session is None:
            return Answer("not_graded", detail={"text": "the reference cannot be loaded in its jail"})
        first = [] if ask.meter.right or self._fence is None else [self._fence]
        answer, usage = await metered(session, ask, first)
        if not ask.meter.right:
            self._count(usage)
        return self._told(answer)

    def _told(self, answer: Answer) -> Answer:
        """An answer, with what is known here beside what its process says."""
        return placed(fences.named(answer, self._question), self._lines)

    def _count(self, usage: Usage) -> None:
        self._account.cpu_s += usage.cpu_s
        self._account.peak_mib = max(self._account.peak_mib, usage.peak_mib)

    async def settle(self) -> None:
        """Close the fork, if there is one, and take what it used from the budget."""
        if self._fork is None:
            return
        usage = await self._fork.close()
        self._fork = None
        self._kept = []
        self._count(usage)
        self._remaining = 0.0 if self._last.status == "timed_out" else self._remaining - usage.cpu_s

    async def close(self) -> None:
        """End everything that was started for it."""
        await self.settle()
        await self._reference.close()
        if self._lender:
            await self._lender.close()

    def _known(self, ask: Ask) -> Answer | None:
        """The answer that need not be asked for: nothing is loaded, a name is missing, nothing is left."""
        if self._loaded.failed is not None:
            return Answer(self._loaded.failed)
        if self._refused is not None:
            return self._refused
        for name in ask.names & self._loaded.missing:
            return Answer("missing", detail={"name": name})
        if not all(any(handle is kept for kept in self._kept) for handle in ask.handles):
            return self._last  # what it refers to ended with an earlier fork
        if self._fork is not None:
            return None
        if self._remaining <= 0:
            return Answer("timed_out")
        if self._forks >= MAX_FORKS:
            return Answer("crashed", detail={"text": f"the process ended {self._forks} times"})
        return None


def _values(answer: Answer) -> Iterable[object]:
    return answer.value.values() if isinstance(answer.value, dict) else ()


def _reference(question: Question, topic: Topic, world: World) -> Reference:
    return Reference(topic, world.servers[question.environment], limits_of(world.assignment, [question]))


def _to_replace(question: Question, result: Result, graded: Mapping[str, QuestionRecord]) -> tuple[str, ...]:
    """The questions that this one uses and that lost points, where it lost some as well."""
    if _is_ours(result) or result.total >= result.plan.points:
        return ()
    used = [graded[name] for name in question.uses if name in graded]
    return tuple(each.id for each in used if each.points is not None and each.points < each.max_points)


def _lender(question: Question, replaced: Sequence[str], world: World) -> Lender:
    topics = [plan.topic for plan in world.suite.plans if plan.question in replaced]
    return Lender([(topic, _reference(question, topic, world)) for topic in topics], question.cpu_s)


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
