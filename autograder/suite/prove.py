"""Is the suite right, sharp and steady, before anyone is graded by it?

The proof runs the code that grades on implementations whose verdict is known: right ones must pass
under fresh seeds, nulls must earn nothing, every misconception must die and be told apart.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from autograder.checks.conduct import Result, drive
from autograder.checks.plan import COST, COSTS, MEMORY, Plan
from autograder.checks.resemblance import resembles
from autograder.checks.verdict import Sheet
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.blunt import blunt_cases
from autograder.suite.contract import broken_contract
from autograder.suite.costs import faults_of_cost
from autograder.suite.draw import FEW_DRAWS
from autograder.suite.independent import unconfirmed
from autograder.suite.matrix import NULL, RIGHT, SPOILED, WRONG, Matrix, chance_of, columns_of, readable
from autograder.suite.nulls import null_battery, spoiled_gradients
from autograder.suite.plans import Worth, draw_shown
from autograder.suite.right import right_implementations
from autograder.topic.kinds import Observed
from autograder.topic.parts import Names
from autograder.values.compare import Comparison
from autograder.values.outcomes import Outcome

FRESH_SEEDS = 30
LONG_RUNS = 2  # fresh seeds under which alternatives of a trainer also make the long run
MARGIN = 10.0  # a misconception must be this many times further off than is allowed
# Of a sampler, whose distances are roots of exponents: draws that are twice as far out as is allowed have a
# probability of at most the limit's to the fourth power, and chance moves a distance by less than one.
SAMPLE_MARGIN = 2.0


@dataclass(frozen=True)
class Kill:
    """How a misconception died: in which checks, and how many times further off than allowed."""

    misconception: str
    checks: tuple[str, ...]
    margin: float


@dataclass
class Proof:
    """What was shown about one question. `faults` are sentences; with any, the suite is not written.

    adopted: those of the misconceptions that students' code shows.
    costs: CPU time of right implementations and of slow ones, in times of the reference's, as measured here. memory:
    the same of memory, and of bulky ones. calibrated: of each bar, what it is and what it was set from.
    """

    question: str
    topic: str
    right: dict[str, int] = field(default_factory=dict)
    nulls: int = 0
    spoiled: int = 0
    kills: list[Kill] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    calibrated: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    matrix: Matrix = field(default_factory=Matrix)

    def as_json(self) -> dict[str, Any]:
        kills = [{**asdict(kill), "margin": readable(kill.margin)} for kill in self.kills]
        names = ("question", "topic", "right", "nulls", "spoiled", "adopted", "costs", "memory", "calibrated", "faults")
        plain = {name: getattr(self, name) for name in names}
        return {**plain, "kills": kills, "seconds": round(self.seconds, 2), **self.matrix.as_json()}


def prove(
    plan: Plan,
    worth: Worth,
    fresh: Callable[[int], np.random.SeedSequence],
    adopted: Mapping[str, Result] | None = None,
) -> Proof:
    """Prove one question. `fresh` gives the seed of the n-th suite that nobody has seen.

    adopted: what came of putting the question to the misconceptions of the plan that students' code shows.
    """
    began = time.perf_counter()
    proof = Proof(plan.question, plan.topic.name, matrix=Matrix(columns_of(plan), chance_of(plan)))
    proof.faults += blunt_cases(plan.topic, plan.cases)
    proof.faults += broken_contract(plan.topic, plan.cases)
    _prove_right(plan, worth, fresh, proof)
    _prove_nulls(plan, proof)
    _prove_misconceptions(plan, proof, adopted or {})
    for name, ratios in ((COST, proof.costs), (MEMORY, proof.memory)):
        if name in plan.costs:
            proof.faults += faults_of_cost(plan, name, ratios)
    proof.seconds = time.perf_counter() - began
    return proof


def false_failures(plan: Plan, names: Names, seen: dict[str, Observed] | None = None) -> Iterator[str]:
    """A sentence for every check that a right implementation does not pass.

    seen: what it has shown on the cases already, which is then not asked again.
    """
    yield from _failures(drive(plan, LocalQuestion(names).ask, seen))


def _failures(result: Result) -> Iterator[str]:
    for check in result.plan.checks:
        verdict = result.verdicts[check.id]
        if verdict.outcome != Outcome.PASSED:
            yield f"{check.id} on {verdict.case!r}: {verdict.outcome}. {verdict.evidence or verdict.message}"


def faults_of_wrong(plan: Plan) -> list[str]:
    """A sentence for each reason for which the plan would be refused though what is right passes: cases that came out
    blunt, wrong answers that earn points, that are hardly off, or that cannot be told apart.

    plan: with what its misconceptions show.
    """
    proof = Proof(plan.question, plan.topic.name, matrix=Matrix(columns_of(plan), chance_of(plan)))
    proof.faults += blunt_cases(plan.topic, plan.cases)
    _prove_nulls(plan, proof)
    _prove_misconceptions(plan, proof, {})
    return proof.faults


def without_long_run(plan: Plan) -> Plan:
    """The plan without its long runs, exams and cost, for what need not wait for them."""
    return replace(plan.without("convergence", "accuracy", *COSTS), bar=None, mark=None, runs=(), costs={})


def _prove_right(plan: Plan, worth: Worth, fresh: Callable[[int], np.random.SeedSequence], proof: Proof) -> None:
    proof.faults += unconfirmed(plan.topic, plan.cases)
    told: set[tuple[str, str]] = set()  # what fails under one seed often fails under all
    for number in range(FRESH_SEEDS):
        trains = number < LONG_RUNS
        bar, mark = (plan.bar, plan.mark) if trains else (None, None)
        draws = plan.draws if trains else FEW_DRAWS  # the limits hold for any number of draws
        drawn, shown = draw_shown(plan.topic, worth, fresh(number), bar, mark, draws)
        for name, names in right_implementations(plan.topic).items():
            result = drive(drawn, LocalQuestion(names).ask, shown[name])
            proof.matrix.add(RIGHT, name, result)
            failures = list(_failures(result))
            proof.right[name] = proof.right.get(name, 0) + (not failures)
            for failure in failures:
                if (one := (name, failure.partition(" on ")[0])) in told:
                    continue
                told.add(one)
                proof.faults.append(f"{name} is right but fails under fresh seed {number}: {failure}")


def _prove_nulls(plan: Plan, proof: Proof) -> None:
    for name, names in null_battery(plan.topic):
        proof.nulls += 1
        result = drive(plan, LocalQuestion(names).ask)
        proof.matrix.add(NULL, name, result)
        if result.total:
            earning = [check.id for check in plan.checks if result.points(check)]
            proof.faults.append(f"{name} knows nothing but earns {result.total} points in {', '.join(earning)}")
    short = without_long_run(plan)
    for name, names in spoiled_gradients(plan.topic):
        proof.spoiled += 1
        result = drive(short, LocalQuestion(names).ask)
        proof.matrix.add(SPOILED, name, result)
        for check in short.checks:
            if check.kind == "gradient" and result.points(check) and not _untouched(result, check.block):
                proof.faults.append(f"a gradient that is {name} earns points in {check.id}")


def _untouched(result: Result, block: str) -> bool:
    """Whether spoiling changed nothing: a vector of one entry is its own transpose."""
    ratios = [
        result.sheet.compare(case, block).ratio
        for case in result.sheet.seen
        if block in result.plan.expectations.get(case, {})
    ]
    return all(ratio == 0 for ratio in ratios)


def _prove_misconceptions(plan: Plan, proof: Proof, adopted: Mapping[str, Result]) -> None:
    short = without_long_run(plan)
    for misconception in plan.topic.misconceptions:
        result = drive(short, LocalQuestion(misconception.names).ask, plan.wrong.get(misconception.name))
        _take_down(plan, misconception.name, result, proof)
    names = [misconception.name for misconception in plan.topic.misconceptions]
    equivalents = {m.name: m.equivalent_to for m in plan.topic.misconceptions}
    for position, one in enumerate(names):
        for other in names[position + 1 :]:
            declared = equivalents[one] == other or equivalents[other] == one
            declared = declared or (bool(equivalents[one]) and equivalents[one] == equivalents[other])
            if not declared and not _told_apart(plan, one, other):
                proof.faults.append(
                    f"no case tells {one!r} from {other!r}; draw one that does, or declare equivalent_to="
                )
    for number, (name, result) in enumerate(adopted.items()):
        _take_down(plan, name, result, proof)
        proof.adopted.append(name)
        proof.faults += _hard_to_name(plan, name, [*names, *list(adopted)[:number]])


def faults_of_adopted(plan: Plan, name: str, result: Result) -> Iterator[str]:
    """A sentence for each reason for which what students' code shows is no misconception beside those of the plan."""
    yield from _survival(plan, name, result)
    beside = replace(plan, wrong={**plan.wrong, name: result.sheet.seen})
    yield from _hard_to_name(beside, name, [each.name for each in plan.misconceptions])


