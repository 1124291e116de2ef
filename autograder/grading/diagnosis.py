"""Which mistake was made?

What every misconception shows on the suite's cases was computed when the suite was compiled, so
naming a mistake is a look-up: the answer is what one misconception shows, on every case, and no other's.
"""

from autograder.checks.conduct import Result
from autograder.checks.plan import Check
from autograder.checks.resemblance import resembles
from autograder.grading.record import Diagnosis
from autograder.topic.declare import Misconception
from autograder.values.outcomes import Outcome

# Outcomes that say nothing about how the mathematics was understood.
_UNEXPLAINED = frozenset(
    {Outcome.PASSED, Outcome.MISSING, Outcome.FORBIDDEN, Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.NOT_GRADED}
)


def diagnose(result: Result) -> dict[str, Diagnosis]:
    """The diagnosis of each failed check that has one, by the check's id.

    A misconception that explains every block is believed before one that explains only the failing one;
    where several remain, nothing is said: a wrong hint is worse than none.
    """
    topic = result.plan.topic
    failed = [c for c in result.plan.checks if result.verdicts[c.id].outcome not in _UNEXPLAINED]
    if not failed or not topic.misconceptions:
        return {}
    whole = [m for m in topic.misconceptions if all(_explains(result, m, b.name) for b in topic.blocks)]
    found = {}
    for check in failed:
        candidates = whole or [m for m in topic.misconceptions if _explains_check(result, m, check)]
        names = {m.equivalent_to or m.name for m in candidates}
        if len(names) == 1:
            (name,) = names
            chosen = next(m for m in topic.misconceptions if m.name == name)
            found[check.id] = Diagnosis(name=chosen.name, hint=chosen.hint)
    return found


def _explains_check(result: Result, misconception: Misconception, check: Check) -> bool:
    """Whether it shows what was answered on every case of the failing block, and is not right there."""
    if check.kind not in ("value", "gradient", "trajectory"):
        return False
    return _explains(result, misconception, check.block) and _is_wrong(result, misconception, check.block)


def _explains(result: Result, misconception: Misconception, block: str) -> bool:
    plan = result.plan
    looked_at = 0
    for case, seen in result.sheet.seen.items():
        if block not in plan.expectations.get(case, {}):
            continue
        shown = plan.wrong[misconception.name][case].get(block)
        if not resembles(seen.get(block), shown, plan.expectations[case][block], block):
            return False
        looked_at += 1
    return looked_at > 0


def _is_wrong(result: Result, misconception: Misconception, block: str) -> bool:
    plan = result.plan
    return any(
        result.sheet.compare(case, block).outcome != Outcome.PASSED
        for case in result.sheet.seen
        if block in plan.expectations.get(case, {})
    )
