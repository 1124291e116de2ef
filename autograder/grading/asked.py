"""How is one question put to a submission: by which process, with what budget, and what is known without asking?"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.checks.conduct import Result, conduct
from autograder.checks.plan import COSTS, Plan
from autograder.course.limits import limits_of
from autograder.course.load import Question
from autograder.grading import fences
from autograder.grading.lending import Lender
from autograder.grading.metering import Reference, metered
from autograder.grading.places import placed
from autograder.grading.record import Note
from autograder.grading.world import World
from autograder.sandbox.isolation import Fork, Session
from autograder.sandbox.limits import Loaded, Usage
from autograder.topic.declare import Topic
from autograder.values.asking import Answer, Ask
from autograder.values.codec import Handle

MAX_FORKS = 4  # of one question: the first, and three more after something ended one


@dataclass
class Account:
    """What student code has used so far."""

    cpu_s: float = 0.0
    peak_mib: float = 0.0
    ratios: dict[str, dict[str, float]] = field(default_factory=lambda: {name: {} for name in COSTS})
    notes: dict[Note, None] = field(default_factory=dict)


async def put_question(plan: Plan, asked: "Asked") -> Result:
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
class Place:
    """Where a question is put. lines: of each cell. reference: its own, for what is held against it while it runs."""

    session: Session
    loaded: Loaded
    lines: Mapping[str, int]
    question: Question
    fence: Ask | None
    account: Account
    reference: Reference


class Asked:
    """One question being asked: its fork, a new one after something ended the last, and its budget.

    lender: answers for functions of earlier questions, where it is put with right ones.
    """

    def __init__(self, place: Place, lender: Lender | None = None, *, last: bool = False) -> None:
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


def reference_of(question: Question, topic: Topic, world: World) -> Reference:
    return Reference(topic, world.servers[question.environment], limits_of(world.assignment, [question]))
