"""Is a gradient that somebody claims right?"""

from collections.abc import Callable

import numpy as np

from autograder.topic import Array, bind, case, topic
from reference.drawing import on_grid, sign


@topic(lecture="003: Computing Gradients: Backpropagation", returns=("verdict",))
def gradient_check(f: Callable[[dict[str, Array]], float], grads: dict[str, Array], params: dict[str, Array]) -> bool:
    """Compare a claimed gradient with a numerical one.

    Formula: for each entry, `numerical = (f(p + h) - f(p - h)) / 2h` with the other entries as they are;
    for each block, `error = |claimed - numerical| / (|claimed| + |numerical|)`.

    Arguments:
        f: the loss, a number in double precision, as a function of all parameters, a dict like params.
        grads: {name: floating array}, the gradient that is claimed, with the shapes of params.
        params: {name: floating array}, where it is claimed.

    Returns:
        True where the gradient is right, as far as right programs agree: to a relative error of 1e-7;
        False where an entry or a block is off by a relative error of 1e-3 or more.

    Numerics: the difference on both sides is off by h**2, that on one side by h. A smaller h makes both
    better until rounding, which grows as 1/h, takes over: between 1e-4 and 1e-7 there is room.

    Convention: the size of a gradient says nothing about its error, so the error is relative, and
    taken for each block, since large gradients of one would hide the errors of another.

    Example:
        >>> params = {"w": np.array([1.0, 2.0])}
        >>> gradient_check(lambda p: float((p["w"] ** 2).sum()), {"w": np.array([2.0, 4.0])}, params)
        True
        >>> gradient_check(lambda p: float((p["w"] ** 2).sum()), {"w": np.array([2.0, 4.1])}, params)
        False

    Source: deck 003, "Computing Gradients: Backpropagation", which this tests; no deck shows the test.
    """
    step, tolerance = 1e-6, 1e-4
    point = {name: np.array(block, dtype=np.float64) for name, block in params.items()}
    for name, block in point.items():
        numerical = np.zeros_like(block)
        for index in np.ndindex(block.shape):
            centre = block[index]
            block[index] = centre + step
            above = f(point)
            block[index] = centre - step
            below = f(point)
            block[index] = centre
            numerical[index] = (above - below) / (2 * step)
        error = np.linalg.norm(grads[name] - numerical)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        if not error <= tolerance * size:  # written so that NaN is no proof
            return False
    return True


@gradient_check.cases
def _(rng):
    # A verdict is one bit: who sees from the names, sizes or order of what is given which it must be, has checked
    # nothing. So whatever there is with a right gradient is there with a wrong one, and the order is drawn.
    cases = list(_cases(rng))
    yield from (cases[number] for number in rng.permutation(len(cases)))


