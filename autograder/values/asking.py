"""What may the examiner ask of student code, and what can come back?

An ask carries a *program*: a straight line of steps whose results are numbered registers. A call of
one function is a short program; a graph of 5,000 nodes is a long one; both are one frame.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from autograder.values import codec
from autograder.values.codec import Handle, Register

# Operators that a program may apply, by their name in the standard library's `operator`.
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
COMPARING = ("lt", "le", "gt", "ge", "eq", "ne")
UNARY = ("neg", "pos", "abs")
# What a step can be, by its number on the wire; operators follow the others.
OPERATIONS = ("value", "get", "call", "attribute", "index", "unpack", *BINARY, *COMPARING, *UNARY)


@dataclass(frozen=True)
class Meter:
    """Says that an ask is answered by a fresh process that answers nothing else, and that what it used comes back.

    check: the one that measures. right: it is put to the reference, in a jail of its own, and not to student code.
    allowed_s: CPU seconds after which it is ended.
    """

    check: str
    right: bool
    allowed_s: float


@dataclass(frozen=True, eq=False)
class Ask:
    """One question to student code.

    key: names the ask within its question; a key asked before is answered from memory.
    steps: lists `[operation, ...]`; see `Program` for the operations.
    returns: a tree with a Register wherever a result shall come back.
    keep: numbers of registers that come back as handles and stay alive in the worker.
    callables: examiner-side functions behind the Stubs that occur in the steps, by number.
    meter: where it is not the answer that counts but what answering costs.
    """

    key: str
    steps: list[list[Any]]
    returns: Any
    keep: tuple[int, ...] = ()
    callables: Mapping[int, Callable[..., Any]] = field(default_factory=dict)
    meter: Meter | None = None

    def payload(self) -> bytes:
        """What goes over the wire. Independent of nonce and student, so each ask is encoded once."""
        return self._payload

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the student's that it needs."""
        return frozenset(step[1] for step in self.steps if step[0] == "get")

    @cached_property
    def handles(self) -> tuple[Handle, ...]:
        """What it refers to that stayed in the worker, and ends with it."""
        calls = (step[2] for step in self.steps if step[0] == "call")
        return tuple(part for arguments in calls for part in arguments if isinstance(part, Handle))

    @cached_property
    def _payload(self) -> bytes:
        packed, constants = pack(self.steps)
        return codec.encode({"steps": packed, "constants": constants, "returns": self.returns, "keep": list(self.keep)})


