"""How does one draw of a topic become a plan: cases, expectations, checks and their points?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from autograder.checks.plan import COST, COSTS, MEMORY, Bar, Check, Cost, Mark, Plan
from autograder.suite.draw import EXAMS, FEW_DRAWS, RUNS, draw_cases, draw_runs
from autograder.suite.expect import expect
from autograder.suite.points import apportion, grouped
from autograder.suite.right import Shown, show_right
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.parts import TopicError
from autograder.values.compare import Expectation

MIN_DECIDING = 3  # cases in which each block can tell right from wrong


@dataclass(frozen=True)
class Worth:
    """What a question is worth: its points, the weights its author gave to blocks, and what it may cost.

    groups: names of blocks and checks that earn together what the worst of them earns; `ALL` stands for every one.
    """

    question: str
    points: float
    weights: Mapping[str, float]
    cost_factor: float | None = None
    groups: tuple[tuple[str, ...], ...] = ()
    memory_factor: float | None = None


def make_plan(
    topic: Topic,
    worth: Worth,
    cases: dict[str, Case],
    expectations: dict[str, dict[str, Expectation]],
    *,
    bar: Bar | None = None,
    mark: Mark | None = None,
    runs: tuple[Case, ...] = (),
    draws: int = FEW_DRAWS,
    costs: Mapping[str, Cost] | None = None,
) -> Plan:
    """The plan over drawn cases: checks from what the expectations can decide."""
    costs = costs or {}
    long = {"convergence": bool(bar), "accuracy": bool(mark), **{name: name in costs for name in COSTS}}
    checks = _checks(topic, worth, cases, expectations, long)
    return Plan(worth.question, topic, cases, expectations, checks, bar, mark, runs, draws, costs)


def costs_of(topic: Topic, worth: Worth, seed: np.random.SeedSequence) -> dict[str, Cost]:
    """What a question may cost, where it says so; TopicError where its topic does not say on which inputs."""
    factors = {COST: worth.cost_factor, MEMORY: worth.memory_factor}
    given = [name for name, factor in factors.items() if factor is not None]
    if given and topic.cost_draw is None:
        raise TopicError(
            f"{worth.question}: {given[0]}_factor is given, but {topic.name} draws no inputs to measure it on; "
            f"add @{topic.name}.costly"
        )
    seeds = dict(zip(factors, map(int, seed.generate_state(len(factors), np.uint64)), strict=True))
    return {name: Cost(factor, seeds[name]) for name, factor in factors.items() if factor is not None}


def draw_plan(
    topic: Topic,
    worth: Worth,
    seed: np.random.SeedSequence,
    bar: Bar | None = None,
    mark: Mark | None = None,
    draws: int = FEW_DRAWS,
) -> Plan:
    """A plan of its own from one seed. `bar`, `mark` and `draws` come from calibration, whatever the seed."""
    return draw_shown(topic, worth, seed, bar, mark, draws)[0]


def draw_shown(
    topic: Topic,
    worth: Worth,
    seed: np.random.SeedSequence,
    bar: Bar | None = None,
    mark: Mark | None = None,
    draws: int = FEW_DRAWS,
) -> tuple[Plan, Shown]:
    """A plan, and what every right implementation showed on its cases when it was drawn.

    Without bar and mark it trains nowhere.
    """
    cases = draw_cases(topic, seed, draws)
    shown = show_right(topic, cases)
    runs, expectations = draw_runs(topic, seed) if bar or mark else (), expect(topic, cases, shown)
    plan = make_plan(topic, worth, cases, expectations, bar=bar, mark=mark, runs=runs, draws=draws)
    return plan, shown


def _checks(
    topic: Topic,
    worth: Worth,
    cases: dict[str, Case],
    expectations: dict[str, dict[str, Expectation]],
    long: Mapping[str, bool],
) -> tuple[Check, ...]:
    unknown = set(worth.weights) - {block.name for block in topic.blocks} - set(long)
    if unknown:
        raise TopicError(f"{worth.question}: weights names {sorted(unknown)}, which {topic.name} does not return")
    of_blocks = 1.0 - sum(law.share for law in topic.properties)
    weights = {block.name: worth.weights.get(block.name, block.weight) for block in topic.blocks}
    if long["convergence"] and topic.training is not None:
        weights["convergence"] = worth.weights.get("convergence", topic.training.weight)
    if long["accuracy"] and topic.exam is not None:
        weights["accuracy"] = worth.weights.get("accuracy", topic.exam.weight)
    costs = [name for name in COSTS if long[name]]
    weights |= {name: worth.weights.get(name, 1.0) for name in costs}
    unit = of_blocks / sum(weights.values())
    planned: list[tuple[Check, float]] = []
    core_names: tuple[str, ...] = ()
    for block in topic.blocks:
        core = tuple(n for n, c in cases.items() if not c.edge and block.name in expectations[n])
        edges = [n for n, c in cases.items() if c.edge and block.name in expectations[n]]
        if not core:
            raise TopicError(
                f"{topic.name}: none of its ordinary cases shows {block.name}; "
                + ("let their build return it" if topic.is_class else "yield three or more without edge")
            )
        deciding = sum(leaf.deciding for n in core for leaf in expectations[n][block.name].leaves.values())
        if deciding < MIN_DECIDING:
            raise TopicError(
                f"{topic.name}: only {deciding} of its ordinary cases can decide about {block.name}, "
                f"{MIN_DECIDING} are needed; add cases in which it is not negligibly small"
            )
        share = unit * weights[block.name]
        edge_part = sum(cases[n].edge for n in edges)
        check = Check(block.name, block.kind, block.name, core, 0.0, block.requires)
        planned.append((check, share * (1 - edge_part)))
        for n in edges:
            edge = Check(f"{block.name}: {n}", block.kind, block.name, (n,), 0.0, requires=block.name)
            planned.append((edge, share * cases[n].edge))
        core_names = core_names or core
    for law in topic.properties:
        check = Check(law.name, "property", law.name, core_names, 0.0, requires=topic.blocks[0].name)
        planned.append((check, law.share))
    if "convergence" in weights:
        check = Check("convergence", "convergence", "convergence", RUNS, 0.0)
        planned.append((check, unit * weights["convergence"]))
    if "accuracy" in weights:
        check = Check("accuracy", "accuracy", "accuracy", EXAMS, 0.0)
        planned.append((check, unit * weights["accuracy"]))
    for name in costs:
        check = Check(name, name, name, (name,), 0.0, requires=topic.blocks[0].name)
        planned.append((check, unit * weights[name]))
    points = apportion(worth.points, [share for _, share in planned])
    checks = [replace(check, points=each) for (check, _), each in zip(planned, points, strict=True)]
    try:
        return grouped(checks, worth.groups)
    except ValueError as error:
        raise TopicError(f"{worth.question}: {error}") from error
