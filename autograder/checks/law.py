"""Does every draw of a sampler obey the laws, and does the generator it was given decide?"""

from dataclasses import replace

import numpy as np

from autograder.checks.plan import Check
from autograder.checks.verdict import CheckRun, Sheet, first_failure, passed
from autograder.topic.parts import GENERATOR
from autograder.topic.sampling import Sampler
from autograder.values.outcomes import Outcome

_GENERATOR = (
    "Two generators with the same seed must give the same draws: draw from rng, and from nothing else.",
    "Two generators with different seeds gave the same draws: draw from the rng that you are given.",
)


def run(sheet: Sheet, check: Check) -> CheckRun:
    found = yield from sheet.compare_all(check.cases, check.block)
    verdict = first_failure(check.cases, found)
    if verdict is None:
        return passed(check.cases[-1])
    if verdict.outcome != Outcome.WRONG_VALUE:
        return verdict
    topic = sheet.plan.topic
    assert isinstance(topic, Sampler)
    holds = sheet.seen[verdict.case][check.block]
    broken = int(np.argmin(holds))  # the first that does not hold
    evidence = f"{int((~holds).sum())} of {len(holds)} laws do not hold on {verdict.case!r}"
    if check.block == GENERATOR:
        message = _GENERATOR[broken]
    elif broken == len(topic.laws):
        message = _GENERATOR[1]
    else:
        law = topic.laws[broken]
        message = f"This does not hold for what you draw: {law.name}. {law.hint}".strip()
    return replace(verdict, outcome=Outcome.BROKEN_PROPERTY, message=message, evidence=evidence)
