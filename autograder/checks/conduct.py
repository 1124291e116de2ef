"""How is one question put, check after check?

A generator like the checks it runs: whoever drives it answers its asks, from a jail, or from a
reference, an alternative or a misconception in this process. So the proof runs the code that grades.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from autograder.checks import accuracy, convergence, cost, distribution, gradient, law, property_, trajectory, value
from autograder.checks.plan import COST, MEMORY, Check, Plan
from autograder.checks.together import Batching
from autograder.checks.verdict import CheckRun, Sheet, Verdict
from autograder.sandbox.inprocess import LocalQuestion, own_mib
from autograder.topic.kinds import Observed
from autograder.topic.standalone import executed
from autograder.values.asking import Answer, Ask
from autograder.values.outcomes import Outcome

_KINDS: dict[str, Callable[[Sheet, Check], CheckRun]] = {
    "value": value.run,
    "gradient": gradient.run,
    "property": property_.run,
    "convergence": convergence.run,
    "accuracy": accuracy.run,
    "law": law.run,
    "distribution": distribution.run,
    "trajectory": trajectory.run,
    COST: cost.run,
    MEMORY: cost.run,
}

BEHIND = "Counts only where the ordinary cases are right."


@dataclass
class Result:
    """What a question brought: a verdict a check, and the sheet with everything that was observed."""

    plan: Plan
    sheet: Sheet
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def points(self, check: Check) -> float:
        """Points of one check, to the hundredth; an outcome that may not earn earns nothing."""
        return round(check.points * self.verdicts[self.worst(check).id].fraction, 2)

    def worst(self, check: Check) -> Check:
        """The check of its group that earned the smallest part, the first of several; without group, itself."""
        group = [each for each in self.plan.checks if each.group == check.group] if check.group else [check]
        return min(group, key=lambda each: self.verdicts[each.id].fraction)

    @property
    def total(self) -> float:
        return round(sum(self.points(check) for check in self.plan.checks), 2)


def conduct(plan: Plan, seen: dict[str, Observed] | None = None) -> Batching[Result]:
    """Put every check of a question; the generator's return value is the Result.

    All cases are asked before anything is judged, edges last, so that one that ends the process cannot
    cost the others.

    seen: what was shown on cases already; they are not asked again.
    """
    result = Result(plan, Sheet(plan, seen))
    yield from result.sheet.observe(sorted(plan.cases, key=lambda name: plan.cases[name].edge > 0))
    for check in plan.checks:
        needed = result.verdicts.get(check.requires)
        if needed is not None and needed.outcome != Outcome.PASSED:
            result.verdicts[check.id] = Verdict(_behind(needed.outcome), check.cases[0], BEHIND)
        else:
            result.verdicts[check.id] = yield from _KINDS[check.kind](result.sheet, check)
    return result


def drive(plan: Plan, ask: Callable[[Ask], Answer], seen: dict[str, Observed] | None = None) -> Result:
    """Put a question to whatever `ask` answers for, here and now; costs are what this process uses."""
    run = conduct(plan, seen)
    try:
        batch = next(run)
        while True:
            batch = run.send([_metered(plan, ask, each) if each.meter else ask(each) for each in batch])
    except StopIteration as stop:
        result: Result = stop.value
        return result


def _metered(plan: Plan, ask: Callable[[Ask], Answer], each: Ask) -> Answer:
    """What an ask with a meter brings, and costs, in this process."""
    assert each.meter is not None
    answering = LocalQuestion(executed(plan.topic)).ask if each.meter.right else ask
    if each.meter.check == MEMORY:
        return replace(answering(each), cost_mib=own_mib(lambda: answering(each)))
    began = time.process_time()
    answer = answering(each)
    return replace(answer, cost_s=time.process_time() - began)


def _behind(outcome: Outcome) -> Outcome:
    return Outcome.WRONG_VALUE if outcome == Outcome.CARRIED else outcome
