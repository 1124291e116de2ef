"""Which implementations are known to be right, and what does an implementation show on a case?"""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograder.sandbox.inprocess import LocalQuestion
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import Observed, observe
from autograder.topic.parts import Names

REFERENCE, IN_FLOAT32 = "reference", "reference in float32"
Shown = dict[str, dict[str, Observed]]  # implementation -> case -> what it showed


def right_implementations(topic: Topic) -> dict[str, Names]:
    """The reference, the reference in float32, and every alternative, by name."""
    single = {} if topic.is_class or topic.kind == "sampler" else {IN_FLOAT32: single_precision(topic)}
    others = {f"alternative {number}": names for number, names in enumerate(topic.alternatives, start=1)}
    return {REFERENCE: topic.reference, **single, **others}


def single_precision(topic: Topic) -> Names:
    """The reference computed in float32; of no use for a class or a sampler, whose numbers are not given to it."""
    return {name: _in_float32(function) for name, function in topic.reference.items()}


def show_right(topic: Topic, cases: dict[str, Case]) -> Shown:
    """What every right implementation shows on the cases, by its name."""
    return {name: show(topic, names, cases.values()) for name, names in right_implementations(topic).items()}


def show(topic: Topic, names: Names, cases: Iterable[Case]) -> dict[str, Observed]:
    """What an implementation shows on each case, run in this process through the code that grades."""
    desk = LocalQuestion(names)
    shown = {}
    for case in cases:
        run = observe(topic, case)
        try:
            request = next(run)
            while True:
                request = run.send(desk.ask(request))
        except StopIteration as stop:
            shown[case.name] = stop.value
    return shown


def _in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    def computed(*arguments: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return function(*(_cast(argument) for argument in arguments))

    return computed


def _cast(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype == np.float64:
        return value.astype(np.float32)
    if isinstance(value, dict):
        return {key: _cast(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_cast(item) for item in value)
    return value
