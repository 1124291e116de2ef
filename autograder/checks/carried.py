"""Is a backward right for a forward that is wrong?

A student whose forward slipped should not lose the backward as well. But a forward can be chosen so
that its gradient is trivial, so it must still behave like the reference's: its changes point the same
way, and wherever the reference's derivative is not zero, or varies with the input, theirs does too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checks.differences import AGREE, STEP, gradient_of, joined, moved, output_of, step_at
from autograder.checks.plan import Check
from autograder.checks.together import Batching, together
from autograder.checks.verdict import Sheet
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import Failure, Observed, observe
from autograder.topic.parts import Block
from autograder.values.compare import Comparison, as_array, norm, precision
from autograder.values.outcomes import Outcome

DIRECTIONS = 12
USABLE = 8  # directions that must be free of kinks
ALIKE = 0.5  # cosine between a change of the student's forward and of the reference's
KINK = {64: 1e-4, 32: 5e-2}  # disagreement of two step sizes beyond which a direction is skipped
_MOST = 2 / 3

Found = Batching[bool]


def holds(sheet: Sheet, check: Check, found: list[Comparison]) -> Found:
    """Whether the block is right for the student's own forward on every case of the check."""
    topic = sheet.plan.topic
    block = topic.block(check.block)
    if topic.kind not in ("function", "layer") or not block.wrt:
        return False
    if any(comparison.outcome not in (Outcome.PASSED, Outcome.WRONG_VALUE) for comparison in found):
        return False
    forward = yield from sheet.compare_all(check.cases, block.of)
    outcomes = {comparison.outcome for comparison in forward}
    if Outcome.WRONG_VALUE not in outcomes or outcomes - {Outcome.PASSED, Outcome.WRONG_VALUE}:
        return False
    for name in check.cases:
        case = sheet.plan.cases[name]
        if not (yield from _holds_on(topic, block, case, sheet.seen[name])):
            return False
    return True


@dataclass(frozen=True)
class _Changes:
    """Derivatives along random directions: of the student's forward and of the reference's."""

    directions: list[np.ndarray]
    theirs: list[np.ndarray]
    right: list[np.ndarray]


def _holds_on(topic: Topic, block: Block, case: Case, seen: Observed) -> Found:
    gradient, wrt = (joined(each, case.inputs[block.wrt]) for each in (seen[block.name], case.inputs[block.wrt]))
    if gradient.shape != wrt.shape:  # of several arrays the first may have wrong values, and the next a wrong shape
        return False
    forward = as_array(seen[block.of])
    digits = precision(forward)
    changes = yield from _changes(topic, block, case, digits, forward.shape)
    if changes is None or len(changes.directions) < USABLE:
        return False
    dout = np.asarray(case.inputs.get("dout", 1.0))
    numerical = np.array([float(np.sum(dout * change)) for change in changes.theirs])
    claimed = np.array([np.vdot(gradient, direction) for direction in changes.directions])
    if not float(norm(numerical - claimed)) <= AGREE[digits] * float(norm(numerical)):
        return False
    if not _alike(changes):
        return False
    return (yield from _follows(topic, block, case, gradient))


def _changes(topic: Topic, block: Block, case: Case, digits: int, shape: tuple[int, ...]) -> Batching[_Changes | None]:
    """Derivatives by central differences with two step sizes; None where the forward cannot be followed.

    shape: of what the forward returned on the case itself.
    """
    wrt = case.inputs[block.wrt]
    base = joined(wrt, wrt)
    rng = np.random.default_rng(20040 + base.size)
    step = step_at(base, digits)
    directions = [rng.normal(size=base.shape) for _ in range(DIRECTIONS)]
    moves = [sign * width * d for d in directions for width in (step, step / 2) for sign in (1, -1)]
    observed = yield from together([observe(topic, moved(case, block.wrt, by)) for by in moves])
    ends = [_numbers(seen.get(block.of)) for seen in observed]
    changes = _Changes([], [], [])
    for number, direction in enumerate(directions):
        forth, back, nearer_forth, nearer_back = ends[4 * number : 4 * number + 4]
        if forth is None or back is None or nearer_forth is None or nearer_back is None:
            return None
        if not forth.shape == back.shape == nearer_forth.shape == nearer_back.shape == shape:
            return None
        wide, narrow = (forth - back) / (2 * step), (nearer_forth - nearer_back) / step
        if not float(norm(wide - narrow)) <= KINK[digits] * float(norm(wide)):
            continue
        changes.directions.append(direction)
        changes.theirs.append(wide)
        changes.right.append(_reference_change(topic, block, case, direction))
    return changes


def _reference_change(topic: Topic, block: Block, case: Case, direction: np.ndarray) -> np.ndarray:
    forth, back = (output_of(topic, block, moved(case, block.wrt, sign * STEP[64] * direction)) for sign in (1, -1))
    return np.asarray((forth - back) / (2 * STEP[64]))


def _alike(changes: _Changes) -> bool:
    """Whether the student's forward moves as the reference's does, along most directions."""
    if changes.right[0].size == 1:
        return _cosine(np.array(changes.theirs), np.array(changes.right)) > ALIKE
    agreeing = sum(_cosine(theirs, right) > ALIKE for theirs, right in zip(changes.theirs, changes.right, strict=True))
    return agreeing >= _MOST * len(changes.right)


def _follows(topic: Topic, block: Block, case: Case, gradient: np.ndarray) -> Found:
    """Theirs is not zero wherever the reference's is not, and varies wherever the reference's varies."""
    here = _right_gradient(topic, block, case)
    scale = float(np.abs(here).max(initial=0.0))
    size = float(np.abs(gradient).max(initial=0.0))
    if not scale or not size or ((np.abs(here) > 1e-6 * scale) & (np.abs(gradient) <= 1e-12 * size)).any():
        return False
    wrt = case.inputs[block.wrt]
    elsewhere = moved(case, block.wrt, np.random.default_rng(7).normal(size=joined(wrt, wrt).shape))
    there = _right_gradient(topic, block, elsewhere)
    (seen,) = yield from together([observe(topic, elsewhere)])
    theirs = _numbers(seen.get(block.name), wrt)
    if theirs is None or theirs.shape != gradient.shape:
        return False
    varies = np.abs(there - here) > 1e-6 * scale
    return not (varies & (np.abs(theirs - gradient) <= 1e-12 * size)).any()


def _right_gradient(topic: Topic, block: Block, case: Case) -> np.ndarray:
    with np.errstate(all="ignore"):  # what was moved may lie outside of the domain, as a probability below 0
        return gradient_of(topic, block, case)


def _numbers(shown: object, like: Any = 0.0) -> np.ndarray | None:
    if shown is None or isinstance(shown, Failure):
        return None
    try:
        array = joined(shown, like)
    except (TypeError, KeyError):
        return None
    return array if np.isfinite(array).all() else None


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    size = float(norm(one)) * float(norm(other))
    return float(np.vdot(one, other)) / size if size else 0.0
