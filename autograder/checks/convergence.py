"""Does training reach the bar?

Parameters come back and the reference computes their loss; a claimed history is never believed. A run
that misses the bar is repeated once with other data, and only two misses are a failure.
"""

from math import log

import numpy as np

from autograder.checks.plan import Bar, Check
from autograder.checks.together import together
from autograder.checks.verdict import CheckRun, Sheet, Verdict, failure_evidence, failure_message, passed
from autograder.topic.case import Case
from autograder.topic.kinds import Failure, Observed, observe
from autograder.values.compare import split
from autograder.values.outcomes import Outcome


def run(sheet: Sheet, check: Check) -> CheckRun:
    plan = sheet.plan
    if plan.bar is None or plan.topic.training is None:
        raise ValueError(f"{plan.question}: convergence without a calibrated bar")
    verdict = passed(plan.runs[0])
    for case in plan.runs:
        (observed,) = yield from together([observe(plan.topic, case)])
        verdict = _judge(sheet, plan.bar, case, observed)
        if verdict.outcome != Outcome.BELOW_BAR:
            break
    return verdict


def _judge(sheet: Sheet, bar: Bar, case: Case, observed: Observed) -> Verdict:
    training = sheet.plan.topic.training
    assert training is not None
    trained = {}
    for block, shown in observed.items():
        if isinstance(shown, Failure):
            return Verdict(shown.outcome, case.name, failure_message(shown), failure_evidence(shown))
        try:
            container, arrays = split(shown)
        except TypeError as error:
            return Verdict(Outcome.WRONG_TYPE, case.name, f"{block}: {error}.")
        if {key: array.shape for key, array in arrays.items()} != bar.shapes[block]:
            return Verdict(Outcome.WRONG_SHAPE, case.name, f"{block} must have the shapes it began with.")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            return Verdict(Outcome.NOT_FINITE, case.name, f"{block} holds NaN or infinity after training.")
        wide = {key: array.astype(np.float64) for key, array in arrays.items()}
        trained[block] = wide if container == "dict" else list(wide.values()) if container else wide[""]
    outputs = tuple(trained[block] for block in sheet.plan.topic.returns)
    loss = training.loss(case.inputs, outputs[0] if len(outputs) == 1 else outputs)
    if not loss > 0 or not np.isfinite(loss):
        loss = float("inf") if loss != 0 else 1e-300
    evidence = f"loss {loss:.4g} nats, bar {np.exp(bar.log_loss):.4g} nats"
    if log(loss) <= bar.log_loss:
        return passed(case)
    message = "Training ends, but its loss does not come down to the bar."
    return Verdict(Outcome.BELOW_BAR, case.name, message, evidence)
