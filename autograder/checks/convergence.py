"""Does training reach the bar?

Parameters come back and the reference computes their loss; a claimed history is never believed. A run
that misses the bar is repeated once with other data, and only two misses are a failure.
"""

from math import log

import numpy as np

from autograder.checks.plan import Bar, Check
from autograder.checks.together import together
from autograder.checks.trained import Trained, runs_of, trained
from autograder.checks.verdict import CheckRun, Sheet, Verdict, passed
from autograder.topic.case import Case
from autograder.topic.kinds import Observed, observe
from autograder.values.outcomes import Outcome


def run(sheet: Sheet, check: Check) -> CheckRun:
    plan = sheet.plan
    if plan.bar is None or plan.topic.training is None:
        raise ValueError(f"{plan.question}: convergence without a calibrated bar")
    runs = runs_of(plan, check)
    verdict = passed(runs[0])
    for case in runs:
        (observed,) = yield from together([observe(plan.topic, case)])
        verdict = _judge(sheet, plan.bar, case, observed)
        if verdict.outcome != Outcome.BELOW_BAR:
            break
    return verdict


def _judge(sheet: Sheet, bar: Bar, case: Case, observed: Observed) -> Verdict:
    training = sheet.plan.topic.training
    assert training is not None
    returned = trained(sheet.plan.topic, bar.shapes, case, observed)
    if not isinstance(returned, Trained):
        return returned
    loss = training.loss(case.inputs, returned.outputs)
    if not loss > 0 or not np.isfinite(loss):
        loss = float("inf") if loss != 0 else 1e-300
    evidence = f"loss {loss:.4g} nats, bar {np.exp(bar.log_loss):.4g} nats"
    if log(loss) <= bar.log_loss:
        return passed(case)
    message = "Training ends, but its loss does not come down to the bar."
    return Verdict(Outcome.BELOW_BAR, case.name, message, evidence)
