"""Is each block of a gradient right, and if not, is it at least right for the student's own forward?

The upstream gradient of a layer is random, so a block that is zero, halved, flipped, transposed or
summed where it should be averaged has another norm-wise value.
"""

from dataclasses import replace

from autograder.checks import carried, linearity
from autograder.checks.plan import Check
from autograder.checks.verdict import CheckRun, Sheet, first_failure, passed
from autograder.values.outcomes import Outcome

CARRIED_FRACTION = 0.5  # the most that a backward right for a wrong forward earns


def run(sheet: Sheet, check: Check) -> CheckRun:
    found = yield from sheet.compare_all(check.cases, check.block)
    verdict = first_failure(check.cases, found)
    if verdict is None:
        return passed(check.cases[-1])
    if verdict.outcome != Outcome.WRONG_VALUE or check.requires:
        return verdict
    if (yield from carried.holds(sheet, check, found)):
        message = f"{check.block} is the right gradient of your own forward, which itself is wrong."
        return replace(verdict, outcome=Outcome.CARRIED, message=message, earned=CARRIED_FRACTION)
    explanation = yield from linearity.explain(sheet, check)
    if explanation:
        return replace(verdict, message=f"{verdict.message} {explanation}")
    return verdict
