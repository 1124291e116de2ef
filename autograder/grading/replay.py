"""What exactly was asked, answered and expected, in one question of one submission?

The question is put once more, by the code that grades and in the same kind of jail, with a witness between the
examiner and the jail. What it saw is for teaching staff: inputs and expected values are hidden from students.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.checks.conduct import Result, drive
from autograder.checks.plan import COSTS, Plan
from autograder.course.limits import limits_of
from autograder.course.load import Assignment, Course, Question
from autograder.grading.batch import open_world
from autograder.grading.examiner import grade
from autograder.grading.record import CheckRecord, QuestionRecord, Record
from autograder.notebook.submission import Submission
from autograder.sandbox.isolation import USUAL, Fork, Isolation, Server, Session
from autograder.sandbox.limits import Cell, Limits, Loaded, SandboxError, Usage
from autograder.sandbox.worker_answer import PUT
from autograder.suite.store import Suite
from autograder.values.asking import Answer, Ask, Program
from autograder.values.outcomes import Outcome

Exchange = tuple[Ask, Answer]


@dataclass
class Seen:
    """What a witness saw: every ask with its answer, in order, and what could not be found in the notebook."""

    exchanges: list[Exchange] = field(default_factory=list)
    missing: frozenset[str] = frozenset()

    def forget_first_time(self) -> None:
        """Of a question that was put twice, keep what counts: the time when right functions were put in first."""
        del self.exchanges[: next(number for number, (ask, _) in enumerate(self.exchanges) if ask.key == PUT)]

    def answer(self, ask: Ask) -> Answer:
        """What was answered then; what was not asked because it could not be, had no answer."""
        for known, answer in self.exchanges:
            if known.key == ask.key:
                return answer
        for name in ask.names & self.missing:
            return Answer("missing", detail={"name": name})
        return Answer("crashed", detail={"text": "not asked: the process had ended"})


@dataclass(frozen=True)
class Replayed:
    """One question, put again. result: its checks, with all that was observed."""

    plan: Plan
    record: Record
    result: Result
    seen: Seen

    @property
    def question(self) -> QuestionRecord | None:
        """None where the submission could not be loaded at all."""
        return next(iter(self.record.questions), None)

    def failed(self) -> list[CheckRecord]:
        """The checks that cost points, in order."""
        checks = self.question.checks if self.question else ()
        return [check for check in checks if check.outcome != Outcome.PASSED]

    def of_case(self, case: str) -> Iterator[Exchange]:
        """What was asked for one case; of calls whose cost was measured, the first: the others are like it."""
        for ask, answer in self.seen.exchanges:
            if ask.meter is not None and ask.meter.right:
                continue
            if ask.key == case or ask.key.startswith(f"{case}/"):
                yield ask, answer
                if ask.meter is not None:
                    return


async def replay(
    course: Course,
    assignment: Assignment,
    suite: Suite,
    question: str,
    submission: Submission,
    isolation: Isolation = USUAL,
) -> Replayed:
    """Put one question to a submission again."""
    (asked,) = (each for each in assignment.questions if each.id == question)
    used = _used(asked, assignment)
    names = {question, *(each.id for each in used)}
    (plan,) = (plan for plan in suite.plans if plan.question == question)
    plans = tuple(each for each in suite.plans if each.question in names)
    seen = Seen()
    whole = replace(assignment, questions=(*used, asked))
    world = await open_world(course, whole, replace(suite, plans=plans), isolation)
    try:
        if used:
            before = await grade(submission, replace(world, assignment=replace(assignment, questions=used)))
            world = replace(world, earlier={each.id: each for each in before.questions})
        world = replace(world, assignment=replace(assignment, questions=(asked,)))
        servers = {name: _Server(server, seen) for name, server in world.servers.items()}
        record = await grade(submission, replace(world, servers=servers))
        if any(each.replaced for each in record.questions):
            seen.forget_first_time()
    finally:
        await world.close()
    return Replayed(plan, record, drive(plan.without(*COSTS), seen.answer), seen)


def _used(question: Question, assignment: Assignment) -> tuple[Question, ...]:
    """The questions that one uses, and those that they use, in order."""
    wanted = set(question.uses)
    for each in reversed(assignment.questions):
        if each.id in wanted:
            wanted |= set(each.uses)
    return tuple(each for each in assignment.questions if each.id in wanted)


async def run_script(
    course: Course,
    assignment: Assignment,
    suite: Suite,
    question: str,
    cells: Sequence[Cell],
    files: Mapping[str, bytes],
    isolation: Isolation = USUAL,
) -> str:
    """Run a script that defines `replay` in the question's environment and jail; what that prints.

    SandboxError where nothing came back.
    """
    (asked,) = (each for each in assignment.questions if each.id == question)
    (plan,) = (plan for plan in suite.plans if plan.question == question)
    world = await open_world(course, replace(assignment, questions=(asked,)), replace(suite, plans=(plan,)), isolation)
    number = 1 + max((cell.number for cell in cells), default=0)
    whole = [*cells, _Last(number, _PRINTED)]
    program = Program()
    printed = program.call(program.get(_NAME))
    try:
        session = await world.servers[asked.environment].open(limits_of(assignment, [asked]))
        try:
            loaded = await session.load(whole, files, frozenset({_NAME, "replay"}))
            notes = [note.text + (f" ({note.private})" if note.private else "") for note in loaded.notes]
            if loaded.failed or loaded.missing:
                why = loaded.failed or f"{min(loaded.missing)} is not defined"
                raise SandboxError("\n".join([f"the script cannot be run: {why}", *notes]))
            fork = await session.question(asked.cpu_s, last=True)
            answer = await fork.ask(program.ask("replay", {"text": printed}))
            await fork.close()
        finally:
            await session.close()
    finally:
        await world.close()
    if not answer.returned:
        raise SandboxError("\n".join([f"the script ended: {answer.status.replace('_', ' ')}", *notes]))
    return "\n".join([*notes, str(answer.value["text"])])


_NAME = "_autograder_printed"
_PRINTED = f"""
def {_NAME}():
    import contextlib
    import io
    import traceback

    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            replay()
        except Exception:
            traceback.print_exc()
    return text.getvalue()[:1_000_000]
