"""Do the steps of an update rule follow the reference, and does it leave the caller's arrays alone?"""

from dataclasses import replace

import numpy as np

from autograder.checks.plan import Check
from autograder.checks.verdict import CheckRun, Sheet, first_failure, passed
from autograder.topic.rule import ARGUMENTS, FIRST
from autograder.values.compare import as_array, norm
from autograder.values.outcomes import Outcome

_FIRST = "The first step, from no state, ends at the wrong parameters."
_LATER = "Step after step with the state that you return, the parameters leave the right path."
_SHAPE = "Each step must return w in the shape in which it was given."
_CHANGED = (
    "A step must leave the array w that it is given as it was, and return a new one.",
    "The steps must leave the gradients that they are given as they were; does your state hold one of them?",
)


def run(sheet: Sheet, check: Check) -> CheckRun:
    found = yield from sheet.compare_all(check.cases, check.block)
    verdict = first_failure(check.cases, found)
    if verdict is None:
        return passed(check.cases[-1])
    if verdict.outcome == Outcome.WRONG_SHAPE:
        return replace(verdict, message=_SHAPE)
    if verdict.outcome != Outcome.WRONG_VALUE:
        return verdict
    if check.block == ARGUMENTS:
        kept = sheet.seen[verdict.case][ARGUMENTS]
        return replace(verdict, outcome=Outcome.BROKEN_PROPERTY, message=_CHANGED[int(np.argmin(kept))])
    if check.block == FIRST:
        return replace(verdict, outcome=Outcome.OFF_TRAJECTORY, message=_FIRST)
    step = _leaves_at(sheet, check, verdict.case)
    evidence = f"{verdict.evidence}; off from step {step}" if step else verdict.evidence
    return replace(verdict, outcome=Outcome.OFF_TRAJECTORY, message=_LATER, evidence=evidence)


def _leaves_at(sheet: Sheet, check: Check, case: str) -> int:
    """The number of the first step, counted from 1, that is further off than the whole path may be; 0 if unknown."""
    expectation = sheet.plan.expectations[case][check.block]
    if expectation.container:
        return 0
    leaf = expectation.leaves[""]
    off = norm(as_array(sheet.seen[case][check.block]) - leaf.value, rows=True) > np.min(leaf.allowed64)
    return 2 + int(np.argmax(off))
