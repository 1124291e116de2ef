"""How does one draw of a topic become a plan: inputs, expected values, tolerances, checks?

Everything hidden comes from one seed, so the same key gives the same suite, and a fresh seed gives a
suite nobody has seen, to prove the checks with.
"""

import hashlib
import hmac
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.checks.distribution import lawful
from autograder.checks.plan import COST, COSTS, MEMORY, Bar, Check, Cost, Mark, Plan
from autograder.course.errors import nearest
from autograder.sandbox.accelerator import PROCESSOR
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.blunt import unlike_its_signature, upstream_of_ones
from autograder.suite.points import apportion, grouped
from autograder.topic.case import Bound, Case
from autograder.topic.declare import Topic, axes_of
from autograder.topic.kinds import Failure, Observed, complete, observe
from autograder.topic.parts import Names, TopicError
from autograder.topic.sampling import Sampler
from autograder.values import codec
from autograder.values.compare import Expectation, Leaf, norm, split

RTOL64 = 1e-7  # relative to the norm of the block, for answers in float64
RTOL32 = 1e-4  # and in float32
SPREAD = 10.0  # times the largest difference measured between right implementations
LOOSEST = 1e-2  # a block on which right implementations differ by more cannot be judged
ROWS_APART = 1e3  # rows that differ more in size are compared one by one
NEGLIGIBLE = 1e-6  # of a block's ordinary size: below, only finiteness is looked at
REFERENCE, IN_FLOAT32 = "reference", "reference in float32"
Shown = dict[str, dict[str, Observed]]  # implementation -> case -> what it showed
RUNS = ("long run", "long run, repeated")
EXAMS = ("exam", "exam, repeated")
FEW_DRAWS = 8  # of a sampler, where no sample size was calibrated, and on an edge case
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


def seed_of(key: bytes, *names: str) -> np.random.SeedSequence:
    """The seed that belongs to these names under the course's key."""
    digest = hmac.new(key, "/".join(names).encode(), hashlib.sha256).digest()
    return np.random.SeedSequence(int.from_bytes(digest, "big"))


def suite_seed(key: bytes, assignment: str, question: str) -> np.random.SeedSequence:
    """The seed of the cases and runs that a question is graded by."""
    return seed_of(key, assignment, question, "suite")


def draw_cases(topic: Topic, seed: np.random.SeedSequence, draws: int = FEW_DRAWS) -> dict[str, Case]:
    """The cases of a topic by name, complete; TopicError where they cannot make a fair check.

    draws: how many draws of a sampler each core case looks at.
    """
    if topic.case_maker is None:
        raise TopicError(f"{topic.name}: no cases are declared; add @{topic.name}.cases")
    inputs, upstream = (np.random.default_rng(child) for child in seed.spawn(2))
    cases: dict[str, Case] = {}
    drawn = topic.case_maker(inputs)
    if not isinstance(drawn, Iterable):
        raise TopicError(f"{topic.name}: its cases returned a {type(drawn).__name__}; let them yield each case(...)")
    for case in drawn:
        if not isinstance(case, Case):
            raise TopicError(f"{topic.name}: its cases yielded a {type(case).__name__}; let them yield each case(...)")
        if case.name in cases:
            raise TopicError(f"{topic.name}: two cases are called {case.name!r}")
        unknown = sorted(set(case.inputs) - set(topic.parameters) - {"dout"})
        if unknown and not topic.is_class:
            raise TopicError(
                f"{topic.name}: the case {case.name!r} has the unknown input {unknown[0]!r}"
                f"{nearest(unknown[0], topic.parameters)}; there are: {', '.join(topic.parameters)}"
            )
        for name, value in case.inputs.items():
            if isinstance(value, np.ndarray) and value.dtype.kind not in "biuf":
                raise TopicError(
                    f"{topic.name}: the input {name} of the case {case.name!r} is an array of {value.dtype}; "
                    "draw one of numbers"
                )
        if unlike := unlike_its_signature(topic, case):
            raise TopicError(unlike)
        cases[case.name] = complete(topic, placed(topic, case), upstream)
        if topic.kind == "sampler":
            cases[case.name] = replace(cases[case.name], draws=FEW_DRAWS if case.edge else draws)
    if blunt := upstream_of_ones(topic, cases):
        raise TopicError(blunt)
    if not 0 <= sum(case.edge for case in cases.values()) < 1:
        raise TopicError(f"{topic.name}: the shares of its edge cases must add up to less than 1")
    return cases