def _cases(rng):
    # Each call of f is a message to the examiner: two networks as students know them, the rest three numbers.
    for name, errors in (("right, a small network", {}), ("a small network, one entry wrong", {2: 0.3})):
        params, data, right = _drawn(rng, _network, _network_gradient)
        grads = right | {"W1": _off(right["W1"], errors)}
        yield case(name, f=bind(_network_loss, **data, scale=1.0), grads=grads, params=params)
    yield _bowl(rng, "right, near the minimum", coupling=0.0)
    yield _bowl(rng, "right, near the minimum of a tilted valley", coupling=1.0)
    yield _bowl(rng, "near the minimum, last entry wrong", coupling=1.0, errors={-1: 0.3})

    def claimed(name, spoil, scale=1.0):
        params, data, right = _drawn(rng, _neuron, _neuron_gradient)
        grads = {key: scale * block for key, block in (right | spoil(right)).items()}
        return case(name, f=bind(_neuron_loss, **data, scale=scale), grads=grads, params=params)

    yield claimed("right, a neuron", lambda right: {})
    yield claimed("right, huge values", lambda right: {}, scale=1e8)
    yield claimed("huge values, last entry wrong", lambda right: {"w": _off(right["w"], {-1: 0.3})}, scale=1e8)
    yield claimed("right, tiny values", lambda right: {}, scale=1e-6)
    yield claimed("last entry of the first block wrong", lambda right: {"w": _off(right["w"], {-1: 0.2})})
    yield claimed("last block wrong", lambda right: {"v": _off(right["v"], {-1: -0.2})})
    yield claimed("two errors that cancel", lambda right: {"w": _off(right["w"], {0: 0.2, 1: -0.2})})
    yield claimed("last block of the wrong sign", lambda right: {"v": -right["v"]})
    yield claimed("all too large by 0.4 %", lambda right: {key: 1.004 * block for key, block in right.items()})
    yield claimed("all twice too large", lambda right: {key: 2 * block for key, block in right.items()})
    for name, errors in (
        ("right, a parameter without effect", {}),
        ("beside one without effect, one wrong", {-1: 0.3}),
    ):
        params, data, right = _drawn(rng, _neuron, _neuron_gradient)
        grads = right | {"v": _off(right["v"], errors), "idle": np.zeros((2, 1))}
        params |= {"idle": np.full((2, 1), 0.5)}
        f = bind(_neuron_loss, **data, scale=1.0)
        yield case(name, edge=0.0 if errors else 0.1, f=f, grads=grads, params=params)
    too_large = "tiny values, all too large by 5 %"
    yield claimed(too_large, lambda right: {key: 1.05 * block for key, block in right.items()}, scale=1e-6)


def _off(block, errors):
    """A copy with entries off by a part of the block's largest: {flat index: part}."""
    wrong = block.copy()
    for index, part in errors.items():
        wrong.flat[index] += part * np.abs(block).max()
    return wrong


def _drawn(rng, model, gradient):
    """Parameters, data and gradient of a model, no entry of the gradient small beside the others."""
    while True:
        params, data = model(rng)
        params = {name: on_grid(block, step=2.0**-10) for name, block in params.items()}
        right = gradient(params, **data)
        sizes = np.abs(np.concatenate([block.ravel() for block in right.values()]))
        if sizes.min() >= 0.2 and sizes.max() <= 20 * sizes.min():
            return params, data, right


def _network(rng):
    params = {"W1": rng.normal(size=(2, 2)), "b1": rng.normal(size=2), "w2": 2 * rng.normal(size=2)}
    return params, {"x": rng.normal(size=(4, 2)), "y": sign(rng) * rng.uniform(2.0, 4.0, size=4)}


def _neuron(rng):
    params = {"w": rng.normal(size=(2, 1)), "v": 2 * rng.normal(size=1)}
    return params, {"x": rng.normal(size=(3, 2)), "y": sign(rng) * rng.uniform(2.0, 4.0, size=3)}


def _neuron_loss(params, x, y, scale):
    hidden = np.tanh(x @ params["w"])[:, 0]  # (N, 2) -> (N,)
    return float(scale * ((params["v"][0] * hidden - y) ** 2).mean())


def _neuron_gradient(params, x, y):
    hidden = np.tanh(x @ params["w"])[:, 0]
    slope = 2 / len(y) * (params["v"][0] * hidden - y)  # (N,)
    inner = slope * params["v"][0] * (1 - hidden**2)
    return {"w": x.T @ inner[:, None], "v": np.array([slope @ hidden])}


def _network_loss(params, x, y, scale):
    hidden = np.tanh(x @ params["W1"] + params["b1"])  # (N, 2) -> (N, 2)
    return float(scale * ((hidden @ params["w2"] - y) ** 2).mean())


def _network_gradient(params, x, y):
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    slope = 2 / len(y) * (hidden @ params["w2"] - y)  # (N,)
    inner = slope[:, None] * params["w2"] * (1 - hidden**2)  # (N,) -> (N, 2)
    return {"W1": x.T @ inner, "b1": inner.sum(axis=0), "w2": hidden.T @ slope}


