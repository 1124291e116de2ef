"""What does a student's code show on what is public: the worked examples, and a run of a trainer?

Looked at only where points were lost, and in a jail of its own, into which no hidden input ever came:
whatever is shown of it, an exception's text or an array, can hold nothing hidden.

A worked example is plain code of ours that calls student code. It runs on our side; what it calls is
asked. Where an answer is not there yet, the example is broken off and begun again once it is: so it
needs no thread, and whoever drives it can be a jail or a test.
"""

import ast
import copy
import functools
import inspect
import math
import textwrap
from collections.abc import Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from autograder.checks import words
from autograder.course.load import Question
from autograder.grading.environments import by_environment
from autograder.grading.examiner import World
from autograder.grading.record import Curve, Difference, ExampleRecord, QuestionRecord, Record
from autograder.notebook.submission import Submission
from autograder.sandbox.inprocess import LocalQuestion
from autograder.sandbox.isolation import Session
from autograder.sandbox.limits import Limits, Loaded, SandboxError
from autograder.topic.case import Bound
from autograder.topic.declare import Topic
from autograder.topic.kinds import arguments, call
from autograder.topic.kinds.observed import failure
from autograder.topic.module import Made
from autograder.topic.worked import Worked
from autograder.values.asking import BINARY, COMPARING, UNARY, Answer, Ask, Program
from autograder.values.codec import CodecError, Register, Seed
from autograder.values.compare import as_array, in_detail
from autograder.values.outcomes import Outcome

Playing = Generator[Ask, Answer, ExampleRecord]
MAX_SHOWN = 1024  # entries of a block that is kept for a picture
MAX_TEXT = 300  # characters of a message
MAX_ASKS = 200  # of one example
CPU_S = 2.0  # of all that is public in one question
_POINTLESS = frozenset({Outcome.MISSING, Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.CRASHED})
_CURVES = 5  # public runs of the reference, between whose losses a student's is drawn
_SEED = 2004  # of the public runs; the hidden ones come from the course's key


class _Needed(BaseException):
    """An example has come to an ask that was not answered yet. No `except Exception` of an example's stops it."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask


class _Failed(Exception):
    """Student code gave no value."""

    def __init__(self, answer: Answer, doing: str) -> None:
        self.answer = answer
        self.doing = doing


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
            session = await world.servers[environment].open(_limits(world, group))
        except SandboxError:
            return record  # a page without pictures: the grade stands
        try:
            wanted = frozenset(name for question in group for name in by_id[question.id].topic.reference)
            loaded = await session.load(submission.cells, submission.files, wanted, skip)
            for question in group:
                shown = await _look(by_id[question.id].topic, session, loaded, min(CPU_S, question.cpu_s))
                found[question.id] = found[question.id].model_copy(update=shown)
        except SandboxError:
            return record
        finally:
            await session.close()
    return record.model_copy(update={"questions": tuple(found[question.id] for question in record.questions)})


def _limits(world: World, asked: Sequence[Question]) -> Limits:
    limits = world.assignment.limits
    memory_mib = max(question.memory_mib for question in asked)
    return Limits(cell_cpu_s=limits.cell_cpu_s, load_cpu_s=limits.load_cpu_s, memory_mib=memory_mib)


def _is_worth_a_look(question: QuestionRecord, topic: Topic) -> bool:
    lost = question.points is not None and question.points < question.max_points
    failed = {check.outcome for check in question.checks} - {Outcome.PASSED}
    return lost and not failed <= _POINTLESS and bool(topic.examples or _has_curve(topic))


async def _look(topic: Topic, session: Session, loaded: Loaded, cpu_s: float) -> dict[str, Any]:
    shown = []
    for example in topic.examples:
        if _plays(topic, example):
            shown.append(await _drive(play(topic, example), session, loaded, cpu_s))
            if shown[-1].outcome == Outcome.TIMED_OUT:
                break
    found: dict[str, Any] = {"examples": tuple(shown)}
    if _has_curve(topic) and not any(each.outcome == Outcome.TIMED_OUT for each in shown):
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
            example.run({"close": _close, **_names(topic, answers)})
        except _Needed as needed:
            answers.append((yield needed.ask))
        except _Failed as failed:
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


def _failed(example: Worked, failed: _Failed) -> ExampleRecord:
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
    return np.asarray(value) if isinstance(value, _Object) else value


def _flat(array: np.ndarray) -> tuple[float | None, ...]:
    """The entries, None where there is no finite number: JSON knows no other."""
    return tuple(float(f"{value:.9g}") if math.isfinite(value) else None for value in array.ravel().tolist())


def _short(array: np.ndarray) -> str:
    return str(array.round(6).tolist())[:MAX_TEXT]


def _names(topic: Topic, answers: Sequence[Answer]) -> dict[str, Any]:
    """What stands for the student's names in an example that has had these answers."""
    remaining = iter(answers)
    count = 0

    def answered(ask: Callable[[str], Ask], doing: str) -> Any:
        nonlocal count
        count += 1
        answer = next(remaining, None)
        if answer is None:
            raise _Needed(_askable(ask(f"public {count}")))
        if not answer.returned:
            raise _Failed(answer, doing)
        return copy.deepcopy(answer.value)  # the example may work in place, and is run again

    if topic.kind == "class":
        program = Program()

        def value_of(register: Register) -> Any:
            return answered(lambda key: program.ask(key, {"value": register}), f"using {topic.name}")["value"]

        return {topic.name: _Object(program, program.get(topic.name), value_of)}
    return {name: _function(topic, name, answered) for name in topic.reference}


