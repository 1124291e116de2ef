"""Which cases cannot show a mistake, whatever the checks are?

Before any wrong answer is tried, three ways of drawing inputs are refused for what they hide: numbers that are
all equal, axes that always have the same size, an upstream gradient of equal numbers.
"""

import typing
from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from autograder.topic.case import Case
from autograder.topic.declare import Topic

UPSTREAM = "dout"


def blunt_cases(topic: Topic, cases: Mapping[str, Case]) -> Iterator[str]:
    """A sentence for its author for each input or pair of axes whose ordinary cases hide mistakes."""
    if topic.is_class:
        return  # what it is given is up to its `build`
    core = [case for case in cases.values() if not case.edge]
    yield from _equal_numbers(topic, core)
    yield from _equal_axes(topic, core)


def upstream_of_ones(topic: Topic, cases: Mapping[str, Case]) -> str:
    """A sentence where an upstream gradient is one number repeated; else nothing.

    It is looked at before expected values are, since a gradient that such a one makes zero has none.
    """
    for name, case in cases.items():
        given = case.inputs.get(UPSTREAM)
        if isinstance(given, np.ndarray) and not case.edge and _is_flat(given):
            advice = "leave it out, and it is drawn" if topic.kind == "layer" else "draw it from rng"
            return (
                f"{topic.name}: the upstream gradient {UPSTREAM} of the case {name!r} is {given.flat[0]:g} everywhere. "
                "A backward that returns zeros, or leaves out the product with it, may pass on that, as for softmax, "
                f"whose outputs have a constant sum: {advice}"
            )
    return ""


def _equal_numbers(topic: Topic, core: list[Case]) -> Iterator[str]:
    for name in topic.parameters:
        arrays = [case.inputs[name] for case in core if isinstance(case.inputs.get(name), np.ndarray)]
        arrays = [array for array in arrays if array.dtype.kind == "f" and array.size > 1]
        if arrays and all(map(_is_flat, arrays)):
            yield (
                f"the input {name} holds one number over and over in every ordinary case: whoever mixes up its "
                f"entries, its axes, or a sum with a mean of it may pass. Draw {name} from rng, in three cases at least"
            )


def _is_flat(array: np.ndarray) -> bool:
    return array.size > 1 and bool((array == array.flat[0]).all())


def _equal_axes(topic: Topic, core: list[Case]) -> Iterator[str]:
    annotated = _axes(topic)
    sizes: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for case in core:
        bound = _bound(annotated, case)
        names = sorted(bound)
        for position, one in enumerate(names):
            for other in names[position + 1 :]:
                sizes[one, other].add(bound[one] == bound[other])
    for (one, other), equal in sizes.items():
        if equal == {True}:
            yield (
                f"the axes {one} and {other} have the same size in every ordinary case: whoever transposes, or takes "
                "one for the other, may pass. Draw cases in which the two differ, or annotate them with one name "
                "where they must be equal"
            )
    for name in topic.parameters:
        arrays = [case.inputs.get(name) for case in core]
        matrices = [array for array in arrays if isinstance(array, np.ndarray) and array.ndim == 2]
        if name not in annotated and matrices and all(len(set(array.shape)) == 1 for array in matrices):
            yield (
                f"the input {name} is square in every ordinary case: whoever transposes it, or reduces along the "
                "wrong axis, may pass. Draw cases with sides that differ, or annotate its axes with one name where "
                "they must be equal"
            )


def _axes(topic: Topic) -> dict[str, list[str]]:
    hints = typing.get_type_hints(topic.main)
    return {name: hint.dim_str.split() for name, hint in hints.items() if hasattr(hint, "dim_str") and hint.dim_str}


def axis_sizes(topic: Topic, case: Case) -> dict[str, int]:
    """The sizes that the axes which the signature names have in a case, as {"N": 7, "C": 5}; none for a class."""
    return {} if topic.is_class else _bound(_axes(topic), case)


def _bound(annotated: dict[str, list[str]], case: Case) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, axes in annotated.items():
        array = case.inputs.get(name)
        if isinstance(array, np.ndarray) and array.ndim == len(axes):
            sizes |= {axis: size for axis, size in zip(axes, array.shape, strict=True) if axis.isidentifier()}
    return sizes
