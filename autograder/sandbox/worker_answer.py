"""How does the worker answer one ask?

Runs a program (see `values.asking`) on the student's names and reports what came of it. The same code
answers in the jail and, for references, alternatives and misconceptions, in the proof.
"""

import builtins
import errno
import operator
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.sandbox.worker_torch import TOOLS
from autograder.values import codec
from autograder.values.asking import OPERATIONS, UNARY
from autograder.values.codec import Handle, Register, Seed, Stub

PUT = "<put>"  # where a program finds what puts values under names; no name that a cell could write
CELL_FILE = "<cell "  # file names of compiled notebook cells begin so
_FIRST_OPERATOR = OPERATIONS.index("add")
_HOLDING = (list, tuple, dict, Register, Handle, Stub, Seed)  # what may hold something to be filled in
_new_generator = np.random.default_rng  # as it is before student code runs
_LIMITS = {
    errno.ENOSPC: "disk_mib",
    errno.EDQUOT: "disk_mib",
    errno.EFBIG: "file_mib",
    errno.EMFILE: "open_files",
    errno.EAGAIN: "processes",
}
MAX_TEXT = 2000  # characters of an exception's text that are reported


class Forbidden(ImportError):
    """Student code used something its question does not allow."""


class _Missing(Exception):
    """The name is not defined, or is still the stub."""


class _Mismatch(Exception):
    """A function returned another number of results than agreed."""


