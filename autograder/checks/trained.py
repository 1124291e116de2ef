"""What did training return, in a form whose loss or accuracy can be computed?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checks.plan import Check, Plan
from autograder.checks.verdict import Verdict, failure_evidence, failure_message
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import Failure, Observed
from autograder.values.compare import split
from autograder.values.outcomes import Outcome

Shapes = dict[str, dict[str | int, tuple[int, ...]]]


@dataclass(frozen=True)
class Trained:
    """What came back, every array in double precision: one output, or a tuple of them."""

    outputs: Any


def runs_of(plan: Plan, check: Check) -> list[Case]:
    """The training runs of a check, in order."""
    by_name = {case.name: case for case in plan.runs}
    return [by_name[name] for name in check.cases]


def trained(topic: Topic, shapes: Shapes, case: Case, observed: Observed) -> Trained | Verdict:
    """What a run returned, or the verdict on what cannot be used: a failure, other shapes, NaN."""
    found = {}
    for block, shown in observed.items():
        if isinstance(shown, Failure):
            return Verdict(shown.outcome, case.name, failure_message(shown), failure_evidence(shown))
        try:
            container, arrays = split(shown)
        except TypeError as error:
            return Verdict(Outcome.WRONG_TYPE, case.name, f"{block}: {error}.")
        if {key: array.shape for key, array in arrays.items()} != shapes[block]:
            return Verdict(Outcome.WRONG_SHAPE, case.name, f"{block} must have the shapes it began with.")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            return Verdict(Outcome.NOT_FINITE, case.name, f"{block} holds NaN or infinity after training.")
        wide = {key: array.astype(np.float64) for key, array in arrays.items()}
        found[block] = wide if container == "dict" else list(wide.values()) if container else wide[""]
    outputs = tuple(found[block] for block in topic.returns)
    return Trained(outputs[0] if len(outputs) == 1 else outputs)
