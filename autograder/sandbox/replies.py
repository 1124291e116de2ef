"""What does the examiner make of what a worker sends back?

Everything here comes from a process in which student code ran, so each part is rebuilt and checked:
an answer has the form its ask asked for, or it is no answer.
"""

import builtins
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from autograder.sandbox.limits import SandboxError
from autograder.values import codec
from autograder.values.asking import Answer, Ask
from autograder.values.codec import CodecError, Handle, Register, Seed, Stub
from autograder.values.compare import printable

MAX_CALLS = 100_000  # calls of stubs during one ask
MAX_CALL_BYTES = 256 * 2**20  # bytes of arguments recorded during one ask
MAX_ERROR_TEXT = 200  # characters of an error of ours that student code may see
_MAX_DETAIL_TEXT = 2000
_SAID_BY_WORKERS = frozenset(["returned", "raised", "missing", "forbidden", "mismatch", "out_of_memory"])
_LIMITS = frozenset(["memory_mib", "disk_mib", "file_mib", "open_files", "processes", "output"])
_DETAIL_TEXTS = ("type", "text", "where", "source", "name", "got")


class TooManyCalls(Exception):
    """Student code called the examiner's functions more often, or for longer, than one ask allows."""


def payload_of(ask: Ask) -> bytes:
    """The payload of an ask, encoded once: the same ask is sent to every student."""
    cached: bytes | None = ask.__dict__.get("_payload")
    if cached is None:
        cached = ask.__dict__["_payload"] = ask.payload()
    return cached


def read_answer(ask: Ask, payload: bytes, calls: Mapping[int, list[tuple[Any, ...]]]) -> Answer:
    """Rebuild a worker's answer. Raises CodecError for whatever is no answer to this ask."""
    answer = codec.decode(payload)
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, str) or status not in _SAID_BY_WORKERS:
        raise CodecError("an answer without a known status")
    if status == "returned":
        if "value" not in answer or not _fits(ask.returns, answer["value"], frozenset(ask.keep)):
            raise CodecError("an answer of another form than was asked for")
        return Answer("returned", answer["value"], calls=calls)
    step = answer.get("step")
    if type(step) is not int or not 0 <= step <= len(ask.steps):
        raise CodecError("an answer without its step")
    return Answer(status, step=step, detail=_detail(answer.get("detail")), calls=calls)


def _fits(asked: Any, value: Any, keep: frozenset[int]) -> bool:
    """Whether a value has the structure of the asked tree, with anything plain at its registers."""
    if isinstance(asked, Register):
        return isinstance(value, Handle) if asked.number in keep else _plain(value)
    if isinstance(asked, list | tuple):
        if type(value) is not type(asked) or len(value) != len(asked):
            return False
        return all(_fits(part, item, keep) for part, item in zip(asked, value, strict=True))
    if isinstance(asked, dict):
        if not isinstance(value, dict) or value.keys() != asked.keys():
            return False
        return all(_fits(part, value[key], keep) for key, part in asked.items())
    return _plain(value)


def _plain(value: Any) -> bool:
    """Whether no marker of ours, which only the examiner may send, hides in a value."""
    if isinstance(value, list | tuple):
        return all(_plain(item) for item in value)
    if isinstance(value, dict):
        return all(_plain(item) for item in value.values())
    return not isinstance(value, Register | Seed | Stub)


def _detail(detail: Any) -> dict[str, Any]:
    if not isinstance(detail, dict):
        return {}
    kept: dict[str, Any] = {
        key: printable(detail[key][:_MAX_DETAIL_TEXT]) for key in _DETAIL_TEXTS if isinstance(detail.get(key), str)
    }
    limit = detail.get("limit")
    if isinstance(limit, str) and limit in _LIMITS:
        kept["limit"] = limit
    if type(detail.get("line")) is int:
        kept["line"] = detail["line"]
    return kept


class Callables:
    """Computes the calls of an ask's stubs, on the examiner's side, and records their arguments.

    calls: for each callable, the arguments of each call in order, keywords after positions.
    """

    def __init__(self, callables: Mapping[int, Callable[..., Any]]) -> None:
        self._callables = callables
        self._count = 0
        self._bytes = 0
        self.calls: dict[int, list[tuple[Any, ...]]] = {number: [] for number in callables}

    def answer(self, payload: bytes) -> bytes:
        """Compute one call. Raises CodecError for what is no call, TooManyCalls beyond the cap."""
        function, arguments, keywords = self._read(payload)
        try:
            return codec.encode({"value": function(*arguments, **keywords)})
        except Exception as error:  # wrong arguments are the student's: they meet the error where they called
            return codec.encode({"error": _name_of(error), "text": _sanitised(error)})

    async def answer_when_ready(self, payload: bytes) -> bytes:
        """`answer`, where a function may have to wait; SandboxError where what it waits for is gone, TooManyCalls where
        it has waited too long."""
        function, arguments, keywords = self._read(payload)
        try:
            value = function(*arguments, **keywords)
            return codec.encode({"value": await value if inspect.isawaitable(value) else value})
        except (SandboxError, TooManyCalls):
            raise
        except Exception as error:
            return codec.encode({"error": _name_of(error), "text": _sanitised(error)})

    def _read(self, payload: bytes) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """The function that a call is for, and its arguments, which are recorded."""
        self._count += 1
        self._bytes += len(payload)
        if self._count > MAX_CALLS or self._bytes > MAX_CALL_BYTES:
            raise TooManyCalls(f"more than {MAX_CALLS} calls, or {MAX_CALL_BYTES} bytes of arguments")
        call = codec.decode(payload)
        if not isinstance(call, tuple) or len(call) != 3 or not _plain(call):
            raise CodecError("a call without function, arguments and keywords")
        number, arguments, keywords = call
        if type(number) is not int or number not in self._callables:
            raise CodecError("a call of a function that was not sent")
        if not isinstance(arguments, tuple) or not isinstance(keywords, dict):
            raise CodecError("a call without arguments and keywords")
        if not all(isinstance(keyword, str) for keyword in keywords):
            raise CodecError("a keyword that is no name")
        self.calls[number].append((*_recorded(arguments), *_recorded(tuple(keywords.values()))))
        return self._callables[number], arguments, keywords


def _recorded(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copies that a callable working in place cannot change."""
    return tuple(value.copy() if hasattr(value, "copy") else value for value in values)


def _name_of(error: Exception) -> str:
    """The nearest built-in class that is made from one text: nothing of ours is named in the jail."""
    for cls in type(error).__mro__:
        name: str = cls.__name__
        if getattr(builtins, name, None) is cls and not name.startswith(("Unicode", "ExceptionGroup", "Base")):
            return name
    return "Exception"


def _sanitised(error: Exception) -> str:
    text = str(error).split("\n")[0][:MAX_ERROR_TEXT]
    return "".join(character if character.isprintable() else " " for character in text)
