"""Is what is declared as an alternative one, or the reference once more?

An alternative that hands its work to the reference, or is a copy of it, agrees with it whatever it computes, and so
says nothing of it.
"""

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FrameType, FunctionType
from typing import Any

from autograder.suite.right import show
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.parts import Names


def unconfirmed(topic: Topic, cases: Mapping[str, Case]) -> Iterator[str]:
    """A sentence for its author for each reason to doubt that anything but the reference says what is right."""
    if not topic.alternatives:
        yield (
            f"{topic.name} has no alternative: nothing independent says that the reference is right. "
            f"Add one with @{topic.name}.alternative"
        )
    reference = set(_codes(topic.reference.values()))
    first = next((case for case in cases.values() if not case.edge), None)
    if first is None or not reference:
        return
    advice = "it agrees whatever the reference computes. Compute in another way: by loops, by a library, by the limit"
    for number, names in enumerate(topic.alternatives, start=1):
        if {_text(code) for code in _codes(names.values())} == {_text(code) for code in reference}:
            yield f"alternative {number} is the code of the reference: {advice}"
        elif reference <= _run(topic, names, first):
            yield f"alternative {number} calls the reference for all that it returns: {advice}"


def _codes(definitions: Iterable[Any]) -> Iterator[CodeType]:
    """The code of functions, of those that make a class too."""
    for definition in map(inspect.unwrap, definitions):
        if isinstance(definition, FunctionType):
            yield definition.__code__


def _text(code: CodeType) -> tuple[Any, ...]:
    """What is computed, whatever it is called and however it is described."""
    constants = [_text(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, tuple(constants[1:])  # the first is the docstring, or None


def _run(topic: Topic, names: Names, case: Case) -> set[CodeType]:
    """The code of all functions that run while an implementation is asked for one case."""
    ran: set[CodeType] = set()
    if sys.getprofile():  # there can be but one, and whoever profiles a compile keeps theirs
        return ran

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            ran.add(frame.f_code)

    sys.setprofile(note)
    try:
        show(topic, names, [case])
    finally:
        sys.setprofile(None)
    return ran
