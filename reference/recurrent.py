"""How does a network read a sequence, and how does the gradient go back through time?"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer


def rnn_forward(
    x: Float[Array, "N T D"],
    h0: Float[Array, "N H"],
    wx: Float[Array, "D H"],
    wh: Float[Array, "H H"],
    b: Float[Array, "H"],
) -> tuple[Float[Array, "N T H"], Opaque]:
    """Forward of a recurrent layer: one state, read on and on.

    Formula: `h[:, t] = tanh(x[:, t] wx + h[:, t - 1] wh + b)`, with h0 before the first step.

    Arguments:
        x: (N, T, D) floating. h0: (N, H). wx: (D, H). wh: (H, H). b: (H,).

    Returns:
        out: (N, T, H), the states after each step. cache: whatever backward needs.

    Convention: rows times matrices, `h wh`; `torch.nn.RNN` keeps transposed matrices, and two biases.

    Example:
        >>> out, _ = rnn_forward(np.zeros((1, 2, 1)), np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.zeros(1))
        >>> out.round(4).tolist()
        [[[0.7616], [0.642]]]

    Source: deck 004, its slides of recurrent networks; deck 003, "Recurrent Neural Networks".
    """
    h, states = h0, [h0]
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ wx + h @ wh + b)  # (N, D) @ (D, H) -> (N, H)
        states.append(h)
    return np.stack(states[1:], axis=1), (x, states, wx, wh)


def rnn_backward(
    dout: Float[Array, "N T H"], cache: Opaque
) -> tuple[Float[Array, "N T D"], Float[Array, "N H"], Float[Array, "D H"], Float[Array, "H H"], Float[Array, "H"]]:
    """Gradients of a recurrent layer: backpropagation through time.

    Arguments:
        dout: (N, T, H), gradient of the loss by all states. cache: of the forward.

    Returns:
        dx: (N, T, D); dh0: (N, H); dwx: (D, H); dwh: (H, H); db: (H,).

    Backward: from the last step to the first, dh being 0 behind the last: `dh = dh + dout[:, t]`;
    `da = dh (1 - h[:, t]**2)`; `dx[:, t] = da wx'`; dwx, dwh and db add up over the steps; `dh = da wh'`.
    What is left at the end is dh0.

    Example:
        >>> one = np.ones((1, 1))
        >>> _, cache = rnn_forward(np.zeros((1, 1, 1)), 0 * one, one, 2 * one, np.zeros(1))
        >>> [each.ravel().tolist() for each in rnn_backward(np.ones((1, 1, 1)), cache)]
        [[1.0], [2.0], [0.0], [0.0], [1.0]]

    Source: deck 003, its slides of backpropagation through time; deck 004, its slides of the gradient of h0.
    """
    x, states, wx, wh = cache
    dx, dwx, dwh, db = np.empty_like(x), np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(wh[0])
    dh = np.zeros_like(states[0])
    for t in reversed(range(x.shape[1])):
        dh = dh + dout[:, t]
        da = dh * (1 - states[t + 1] ** 2)  # (N, H)
        dx[:, t] = da @ wx.T
        dwx = dwx + x[:, t].T @ da
        dwh = dwh + states[t].T @ da
        db = db + da.sum(axis=0)
        dh = da @ wh.T
    return dx, dh, dwx, dwh, db


rnn = layer(
    rnn_forward,
    rnn_backward,
    lecture="004: Recurrent Neural Networks",
    gradients=("x", "h0", "wx", "wh", "b"),
)


@rnn.cases
def _(rng):
    yield case("ordinary", **_drawn(rng, n=3, t=4, d=2, h=5))
    yield case("long", **_drawn(rng, n=2, t=9, d=3, h=2))
    yield case("wide input", **_drawn(rng, n=4, t=3, d=6, h=3))
    yield case("one step", edge=0.1, **_drawn(rng, n=3, t=1, d=2, h=4))
    yield case("one example, one unit", edge=0.1, **_drawn(rng, n=1, t=5, d=2, h=1))


def _drawn(rng, *, n, t, d, h):
    """Weights with which states neither saturate nor die away."""
    return {
        "x": rng.normal(size=(n, t, d)),
        "h0": rng.uniform(-0.8, 0.8, size=(n, h)),
        "wx": 0.6 * rng.normal(size=(d, h)) / math.sqrt(d),
        "wh": 0.9 * rng.normal(size=(h, h)) / math.sqrt(h),
        "b": 0.3 * rng.normal(size=h),
    }


@rnn.alternative
def _():
    """One matrix over input, state and a one; the example's gradients kept step by step and summed at the end."""

    def forward(x, h0, wx, wh, b):
        n, steps, d = x.shape
        whole, path = np.vstack([wx, wh, b[None, :]]).astype(np.float64), []
        h = np.asarray(h0, dtype=np.float64)
        for t in range(steps):
            joined = np.concatenate([x[:, t], h, np.ones((n, 1))], axis=1)  # (N, D + H + 1)
            e = np.exp(-2 * np.abs(joined @ whole))
            h = np.sign(joined @ whole) * (1 - e) / (1 + e)
            path.append((joined, h))
        return np.array([h for _, h in path]).swapaxes(0, 1), (path, whole, d)

    def backward(dout, cache):
        path, whole, d = cache
        later, inputs, products = 0.0, [], []
        for (joined, h), upstream in zip(reversed(path), reversed(dout.swapaxes(0, 1)), strict=True):
            inner = (upstream + later) * (1 - h) * (1 + h)
            below = inner @ whole[:-1].T
            inputs.append(below[:, :d])
            later = below[:, d:]
            products.append(joined.T @ inner)
        total = np.sum(products, axis=0)
        return np.array(inputs[::-1]).swapaxes(0, 1), later, total[:d], total[d:-1], total[-1]

    return forward, backward


