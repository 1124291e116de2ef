"""Does a sampler follow its law?

Counts over many draws are held against their probabilities, each by itself. A right program fails in all
of a question's counts together with a probability of at most FALSE_FAILURE: each count is binomial, its
distance has an exact bound (see `topic.chance`), and the bound is shared out over all counts of a case, all
cases and all distributions.
"""

from dataclasses import replace

import numpy as np

from autograder.checks.plan import Check
from autograder.checks.verdict import CheckRun, Sheet, first_failure, passed
from autograder.topic.case import Case
from autograder.topic.chance import limit
from autograder.topic.kinds import Failure, Observed
from autograder.topic.parts import TopicError
from autograder.topic.sampling import Sampler
from autograder.values.compare import Expectation, Leaf
from autograder.values.outcomes import Outcome

FALSE_FAILURE = 1e-6
_OFF = frozenset({Outcome.WRONG_VALUE, Outcome.WRONG_SHAPE, Outcome.NOT_FINITE})


def run(sheet: Sheet, check: Check) -> CheckRun:
    found = yield from sheet.compare_all(check.cases, check.block)
    verdict = first_failure(check.cases, found)
    if verdict is None:
        return passed(check.cases[-1])
    if verdict.outcome not in _OFF:
        return verdict
    topic = sheet.plan.topic
    assert isinstance(topic, Sampler)
    law = next(law for law in topic.distributions if law.name == check.block)
    message = f"Over many draws this does not hold: {law.name}. {law.hint}".strip()
    return replace(
        verdict,
        outcome=Outcome.WRONG_DISTRIBUTION,
        message=message,
        evidence=_evidence(sheet, check, verdict.case) if verdict.outcome == Outcome.WRONG_VALUE else verdict.evidence,
    )


def _evidence(sheet: Sheet, check: Check, case: str) -> str:
    distances = np.abs(np.asarray(sheet.seen[case][check.block]))
    allowed = float(sheet.plan.expectations[case][check.block].leaves[""].allowed64.max())
    return (
        f"{sheet.plan.cases[case].draws} draws: {int((distances > allowed).sum())} of {distances.size} counts are too "
        f"far from the law; the worst by {distances.max():.3g}, allowed {allowed:.3g}, which chance exceeds with a "
        "probability below exp(-distance**2)"
    )


def lawful(topic: Sampler, cases: dict[str, Case], reference: dict[str, Observed]) -> dict[str, dict[str, Expectation]]:
    """What a right sampler shows on each case: all laws hold, and every count is within its limit.

    reference: what the reference showed, which says how many counts there are.
    """
    core = sum(not case.edge for case in cases.values())
    share = FALSE_FAILURE / max(1, core * len(topic.distributions))
    distributions = {law.name for law in topic.distributions}
    if not topic.laws:
        raise TopicError(f"{topic.name}: no law is declared; say with @{topic.name}.law what form every draw has")
    expectations: dict[str, dict[str, Expectation]] = {}
    for name, observed in reference.items():
        expectations[name] = {}
        for block, shown in observed.items():
            if isinstance(shown, Failure):
                detail = dict(shown.answer.detail)
                raise TopicError(f"{topic.name}: a right implementation failed on {name!r}: {shown.doing} {detail}")
            if block not in distributions:
                leaf = Leaf(np.ones(len(shown), dtype=bool), np.zeros(()), np.zeros(()))
            else:
                allowed = np.full(len(shown), limit(len(shown), share))
                leaf = Leaf(np.zeros(shown.shape), allowed, allowed)
            expectations[name][block] = Expectation("", {"": leaf})
    return expectations