def draw_runs(topic: Topic, seed: np.random.SeedSequence) -> tuple[Case, ...]:
    """The long runs and the exams of a trainer, two of each; none for other topics."""
    if topic.training is None and topic.exam is None:
        return ()
    streams = [np.random.default_rng(child) for child in seed.spawn(6)[2:]]
    runs = []
    if topic.training is not None:
        runs += [Case(name, topic.training.draw(rng)) for name, rng in zip(RUNS, streams[:2], strict=True)]
    if topic.exam is not None:
        runs += [Case(name, topic.exam.draw(rng)) for name, rng in zip(EXAMS, streams[2:], strict=True)]
    return tuple(placed(topic, run) for run in runs)


def placed(topic: Topic, case: Case, device: str = PROCESSOR) -> Case:
    """The case on a device, for a topic that can be asked to compute on one."""
    return case.at(device=device) if topic.takes_device else case


def digest_of(cases: Iterable[Case]) -> str:
    """A hash of drawn inputs, to notice that they would now be drawn otherwise."""
    hashed = hashlib.sha256()
    for case in cases:
        plain = {name: value for name, value in case.inputs.items() if not isinstance(value, Bound)}
        bound = {name: value.arguments for name, value in case.inputs.items() if isinstance(value, Bound)}
        hashed.update(codec.encode([case.name, case.edge, plain, bound]))
    return hashed.hexdigest()


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


def right_implementations(topic: Topic) -> dict[str, Names]:
    """The reference, the reference in float32, and every alternative, by name."""
    single = {} if topic.is_class or topic.kind == "sampler" else {IN_FLOAT32: single_precision(topic)}
    others = {f"alternative {number}": names for number, names in enumerate(topic.alternatives, start=1)}
    return {REFERENCE: topic.reference, **single, **others}


def single_precision(topic: Topic) -> Names:
    """The reference computed in float32; of no use for a class or a sampler, whose numbers are not given to it."""
    return {name: _in_float32(function) for name, function in topic.reference.items()}


def show_right(topic: Topic, cases: dict[str, Case]) -> Shown:
    """What every right implementation shows on the cases, by its name."""
    return {name: show(topic, names, cases.values()) for name, names in right_implementations(topic).items()}


def show(topic: Topic, names: Names, cases: Iterable[Case]) -> dict[str, Observed]:
    """What an implementation shows on each case, run in this process through the code that grades."""
    desk = LocalQuestion(names)
    shown = {}
    for case in cases:
        run = observe(topic, case)
        try:
            request = next(run)
            while True:
                request = run.send(desk.ask(request))
        except StopIteration as stop:
            shown[case.name] = stop.value
    return shown


def expect(topic: Topic, cases: dict[str, Case], shown: Shown) -> dict[str, dict[str, Expectation]]:
    """Expected values with allowed differences measured between right implementations."""
    if isinstance(topic, Sampler):
        return lawful(topic, cases, shown[REFERENCE])
    axes = axes_of(topic)
    reference = shown[REFERENCE]
    rough = shown.get(IN_FLOAT32, reference)
    others = {name: each for name, each in shown.items() if name not in (REFERENCE, IN_FLOAT32)}
    ordinary = _ordinary_sizes(topic, reference)
    expectations: dict[str, dict[str, Expectation]] = {}
    for name in cases:
        expectations[name] = {}
        for block in topic.blocks:
            if block.name not in reference[name]:
                continue
            right = _arrays(topic, name, block.name, reference)
            leaves = {}
            for key, array in right[1].items():
                exact = [_arrays(topic, name, block.name, other, who)[1][key] for who, other in others.items()]
                coarse = _arrays(topic, name, block.name, rough, IN_FLOAT32)[1][key]
                what = f"{topic.name}: {block.name}{f'[{key!r}]' if right[0] else ''} on {name!r}"
                leaves[key] = _leaf(array, exact, coarse, ordinary[block.name], what)
            expectations[name][block.name] = Expectation(right[0], leaves, axes.get(block.name, ""))
    return expectations