@dataclass(frozen=True)
class Answer:
    """What came back.

    status: `returned`, `raised`, `missing`, `forbidden`, `mismatch` (another number of results than
    agreed), or, said by whoever watched from outside, `timed_out`, `out_of_memory`, `crashed`,
    `not_graded`.
    step: index of the step that failed.
    detail: for `raised`: type, text, cell, line, source. For ends seen from outside: used and allowed.
    calls: arguments with which each callable was called, by its number.
    cost_s, cost_mib: of an ask with a meter: CPU seconds of its process, with the time that it slept; the most memory
    that it had of its own.
    """

    status: str
    value: Any = None
    step: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    calls: Mapping[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    cost_s: float = 0.0
    cost_mib: float = 0.0

    @property
    def returned(self) -> bool:
        return self.status == "returned"


class Program:
    """Builds the steps of an ask; each method adds one and returns the register of its result."""

    def __init__(self) -> None:
        self.steps: list[list[Any]] = []

    def _add(self, *step: Any) -> Register:
        self.steps.append(list(step))
        return Register(len(self.steps) - 1)

    def value(self, value: Any) -> Register:
        """A value of ours, so that it can be looked at again after a call."""
        return self._add("value", value)

    def get(self, name: str) -> Register:
        """A name of the student's notebook."""
        return self._add("get", name)

    def call(self, function: Any, *arguments: Any, **keywords: Any) -> Register:
        return self._add("call", function, list(arguments), keywords)

    def operate(self, operator: str, *operands: Any) -> Register:
        return self._add("operate", operator, list(operands))

    def attribute(self, of: Any, name: str) -> Register:
        return self._add("attribute", of, name)

    def index(self, of: Any, key: Any) -> Register:
        return self._add("index", of, key)

    def unpack(self, of: Any, count: int) -> list[Register]:
        """Check that a result is a tuple or list of `count`, and take it apart."""
        whole = self._add("unpack", of, count)
        return [self.index(whole, position) for position in range(count)]

    def ask(
        self,
        key: str,
        returns: Any,
        *,
        keep: tuple[Register, ...] = (),
        callables: Mapping[int, Callable[..., Any]] | None = None,
    ) -> Ask:
        return Ask(key, self.steps, returns, tuple(r.number for r in keep), callables or {})


def pack(steps: list[list[Any]]) -> tuple[np.ndarray, list[Any]]:
    """Steps as an integer array of shape (steps, 4), and the constants they refer to.

    A row is the operation's number and up to three operands: a register, or for a constant its
    position, inverted. So a graph of 10,000 nodes is read as fast as an array of its size.
    """
    constants: list[Any] = []
    known: dict[tuple[type, Any], int] = {}

    def constant(value: Any) -> int:
        key = (type(value), value) if isinstance(value, str | int | float) else None
        if key is None or key not in known:
            constants.append(value)
            if key is not None:
                known[key] = len(constants) - 1
            return ~(len(constants) - 1)
        return ~known[key]

    def operand(value: Any) -> int:
        return value.number if isinstance(value, Register) else constant(value)

    rows = []
    for operation, *parts in steps:
        if operation == "operate":
            operation, parts = parts
        row = [OPERATIONS.index(operation), *map(operand, parts)]
        rows.append(row + [0] * (4 - len(row)))
    return np.array(rows, dtype=np.int32).reshape(-1, 4), constants


class Traced:
    """A stand-in for a student's class or object: what is done to it is recorded into a program.

    A case of a class topic is an ordinary function of the class, `def build(Value): ...`; run on a
    Traced it yields the program, run on the reference it yields the expected values.
    """

    def __init__(self, program: Program, register: Register) -> None:
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_register", register)

    def _do(self, operation: str, *operands: Any) -> "Traced":
        program: Program = object.__getattribute__(self, "_program")
        register = program.operate(operation, *(untraced(operand) for operand in operands))
        return Traced(program, register)

    def __call__(self, *arguments: Any, **keywords: Any) -> "Traced":
        program: Program = object.__getattribute__(self, "_program")
        plain = {key: untraced(value) for key, value in keywords.items()}
        register = program.call(untraced(self), *(untraced(a) for a in arguments), **plain)
        return Traced(program, register)

    def __getattr__(self, name: str) -> "Traced":
        program: Program = object.__getattribute__(self, "_program")
        return Traced(program, program.attribute(untraced(self), name))

    def __getitem__(self, key: Any) -> "Traced":
        program: Program = object.__getattribute__(self, "_program")
        return Traced(program, program.index(untraced(self), untraced(key)))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a case of a class topic may read attributes, not set them")

    def __bool__(self) -> bool:
        raise TypeError("a case of a class topic is a straight line: it cannot branch on the student's values")

    def __iter__(self) -> Any:
        raise TypeError("a case of a class topic cannot loop over the student's values; index them")

    __hash__ = object.__hash__

    def __neg__(self) -> "Traced":
        return self._do("neg", self)

    def __pos__(self) -> "Traced":
        return self._do("pos", self)

    def __abs__(self) -> "Traced":
        return self._do("abs", self)


def _binary(operation: str, *, reflected: bool) -> Callable[[Traced, Any], Traced]:
    def method(self: Traced, other: Any) -> Traced:
        return self._do(operation, other, self) if reflected else self._do(operation, self, other)

    return method


for _name in BINARY:
    setattr(Traced, f"__{_name}__", _binary(_name, reflected=False))
    setattr(Traced, f"__r{_name}__", _binary(_name, reflected=True))
for _name in COMPARING:
    setattr(Traced, f"__{_name}__", _binary(_name, reflected=False))


def untraced(value: Any) -> Any:
    """Replace every Traced in a tree by its register."""
    if isinstance(value, Traced):
        return object.__getattribute__(value, "_register")
    if isinstance(value, list | tuple):
        return type(value)(untraced(item) for item in value)
    if isinstance(value, dict):
        return {key: untraced(item) for key, item in value.items()}
    return value


def trace(key: str, name: str, build: Callable[[Any], Any]) -> Ask:
    """The ask that does to the student's `name` what `build` does to its argument."""
    program = Program()
    returns = untraced(build(Traced(program, program.get(name))))
    return program.ask(key, returns)