"""


@dataclass(frozen=True)
class _Last:
    """The cell that we add to a script."""

    number: int
    source: str


class _Server:
    """A server whose sessions are witnessed. Closing it is its owner's."""

    def __init__(self, server: Server, seen: Seen) -> None:
        self._server = server
        self._seen = seen
        self.walls = server.walls

    async def open(self, limits: Limits) -> Session:
        return _Session(await self._server.open(limits), self._seen)

    async def close(self) -> None:
        return None


class _Session:
    def __init__(self, session: Session, seen: Seen) -> None:
        self._session = session
        self._seen = seen

    async def load(
        self,
        cells: Sequence[Cell],
        files: Mapping[str, bytes],
        wanted: frozenset[str],
        skip: frozenset[int] = frozenset(),
    ) -> Loaded:
        loaded = await self._session.load(cells, files, wanted, skip)
        self._seen.missing |= loaded.missing  # of the submission, and nothing of a reference that is loaded beside it
        return loaded

    async def question(self, cpu_s: float, *, last: bool = False, alone: bool = False) -> Fork:
        return _Fork(await self._session.question(cpu_s, last=last, alone=alone), self._seen)

    async def close(self) -> None:
        await self._session.close()


class _Fork:
    def __init__(self, fork: Fork, seen: Seen) -> None:
        self._fork = fork
        self._seen = seen

    @property
    def ended(self) -> bool:
        return self._fork.ended

    async def ask(self, ask: Ask) -> Answer:
        (answer,) = await self.ask_all([ask])
        return answer

    async def ask_all(self, asks: Sequence[Ask]) -> list[Answer]:
        answers = await self._fork.ask_all(asks)
        self._seen.exchanges += zip(asks, answers, strict=False)  # fewer, where one ended the process
        return answers

    async def close(self) -> Usage:
        return await self._fork.close()
