"""Does our own process answer as the jail does?"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from autograder.sandbox.inprocess import LocalQuestion, answer
from autograder.values.asking import Ask, Program
from autograder.values.codec import Handle, Stub
from tests.sandbox.conftest import Jail, call

SOURCES = {
    "returns": "def f(x, g):\n    return x * 2",
    "calls": "def f(x, g):\n    return g(x) + g(y=x + 1)",
    "raises": "def f(x, g):\n    raise ValueError('no')",
    "is missing": "def h():\n    pass",
    "returns an object": "class C: pass\ndef f(x, g):\n    return C()",
    "calls wrongly": "def f(x, g):\n    return g(x, x, x)",
    "passes an object": "def f(x, g):\n    return g(object())",
    "divides by zero": "import numpy as np\ndef f(x, g):\n    return x / np.zeros(3)",
}


def _ask() -> Ask:
    return call("f", np.arange(3.0), Stub(0), callables={0: lambda y: y + 1})


def _names(source: str) -> Mapping[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(source, "<cell 1>", "exec"), names)
    return names


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_answer_is_the_same_as_in_the_jail(jail: Jail, source: str) -> None:
    ours, theirs = answer(_names(source), _ask()), jail.load(source).ask(_ask())
    assert (ours.status, ours.step) == (theirs.status, theirs.step)
    assert {**ours.detail, "source": ""} == {**theirs.detail, "source": ""}
    np.testing.assert_equal(ours.value, theirs.value)
    np.testing.assert_equal(ours.calls, theirs.calls)


def test_handles_live_from_ask_to_ask() -> None:
    question = LocalQuestion({"make": lambda: {1, 2}, "size": len})
    program = Program()
    made = program.call(program.get("make"))
    kept = question.ask(program.ask("make", made, keep=(made,))).value
    assert isinstance(kept, Handle)
    assert question.ask(call("size", kept)).value == 2


def test_inputs_are_fresh_in_every_ask() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        x += 1
        return x

    question, ask = LocalQuestion({"f": f}), call("f", np.zeros(2))
    question.ask(ask)
    np.testing.assert_array_equal(question.ask(ask).value, np.ones(2))


def test_callable_working_in_place_does_not_change_what_was_recorded() -> None:
    def shift(x: np.ndarray) -> None:
        x += 1

    ask = call("f", Stub(0), callables={0: shift})
    calls = answer({"f": lambda g: g(np.zeros(2))}, ask).calls
    np.testing.assert_array_equal(calls[0][0][0], np.zeros(2))


def test_warning_is_no_exception() -> None:
    def f() -> int:
        warnings.warn("careful", stacklevel=1)
        return 1

    assert answer({"f": f}, call("f")).value == 1


def test_calls_beyond_the_cap_are_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sandbox.replies.MAX_CALLS", 3)

    def f(g: Callable[[int], int]) -> int:
        return sum(g(1) for _ in range(10))

    assert answer({"f": f}, call("f", Stub(0), callables={0: abs})).status == "crashed"
