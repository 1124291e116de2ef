"""Is what a worker sends back taken for an answer only if it is one?"""

from typing import Any

import numpy as np
import pytest

from autograder.sandbox.replies import Callables, payload_of, read_answer
from autograder.values import codec
from autograder.values.asking import Ask, Program
from autograder.values.codec import CodecError, Handle, Register, Stub


def _ask() -> Ask:
    program = Program()
    out, cache = program.unpack(program.call(program.get("f")), 2)
    return program.ask("f", {"out": out, "cache": cache}, keep=(cache,))


GOOD = {"out": 1.0, "cache": Handle(0, "dict")}


def test_answer_of_the_asked_form_is_read() -> None:
    answer = read_answer(_ask(), codec.encode({"status": "returned", "value": GOOD}), {})
    assert answer.value == GOOD


@pytest.mark.parametrize(
    "forged",
    [
        None,
        [],
        {"status": "passed"},
        {"status": "timed_out"},
        {"status": ["returned"]},
        {"status": np.ones(2)},
        {"status": "returned"},
        {"status": "returned", "value": 1.0},
        {"status": "returned", "value": {"out": 1.0}},
        {"status": "returned", "value": GOOD | {"more": 1}},
        {"status": "returned", "value": GOOD | {"cache": 1}},
        {"status": "returned", "value": GOOD | {"out": Stub(0)}},
        {"status": "returned", "value": GOOD | {"out": [{"x": (Register(0),)}]}},
        {"status": "raised"},
        {"status": "raised", "step": -1},
        {"status": "raised", "step": True},
        {"status": "raised", "step": 10**6},
    ],
)
def test_answer_of_another_form_is_refused(forged: Any) -> None:
    with pytest.raises(CodecError):
        read_answer(_ask(), codec.encode(forged), {})


def test_detail_is_rebuilt_from_known_texts() -> None:
    detail = {"type": "E", "text": "x" * 9999, "line": 3, "points": 10, "source": 5}
    answer = read_answer(_ask(), codec.encode({"status": "raised", "step": 0, "detail": detail}), {})
    assert answer.detail == {"type": "E", "text": "x" * 2000, "line": 3}


def test_detail_holds_nothing_that_a_terminal_obeys() -> None:
    """Staff reads it there, as after `autograder replay`."""
    detail = {"text": "\x1b]52;c;cm0gLXJmIH4=\x07two\nlines\tof \u202etext"}
    answer = read_answer(_ask(), codec.encode({"status": "raised", "step": 0, "detail": detail}), {})
    assert answer.detail == {"text": "?]52;c;cm0gLXJmIH4=?two\nlines\tof ?text"}


@pytest.mark.parametrize(
    "forged",
    [
        1,
        (0, (), {}, 1),
        (1, (), {}),
        (True, (), {}),
        (0, [], {}),
        (0, (), {1: 2}),
        (0, (Register(0),), {}),
        (0, (Stub(0),), {}),
    ],
)
def test_malformed_call_is_refused_and_not_computed(forged: Any) -> None:
    computed: list[Any] = []
    callables = Callables({0: computed.append})
    with pytest.raises(CodecError):
        callables.answer(codec.encode(forged))
    assert computed == []


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("no"), "ValueError"),
        (UnicodeDecodeError("utf8", b"x", 0, 1, "no"), "ValueError"),
        (type("Ours", (KeyError,), {})("no"), "KeyError"),
    ],
)
def test_error_of_a_callable_crosses_as_a_built_in_one(error: Exception, name: str) -> None:
    def fail() -> None:
        raise error

    reply = codec.decode(Callables({0: fail}).answer(codec.encode((0, (), {}))))
    assert reply["error"] == name
    assert "no" in reply["text"]


def test_payload_of_an_ask_is_encoded_once() -> None:
    ask = _ask()
    assert payload_of(ask) is payload_of(ask)
