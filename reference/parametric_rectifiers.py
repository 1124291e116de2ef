"""How steep is a rectifier below zero, if its slopes are learned, or drawn?

PReLU learns its slopes, so it is a layer with a backward; RReLU draws them, and what is drawn is an
argument. At x = 0 the derivative is the one from the left, as for all rectifiers here.
"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer, topic
from reference.elementwise import by_torch, either_side, with_zeros


def prelu_forward(x: Float[Array, "N D"], a: Float[Array, "D"]) -> tuple[Float[Array, "N D"], Opaque]:
    """A leaky ReLU whose slopes are learned, one for each feature.

    Formula: `out[n, d] = x[n, d] where x[n, d] > 0, else a[d] x[n, d]`.

    Arguments:
        x: (N, D) floating, one example a row. a: (D,) floating, the slopes below zero.

    Returns:
        out: (N, D). cache: whatever backward needs.

    Convention: `torch.nn.functional.prelu(x, a)`. Deck 002 has a slope for each neuron i; its
    max(a x, x) is the same where a < 1.

    Example:
        >>> out, cache = prelu_forward(np.array([[-2.0, -2.0], [1.0, 0.0]]), np.array([0.1, 0.5]))
        >>> out.tolist()
        [[-0.2, -1.0], [1.0, 0.0]]

    Source: deck 002, table of activation functions; deck 000, table; He et al. 2015.
    """
    return np.where(x > 0, x, a * x), (x, a)


def prelu_backward(dout: Float[Array, "N D"], cache: Opaque) -> tuple[Float[Array, "N D"], Float[Array, "D"]]:
    """Gradients of a loss with respect to input and slopes of a PReLU.

    Formula: `dx = dout where x > 0, else a dout`; `da[d] = sum_n dout[n, d] x[n, d] where x[n, d] <= 0`.

    Arguments:
        dout: (N, D) floating, the gradient of the loss with respect to out. cache: as forward left it.

    Returns:
        dx: (N, D). da: (D,), summed over N: any mean is already in dout.

    Convention: at exactly 0 the derivative is a, as in PyTorch; deck 000's table has 1 there.

    Example:
        >>> _, cache = prelu_forward(np.array([[-2.0, -2.0], [1.0, 0.0]]), np.array([0.1, 0.5]))
        >>> dx, da = prelu_backward(np.array([[1.0, 10.0], [1.0, 10.0]]), cache)
        >>> dx.tolist(), da.tolist()
        ([[0.1, 5.0], [1.0, 5.0]], [-2.0, -20.0])

    Source: deck 002, table of activation functions; He et al. 2015, section 2.1.
    """
    x, a = cache
    dx = np.where(x > 0, dout, a * dout)
    da = np.where(x > 0, 0, dout * x).sum(axis=0)  # (N, D) -> (D,)
    return dx, da


prelu = layer(prelu_forward, prelu_backward, lecture="002: table of activation functions", gradients=("x", "a"))


@prelu.cases
def _(rng):
    yield case("ordinary", x=either_side(rng, (6, 4)), a=rng.uniform(0.1, 0.9, size=4))
    yield case("one example", x=2 * either_side(rng, (1, 9)), a=rng.uniform(0.1, 0.9, size=9))
    yield case("more features than examples", x=either_side(rng, (3, 7)), a=rng.uniform(-0.5, 0.5, size=7))
    yield case("as many features as examples", x=either_side(rng, (5, 5)), a=rng.uniform(0.1, 0.9, size=5))
    # The derivative by a is 0 there whatever the convention; dx is where it shows.
    yield case("exact zeros", edge=0.15, x=with_zeros(rng, (6, 8), columns=3), a=rng.uniform(0.1, 0.9, size=8))
    yield case("slopes above 1", edge=0.15, x=either_side(rng, (5, 3)), a=rng.uniform(1.2, 1.9, size=3))


@prelu.alternative
def _():
    """One number after another."""

    def forward(x, a):
        out = x.copy()
        for n, d in np.ndindex(x.shape):
            if x[n, d] <= 0:
                out[n, d] *= a[d]
        return out, (x.tolist(), a.tolist())

    def backward(dout, cache):
        x, a = cache
        dx = [
            [each if value > 0 else each * slope for each, value, slope in zip(slopes, row, a, strict=True)]
            for slopes, row in zip(dout.tolist(), x, strict=True)
        ]
        da = [math.fsum(min(row[d], 0.0) * dout[n, d] for n, row in enumerate(x)) for d in range(len(a))]
        return np.array(dx), np.array(da)

    return forward, backward


@prelu.alternative
def _():
    """PyTorch's automatic differentiation, in double precision."""

    def forward(x, a):
        import torch

        leaves = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (x, a)]
        out = torch.nn.functional.prelu(*leaves)
        return out.detach().numpy(), (out, leaves)

    def backward(dout, cache):
        import torch

        out, leaves = cache
        return tuple(each.numpy() for each in torch.autograd.grad(out, leaves, torch.tensor(dout)))

    return forward, backward