@rnn.worked("one unit, two steps", lecture="004: Recurrent Neural Networks")
def _():
    one = np.ones((1, 1))
    out, cache = rnn_forward(np.zeros((1, 2, 1)), one, one, one, np.zeros(1))
    close(out, [[[math.tanh(1)], [math.tanh(math.tanh(1))]]])
    # The loss is the last state alone: its gradient by h0 goes through both steps.
    _dx, dh0, *_others = rnn_backward(np.array([[[0.0], [1.0]]]), cache)
    close(dh0, [[(1 - math.tanh(math.tanh(1)) ** 2) * (1 - math.tanh(1) ** 2)]])


rnn.misconception(
    "gradient of the next step not added",
    ("dh = dh + dout[:, t]", "dh = dout[:, t]"),
    hint="A state is seen by the loss and by the next step. From how many sides does its gradient come?",
)
rnn.misconception(
    "gradient of shared weights overwritten",
    ("dwx = dwx + x[:, t].T @ da", "dwx = x[:, t].T @ da"),
    ("dwh = dwh + states[t].T @ da", "dwh = states[t].T @ da"),
    ("db = db + da.sum(axis=0)", "db = da.sum(axis=0)"),
    hint="The same weights are used at every step. What is left of the gradients of the other steps?",
)
rnn.misconception(
    "gradient by h0 dropped",
    ("return dx, dh, dwx", "return dx, np.zeros_like(dh), dwx"),
    hint="Does the loss change if the first state does?",
)
rnn.misconception(
    "gradient by h0 before it went through the first step",
    ("dh = dh + dout[:, t]", "dh = last = dh + dout[:, t]"),
    ("return dx, dh", "return dx, last"),
    hint="Is what you return the gradient of the state before the first step, or after it?",
)
rnn.misconception(
    "state not carried",
    ("h @ wh + b)", "h0 @ wh + b)"),
    hint="What does the third step of yours know of the second one?",
)
rnn.misconception(
    "state after the step in the gradient of wh",
    ("dwh + states[t].T", "dwh + states[t + 1].T"),
    hint="By which state is wh multiplied at a step, the one before it or the one after it?",
)
rnn.misconception(
    "slope of tanh at the state before",
    ("1 - states[t + 1] ** 2", "1 - states[t] ** 2"),
    hint="Which value of tanh belongs to this step? Its slope is 1 less its square.",
)
rnn.misconception(
    "slope of tanh left out",
    ("dh * (1 - states[t + 1] ** 2)", "dh"),
    hint="What stands between the sum of a step and its state?",
)
rnn.misconception(
    "wh not transposed in backward",
    ("dh = da @ wh.T", "dh = da @ wh"),
    hint="If the state is multiplied by wh from the right, by what is its gradient multiplied?",
)
rnn.harmless(("np.zeros_like(states[0])", "np.zeros_like(states[1])"), because="all states have one shape")
