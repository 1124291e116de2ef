"""Does a right answer cost about as much CPU time, or memory, as the reference?

Both are put the same fresh inputs in turn, each call in a process of its own, whose use is read from outside; what a
process uses that computes nothing is taken off. The median of the paired ratios decides, so that a machine that is
slower today, or busy for a while, decides nothing. The results must be right as well: what looks at the size of its
input and gives up earns nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from autograder.checks.plan import COST, MEMORY, Check, Cost, Plan
from autograder.checks.together import Batching
from autograder.checks.verdict import CheckRun, Sheet, Verdict, failure_evidence, failure_message, passed
from autograder.topic.case import Bound, Case
from autograder.topic.kinds import complete, whole
from autograder.topic.kinds.observed import failure
from autograder.values.asking import Answer, Ask, Meter, Program
from autograder.values.compare import Expectation, Leaf, compare, norm, split
from autograder.values.outcomes import Outcome

EMPTY = 5  # calls of nothing on each side, whose median is taken off
EMPTY_AGAIN = 3  # times that this median is taken anew, where a pair shows too little beyond it
LARGEST_EMPTY = 2.0  # times the reference's: what is taken off for what a notebook holds in memory
ALLOWED_S = 10.0  # CPU seconds after which a call is given up
SHORTEST_S = 0.25  # no call is ended before
RTOL = 1e-3  # of a block's norm: whether the work was done at all, which rounding must not decide

_OVER = "What you return is right, but computing it takes more than {factor:g} times the {what} of our own way."
_WRONG = "On the larger inputs on which {name} is measured: {text}"
_ALONE = {
    "processes": " While {name} is measured, no process and no thread can be started.",
    "file_mib": " While {name} is measured, no file can be written.",
}
_OURS = "The {name} could not be measured; the fault is ours, and it will be graded again."


@dataclass(frozen=True)
class Measure:
    """What is measured of a call.

    name: of the check, and of the case. what: in the words that a student reads. of: how much of it an answer cost.
    least: what the reference must use for a pair to say something. pairs: an odd number. timed: it is CPU time, so
    that a call is ended where it has used too much of it.
    """

    name: str
    what: str
    of: Callable[[Answer], float]
    least: float
    pairs: int
    timed: bool = False

    @property
    def settled(self) -> int:
        """So many on one side and the median is there too, whatever the others would show."""
        return self.pairs // 2 + 1


# Of CPU time, processes that do the same differ by up to a millisecond; of memory, in the jail by up to 0.2 MiB, and
# by the 5 MiB that a first matrix product takes.
CPU_TIME = Measure(COST, "CPU time", of=lambda answer: answer.cost_s, least=1e-3, pairs=31, timed=True)
OF_MEMORY = Measure(MEMORY, "memory", of=lambda answer: answer.cost_mib, least=8.0, pairs=3)
MEASURES = {measure.name: measure for measure in (CPU_TIME, OF_MEMORY)}


def run(sheet: Sheet, check: Check) -> CheckRun:
    """Put pairs until the median is settled; NOT_GRADED where too many of them cannot be used."""
    measure = MEASURES[check.kind]
    plan, cost = sheet.plan, sheet.plan.costs[check.kind]
    empty_right, empty_theirs = yield from _both_empty(measure, plan)
    again = EMPTY_AGAIN
    ratios: list[float] = []
    for number in range(measure.pairs):
        asked = whole(plan.topic, drawn(plan, measure.name, number))
        (right,) = yield [_metered(asked, Meter(measure.name, right=True, allowed_s=ALLOWED_S))]
        used = measure.of(right) - empty_right
        if not right.returned or used < measure.least:
            if right.returned and again:  # what is taken off may have been measured while the machine was slower
                again -= 1
                empty_right, empty_theirs = yield from _both_empty(measure, plan)
            continue
        allowed_s = max(SHORTEST_S, empty_theirs + 2 * cost.factor * used) if measure.timed else ALLOWED_S
        (theirs,) = yield [_metered(asked, Meter(measure.name, right=False, allowed_s=allowed_s))]
        if theirs.status == "not_graded":
            continue
        ended = measure.timed and theirs.status == "timed_out"
        if not ended and (wrong := _wrong(measure, plan, right, theirs)):
            return wrong
        ratios.append(max(0.0, (allowed_s if ended else measure.of(theirs)) - empty_theirs) / used)
        verdict = _settled(measure, cost, ratios)
        if verdict:
            return verdict
    evidence = f"only {len(ratios)} of {measure.pairs} pairs could be used"
    return Verdict(Outcome.NOT_GRADED, measure.name, _OURS.format(name=measure.name), evidence)


def drawn(plan: Plan, name: str, number: int) -> Case:
    """The inputs of one pair of the check of that name. They are no part of any other, and no other question's."""
    rng = np.random.default_rng(np.random.SeedSequence([plan.costs[name].seed, number]))
    if plan.topic.cost_draw is None:
        raise ValueError(f"{plan.topic.name} declares no inputs to measure its cost on")
    return complete(plan.topic, Case(f"{name}/{number}", plan.topic.cost_draw(rng)), rng)


