"""Has everything the shape that the signature gives it?"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.topic.declare import Topic, axes_of

_MEND = "Mend the annotation, which is what students are told, or what has the other shape"


def unlike_signature(topic: Topic, case: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Which of these inputs and outputs of a case have other axes than they are annotated with, and a sentence of each.

    An axis has one size in a case, wherever its name stands; a number is the size itself.
    """
    axes = axes_of(topic)
    sizes: dict[str, tuple[int, str]] = {}
    for part, value in values.items():
        named = axes.get(part, "...").split()
        if not all(axis.isidentifier() or axis.isdigit() for axis in named):
            continue  # without annotation, or with axes such as "..." that stand for any
        shape = np.shape(value)
        says = f"{part} has the shape {shape} on the case {case!r}, and is annotated {' '.join(named)!r}"
        if len(shape) != len(named):
            yield part, f"{says}: {_counted(len(named))}. {_MEND}"
            continue
        for axis, size in zip(named, shape, strict=True):
            expected, where = (int(axis), "") if axis.isdigit() else sizes.setdefault(axis, (size, part))
            if size != expected:
                because = f"where {axis} is {expected} in {where}" if where else f"where an axis is {expected}"
                yield part, f"{says}, {because}. {_MEND}"


def _counted(axes: int) -> str:
    return {0: "a number without axes", 1: "one axis"}.get(axes, f"{axes} axes")
