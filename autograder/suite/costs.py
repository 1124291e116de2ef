"""Does what a question may cost tell right implementations from those that cost too much? Measured, as in grading."""

from collections.abc import Iterator

from autograder.checks.conduct import drive
from autograder.checks.plan import COST, COSTS, MEMORY, Plan
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.right import IN_FLOAT32, right_implementations
from autograder.values.outcomes import Outcome

# Of each cost: how an author declares what is over it, and what the reference must be seen to use.
_OVER = {COST: ("slow", "take the reference some milliseconds"), MEMORY: ("bulky", "take the reference 8 MiB or more")}


def faults_of_cost(plan: Plan, check: str, ratios: dict[str, float]) -> Iterator[str]:
    """A sentence where a right implementation costs more than the factor, or less what its author declares to be over.

    check: COST or MEMORY. ratios: gets what each implementation costs, in times of the reference's.
    """
    topic, factor = plan.topic, plan.costs[check].factor
    word, enough = _OVER[check]
    over = {COST: topic.slow_ones, MEMORY: topic.bulky_ones}[check]
    right = {name: names for name, names in right_implementations(topic).items() if name != IN_FLOAT32}
    if not over:
        yield (
            f"nothing shows that {check}_factor = {factor:g} tells {word} answers from others; add one with "
            f'@{topic.name}.{word}("...")'
        )
    alone = plan.without(*(name for name in COSTS if name != check))
    for name, names in {**right, **over}.items():
        verdict = drive(alone, LocalQuestion(names).ask).verdicts[check]
        ratio = verdict.measured
        wanted = Outcome.OVER_COST if name in over else Outcome.PASSED
        if ratio is None:
            yield (
                f"the {check} of {name} cannot be measured: {verdict.outcome}. {verdict.evidence or verdict.message}. "
                f"Is it right on inputs of @{topic.name}.costly, and do they {enough}?"
            )
            continue
        ratios[name] = float(f"{ratio:.3g}")
        if verdict.outcome != wanted:
            what = "is right" if wanted == Outcome.PASSED else f"is declared {word}"
            does = "costs" if check == COST else "takes"
            times = "times the reference" if check == COST else "times the memory of the reference"
            yield (
                f"{name} {what}, but {does} {ratio:.3g} {times}, and {check}_factor is {factor:g}; choose "
                f"another factor, or larger inputs in @{topic.name}.costly"
            )