def _take_down(plan: Plan, name: str, result: Result, proof: Proof) -> None:
    """How a misconception died, or that it did not."""
    proof.matrix.add(WRONG, name, result)
    proof.kills.append(Kill(name, _failed(result), margin_of(plan, result.sheet.seen)))
    proof.faults += _survival(plan, name, result)


def _failed(result: Result) -> tuple[str, ...]:
    return tuple(check.id for check in result.plan.checks if result.verdicts[check.id].outcome != Outcome.PASSED)


def _survival(plan: Plan, name: str, result: Result) -> Iterator[str]:
    needed = SAMPLE_MARGIN if plan.topic.kind == "sampler" else MARGIN
    if not _failed(result):
        yield (
            f"the misconception {name!r} passes every check: on all cases its answers are within the allowed "
            "difference. Draw a case on which it shows"
        )
    elif (margin := margin_of(plan, result.sheet.seen)) < needed:
        yield (
            f"the misconception {name!r} is only {margin:.3g} times the allowed difference away, {needed:g} are "
            "needed. Draw a case on which it shows more"
        )


def _hard_to_name(plan: Plan, name: str, known: Iterable[str]) -> Iterator[str]:
    """Of what was adopted: it must show something that can be recognised, and that nothing known shows."""
    if _told_apart(plan, name, name):
        yield f"the adopted {name!r} shows something that cannot be compared, so nobody could be recognised by it"
        return
    for other in known:
        if not _told_apart(plan, name, other):
            yield f"the adopted {name!r} shows the same as {other!r}, which is known: one name is enough"


def margin_of(plan: Plan, seen: dict[str, Observed]) -> float:
    """How many times further off than allowed the worst block is; infinite where there is nothing to compare."""
    sheet = Sheet(plan, seen)
    found = [sheet.compare(case, block) for case in seen for block in plan.expectations.get(case, {})]
    return max((_ratio(comparison) for comparison in found), default=0.0)


def _ratio(comparison: Comparison) -> float:
    if comparison.outcome == Outcome.PASSED:
        return 0.0
    return comparison.ratio if comparison.ratio == comparison.ratio else float("inf")


def _told_apart(plan: Plan, one: str, other: str) -> bool:
    for case, expected in plan.expectations.items():
        for block, expectation in expected.items():
            shown, beside = plan.wrong[one][case].get(block), plan.wrong[other][case].get(block)
            if not resembles(shown, beside, expectation, block):
                return True
    return False
