"""What does a student's code show on what is public: the worked examples, and a run of a trainer?

Looked at only where points were lost, and in a jail of its own, into which no hidden input ever came:
whatever is shown of it, an exception's text or an array, can hold nothing hidden.

A worked example is plain code of ours that calls student code. It runs on our side; what it calls is
asked. Where an answer is not there yet, the example is broken off and begun again once it is: so it
needs no thread, and whoever drives it can be a jail or a test.
"""

import ast
import functools
import inspect
import math
import textwrap
from collections.abc import Generator, Mapping
from types import TracebackType
from typing import Any

import numpy as np

from autograder.checks import words
from autograder.course.limits import limits_of
from autograder.grading.curves import curve, has_curve
from autograder.grading.environments import by_environment
from autograder.grading.record import Difference, ExampleRecord, QuestionRecord, Record
from autograder.grading.stand_ins import Failed, Needed, Standing, names_for
from autograder.grading.world import World
from autograder.notebook.data import beside
from autograder.notebook.submission import Submission
from autograder.sandbox.inprocess import LocalQuestion
from autograder.sandbox.isolation import Session
from autograder.sandbox.limits import Loaded, SandboxError
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import failure
from autograder.topic.module import Made
from autograder.topic.worked import Worked
from autograder.values.asking import Answer, Ask
from autograder.values.outcomes import Outcome

Playing = Generator[Ask, Answer, ExampleRecord]
MAX_SHOWN = 1024  # entries of a block that is kept for a picture
MAX_TEXT = 300  # characters of a message
MAX_ASKS = 200  # of one example
CPU_S = 2.0  # of all that is public in one question
_POINTLESS = frozenset({Outcome.MISSING, Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.CRASHED})


class _Differs(AssertionError):
    def __init__(self, text: str, difference: Difference | None) -> None:
        super().__init__(text)
        self.difference = difference


async def with_public(record: Record, submission: Submission, world: World) -> Record:
    """The record with what is public beside the questions that lost points."""
    by_id = {plan.question: plan for plan in world.suite.plans}
    lost = {question.id for question in record.questions if _is_worth_a_look(question, by_id[question.id].topic)}
    asked = [question for question in world.assignment.questions if question.id in lost]
    found: dict[str, QuestionRecord] = {question.id: question for question in record.questions}
    skip = frozenset(note.cell for note in record.notes if note.kind == "stopped" and note.cell is not None)
    for environment, group in by_environment(submission, asked, world.modules).items():
        try:
            session = await world.servers[environment].open(limits_of(world.assignment, group))
        except SandboxError:
            return record  # a page without pictures: the grade stands
        try:
            wanted = frozenset(name for question in group for name in by_id[question.id].topic.reference)
            loaded = await session.load(submission.cells, beside(submission.files, world.data), wanted, skip)
            for question in group:
                shown = await _look(by_id[question.id].topic, session, loaded, min(CPU_S, question.cpu_s))
                found[question.id] = found[question.id].model_copy(update=shown)
        except SandboxError:
            return record
        finally:
            await session.close()
    return record.model_copy(update={"questions": tuple(found[question.id] for question in record.questions)})


def _is_worth_a_look(question: QuestionRecord, topic: Topic) -> bool:
    lost = question.points is not None and question.points < question.max_points
    failed = {check.outcome for check in question.checks} - {Outcome.PASSED}
    return lost and not failed <= _POINTLESS and bool(topic.examples or has_curve(topic))


async def _look(topic: Topic, session: Session, loaded: Loaded, cpu_s: float) -> dict[str, Any]:
    shown = []
    for example in topic.examples:
        if _plays(topic, example):
            shown.append(await _drive(play(topic, example), session, loaded, cpu_s))
            if shown[-1].outcome == Outcome.TIMED_OUT:
                break
    found: dict[str, Any] = {"examples": tuple(shown)}
    if has_curve(topic) and not any(each.outcome == Outcome.TIMED_OUT for each in shown):
        found["curve"] = await _drive(curve(topic), session, loaded, cpu_s)
    return found


async def _drive(run: Generator[Ask, Answer, Any], session: Session, loaded: Loaded, cpu_s: float) -> Any:
    """Let a fork of the loaded notebook answer one example, or one run of a trainer."""
    fork = None
    ended: Answer | None = Answer(loaded.failed) if loaded.failed else None
    try:
        ask = next(run)
        while True:
            missing = ask.names & loaded.missing
            if missing:
                ended = Answer("missing", detail={"name": min(missing)})
            if ended is None:
                fork = fork or await session.question(cpu_s)
                answer = await fork.ask(ask)
                ended = answer if fork.ended else None
            else:
                answer = ended
            ask = run.send(answer)
    except StopIteration as stop:
        return stop.value
    finally:
        if fork is not None:
            await fork.close()


