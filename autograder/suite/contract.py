"""Does a topic keep what a suite needs of every topic, whatever it computes?

The reference leaves its inputs alone, shows the same when it is asked twice, has the shapes of its signature, is
finite, and its gradients are the slopes of its forward; its docstring is complete and true; something wrong is known.
"""

import copy
import inspect
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.checks.differences import contradicted
from autograder.suite.described import undescribed
from autograder.suite.right import show
from autograder.suite.signature import unlike_signature
from autograder.topic.case import Bound, Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import Observed, arguments
from autograder.topic.kinds.layer import same
from autograder.topic.kinds.observed import unchanged
from autograder.topic.parts import GENERATOR, RNG, Block
from autograder.topic.rule import ARGUMENTS
from autograder.values.codec import Seed
from autograder.values.compare import split

ROUNDING = 1e-9  # of the norm: what two answers to one question may differ by
Found = Iterator[tuple[str, str]]  # what a sentence is about, and the sentence


def broken_contract(topic: Topic, cases: Mapping[str, Case]) -> list[str]:
    """A sentence for its author for each thing that a topic does not keep, with the first case that shows it."""
    found = []
    if not topic.misconceptions:
        found.append(
            f"{topic.name} has no misconception: nothing shows that its cases tell wrong answers from right ones. Add "
            f"one with {topic.name}.misconception or @{topic.name}.wrong"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in the jail, where a warning is never an exception
        found += undescribed(topic)
    return found + misconduct(topic, cases)


def misconduct(topic: Topic, cases: Mapping[str, Case]) -> list[str]:
    """Of these sentences, those about what the reference does; none of a case on which it fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = show(topic, topic.reference, cases.values())
        shown = {name: blocks for name, blocks in seen.items() if _readable(blocks)}
        found = list(_first(_changed(topic, cases, shown)))
        changed = bool(found)
        for looked in (_unsteady, _shapes, _forms, _endless):
            found += _first(looked(topic, cases, shown))
        return found if changed else found + list(_first(_slopes(topic, cases, shown)))  # which would spoil the cases


def _readable(seen: Observed) -> bool:
    """Whether every block is numbers, and no failure."""
    try:
        return all(split(value) for value in seen.values())
    except TypeError:
        return False


def _first(found: Found) -> Iterator[str]:
    known = set()
    for about, sentence in found:
        if about not in known:
            known.add(about)
            yield sentence


def _changed(topic: Topic, cases: Mapping[str, Case], shown: Mapping[str, Observed]) -> Found:
    for name in shown:
        for function, argument in _arguments_changed(topic, cases[name], shown[name]):
            yield (
                f"{function} {argument}",
                f"{function} changes {argument} on the case {name!r}, and that is its caller's, who has other numbers "
                f"afterwards. Compute on a copy, `{argument} = {argument}.copy()`, or without `+=` and `[...] =` on it",
            )


def _arguments_changed(topic: Topic, case: Case, seen: Observed) -> Iterator[tuple[str, str]]:
    """Each function of the reference, with what it was given and does not leave as it was."""
    if topic.is_class:
        return  # what its objects keep is theirs
    main = next(iter(topic.reference))
    if topic.kind == "rule":  # which is asked for all steps; an edge case does not look
        kept = seen.get(ARGUMENTS, ())
        yield from ((main, argument) for argument, left in zip(topic.parameters, kept, strict=False) if not left)
        return
    before = arguments(topic.parameters, case.inputs)
    given = {name: value if isinstance(value, Bound) else copy.deepcopy(value) for name, value in before.items()}
    made = {name: np.random.default_rng(seed.number) for name, seed in given.items() if isinstance(seed, Seed)}
    returned = topic.main(*(given | made).values())
    changed = _differing(before, given)
    yield from ((main, argument) for argument in changed)
    if topic.kind == "layer":
        backward, upstream = list(topic.reference)[1], np.array(case.inputs["dout"])
        topic.reference[backward](upstream, returned[1])
        if not unchanged(case.inputs["dout"], upstream):
            yield backward, next(iter(inspect.signature(topic.reference[backward]).parameters))
        yield from ((backward, kept) for kept in _differing(before, given) if kept not in changed)  # by its cache


def _differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [name for name in before if not isinstance(before[name], Bound) and not unchanged(before[name], after[name])]


def _unsteady(topic: Topic, cases: Mapping[str, Case], shown: Mapping[str, Observed]) -> Found:
    again = show(topic, topic.reference, [cases[name] for name in shown])
    for name, seen in shown.items():
        for block, value in seen.items():
            steady = same(value, again[name][block], ROUNDING)
            if block == GENERATOR:
                steady = bool(value[0])
            if not steady:
                advice = (
                    f"Draw from {RNG} alone"
                    if topic.kind == "sampler"
                    else "Whatever is random is an argument, which the cases draw"
                )
                yield (
                    block,
                    f"{topic.name}, asked twice for the same, shows two different {block} on the case {name!r}, so no "
                    f"answer can be held against it. {advice}; look for np.random, and for what is kept from one "
                    "call to the next",
                )


def _shapes(topic: Topic, cases: Mapping[str, Case], shown: Mapping[str, Observed]) -> Found:
    for name, seen in shown.items():
        yield from unlike_signature(topic, name, cases[name].inputs | seen)


def _forms(topic: Topic, cases: Mapping[str, Case], shown: Mapping[str, Observed]) -> Found:
    """A gradient has the form of its input."""
    for block in topic.blocks:
        for name, seen in shown.items():
            if not block.wrt or block.wrt not in cases[name].inputs:
                continue
            try:
                gradient, at = (_form(value) for value in (seen[block.name], cases[name].inputs[block.wrt]))
            except TypeError:
                continue
            if gradient != at:
                yield (
                    block.name,
                    f"the gradient {block.name} is {_in_words(*gradient)} on the case {name!r}, and the input "
                    f"{block.wrt} {_in_words(*at)}. Return it in the form of its input, or leave it out of "
                    "`gradients=`",
                )


def _form(value: Any) -> tuple[str, dict[str | int, tuple[int, ...]]]:
    container, arrays = split(value)
    return container, {key: array.shape for key, array in arrays.items()}


def _in_words(container: str, shapes: dict[str | int, tuple[int, ...]]) -> str:
    if not container:
        return f"an array of shape {shapes['']}"
    return f"a {container} of " + ", ".join(f"{key!r} {shape}" for key, shape in shapes.items())


def _endless(topic: Topic, cases: Mapping[str, Case], shown: Mapping[str, Observed]) -> Found:
    for name, seen in shown.items():
        for block, value in seen.items() if cases[name].finite else ():
            for array in split(value)[1].values():
                wrong = ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(0, dtype=bool)
                if wrong.any():
                    yield (
                        block,
                        f"the reference's {block} on the case {name!r} holds {array[wrong].flat[0]} in {wrong.sum()} "
                        f"of {wrong.size} places. Compute it so that nothing overflows, or draw other inputs; where "
                        f"that is the right answer, say so: case({name!r}, finite=False, ...)",
                    )


def _slopes(topic: Topic, cases: Mapping[str, Case], shown: Mapping[str, Observed]) -> Found:
    for block in topic.blocks:
        for name, seen in shown.items():
            case = cases[name]
            if not _has_slope(block, case, seen):
                continue
            if found := contradicted(topic, block, case, seen):
                slope, claimed = found
                yield (
                    block.name,
                    f"{block.name} is not the gradient of {block.of} by {block.wrt} on the case {name!r}: along a "
                    f"random direction {block.of} changes at the rate {slope:.6g} (central difference in float64), by "
                    f"{block.name} at {claimed:.6g}. Mend what is wrong of the two, or in `gradients=`; what is meant "
                    "to be no derivative, such as a straight-through estimate, is an output of a function without "
                    "`gradients=`",
                )


def _has_slope(block: Block, case: Case, seen: Observed) -> bool:
    """Whether the forward can be followed: from numbers to numbers, and the gradient has the form of its input."""
    if not block.wrt or not case.finite or block.wrt not in case.inputs:
        return False
    try:
        at = split(case.inputs[block.wrt])[1]
        same_form = _form(case.inputs[block.wrt]) == _form(seen[block.name])
    except TypeError:
        return False
    numbers = [*at.values(), *split(seen[block.name])[1].values(), *split(seen[block.of])[1].values()]
    return (
        same_form
        and all(array.dtype.kind == "f" for array in at.values())
        and all(bool(np.isfinite(array).all()) for array in numbers)
    )
