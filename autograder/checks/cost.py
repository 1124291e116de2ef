"""Does a right answer cost about as much CPU time as the reference?

Both are put the same fresh inputs in turn, each call in a process of its own, whose CPU time is read from outside;
what a process costs that computes nothing is taken off. The median of the paired ratios decides, so that a machine
that is slower today, or busy for a while, decides nothing. The results must be right as well: what looks at the
size of its input and gives up earns nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from autograder.checks.plan import Check, Cost, Plan
from autograder.checks.together import Batching
from autograder.checks.verdict import CheckRun, Sheet, Verdict, failure_evidence, failure_message, passed
from autograder.topic.case import Bound, Case
from autograder.topic.kinds import complete, whole
from autograder.topic.kinds.observed import failure
from autograder.values.asking import Answer, Ask, Meter, Program
from autograder.values.compare import Expectation, Leaf, compare, norm, split
from autograder.values.outcomes import Outcome

CASE = "cost"
PAIRS = 31  # an odd number: once 16 are on one side the median is there too, whatever the others would show
SETTLED = PAIRS // 2 + 1
EMPTY = 5  # calls of nothing on each side, whose median is taken off
LARGEST_EMPTY = 2.0  # times the reference's: what is taken off for what a notebook holds in memory
LEAST_S = 1e-3  # CPU seconds of the reference below which a pair says nothing: processes differ by as much
RIGHT_S = 10.0  # CPU seconds after which a call of the reference is given up
SHORTEST_S = 0.25  # no call is ended before
RTOL = 1e-3  # of a block's norm: whether the work was done at all, which rounding must not decide

_OVER = "What you return is right, but computing it takes more than {factor:g} times the CPU time of our own way."
_WRONG = "On the larger inputs on which cost is measured: {text}"
_ALONE = " While cost is measured, no process and no thread can be started."
_OURS = "The cost could not be measured; the fault is ours, and it will be graded again."


def run(sheet: Sheet, check: Check) -> CheckRun:
    """Put pairs until the median is settled; NOT_GRADED where too many of them cannot be used."""
    plan = sheet.plan
    if plan.cost is None:
        raise ValueError(f"{plan.question}: cost without a factor")
    empty_right = yield from _empty(plan, plan.cost, right=True)
    empty_theirs = yield from _empty(plan, plan.cost, right=False)
    empty_theirs = min(empty_theirs, LARGEST_EMPTY * empty_right)  # or an answer could hide its cost in it
    ratios: list[float] = []
    for number in range(PAIRS):
        case = drawn(plan, plan.cost, number)
        (right,) = yield [_metered(whole(plan.topic, case), Meter(right=True, allowed_s=RIGHT_S))]
        least = right.cost_s - empty_right
        if not right.returned or least < LEAST_S:
            continue
        allowed_s = max(SHORTEST_S, empty_theirs + 2 * plan.cost.factor * least)
        (theirs,) = yield [_metered(whole(plan.topic, case), Meter(right=False, allowed_s=allowed_s))]
        if theirs.status == "not_graded":
            continue
        if theirs.status != "timed_out" and (wrong := _wrong(plan, right, theirs)):
            return wrong
        ended = theirs.status == "timed_out"
        ratios.append(max(0.0, (allowed_s if ended else theirs.cost_s) - empty_theirs) / least)
        verdict = _settled(plan.cost, ratios)
        if verdict:
            return verdict
    return Verdict(Outcome.NOT_GRADED, CASE, _OURS, f"only {len(ratios)} of {PAIRS} pairs could be used")


def drawn(plan: Plan, cost: Cost, number: int) -> Case:
    """The inputs of one pair. They are no part of any other, and no other question's."""
    rng = np.random.default_rng(np.random.SeedSequence([cost.seed, number]))
    if plan.topic.cost_draw is None:
        raise ValueError(f"{plan.topic.name} declares no inputs to measure its cost on")
    return complete(plan.topic, Case(f"{CASE}/{number}", plan.topic.cost_draw(rng)), rng)


def _empty(plan: Plan, cost: Cost, *, right: bool) -> Batching[float]:
    """CPU seconds of a process that is given inputs and computes nothing."""
    inputs = drawn(plan, cost, 0).inputs
    program = Program()
    program.value([value for value in inputs.values() if not isinstance(value, Bound)])
    answers = []
    for number in range(EMPTY):
        answers += yield [_metered(program.ask(f"empty {number}", 0), Meter(right=right, allowed_s=RIGHT_S))]
    costs = [answer.cost_s for answer in answers if answer.returned]
    return median(costs) if costs else 0.0


def _metered(ask: Ask, meter: Meter) -> Ask:
    return replace(ask, key=f"{ask.key}/{'right' if meter.right else 'theirs'}", meter=meter)


def _settled(cost: Cost, ratios: Sequence[float]) -> Verdict | None:
    """The verdict once no further pair can change it."""
    over = sum(ratio > cost.factor for ratio in ratios)
    if over >= SETTLED:
        return Verdict(Outcome.OVER_COST, CASE, _OVER.format(factor=cost.factor), measured=median(ratios))
    return replace(passed(CASE), measured=median(ratios)) if len(ratios) - over >= SETTLED else None


def _wrong(plan: Plan, right: Answer, theirs: Answer) -> Verdict | None:
    """The verdict where a call failed, or did not do the work whose cost is measured."""
    if not theirs.returned:
        failed = failure(theirs, f"calling {next(iter(plan.topic.reference))}")
        alone = _ALONE if theirs.detail.get("limit") == "processes" else ""
        text = _WRONG.format(text=failure_message(failed)) + alone
        return Verdict(failed.outcome, CASE, text, failure_evidence(failed))
    for block, value in right.value.items():
        found = compare(actual=theirs.value[block], expected=_expected(value), what=block)
        if found.outcome != Outcome.PASSED:
            return Verdict(found.outcome, CASE, _WRONG.format(text=found.message), found.evidence)
    return None


def _expected(value: Any) -> Expectation:
    container, arrays = split(value)
    leaves = {}
    for key, array in arrays.items():
        allowed = np.asarray(RTOL * norm(array))
        leaves[key] = Leaf(array, allowed, allowed, bool(array.size))
    return Expectation(container, leaves)