def _bowl(rng, name, *, coupling, errors=None):
    """A right gradient so near to the minimum that a one-sided difference is mostly curvature.

    The loss is a quadratic form, for which the difference on both sides is exact at any step. Numbers
    on a grid, since a rounding of the parameters to float32 would be a large part of the distance.
    """
    while True:
        centre = {"w": rng.uniform(0.5, 1.0, size=1), "u": rng.uniform(-1.0, -0.5, size=(1, 2))}
        centre = {key: on_grid(block, step=2.0**-10) for key, block in centre.items()}
        steps = {key: rng.choice([-4, -3, -2, 2, 3, 4], size=block.shape) for key, block in centre.items()}
        params = {key: block + steps[key] * 2.0**-13 for key, block in centre.items()}
        tilt = coupling * rng.uniform(0.5, 1.0, size=(3, 3))
        curvature = np.triu(tilt, 1) + np.triu(tilt, 1).T + np.diag(rng.uniform(1.0, 2.0, size=3))
        slope = curvature @ _distance(params, centre)
        if np.abs(slope).min() >= 1e-4:
            grads = {"w": slope[:1], "u": _off(slope[1:].reshape(1, 2), errors or {})}
            f = bind(_bowl_height, centre=centre, curvature=curvature)
            return case(name, f=f, grads=grads, params=params)


def _bowl_height(params, centre, curvature):
    distance = _distance(params, centre)
    return float(distance @ curvature @ distance / 2)


def _distance(params, centre):
    return np.concatenate([(params[key] - centre[key]).ravel() for key in ("w", "u")])  # (1,), (1, 2) -> (3,)


@gradient_check.alternative
def _(f, grads, params):
    """Entry by entry, each compared by itself, on copies, with another step."""
    for name, block in params.items():
        for index in range(block.size):
            ends = []
            for step in (1e-5, -1e-5):
                moved = {key: value.astype(np.float64) for key, value in params.items()}
                moved[name].flat[index] += step
                ends.append(f(moved))
            numerical = (ends[0] - ends[1]) / 2e-5
            claimed = float(grads[name].flat[index])
            if abs(claimed - numerical) > 1e-5 * max(abs(claimed), abs(numerical)):
                return False
    return True


@gradient_check.alternative
def _(f, grads, params):
    """One error for all blocks joined into one vector."""
    shapes = {name: block.shape for name, block in params.items()}
    ends = np.cumsum([0, *(block.size for block in params.values())])
    joined = np.concatenate([np.ravel(block).astype(np.float64) for block in params.values()])

    def at(vector):
        return f({name: vector[ends[i] : ends[i + 1]].reshape(shape) for i, (name, shape) in enumerate(shapes.items())})

    steps = 1e-4 * np.eye(joined.size)
    numerical = np.array([(at(joined + step) - at(joined - step)) / 2e-4 for step in steps])
    claimed = np.concatenate([np.ravel(grads[name]) for name in shapes])
    return bool(np.linalg.norm(claimed - numerical) < 1e-5 * np.linalg.norm(numerical))


def _agreements(f, grads, params):
    """For wrong checkers: {block: for each entry, whether its relative error is small}."""
    agreements = {}
    for name, block in params.items():
        numerical = np.zeros(block.shape)
        for index in np.ndindex(block.shape):
            unit = np.zeros(block.shape)
            unit[index] = 1e-6
            numerical[index] = (f({**params, name: block + unit}) - f({**params, name: block - unit})) / 2e-6
        agreements[name] = np.abs(grads[name] - numerical) <= 1e-4 * np.abs(numerical)
    return agreements


@gradient_check.wrong(
    "only the first entry of each block",
    hint="How many entries does your loop visit in a block of shape (3, 2)?",
)
def _(f, grads, params):
    return all(bool(block.flat[0]) for block in _agreements(f, grads, params).values())


@gradient_check.wrong("only the first block", hint="Is there a return inside the loop over the blocks?")
def _(f, grads, params):
    return bool(next(iter(_agreements(f, grads, params).values())).all())


@gradient_check.wrong("only the last block", hint="What becomes of the verdict on one block when the next comes?")
def _(f, grads, params):
    return bool(list(_agreements(f, grads, params).values())[-1].all())


