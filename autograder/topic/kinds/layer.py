"""A layer: forward keeps its cache in the worker, backward gets it back with an upstream gradient.

A pure one must leave its arguments, the upstream gradient and its cache as they were, so that backward may be
called twice.
"""

from typing import Any

import numpy as np

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Failure, Observation, arguments, call, failure, spoiled
from autograder.topic.parts import TopicError
from autograder.values.asking import Answer, Ask, Program
from autograder.values.compare import norm, split
from autograder.values.outcomes import Outcome

_ROUNDING = 1e-4  # of the norm: what two calls may differ by, in float32


def complete(topic: Topic, case: Case, rng: np.random.Generator) -> Case:
    """Draw the upstream gradient: random, never ones, which hide half of the wrong backward passes."""
    if "dout" in case.inputs:
        return case
    returned = topic.main(*arguments(topic.parameters, case.inputs).values())
    if not isinstance(returned, tuple) or len(returned) != 2 or isinstance(returned[0], tuple | dict):
        got = ", ".join(type(part).__name__ for part in returned) if isinstance(returned, tuple) else ""
        raise TopicError(
            f"{topic.name}: the forward of a layer returns (out, cache), an array and what is its own; "
            f"{topic.main.__name__} returned {f'({got})' if got else f'a {type(returned).__name__}'}"
        )
    return case.at(dout=rng.normal(size=np.shape(returned[0])))


def observe(topic: Topic, case: Case) -> Observation:
    forward, backward = topic.reference
    gradients = tuple(block.name for block in topic.blocks if block.kind == "gradient")
    inputs = arguments(topic.parameters, case.inputs)
    watched = tuple(inputs) if topic.pure else ()
    answer = yield case.ask(
        "forward",
        lambda: call(f"{case.name}/forward", forward, inputs, ("out", "cache"), keep="cache", watched=watched),
    )
    if not answer.returned:
        return dict.fromkeys(("out", *gradients), failure(answer, f"calling {forward}"))
    if watched and (changed := spoiled(forward, inputs, watched, answer)) is not None:
        return dict.fromkeys(("out", *gradients), changed)
    observed = {"out": answer.value["out"]}
    back = {"dout": case.inputs["dout"], "cache": answer.value["cache"]}
    watched = ("dout",) if topic.pure else ()
    answer = yield call(f"{case.name}/backward", backward, back, gradients, watched=watched)
    if answer.returned and topic.pure:
        if (changed := spoiled(backward, back, watched, answer)) is not None:
            return observed | dict.fromkeys(gradients, changed)
        first = answer
        answer = yield call(f"{case.name}/backward again", backward, back, gradients)
        others = [name for name in gradients if answer.returned and not same(first.value[name], answer.value[name])]
        if others:
            words = f"{backward}, called twice with one cache, gave two answers: it must leave the cache as it was"
            which = Answer("changed", detail={"text": f"other {', '.join(others)}"})
            return observed | dict.fromkeys(gradients, Failure(Outcome.BROKEN_PROPERTY, words, which))
    if answer.returned:
        return observed | {name: answer.value[name] for name in gradients}
    return observed | dict.fromkeys(gradients, failure(answer, f"calling {backward}"))


def whole(topic: Topic, case: Case) -> Ask:
    """One ask for forward and backward together."""
    forward, backward = topic.reference
    gradients = [block.name for block in topic.blocks if block.kind == "gradient"]
    program = Program()
    result = program.call(program.get(forward), *arguments(topic.parameters, case.inputs).values())
    out, cache = program.unpack(result, 2)
    back = program.call(program.get(backward), case.inputs["dout"], cache)
    parts = program.unpack(back, len(gradients)) if len(gradients) > 1 else [back]
    return program.ask(case.name, {"out": out, **dict(zip(gradients, parts, strict=True))})


def same(shown: Any, again: Any, rounding: float = _ROUNDING) -> bool:
    """Whether two answers of one function to one question are equal, as far as rounding goes."""
    try:
        (_, left), (_, right) = split(shown), split(again)
    except TypeError:
        return True  # nothing that can be compared, which is told where it is held against what is right
    for key, array in left.items():
        if key not in right or array.shape != right[key].shape:
            return False
        wide, second = array.astype(np.float64), right[key].astype(np.float64)
        finite = np.isfinite(wide)
        if not np.array_equal(finite, np.isfinite(second)):
            return False
        difference = np.subtract(wide, second, where=finite, out=np.zeros(wide.shape))
        if float(norm(difference)) > rounding * float(norm(np.where(finite, wide, 0.0))):
            return False
    return True
