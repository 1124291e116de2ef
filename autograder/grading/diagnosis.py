"""Which mistake was made?

What every misconception shows on the suite's cases was computed when the suite was compiled, so
naming a mistake is a look-up: the answer is what one misconception shows, on every case, and no other's.
Where no single one explains it, two at once are looked up in the same way, and then the shape of the error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.checks.conduct import Result
from autograder.checks.plan import Check, Plan
from autograder.checks.resemblance import resembles
from autograder.grading.record import Diagnosis
from autograder.grading.shapes import shape_of
from autograder.topic.kinds import Observed
from autograder.values.outcomes import Outcome

# Outcomes that say nothing about how the mathematics was understood.
_UNEXPLAINED = frozenset(
    {Outcome.PASSED, Outcome.MISSING, Outcome.FORBIDDEN, Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.NOT_GRADED}
)
# And what says little more than that something was changed: with one mistake more, any two would explain it.
_ONE_WORD = frozenset({Outcome.BROKEN_PROPERTY})
_LOOKED_UP = ("value", "gradient", "trajectory")  # kinds of checks whose answers can be recognised


@dataclass(frozen=True)
class _Known:
    """One or two misconceptions, and what they show: {case: {block: value, or a Failure}}."""

    names: tuple[str, ...]
    shown: Mapping[str, Observed]


def diagnose(result: Result) -> dict[str, Diagnosis]:
    """The diagnosis of each failed check that has one, by the check's id.

    What explains every block is believed before what explains only the failing one, and one misconception
    before two; where several remain, nothing is said: a wrong hint is worse than none.
    """
    failed = [c for c in result.plan.checks if result.verdicts[c.id].outcome not in _UNEXPLAINED]
    if not failed:
        return {}
    singles = [_Known((m.equivalent_to or m.name,), result.plan.wrong[m.name]) for m in result.plan.misconceptions]
    pairs = [_Known(names, shown) for names, shown in result.plan.pairs.items()]
    whole = _whole(result, singles)
    if not whole and (whole := _whole(result, pairs)) and all(_says_one_word(result, check) for check in failed):
        return {}
    found = {}
    for check in failed:
        names = whole or _of_check(result, singles, check)
        if not names and not _says_one_word(result, check):
            names = _of_check(result, pairs, check)
        if len(names) == 1:
            found[check.id] = _diagnosis(result.plan, *names)
        elif not names and _has_shape(result, check) and (shape := shape_of(result, check)) is not None:
            found[check.id] = shape
    return found


def _whole(result: Result, known: Sequence[_Known]) -> set[tuple[str, ...]]:
    """The names of those that explain every block."""
    blocks = [block.name for block in result.plan.topic.blocks]
    return {each.names for each in known if all(_explains(result, each, block) for block in blocks)}


def _says_one_word(result: Result, check: Check) -> bool:
    return result.verdicts[check.id].outcome in _ONE_WORD


def _of_check(result: Result, known: Sequence[_Known], check: Check) -> set[tuple[str, ...]]:
    """The names of those that show what was answered on every case of the failing block, and are not right there."""
    if check.kind not in _LOOKED_UP:
        return set()
    return {each.names for each in known if _explains(result, each, check.block) and _is_wrong(result, each, check)}


def _explains(result: Result, known: _Known, block: str) -> bool:
    plan = result.plan
    looked_at = 0
    for case, shown in known.shown.items():
        if case not in result.sheet.seen or block not in plan.expectations.get(case, {}):
            continue
        seen = result.sheet.seen[case].get(block)
        if not resembles(seen, shown.get(block), plan.expectations[case][block], block):
            return False
        looked_at += 1
    return looked_at > 0


def _is_wrong(result: Result, known: _Known, check: Check) -> bool:
    return any(
        result.sheet.compare(case, check.block).outcome != Outcome.PASSED
        for case in known.shown
        if case in result.sheet.seen and check.block in result.plan.expectations.get(case, {})
    )


def _has_shape(result: Result, check: Check) -> bool:
    """Of a gradient that is right for a forward of one's own, nothing is to be said."""
    return check.kind in _LOOKED_UP and result.verdicts[check.id].outcome != Outcome.CARRIED


def _diagnosis(plan: Plan, names: tuple[str, ...]) -> Diagnosis:
    hints = {each.name: each.hint for each in plan.misconceptions}
    parts = names if len(names) > 1 else ()
    return Diagnosis(name=" and ".join(names), hint=" ".join(hints[name] for name in names), parts=parts)