@gradient_check.wrong(
    "one right block is enough",
    hint="Is a gradient right when some of its blocks are, or when all of them are?",
)
def _(f, grads, params):
    return any(bool(block.all()) for block in _agreements(f, grads, params).values())


@gradient_check.worked("x y + x at (2, 3) has the gradient (4, 2)", lecture="003: Computing Gradients: Backpropagation")
def _():
    point = {"x": np.array([2.0]), "y": np.array([3.0])}

    def f(params):
        return float(params["x"][0] * params["y"][0] + params["x"][0])

    assert gradient_check(f, {"x": np.array([4.0]), "y": np.array([2.0])}, point)
    assert not gradient_check(f, {"x": np.array([3.0]), "y": np.array([2.0])}, point)
    assert not gradient_check(f, {"x": np.array([4.0]), "y": np.array([2.01])}, point)


gradient_check.misconception(
    "difference on one side only",
    ("block[index] = centre - step", "block[index] = centre"),
    ("(2 * step)", "step"),
    hint="Near a minimum f is nearly flat but curved. What is your numerical gradient of w**2 at w = 1e-4?",
)
gradient_check.misconception(
    "step not doubled in the denominator",
    ("(2 * step)", "step"),
    hint="How far apart are the two points at which you ask for f?",
)
gradient_check.misconception(
    "absolute error",
    ("tolerance * size", "tolerance"),
    hint="Multiply f by a million, or divide it by one. Does your verdict on the same work change?",
)
gradient_check.misconception(
    "small absolute errors accepted beside the relative ones",
    ("tolerance * size", "tolerance * size + 1e-6"),
    hint="Divide f by a million. How large may an error be then, for your checker to notice it?",
)
gradient_check.misconception(
    "nothing divided by nothing",
    ("error <= tolerance * size", "(error / size if size else np.nan) <= tolerance"),
    hint="What is your relative error where both the claimed gradient and the numerical one are 0?",
)
gradient_check.misconception(
    "signed errors added up",
    ("np.linalg.norm(grads[name] - numerical)", "abs((grads[name] - numerical).sum())"),
    hint="One entry too large and one too small: what is the sum of the errors?",
)
gradient_check.misconception(
    "only the lengths compared",
    (
        "np.linalg.norm(grads[name] - numerical)",
        "abs(np.linalg.norm(grads[name]) - np.linalg.norm(numerical))",
    ),
    hint="Two vectors can be equally long and point in opposite directions.",
)
gradient_check.misconception(
    "parameter left where it was moved to",
    ("block[index] = centre\nnumerical[index]", "numerical[index]"),
    hint="At which point do you ask for the second entry's derivative? Print the parameters before and after.",
)
gradient_check.misconception(
    "step too small",
    ("1e-6, 1e-4", "1e-14, 1e-4"),
    hint="A float64 has 16 digits. How many of them are left in f(p + h) - f(p - h)?",
)
gradient_check.misconception(
    "step too large",
    ("1e-6, 1e-4", "0.1, 1e-4"),
    hint="How good is a straight line over the distance of your step?",
)
gradient_check.misconception(
    "tolerance too large",
    ("1e-6, 1e-4", "1e-6, 1e-2"),
    hint="Which relative error must your checker still notice?",
)
gradient_check.harmless(
    ("step, tolerance = 1e-6, 1e-4", "step, tolerance = 2e-06, 1e-4"),
    ("step, tolerance = 1e-6, 1e-4", "step, tolerance = 1e-6, 0.0002"),
    because="the text leaves room for either",
)
gradient_check.harmless(("np.zeros_like(block)", "np.ones_like(block)"), because="every entry is written over")
gradient_check.harmless(
    ("np.linalg.norm(grads[name]) + np.linalg.norm(numerical)", "np.linalg.norm(grads[name])"),
    ("np.linalg.norm(grads[name]) + np.linalg.norm(numerical)", "np.linalg.norm(numerical)"),
    because="where the two are nearly equal, that is a factor of two in the tolerance",
)