def _function(topic: Topic, name: str, answered: Callable[..., Any]) -> Callable[..., Any]:
    outputs, keep = topic.returns, "".join(topic.opaque)
    if topic.kind == "layer":
        forward = name == next(iter(topic.reference))
        gradients = tuple(block.name for block in topic.blocks if block.kind == "gradient")
        outputs, keep = (topic.returns, "cache") if forward else (gradients, "")
    signature = inspect.signature(topic.reference[name])
    drawn: list[dict[str, Any]] = []  # the calls so far that were given a generator, which each call moves on

    def ask(*positional: Any, **keywords: Any) -> Any:
        given = signature.bind(*positional, **keywords).arguments
        inputs = {key: Bound(value, {}) if callable(value) else value for key, value in given.items()}
        if any(isinstance(value, np.random.Generator) for value in given.values()):
            drawn.append(inputs)
            value = answered(lambda key: _draws(key, name, drawn, outputs), f"calling {name}")
        else:
            value = answered(lambda key: call(key, name, inputs, outputs, keep=keep), f"calling {name}")
        results = tuple(value[output] for output in outputs)
        return results if len(results) > 1 else results[0]

    return ask


def _draws(key: str, name: str, calls: Sequence[dict[str, Any]], outputs: tuple[str, ...]) -> Ask:
    """The ask that makes the calls one after the other and returns the last one's results. A generator of
    ours stands for one in the jail with the same seed."""
    program = Program()
    function = program.get(name)
    generators: dict[int, Register] = {}
    for inputs in calls:
        for value in inputs.values():
            if isinstance(value, np.random.Generator) and id(value) not in generators:
                generators[id(value)] = program.value(Seed(_seed_of(value)))
        given = [generators.get(id(value), value) for value in inputs.values()]
        result = program.call(function, *given)
    parts = program.unpack(result, len(outputs)) if len(outputs) > 1 else [result]
    return program.ask(key, dict(zip(outputs, parts, strict=True)))


def _seed_of(generator: np.random.Generator) -> int:
    entropy = generator.bit_generator.seed_seq.entropy  # type: ignore[attr-defined]
    if not isinstance(entropy, int):
        raise TypeError("an example's generator must be made from one number")
    return entropy


def _askable(ask: Ask) -> Ask:
    """The ask, once it is sure that it can be sent; an example that gives what cannot is at fault itself."""
    try:
        ask.payload()
    except CodecError as error:
        raise TypeError(f"an example cannot pass this to student code: {error}") from error
    return ask


