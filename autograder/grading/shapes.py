"""What is the shape of an error that nobody has described?

An answer that is right once it is turned around, divided by two or by the number of examples, transposed or
shifted tells where to look, though not which mistake was made. Each shape is undone, and what is left is held
against what is right by the comparison that grades. What a student reads is one of these few sentences, with
names of axes from the question itself: numbers could carry something hidden out.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.checks.conduct import Result
from autograder.checks.plan import Check
from autograder.grading.record import Diagnosis
from autograder.suite.blunt import axis_sizes
from autograder.topic.case import Case
from autograder.topic.kinds import Failure
from autograder.values.compare import Expectation, compare, split
from autograder.values.outcomes import Outcome

Undo = Callable[[Case, np.ndarray, np.ndarray], np.ndarray]  # case, what came, what is right -> what came, undone
_LEAST_CASES = 2  # on one alone, almost anything is some factor off


def shape_of(result: Result, check: Check) -> Diagnosis | None:
    """The shape of the error that a failed check shows on every ordinary case; None where it shows none."""
    cases = [
        case
        for case in result.plan.cases.values()
        if not case.edge and case.name in result.sheet.seen and _decides(result, case.name, check.block)
    ]
    if len(cases) < _LEAST_CASES or any(isinstance(_shown(result, case, check.block), Failure) for case in cases):
        return None
    if all(_is_right(result, case, check.block, lambda _, came, __: came) for case in cases):
        return None  # only an edge went wrong, where nothing of this can be seen: a factor of one explains the rest
    for name, hint, undo in _shapes(result, cases, check.block):
        if all(_is_right(result, case, check.block, undo) for case in cases):
            return Diagnosis(name=name, hint=hint, is_shape=True)
    return None


def _shapes(result: Result, cases: list[Case], block: str) -> Iterator[tuple[str, str, Undo]]:
    """Every shape that is known: its name, what a student is told, and how it is undone. Exact ones come first."""
    yield "right but for the sign", "Every number has the right size and the wrong sign.", lambda _, came, __: -came
    yield "twice what is right", "Everything is twice as large as it should be.", lambda _, came, __: came / 2
    yield "half of what is right", "Everything is half as large as it should be.", lambda _, came, __: came * 2
    sizes = [axis_sizes(result.plan.topic, case) for case in cases]
    for axis in sorted(set.intersection(*(set(each) for each in sizes))):

        def divided(case: Case, came: np.ndarray, _: np.ndarray, axis: str = axis) -> np.ndarray:
            return came / axis_sizes(result.plan.topic, case)[axis]

        def multiplied(case: Case, came: np.ndarray, _: np.ndarray, axis: str = axis) -> np.ndarray:
            return came * axis_sizes(result.plan.topic, case)[axis]

        yield f"{axis} times what is right", f"Sum or mean? Everything is {axis} times too large.", divided
        yield f"what is right, divided by {axis}", f"Sum or mean? Everything is {axis} times too small.", multiplied
    factor = _factor(result, cases[0], block)
    if factor:
        words = "Everything is off by one and the same factor."
        yield "right but for a constant factor", words, lambda _, came, __: came / factor
    yield "transposed", "The numbers are right; rows and columns have changed places.", lambda _, came, __: came.T
    yield "rows in reverse order", "The numbers are right; they stand in reverse order.", lambda _, came, __: came[::-1]
    yield "shifted by a constant", "Every number is off by the same amount.", _unshifted


def _unshifted(_: Case, came: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A single number is always shifted by something, so only arrays are looked at."""
    return came - (came - right).mean() if came.size > 1 and came.shape == right.shape else came


def _factor(result: Result, case: Case, block: str) -> float:
    """By which number one case is off, were it one."""
    try:
        _, came = split(_shown(result, case, block))
    except TypeError:
        return 0.0
    right = result.plan.expectations[case.name][block].leaves
    if came.keys() != right.keys() or any(came[key].shape != leaf.value.shape for key, leaf in right.items()):
        return 0.0
    with np.errstate(all="ignore"):
        above = sum(float(np.vdot(leaf.value, came[key]).real) for key, leaf in right.items())
        below = sum(float(np.vdot(leaf.value, leaf.value).real) for leaf in right.values())
    return above / below if below and np.isfinite(above / below) else 0.0


def _is_right(result: Result, case: Case, block: str, undo: Undo) -> bool:
    """Whether what came is right once the shape is undone."""
    expected = result.plan.expectations[case.name][block]
    try:
        undone = _each(_shown(result, case, block), expected, lambda came, right: undo(case, came, right))
        return compare(actual=undone, expected=expected, what=block).outcome == Outcome.PASSED
    except (TypeError, ValueError, IndexError, KeyError):  # it has another form than what is right
        return False


def _each(value: Any, expected: Expectation, change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Any:
    container, arrays = split(value)
    if container != expected.container:
        raise TypeError(container)
    with np.errstate(all="ignore"):
        changed = {key: change(array * 1.0, expected.leaves[key].value) for key, array in arrays.items()}
    if container == "list":
        return list(changed.values())
    return changed if container else changed[""]


def _shown(result: Result, case: Case, block: str) -> Any:
    return result.sheet.seen[case.name].get(block)


def _decides(result: Result, case: str, block: str) -> bool:
    """Whether the block of this case holds numbers that can tell: of truth values and counts all is some shape."""
    expectation = result.plan.expectations.get(case, {}).get(block)
    leaves = expectation.leaves.values() if expectation else ()
    return any(leaf.deciding for leaf in leaves) and all(leaf.value.dtype.kind == "f" for leaf in leaves)
