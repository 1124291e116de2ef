"""What stands for a student's names where a worked example of ours calls them?

Code of the example runs on our side; what it calls is asked. An answer that is not there yet breaks it off
(`Needed`), so that whoever drives it, a jail or a test, can ask and begin it again.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.topic.case import Bound
from autograder.topic.declare import Topic
from autograder.topic.kinds import call
from autograder.values.asking import BINARY, COMPARING, UNARY, Answer, Ask, Program
from autograder.values.codec import CodecError, Register, Seed
from autograder.values.compare import as_array, in_detail


class Needed(BaseException):
    """An example has come to an ask that was not answered yet. No `except Exception` of an example's stops it."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask


class Failed(Exception):
    """Student code gave no value."""

    def __init__(self, answer: Answer, doing: str) -> None:
        self.answer = answer
        self.doing = doing


def names_for(topic: Topic, answers: Sequence[Answer]) -> dict[str, Any]:
    """What stands for the student's names in an example that has had these answers."""
    remaining = iter(answers)
    count = 0

    def answered(ask: Callable[[str], Ask], doing: str) -> Any:
        nonlocal count
        count += 1
        answer = next(remaining, None)
        if answer is None:
            raise Needed(_askable(ask(f"public {count}")))
        if not answer.returned:
            raise Failed(answer, doing)
        return copy.deepcopy(answer.value)  # the example may work in place, and is run again

    if topic.kind == "class":
        program = Program()

        def value_of(register: Register) -> Any:
            return answered(lambda key: program.ask(key, {"value": register}), f"using {topic.name}")["value"]

        return {topic.name: Standing(program, program.get(topic.name), value_of)}
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


class Standing:
    """The student's class, one of its objects, or what one of them has: what is done to it is written down,
    and the whole is asked when a number is needed."""

    _program: Program
    _register: Register
    _value_of: Callable[[Register], Any]

    def __init__(self, program: Program, register: Register, value_of: Callable[[Register], Any]) -> None:
        self.__dict__.update(_program=program, _register=register, _value_of=value_of)

    def _of(self, register: Register) -> "Standing":
        return Standing(self._program, register, self._value_of)

    def __call__(self, *positional: Any, **keywords: Any) -> "Standing":
        plain = {key: _registers(value) for key, value in keywords.items()}
        return self._of(self._program.call(self._register, *map(_registers, positional), **plain))

    def __getattr__(self, name: str) -> "Standing":
        if name.startswith("__"):
            raise AttributeError(name)  # NumPy looks for some of these; none is the student's
        return self._of(self._program.attribute(self._register, name))

    def __getitem__(self, key: Any) -> "Standing":
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
    if isinstance(value, Standing):
        return value._register
    if isinstance(value, list | tuple):
        return type(value)(map(_registers, value))
    if isinstance(value, dict):
        return {key: _registers(item) for key, item in value.items()}
    return value


def _operator(operation: str, *, reflected: bool = False) -> Callable[..., Standing]:
    def method(self: Standing, *others: Any) -> Standing:
        operands = [self._register, *map(_registers, others)]
        return self._of(self._program.operate(operation, *(reversed(operands) if reflected else operands)))

    return method


for _name in BINARY:
    setattr(Standing, f"__{_name}__", _operator(_name))
    setattr(Standing, f"__r{_name}__", _operator(_name, reflected=True))
for _name in (*COMPARING, *UNARY):
    setattr(Standing, f"__{_name}__", _operator(_name))