def _both_empty(measure: Measure, plan: Plan) -> Batching[tuple[float, float]]:
    right = yield from _empty(measure, plan, right=True)
    theirs = yield from _empty(measure, plan, right=False)
    return right, min(theirs, LARGEST_EMPTY * right)  # or an answer could hide its cost in it


def _empty(measure: Measure, plan: Plan, *, right: bool) -> Batching[float]:
    """What a process uses that is given inputs and computes nothing."""
    inputs = drawn(plan, measure.name, 0).inputs
    program = Program()
    program.value([value for value in inputs.values() if not isinstance(value, Bound)])
    meter = Meter(measure.name, right=right, allowed_s=ALLOWED_S)
    answers = []
    for number in range(EMPTY):
        answers += yield [_metered(program.ask(f"empty {measure.name} {number}", 0), meter)]
    used = [measure.of(answer) for answer in answers if answer.returned]
    return median(used) if used else 0.0


def _metered(ask: Ask, meter: Meter) -> Ask:
    return replace(ask, key=f"{ask.key}/{'right' if meter.right else 'theirs'}", meter=meter)


def _settled(measure: Measure, cost: Cost, ratios: Sequence[float]) -> Verdict | None:
    """The verdict once no further pair can change it."""
    over = sum(ratio > cost.factor for ratio in ratios)
    if over >= measure.settled:
        message = _OVER.format(factor=cost.factor, what=measure.what)
        return Verdict(Outcome.OVER_COST, measure.name, message, measured=median(ratios))
    if len(ratios) - over >= measure.settled:
        return replace(passed(measure.name), measured=median(ratios))
    return None


def _wrong(measure: Measure, plan: Plan, right: Answer, theirs: Answer) -> Verdict | None:
    """The verdict where a call failed, or did not do the work whose cost is measured."""
    if not theirs.returned:
        failed = failure(theirs, f"calling {next(iter(plan.topic.reference))}")
        alone = _ALONE.get(str(theirs.detail.get("limit", "")), "").format(name=measure.name)
        text = _WRONG.format(name=measure.name, text=failure_message(failed)) + alone
        return Verdict(failed.outcome, measure.name, text, failure_evidence(failed))
    for block, value in right.value.items():
        found = compare(actual=theirs.value[block], expected=_expected(value), what=block)
        if found.outcome != Outcome.PASSED:
            text = _WRONG.format(name=measure.name, text=found.message)
            return Verdict(found.outcome, measure.name, text, found.evidence)
    return None


def _expected(value: Any) -> Expectation:
    container, arrays = split(value)
    leaves = {}
    for key, array in arrays.items():
        allowed = np.asarray(RTOL * norm(array))
        leaves[key] = Leaf(array, allowed, allowed, bool(array.size))
    return Expectation(container, leaves)
