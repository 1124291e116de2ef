"""Does an answer look like what a misconception shows?"""

from dataclasses import replace
from typing import Any

import numpy as np

from autograder.topic.kinds import Failure
from autograder.values.compare import Expectation, compare, split
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
    """The expectation with what a misconception shows in the place of what is right; None where it has
    no such form."""
    try:
        container, arrays = split(shown)
    except TypeError:
        return None
    if container != expectation.container or arrays.keys() != expectation.leaves.keys():
        return None
    leaves = {}
    for key, leaf in expectation.leaves.items():
        array = np.asarray(arrays[key])
        rows = leaf.allowed64.ndim == 1 and (array.ndim == 0 or len(array) != len(leaf.allowed64))
        if rows:
            leaf = replace(leaf, allowed64=leaf.allowed64.max(), allowed32=leaf.allowed32.max())
        leaves[key] = replace(leaf, value=array)
    return replace(expectation, leaves=leaves)


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