def play(topic: Topic, example: Worked) -> Playing:
    """Run a worked example on whoever answers the asks."""
    answers: list[Answer] = []
    while len(answers) <= MAX_ASKS:
        try:
            example.run({"close": _close, **names_for(topic, answers)})
        except Needed as needed:
            answers.append((yield needed.ask))
        except Failed as failed:
            return _failed(example, failed)
        except AssertionError as error:
            line = _line(example, error.__traceback__)
            difference = getattr(error, "difference", None)
            if difference is not None:
                difference = difference.model_copy(update={"line": line})
            outcome, text = Outcome.WRONG_VALUE, str(error)[:MAX_TEXT]
            return ExampleRecord(name=example.name, outcome=outcome, line=line, message=text, difference=difference)
        except Exception as error:  # noqa: BLE001 - the example stumbled over what student code returned
            text = f"{type(error).__name__}: {error}"[:MAX_TEXT]
            line = _line(example, error.__traceback__)
            return ExampleRecord(name=example.name, outcome=Outcome.WRONG_TYPE, line=line, message=text)
        else:
            return ExampleRecord(name=example.name, outcome=Outcome.PASSED)
    return ExampleRecord(name=example.name, outcome=Outcome.NOT_GRADED)


def _failed(example: Worked, failed: Failed) -> ExampleRecord:
    found = failure(failed.answer, failed.doing)
    detail = found.answer.detail
    message = f"{failed.doing} did not work: {str(found.outcome).replace('_', ' ')}."
    if found.outcome == Outcome.RAISED:
        message = f"{failed.doing} raised {detail.get('type', 'an exception')}{words.place(detail)}"
        message += f": {detail['text']}" if detail.get("text") else "."
    elif found.outcome == Outcome.WRONG_TYPE:
        message = f"{failed.doing} returned {detail.get('got', 'something else')}, not what was agreed."
    line = _line(example, failed.__traceback__)
    return ExampleRecord(name=example.name, outcome=found.outcome, line=line, message=message[:MAX_TEXT])


def _line(example: Worked, trace: TracebackType | None) -> int:
    """The line of the example at which it ended, from the first line of its decorator or `def`."""
    code, line = example.check.__code__, 0
    while trace is not None:
        if trace.tb_frame.f_code is code:
            line = trace.tb_lineno - code.co_firstlineno + 1
        trace = trace.tb_next
    return line


@functools.cache
def source_of(example: Worked) -> tuple[int, tuple[str, ...]]:
    """The lines of an example's body, and the number of the first, counted as in `ExampleRecord.line`."""
    text = textwrap.dedent(inspect.getsource(example.check))
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    lines = text.splitlines()
    head = function.body[0].lineno - 1
    while head > function.lineno and lines[head - 1].lstrip().startswith("#"):
        head -= 1  # a comment above the first statement
    return head + 1, tuple(textwrap.dedent("\n".join(lines[head:])).splitlines())


@functools.cache
def _plays(topic: Topic, example: Worked) -> bool:
    """Whether the reference passes it when it is asked as students are: else nothing of it is shown."""
    if isinstance(topic, Made):
        return False  # tensors, of which these examples are made, do not cross to the jail
    return played_by(topic, example, topic.reference).outcome == Outcome.PASSED


def played_by(topic: Topic, example: Worked, names: Mapping[str, Any]) -> ExampleRecord:
    """How an example ends on an implementation in this process."""
    desk, run = LocalQuestion(names), play(topic, example)
    try:
        ask = next(run)
        while True:
            ask = run.send(desk.ask(ask))
    except StopIteration as stop:
        played: ExampleRecord = stop.value
        return played


def _close(actual: Any, expected: Any, within: float = 1e-6) -> None:
    """`close` of the public checks, which also keeps what it held against each other."""
    if actual is None:
        raise _Differs("got None: does the function return its result?", None)
    got, wanted = np.asarray(_settled(actual), dtype=float), np.asarray(expected, dtype=float)
    if got.shape != wanted.shape:
        raise _Differs(f"expected the shape {wanted.shape}, got {got.shape}", None)
    if np.allclose(got, wanted, rtol=0, atol=within):
        return
    difference = None
    if 1 < got.size <= MAX_SHOWN:
        difference = Difference(
            line=0, shape=got.shape, actual=_flat(got), expected=_flat(wanted), within=float(within)
        )  # fmt: skip
    raise _Differs(f"expected {_short(wanted)}, got {_short(got)}", difference)


def _settled(value: Any) -> Any:
    """A tree with the numbers of a student's objects in their place."""
    if isinstance(value, list | tuple):
        return [_settled(item) for item in value]
    return np.asarray(value) if isinstance(value, Standing) else value


def _flat(array: np.ndarray) -> tuple[float | None, ...]:
    """The entries, None where there is no finite number: JSON knows no other."""
    return tuple(float(f"{value:.9g}") if math.isfinite(value) else None for value in array.ravel().tolist())


def _short(array: np.ndarray) -> str:
    return str(array.round(6).tolist())[:MAX_TEXT]