class Desk:
    """Answers asks about one namespace.

    names: the student's global names.
    call_out: asks the examiner to call the function behind a stub.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        call_out: Callable[[int, tuple[Any, ...], dict[str, Any]], Any],
        missing: frozenset[str] = frozenset(),
    ) -> None:
        self._names = names
        self._call_out = call_out
        self._missing = missing
        self._handles: list[Any] = []

    def answer(self, payload: bytes) -> bytes:
        """Run the program of a payload; never raises for what student code does."""
        ask = codec.decode(payload)
        registers: list[Any] = []
        try:
            self._run(ask["steps"].tolist(), ask["constants"], registers)
            keep = {number: self._keep(registers[number]) for number in ask["keep"]}
            shown = [keep.get(number, value) for number, value in enumerate(registers)]
            value = self._fill(ask["returns"], shown)
            return codec.encode({"status": "returned", "value": value}, foreign=self._keep)
        except BaseException as error:  # the worker's boundary: whatever student code throws is an answer
            return codec.encode({**describe(error), "step": len(registers)})

    def _run(self, steps: list[list[int]], constants: list[Any], registers: list[Any]) -> None:
        """Do the steps; each leaves its result in the next register."""

        def operand(place: int) -> Any:
            if place >= 0:
                return registers[place]
            value = constants[~place]
            return self._fill(value, registers) if type(value) in _HOLDING else value

        for number, first, second, third in steps:
            operation = OPERATIONS[number]
            if number >= _FIRST_OPERATOR:
                operands = (operand(first),) if operation in UNARY else (operand(first), operand(second))
                registers.append(getattr(operator, operation)(*operands))
            elif operation == "value":
                registers.append(operand(first))
            elif operation == "get":
                registers.append(self._named(constants[~first]))
            elif operation == "call":
                registers.append(operand(first)(*operand(second), **operand(third)))
            elif operation == "attribute":
                registers.append(getattr(operand(first), constants[~second]))
            elif operation == "index":
                registers.append(operand(first)[operand(second)])
            else:
                registers.append(_unpacked(operand(first), constants[~second]))

    def _named(self, name: str) -> Any:
        if name in TOOLS:
            return TOOLS[name]
        if name in self._missing or name not in self._names:
            raise _Missing(name)
        return self._names[name]

    def _fill(self, tree: Any, registers: list[Any]) -> Any:
        kind = type(tree)
        if kind is Register:
            return registers[tree.number]
        if kind is Handle:
            return self._handles[tree.number]
        if kind is Stub:
            return self._stub(tree.number)
        if kind is Seed:
            return _new_generator(tree.number)
        if kind is list or kind is tuple:
            return kind(self._fill(item, registers) for item in tree)
        if kind is dict:
            return {key: self._fill(item, registers) for key, item in tree.items()}
        return tree

    def _stub(self, number: int) -> Callable[..., Any]:
        def function(*arguments: Any, **keywords: Any) -> Any:
            return self._call_out(number, arguments, keywords)

        return function

    def _keep(self, value: Any) -> Handle:
        self._handles.append(value)
        return Handle(len(self._handles) - 1, described(value))


def calling_out(
    exchange: Callable[[bytes], bytes],
) -> Callable[[int, tuple[Any, ...], dict[str, Any]], Any]:
    """The `call_out` of a Desk whose calls are computed by whoever is behind `exchange`.

    An error of the examiner's function is raised where student code called it, as a built-in exception.
    """

    def call_out(number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        try:
            payload = codec.encode((number, tuple(arguments), dict(keywords)))
        except codec.CodecError as error:
            raise TypeError(f"this function cannot be called with these arguments: {error}") from None
        reply = codec.decode(exchange(payload))
        if "value" in reply:
            return reply["value"]
        kind = getattr(builtins, reply["error"])
        raise kind(reply["text"])

    return call_out


def described(value: Any) -> str:
    """What a value is, in words that hold no part of its content."""
    name = type(value).__name__
    if type(value) is np.ndarray:
        return f"array of dtype {np.ndarray.dtype.__get__(value)}"
    if type(value) in (tuple, list, dict, str, set):
        return f"{name} of length {len(value)}"
    return str(name)[:100]


def describe(error: BaseException) -> dict[str, Any]:
    """The part of an answer that says how student code failed, and at which of its own lines."""
    if isinstance(error, _Missing):
        return {"status": "missing", "detail": {"name": str(error)}}
    if isinstance(error, _Mismatch):
        return {"status": "mismatch", "detail": {"got": str(error)}}
    detail: dict[str, Any] = {"type": type(error).__name__[:100], "text": _text(error)}
    limit = _limit(error, detail["text"])
    if limit:
        detail["limit"] = limit
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(CELL_FILE):
            detail |= {"where": frame.filename, "line": frame.lineno or 0, "source": (frame.line or "")[:200]}
            break
    if isinstance(error, Forbidden | ModuleNotFoundError) or _is_refused(error):
        return {
            "status": "forbidden",
            "detail": {**detail, "name": str(getattr(error, "name", None) or "")[:100]},
        }
    if isinstance(error, NotImplementedError):
        return {"status": "missing", "detail": detail}
    if limit == "memory_mib":
        return {"status": "out_of_memory", "detail": detail}
    return {"status": "raised", "detail": detail}


def _limit(error: BaseException, text: str) -> str:
    """Which limit of the jail an error tells of: the field of `limits.Limits`, or `output`; else nothing."""
    if type(error) is codec.CodecError:
        return "output"
    if isinstance(error, MemoryError) or _is_no_memory(error) or _is_torch_out_of_memory(error, text):
        return "memory_mib"
    if type(error) is RuntimeError:
        return "processes" if "start new thread" in text else ""
    return _LIMITS.get(error.errno or 0, "") if type(error) in (OSError, BlockingIOError) else ""  # type: ignore[attr-defined]


def _is_refused(error: BaseException) -> bool:
    """Whether the jail refused a system call."""
    return type(error) is PermissionError and error.errno == errno.EPERM


def _is_no_memory(error: BaseException) -> bool:
    return type(error) is OSError and error.errno == errno.ENOMEM


def _is_torch_out_of_memory(error: BaseException, text: str) -> bool:
    return type(error) is RuntimeError and "can't allocate memory" in text


def _text(error: BaseException) -> str:
    try:
        return str(error)[:MAX_TEXT]
    except BaseException:  # a student's own exception class may fail to print itself
        return ""


def _unpacked(value: Any, count: int) -> Any:
    if not isinstance(value, tuple | list):
        raise _Mismatch(described(value))
    if len(value) != count:
        raise _Mismatch(f"{type(value).__name__} of length {len(value)}")
    return value