@prelu.worked("two features with slopes of their own", lecture="002: table of activation functions")
def _():
    out, cache = prelu_forward(np.array([[-2.0, -2.0], [1.0, 0.0]]), np.array([0.1, 0.5]))
    close(out, [[-0.2, -1.0], [1.0, 0.0]])
    dx, da = prelu_backward(np.array([[1.0, 10.0], [1.0, 10.0]]), cache)
    close(dx, [[0.1, 5.0], [1.0, 5.0]])  # 0.5 times 10 at exactly 0
    close(da, [-2.0, -20.0])


prelu.misconception(
    "gradient of the slopes not summed over the batch",
    ("np.where(x > 0, 0, dout * x).sum(axis=0)", "np.where(x > 0, 0, dout * x)"),
    hint="One slope serves all N examples. What shape must its gradient have?",
)
prelu.misconception(
    "gradient of the slopes averaged over the batch",
    ("np.where(x > 0, 0, dout * x).sum(axis=0)", "np.where(x > 0, 0, dout * x).mean(axis=0)"),
    hint="Where a loss is a mean, its 1/N is already in dout. What happens if it is applied again?",
)
prelu.misconception(
    "gradient of the slopes summed over the features",
    ("np.where(x > 0, 0, dout * x).sum(axis=0)", "np.where(x > 0, 0, dout * x).sum(axis=1)"),
    hint="Each feature has its own slope. Which axis of dout may not disappear?",
)
prelu.misconception(
    "gradient of the slopes from the positive side too",
    ("np.where(x > 0, 0, dout * x)", "(dout * x)"),
    hint="Does the output of a positive input change when its slope changes?",
)
prelu.misconception(
    "gradient of the slopes without the input",
    ("np.where(x > 0, 0, dout * x)", "np.where(x > 0, 0, dout)"),
    hint="Below zero the output is a product of two numbers. What is its derivative by one of them?",
)
prelu.misconception(
    "gradient of the slopes from the output",
    ("np.where(x > 0, 0, dout * x)", "np.where(x > 0, 0, dout * a * x)"),
    hint="Below zero the output is a product of two numbers. Which of them stays when you derive by the other?",
)
prelu.misconception(
    "gradient of the slopes without dout",
    ("np.where(x > 0, 0, dout * x)", "np.where(x > 0, 0, x)"),
    hint="One of your gradients does not depend on dout. What does the chain rule multiply?",
)
prelu.misconception(
    "input's gradient cut off below zero",
    ("np.where(x > 0, dout, a * dout)", "np.where(x > 0, dout, 0)"),
    hint="This is ReLU's backward. Does the output of a negative input change with it here?",
)
prelu.misconception(
    "mask taken from dout",
    ("np.where(x > 0, dout, a * dout)", "np.where(dout > 0, dout, a * dout)"),
    hint="Which of forward's numbers decides on which side of the corner an entry is?",
)
prelu.misconception(
    "upstream gradient left out of dx",
    ("np.where(x > 0, dout, a * dout)", "np.where(x > 0, 1.0, a)"),
    hint="This is the derivative of PReLU alone. What does the chain rule multiply it with?",
)
prelu.misconception(
    "the larger one of x and a x",
    ("np.where(x > 0, x, a * x), (x, a)", "np.maximum(x, a * x), (x, a)"),
    hint="The slopes are learned and may become anything. Which is larger, -1 or 2 times -1?",
)
prelu.misconception(
    "slopes taken by example",
    ("np.where(x > 0, x, a * x), (x, a)", "np.where(x > 0, x, (a * x.T).T), (x, a)"),
    hint="Does a[0] belong to the first example or to the first feature?",
)
prelu.misconception(
    "derivative 1 at exactly 0",
    ("np.where(x > 0, dout, a * dout)", "np.where(x >= 0, dout, a * dout)"),
    hint="Which derivative does the question fix at exactly 0?",
)
prelu.misconception(
    "gradients in another order",
    ("return dx, da", "return da, dx"),
    hint="In which order does the question ask for the gradients? Compare shapes.",
)
prelu.harmless(
    ("x > 0, x, a * x", "x >= 0, x, a * x"), ("x > 0, 0, dout * x", "x >= 0, 0, dout * x"), because="at 0 both are 0"
)


