"""The least that grading could cost: a warm Python, a bare fork a submission, a bare fork a question.

Run as a process of its own, `python -m benchmarks.bare TRANSCRIPTS ENVIRONMENT`: imports what the warm
server of that environment imports, then for each line `N` on stdin does submission N's work in forks
and answers `N`. What comes back from student code is thrown away, nothing is confined or compared.
"""

import importlib
import operator
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.sandbox import warm
from autograder.values import codec
from autograder.values.asking import OPERATIONS, UNARY
from autograder.values.codec import Handle, Register, Stub

Call = Callable[..., Any]
_OPERANDS = {"value": 1, "get": 1, "call": 3, "attribute": 2, "index": 2, "unpack": 1}
_TAKES = [_OPERANDS.get(operation, 1 if operation in UNARY else 2) for operation in OPERATIONS]


def main() -> None:
    transcripts = codec.decode(Path(sys.argv[1]).read_bytes())
    warm.up(transcripts["warm"][sys.argv[2]])
    submissions = [
        [loading for loading in loadings if loading["environment"] == sys.argv[2]]
        for loadings in transcripts["submissions"]
    ]
    for loadings in submissions:
        for loading in loadings:
            for fork in loading["forks"]:
                for ask in fork:
                    ask["functions"] = [_function(each) for each in ask["functions"]]
    print("ready", flush=True)
    running: dict[int, int] = {}
    for line in sys.stdin:
        number = int(line)
        child = os.fork()
        if child == 0:
            _quiet()
            for loading in submissions[number]:
                _grade(loading)
            os._exit(0)
        running[child] = number
        os.waitpid(child, 0)
        print(running.pop(child), flush=True)


def _grade(loading: dict[str, Any]) -> None:
    names = _load(loading)
    for fork in loading["forks"]:
        child = os.fork()
        if child == 0:
            _ask(names, fork)
            os._exit(0)
        os.waitpid(child, 0)


def _load(loading: dict[str, Any]) -> dict[str, Any]:
    """Run the cells one after the other, as a plain Python would."""
    module = types.ModuleType("__main__")
    names = vars(module)
    sys.modules["__main__"] = module
    for number, source in loading["cells"]:
        try:
            exec(compile(source, f"<cell {number}>", "exec"), names)
        except BaseException as error:
            names.setdefault("_failed", []).append(type(error).__name__)
    return names


def _ask(names: dict[str, Any], fork: list[dict[str, Any]]) -> None:
    """Make the calls of one fork, their inputs already in memory."""
    kept: list[Any] = []
    for ask in fork:
        try:
            results = _run(names, ask, kept)
            kept.extend(results[number] for number in ask["keep"])
        except BaseException:
            continue


def _run(names: dict[str, Any], ask: dict[str, Any], kept: list[Any]) -> list[Any]:
    results: list[Any] = []

    def value(part: Any) -> Any:
        if isinstance(part, Register):
            return results[part.number]
        if isinstance(part, Handle):
            return kept[part.number]
        if isinstance(part, Stub):
            return ask["functions"][part.number]
        if isinstance(part, list):
            return [value(item) for item in part]
        return part

    constants = ask["constants"]
    for number, *places in ask["steps"].tolist():
        operation = OPERATIONS[number]
        parts = [value(constants[~place]) if place < 0 else results[place] for place in places[: _TAKES[number]]]
        if operation == "get":
            results.append(names[parts[0]])
        elif operation == "call":
            results.append(parts[0](*parts[1], **parts[2]))
        elif operation == "attribute":
            results.append(getattr(parts[0], parts[1]))
        elif operation == "index":
            results.append(parts[0][parts[1]])
        elif operation in ("unpack", "value"):
            results.append(parts[0])
        else:
            results.append(getattr(operator, operation)(*parts))
    return results


def _function(described: list[Any]) -> Call:
    place, arguments = described
    module, _, name = place.partition(":")
    function = getattr(importlib.import_module(module), name)
    return lambda *given, **keywords: function(*given, **keywords, **arguments)


def _quiet() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


if __name__ == "__main__":
    main()