def _leaf(array: np.ndarray, exact: list[np.ndarray], coarse: np.ndarray, ordinary: float, what: str) -> Leaf:
    array = np.asarray(array)
    size = norm(np.where(np.isfinite(array), array, 0))
    root = max(1.0, np.sqrt(array.size))
    if array.dtype.kind in "biu":
        zero = np.zeros(())
        return Leaf(array, zero, zero, bool(array.size))
    for other in (*exact, coarse):
        if other.shape != array.shape:
            raise TopicError(f"{what}: an alternative returns shape {other.shape}, the reference {array.shape}")
    sizes = norm(np.where(np.isfinite(array), array, 0), rows=True) if array.ndim >= 2 else np.zeros(1)
    large = sizes[sizes > 0]
    rows = bool(array.ndim >= 2 and large.size > 1 and large.max() > ROWS_APART * large.min())
    scale = np.where(sizes > 0, sizes, large.min()) if rows else size
    allowed = []
    for rtol, others in ((RTOL64, exact), (RTOL32, [*exact, coarse])):
        spread = max((_distance(other, array, rows=rows) for other in others), key=np.max, default=np.zeros(()))
        bound = np.maximum(rtol * scale, SPREAD * spread)
        loose = bound / np.maximum(scale, 1e-300)
        if rtol == RTOL64 and (loose > LOOSEST).any() and float(size) > 0:
            raise TopicError(_disagreement(what, loose, spread, scale, rows=rows))
        # A row that is small because large numbers cancel in it is rounded as they are.
        least = float(np.max(scale)) / ROWS_APART if rows else 0.0
        allowed.append(np.minimum(bound, LOOSEST * np.maximum(scale, least)) if rtol == RTOL32 else bound)
    deciding = bool(float(size) / root >= NEGLIGIBLE * ordinary) and float(size) > 0
    return Leaf(array, np.asarray(allowed[0]), np.asarray(allowed[1]), deciding)


def _disagreement(what: str, loose: np.ndarray, spread: np.ndarray, scale: np.ndarray, *, rows: bool) -> str:
    """The sentence about right implementations that differ, at the row where they do so most."""
    worst = int(np.argmax(loose))
    apart, norm_there = (float(np.broadcast_to(each, np.shape(loose)).flat[worst]) for each in (spread, scale))
    where = f"row {worst}, which is compared by itself as the rows' sizes are far apart," if rows else "the block"
    return (
        f"{what}: its right implementations differ by {apart:.3g} where {where} has norm {norm_there:.3g}; "
        "draw inputs on which they agree, or mend one of them"
    )


def _distance(one: np.ndarray, other: np.ndarray, *, rows: bool) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        difference = one.astype(np.float64) - other.astype(np.float64)
    return norm(np.where(np.isfinite(difference), difference, 0.0), rows=rows)


def _ordinary_sizes(topic: Topic, reference: dict[str, Observed]) -> dict[str, float]:
    found: dict[str, list[float]] = {block.name: [] for block in topic.blocks}
    for name, shown in reference.items():
        for block in topic.blocks:
            if block.name not in shown:
                continue
            for array in _arrays(topic, name, block.name, reference)[1].values():
                finite = np.where(np.isfinite(array), array, 0).astype(np.float64)
                found[block.name].append(float(norm(finite)) / max(1.0, np.sqrt(array.size)))
    return {name: float(np.median(sizes)) if sizes else 0.0 for name, sizes in found.items()}


def _arrays(
    topic: Topic, case: str, block: str, shown: dict[str, Observed], who: str = REFERENCE
) -> tuple[str, dict[str | int, np.ndarray]]:
    value = shown[case][block]
    if isinstance(value, Failure):
        raise TopicError(f"{topic.name}: {who} failed on {case!r}: {value.doing}: {_said(value)}")
    try:
        return split(value)
    except TypeError as error:
        raise TopicError(f"{topic.name}: {block} on {case!r}: {error}") from error


def _said(failure: Failure) -> str:
    """What became of a call of the lecturer's own code."""
    detail = failure.answer.detail
    if "got" in detail:
        return f"it returned a {detail['got']}, not a tuple with an entry for each declared output"
    return f"{detail.get('type', failure.outcome)}: {detail.get('text', '')}"


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


def _in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    def computed(*arguments: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return function(*(_cast(argument) for argument in arguments))

    return computed


def _cast(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype == np.float64:
        return value.astype(np.float32)
    if isinstance(value, dict):
        return {key: _cast(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_cast(item) for item in value)
    return value