@topic(lecture="000: RReLU", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def rrelu(
    x: Float[Array, "..."], slopes: Float[Array, "..."], low: float, high: float, train: bool
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """A leaky ReLU with random slopes while training and their mean afterwards, and its derivative.

    Formula: `a = slopes if train else (low + high) / 2`; `out = x where x > 0, else a x`;
    `slope = 1 where x > 0, else a`.

    Arguments:
        x: floating, of any shape. slopes: the shape of x, drawn evenly between low and high, one for each
            entry; not used in test mode. low, high: numbers. train: True while training.

    Returns:
        out: the shape of x. slope: the shape of x, d out / d x.

    Convention: the slopes multiply, as in deck 000 and `torch.nn.functional.rrelu`; Xu et al. divide by
    them. The mean is that of the distribution, not of the slopes at hand. At exactly 0 the derivative is
    that of the left.

    Example:
        >>> x, slopes = np.array([-2.0, -2.0, 3.0]), np.array([0.1, 0.3, 0.2])
        >>> rrelu(x, slopes, 0.1, 0.5, True)[0].tolist(), rrelu(x, slopes, 0.1, 0.5, False)[0].tolist()
        ([-0.2, -0.6, 3.0], [-0.6, -0.6, 3.0])

    Source: deck 000, RReLU beside Leaky ReLU and PReLU; Xu et al. 2015.
    """
    a = slopes if train else np.full(x.shape, (low + high) / 2)
    return np.where(x > 0, x, a * x), np.where(x > 0, 1.0, a)


@rrelu.cases
def _(rng):
    for name, shape, train, scale in (
        ("training", (6, 5), True, 1.0),
        ("training, one example", (1, 9), True, 2.0),
        ("training, images", (2, 3, 4, 2), True, 1.0),
        ("test", (5, 4), False, 1.0),
        ("test, a vector", (8,), False, 2.0),
        ("test, sequences", (3, 4, 2), False, 1.0),
    ):
        yield case(name, x=scale * either_side(rng, shape), **_slopes(rng, shape), train=train)
    yield case("exact zeros", edge=0.1, x=with_zeros(rng, (5, 8), columns=3), **_slopes(rng, (5, 8)), train=True)


def _slopes(rng, shape):
    """Slopes whose own mean stays away from that of their distribution: a power of the even draw."""
    low, high = float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.4, 0.7))
    return {"slopes": low + (high - low) * rng.uniform(size=shape) ** 3, "low": low, "high": high}


@rrelu.alternative
def _(x, slopes, low, high, train):
    """One number after another."""
    pairs = zip(x.ravel().tolist(), slopes.ravel().tolist(), strict=True)
    factors = [1.0 if value > 0 else slope if train else 0.5 * low + 0.5 * high for value, slope in pairs]
    factor = np.array(factors).reshape(x.shape)
    return factor * x, factor


@rrelu.alternative
def _(x, slopes, low, high, train):
    """PyTorch in double precision; its own draw of slopes replaced by those given."""
    import torch

    if train:
        return by_torch(lambda leaf: torch.where(leaf > 0, leaf, torch.tensor(slopes) * leaf), x)
    return by_torch(lambda leaf: torch.nn.functional.rrelu(leaf, low, high, training=False), x)


@rrelu.worked("the drawn slopes, then their mean", lecture="000: RReLU")
def _():
    x, slopes = np.array([-2.0, -2.0, 3.0]), np.array([0.1, 0.3, 0.2])
    out, slope = rrelu(x, slopes, 0.1, 0.5, True)
    close(out, [-0.2, -0.6, 3.0])
    close(slope, [0.1, 0.3, 1.0])
    out, slope = rrelu(x, slopes, 0.1, 0.5, False)
    close(out, [-0.6, -0.6, 3.0])
    close(slope, [0.3, 0.3, 1.0])


rrelu.misconception(
    "random slopes in test mode too",
    ("slopes if train else np.full(x.shape, (low + high) / 2)", "slopes"),
    hint="In test mode the same input should give the same output, whatever was drawn.",
)
rrelu.misconception(
    "mean slope while training too",
    ("slopes if train else np.full(x.shape, (low + high) / 2)", "np.full(x.shape, (low + high) / 2)"),
    hint="Which of the arguments does your result not depend on while training?",
)
rrelu.misconception(
    "modes swapped",
    ("if train else", "if not train else"),
    hint="In which mode are the slopes random?",
)
rrelu.misconception(
    "mean of the drawn slopes",
    ("(low + high) / 2", "slopes.mean()"),
    hint="In test mode nothing that was drawn may matter. Which mean does the distribution have?",
)
rrelu.misconception(
    "mean of the bounds not halved",
    ("(low + high) / 2", "low + high"),
    hint="Does your slope in test mode lie between the two bounds?",
)
rrelu.misconception(
    "half of the interval in place of its middle",
    ("(low + high) / 2", "(high - low) / 2"),
    hint="Does your slope in test mode lie in the middle between the two bounds?",
)
rrelu.misconception(
    "divided by the slopes",
    ("np.where(x > 0, x, a * x), np.where(x > 0, 1.0, a)", "np.where(x > 0, x, x / a), np.where(x > 0, 1.0, 1 / a)"),
    hint="Your negative outputs are larger than the inputs. The paper divides; what does the slide do?",
)
rrelu.misconception(
    "slopes on both sides",
    ("np.where(x > 0, x, a * x), np.where(x > 0, 1.0, a)", "a * x, a"),
    hint="What should happen to a positive input?",
)
rrelu.misconception(
    "derivative of ReLU",
    ("np.where(x > 0, 1.0, a)", "np.where(x > 0, 1.0, 0.0)"),
    hint="Below zero the function is a line too. How steep is it there?",
)
rrelu.misconception(
    "derivative 1 at exactly 0",
    ("np.where(x > 0, 1.0, a)", "np.where(x >= 0, 1.0, a)"),
    hint="Which derivative does the question fix at exactly 0?",
)
rrelu.harmless(("x > 0, x, a * x", "x >= 0, x, a * x"), because="at 0 both are 0")
