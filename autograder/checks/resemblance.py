"""Does an answer look like what a misconception shows?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.topic.kinds import Failure
from autograder.values.compare import Expectation, Leaf, compare, norm, split
from autograder.values.outcomes import Outcome

_SAYS_NOTHING = frozenset({"RecursionError", "MemoryError"})  # worded by where it happened to be noticed


def signature(failure: Failure) -> tuple[str, str, str]:
    """What makes two failures the same: the outcome, the type of the exception and what it says.

    NumPy names the shapes that do not fit, so the same words on the same inputs are the same mistake;
    the type alone would call every mismatch by the name of the first that comes to mind.
    """
    detail = failure.answer.detail
    kind = str(detail.get("type", ""))
    return str(failure.outcome), kind, "" if kind in _SAYS_NOTHING else str(detail.get("text", ""))


def resembling(expectation: Expectation, shown: Any) -> Expectation | None:
    """The expectation with what a misconception shows in the place of what is right; None where that is
    nothing that can be compared."""
    try:
        container, arrays = split(shown)
    except TypeError:
        return None
    if container != expectation.container or arrays.keys() != expectation.leaves.keys():
        return _of_another_form(expectation, container, arrays)
    leaves = {}
    for key, leaf in expectation.leaves.items():
        array = np.asarray(arrays[key])
        rows = leaf.allowed64.ndim == 1 and (array.ndim == 0 or len(array) != len(leaf.allowed64))
        if rows:
            leaf = replace(leaf, allowed64=leaf.allowed64.max(), allowed32=leaf.allowed32.max())
        leaves[key] = replace(leaf, value=array)
    return replace(expectation, leaves=leaves)


def _of_another_form(expectation: Expectation, container: str, arrays: Mapping[str | int, np.ndarray]) -> Expectation:
    """What is shown is a list where an array belongs, or has other keys: equal as far as right programs agree."""

    def part(digits: str) -> float:
        of = [(norm(leaf.value), np.max(getattr(leaf, digits))) for leaf in expectation.leaves.values()]
        return max((float(allowed / size) for size, allowed in of if size and np.isfinite(size)), default=0.0)

    wide, single = part("allowed64"), part("allowed32")
    leaves = {key: Leaf(array, wide * norm(array), single * norm(array)) for key, array in arrays.items()}
    return Expectation(container, leaves)


def resembles(actual: Any, shown: Any, expectation: Expectation, block: str) -> bool:
    """Whether an answer is what a misconception shows, within the allowed difference."""
    if isinstance(actual, Failure) and isinstance(shown, Failure):
        return signature(actual) == signature(shown)
    if isinstance(actual, Failure) or isinstance(shown, Failure):
        return False
    as_expected = resembling(expectation, shown)
    if as_expected is None:
        return False
    return _same(actual, as_expected, block)


def _same(actual: Any, expected: Expectation, block: str) -> bool:
    return compare(actual=actual, expected=expected, what=block).outcome == Outcome.PASSED