class _Object:
    """The student's class, one of its objects, or what one of them has: what is done to it is written down,
    and the whole is asked when a number is needed."""

    _program: Program
    _register: Register
    _value_of: Callable[[Register], Any]

    def __init__(self, program: Program, register: Register, value_of: Callable[[Register], Any]) -> None:
        self.__dict__.update(_program=program, _register=register, _value_of=value_of)

    def _of(self, register: Register) -> "_Object":
        return _Object(self._program, register, self._value_of)

    def __call__(self, *positional: Any, **keywords: Any) -> "_Object":
        plain = {key: _registers(value) for key, value in keywords.items()}
        return self._of(self._program.call(self._register, *map(_registers, positional), **plain))

    def __getattr__(self, name: str) -> "_Object":
        if name.startswith("__"):
            raise AttributeError(name)  # NumPy looks for some of these; none is the student's
        return self._of(self._program.attribute(self._register, name))

    def __getitem__(self, key: Any) -> "_Object":
        return self._of(self._program.index(self._register, _registers(key)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(as_array(self._value_of(self._register)), dtype=dtype)

    def __float__(self) -> float:
        value = self._value_of(self._register)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(f"a number is needed; it is {in_detail(value)}") from None

    def __int__(self) -> int:
        return int(float(self))

    def __bool__(self) -> bool:
        return bool(self._value_of(self._register))

    def __iter__(self) -> Any:
        raise TypeError("an example cannot loop over what a student's object holds; index it")

    __hash__ = object.__hash__  # a method `__eq__` that is set later, below, leaves it as it is


def _registers(value: Any) -> Any:
    """Every object of a tree by its register."""
    if isinstance(value, _Object):
        return value._register
    if isinstance(value, list | tuple):
        return type(value)(map(_registers, value))
    if isinstance(value, dict):
        return {key: _registers(item) for key, item in value.items()}
    return value


def _operator(operation: str, *, reflected: bool = False) -> Callable[..., _Object]:
    def method(self: _Object, *others: Any) -> _Object:
        operands = [self._register, *map(_registers, others)]
        return self._of(self._program.operate(operation, *(reversed(operands) if reflected else operands)))

    return method


for _name in BINARY:
    setattr(_Object, f"__{_name}__", _operator(_name))
    setattr(_Object, f"__r{_name}__", _operator(_name, reflected=True))
for _name in (*COMPARING, *UNARY):
    setattr(_Object, f"__{_name}__", _operator(_name))


def _has_curve(topic: Topic) -> bool:
    """Whether a trainer's runs are given an order of epochs, so that a shorter run is the beginning of a longer one."""
    return topic.training is not None and "order" in topic.parameters


def curve(topic: Topic) -> Generator[Ask, Answer, Curve | None]:
    """Train publicly for some numbers of epochs; the loss after each, and between which the reference's lie."""
    band = _band(topic)
    if band is None:
        return None
    epochs, low, high = band
    inputs = _public_run(topic, 0)
    losses: list[float | None] = []
    for count in epochs:
        run = inputs | {"order": inputs["order"][:count]}
        name = topic.name
        answer = yield call(f"public run {count}", name, arguments(topic.parameters, run), topic.returns)
        losses.append(_loss(topic, inputs, tuple(answer.value.values())) if answer.returned else None)
    return Curve(epochs=epochs, loss=tuple(losses), low=low, high=high)


@functools.cache
def _band(topic: Topic) -> tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]] | None:
    """Numbers of epochs, and between which losses the reference's runs are after each."""
    total = len(_public_run(topic, 0)["order"])
    epochs = tuple(sorted({max(1, round(total * part / 8)) for part in (0.25, 0.5, 1, 2, 3, 4, 6, 8)}))
    found = []
    for number in range(_CURVES):
        run = _public_run(topic, number)
        results = [topic.main(**(run | {"order": run["order"][:count]})) for count in epochs]
        found.append([_loss(topic, run, r if isinstance(r, tuple) else (r,)) for r in results])
    losses = np.array(found, dtype=float)
    if not (np.isfinite(losses) & (losses > 0)).all():
        return None
    return epochs, tuple(losses.min(axis=0).tolist()), tuple(losses.max(axis=0).tolist())


def _public_run(topic: Topic, number: int) -> dict[str, Any]:
    assert topic.training is not None
    return topic.training.draw(np.random.default_rng([_SEED, number]))


def _loss(topic: Topic, run: dict[str, Any], results: tuple[Any, ...]) -> float | None:
    """The loss that the reference computes, or None for what is no result of a training."""
    assert topic.training is not None
    try:
        loss = float(topic.training.loss(run, results[0] if len(results) == 1 else results))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return loss if math.isfinite(loss) else None
