"""What is expected on each case, and how far off may a right answer be? Measured between right implementations."""

import numpy as np

from autograder.checks.distribution import lawful
from autograder.suite.right import IN_FLOAT32, REFERENCE, Shown
from autograder.topic.case import Case
from autograder.topic.declare import Topic, axes_of
from autograder.topic.kinds import Failure, Observed
from autograder.topic.parts import TopicError
from autograder.topic.sampling import Sampler
from autograder.values.compare import Expectation, Leaf, norm, split

RTOL64 = 1e-7  # relative to the norm of the block, for answers in float64
RTOL32 = 1e-4  # and in float32
SPREAD = 10.0  # times the largest difference measured between right implementations
LOOSEST = 1e-2  # a block on which right implementations differ by more cannot be judged
ROWS_APART = 1e3  # rows that differ more in size are compared one by one
NEGLIGIBLE = 1e-6  # of a block's ordinary size: below, only finiteness is looked at


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
