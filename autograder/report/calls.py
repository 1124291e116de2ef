"""How is what was asked of student code written as Python?

An ask is a program: a straight line of steps. Written out, it is what a person would type to see the same.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.topic.case import Bound
from autograder.values.asking import Answer, Ask
from autograder.values.codec import Handle, Register, Seed, Stub

_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "neg": "-", "pos": "+",
}  # fmt: skip
SHORT, WHOLE = True, False
MAX_WRITTEN = 4096  # entries of an array that stand in the text; a larger one is a file


@dataclass
class Written:
    """Python that makes the asks. lines: to be run in order; prints: (block, expression) of what comes back.

    files: arrays that are too large for a text, by name.
    """

    lines: list[str] = field(default_factory=list)
    prints: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, np.ndarray] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)


def written(exchanges: Iterable[tuple[Ask, Answer]], reference: Mapping[str, Callable[..., Any]]) -> Written:
    """The asks as Python whose values are whole; a call's arguments have the names of the reference's parameters."""
    return _Writer(reference).write(exchanges)


def shown(value: Any) -> str:
    """A value in a few lines, for people."""
    if isinstance(value, np.ndarray):
        text = np.array2string(value, threshold=60, precision=8, separator=", ", max_line_width=100)
        return f"array of shape {value.shape}, {value.dtype}\n{textwrap.indent(text, '  ')}" if value.ndim else text
    if isinstance(value, dict):
        return "\n".join(f"{key}: {shown(item)}" for key, item in value.items())
    if isinstance(value, Handle):
        return f"<{value.description or 'something of the notebook'}>"
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:600]}..."


class _Writer:
    def __init__(self, reference: Mapping[str, Callable[..., Any]]) -> None:
        self._reference = reference
        self._written = Written()
        self._handles: dict[int, str] = {}
        self._taken: set[str] = set(reference)

    def write(self, exchanges: Iterable[tuple[Ask, Answer]]) -> Written:
        for ask, answer in exchanges:
            self._ask(ask, answer)
        return self._written

    def _ask(self, ask: Ask, answer: Answer) -> None:
        expressions: list[str] = []
        callables = {number: self._callable(function) for number, function in ask.callables.items()}
        for operation, *parts in ask.steps:
            expressions.append(self._step(operation, parts, expressions, callables))
        self._returns("", ask.returns, answer.value if answer.returned else None, expressions)

    def _step(self, operation: str, parts: list[Any], known: list[str], callables: Mapping[int, str]) -> str:
        def text(value: Any) -> str:
            return self._text(value, known, callables)

        match operation:
            case "get":
                return str(parts[0])
            case "value":
                return self._named("value", text(parts[0]))
            case "call":
                function, positional, keywords = parts
                called = text(function)
                names = _parameters(self._reference.get(called))
                given = [self._argument(names, place, text(value)) for place, value in enumerate(positional)]
                given += [f"{key}={text(value)}" for key, value in keywords.items()]
                return self._named("result", f"{called}({', '.join(given)})")
            case "attribute":
                return f"{text(parts[0])}.{parts[1]}"
            case "index":
                return f"{text(parts[0])}[{text(parts[1])}]"
            case "unpack":
                return text(parts[0])
            case "operate":
                operation, operands = parts
        if operation == "abs":
            return self._named("value", f"abs({text(operands[0])})")
        sign = _SIGNS[operation]
        if len(operands) == 1:
            return self._named("value", f"{sign}{text(operands[0])}")
        return self._named("value", f"{text(operands[0])} {sign} {text(operands[1])}")

    def _argument(self, names: list[str], place: int, text: str) -> str:
        """A short argument as it is; a long one under the parameter's name."""
        name = names[place] if place < len(names) else "argument"
        return text if len(text) <= 40 else self._named(name, text)

    def _returns(self, name: str, tree: Any, value: Any, known: list[str]) -> None:
        """Note what comes back, and under which name something stays for a later ask."""
        if isinstance(tree, dict):
            for key, each in tree.items():
                self._returns(f"{name}.{key}" if name else str(key), each, (value or {}).get(key), known)
        elif isinstance(tree, Register):
            if isinstance(value, Handle):
                self._handles[value.number] = known[tree.number]
            elif name != "arguments":
                self._written.prints.append((name, known[tree.number]))
        elif isinstance(tree, list | tuple) and name != "arguments":
            for number, each in enumerate(tree):
                item = value[number] if isinstance(value, list | tuple) and number < len(value) else None
                self._returns(f"{name}[{number}]", each, item, known)

    def _named(self, name: str, text: str) -> str:
        number, free = 1, name
        while free in self._taken:
            number += 1
            free = f"{name}{number}"
        self._taken.add(free)
        self._written.lines.append(f"{free} = {text}")
        return free

    def _text(self, value: Any, known: list[str], callables: Mapping[int, str]) -> str:
        match value:
            case Register(number):
                return known[number]
            case Handle(number):
                return self._handles.get(number, "None  # what stayed in a process that has ended")
            case Stub(number):
                return callables[number]
            case Seed(number):
                return f"np.random.default_rng({number})"
            case np.ndarray():
                return self._array(value)
            case np.generic():
                return f"np.{value.dtype.name}({value.item()!r})"
            case dict():
                return "{" + ", ".join(f"{key!r}: {self._text(v, known, callables)}" for key, v in value.items()) + "}"
            case list() | tuple():
                parts = ", ".join(self._text(each, known, callables) for each in value)
                return f"[{parts}]" if isinstance(value, list) else f"({parts}{',' if len(value) == 1 else ''})"
            case _:
                return repr(value)

    def _array(self, value: np.ndarray) -> str:
        if value.size > MAX_WRITTEN:
            name = f"array{len(self._written.files) + 1}.npy"
            self._written.files[name] = value
            return f"np.load({name!r})"
        return f"np.array({value.tolist()!r}, dtype=np.{value.dtype.name})"

    def _callable(self, function: Callable[..., Any]) -> str:
        """A function of ours that was passed, with its source as far as that can be had."""
        bound = function if isinstance(function, Bound) else Bound(function, {})
        name = getattr(bound.function, "__name__", "function")
        try:
            source = textwrap.dedent(inspect.getsource(bound.function))
        except (OSError, TypeError):
            source = f"def {name}(*arguments, **keywords):\n    raise NotImplementedError('its source cannot be had')\n"
        if source not in self._written.definitions:
            self._written.definitions.append(source)
        given = ", ".join(f"{key}={self._text(each, [], {})}" for key, each in bound.arguments.items())
        if not given:
            return name
        return self._named("passed", f"functools.partial({name}, {given})")


def _parameters(function: Callable[..., Any] | None) -> list[str]:
    return list(inspect.signature(function).parameters) if function is not None else []
