"""How are units left out by chance, so that none relies on another?"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer, sampler


@sampler(lecture="002: Dropout", returns=("mask",))
def dropout_mask(n: int, d: int, keep_prob: float, rng: np.random.Generator) -> Float[Array, "N D"]:
    """A mask that keeps each of D units for each of N examples with some probability.

    Formula: `mask[i, j]` is 1 with the probability keep_prob and else 0, each by itself.

    Arguments:
        n, d: at least 1. keep_prob: in (0, 1]. rng: a NumPy generator, from which alone to draw.

    Returns:
        (N, D) of zeros and ones.

    Convention: keep_prob is the probability to keep, as in deck 002's code, where it is called p. In its text and in
    `torch.nn.Dropout` p is the probability to drop. The mask is not divided by it here.

    Example:
        >>> dropout_mask(2, 3, 1.0, np.random.default_rng(0)).tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]

    Source: deck 002, "Dropout"; Srivastava et al. 2014.
    """
    return (rng.random((n, d)) < keep_prob) * 1.0


@dropout_mask.cases
def _(rng):
    for name, n, d, low in (("most are kept", 4, 5, 0.88), ("few are kept", 5, 3, 0.1), ("wide", 3, 6, 0.6)):
        yield case(name, n=n, d=d, keep_prob=float(rng.uniform(low, low + 0.05)))
    yield case("all are kept", edge=0.1, n=3, d=4, keep_prob=1.0)


@dropout_mask.law("a mask has the shape of what it masks", hint="One number for each unit of each example.")
def _(inputs, mask):
    return mask.shape == (inputs["n"], inputs["d"])


@dropout_mask.law("a mask holds zeros and ones", hint="Kept is 1, dropped is 0; scaling belongs elsewhere.")
def _(inputs, mask):
    return bool(np.isin(mask, (0, 1)).all())


@dropout_mask.law("with keep_prob = 1 nothing is dropped", hint="What should the mask be, if all units are kept?")
def _(inputs, mask):
    return inputs["keep_prob"] < 1 or bool(mask.all())


@dropout_mask.distribution("each unit is kept at the rate keep_prob", hint="Is it the rate to keep, or to drop?")
def _(inputs, masks):
    return np.sum(masks, axis=0), len(masks), inputs["keep_prob"]


@dropout_mask.distribution("two units are not dropped together", hint="How many numbers do you draw?")
def _(inputs, masks):
    alike = np.sum([(mask[:, :-1] == mask[:, 1:]).all(axis=0) for mask in masks], axis=0)  # (K, N, D) -> (D - 1,)
    return alike, len(masks), _alike(inputs["keep_prob"]) ** inputs["n"]


@dropout_mask.distribution("two examples are not masked together", hint="Has each example a mask of its own?")
def _(inputs, masks):
    alike = np.sum([(mask[:-1] == mask[1:]).all(axis=1) for mask in masks], axis=0)  # (K, N, D) -> (N - 1,)
    return alike, len(masks), _alike(inputs["keep_prob"]) ** inputs["d"]


def _alike(keep_prob):
    """The probability that two units have one fate."""
    return keep_prob**2 + (1 - keep_prob) ** 2


@dropout_mask.distribution("how many units are kept is left to chance", hint="Does that number ever change?")
def _(inputs, masks):
    units, p = inputs["n"] * inputs["d"], inputs["keep_prob"]
    expected = round(p * units)
    as_expected = math.comb(units, expected) * p**expected * (1 - p) ** (units - expected)
    return sum(mask.sum() == expected for mask in masks), len(masks), as_expected


@dropout_mask.alternative
def _(n, d, keep_prob, rng):
    """Bernoulli numbers from the generator."""
    return rng.binomial(1, keep_prob, size=(n, d))


@dropout_mask.alternative
def _(n, d, keep_prob, rng):
    """One unit after the other."""
    return np.array([[float(rng.uniform() <= keep_prob) for _ in range(d)] for _ in range(n)])


@dropout_mask.worked("nothing dropped, and a mask of zeros and ones", lecture="002: Dropout")
def _():
    close(dropout_mask(2, 3, 1.0, np.random.default_rng(0)), [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    mask = dropout_mask(100, 100, 0.8, np.random.default_rng(1))
    assert set(np.unique(mask)) == {0, 1}
    close(np.mean(mask), 0.8, within=0.03)


dropout_mask.misconception(
    "keep and drop probability swapped",
    ("< keep_prob", "> keep_prob"),
    hint="With a keep_prob of 0.9, how many of ten units are left?",
)
dropout_mask.misconception(
    "one mask for all examples",
    ("(n, d)) < keep_prob) * 1.0", "(1, d)) < keep_prob) * np.ones((n, d))"),
    hint="Are the same units dropped for every example of yours?",
)
dropout_mask.misconception(
    "whole examples dropped",
    ("(n, d)) < keep_prob) * 1.0", "(n, 1)) < keep_prob) * np.ones((n, d))"),
    hint="Is it units that are dropped in your mask, or examples?",
)
dropout_mask.misconception(
    "scaled already",
    ("* 1.0", "/ keep_prob"),
    hint="This mask says which units are kept, and nothing more.",
)
dropout_mask.misconception(
    "always half of the units",
    ("keep_prob) * 1.0", "0.5) * 1.0"),
    hint="Which of the arguments does your mask not depend on?",
)
dropout_mask.harmless(
    ("< keep_prob) * 1.0", "< keep_prob) / 1.0"),
    ("(rng.random((n, d)) < keep_prob) * 1.0", "(rng.random((n, d)) < keep_prob)"),
    because="true and false are 1 and 0",
)
dropout_mask.harmless(("< keep_prob", "<= keep_prob"), because="that a number drawn is just keep_prob has no chance")


@dropout_mask.wrong(
    "exactly a share of the units, not each by itself", hint="Does the number of kept units ever change?"
)
def _(n, d, keep_prob, rng):
    mask = np.zeros(n * d)
    mask[: round(keep_prob * n * d)] = 1.0
    return rng.permutation(mask).reshape(n, d)


def dropout_forward(
    x: Float[Array, "N D"], mask: Float[Array, "N D"], keep_prob: float, training: bool
) -> tuple[Float[Array, "N D"], Opaque]:
    """Forward of inverted dropout: scaled in training, so that nothing is to be done in testing.

    Formula: in training `out = x mask / keep_prob`; in testing `out = x`.

    Arguments:
        x: (N, D) floating. mask: (N, D) of zeros and ones. keep_prob: in (0, 1]. training: which of the modes.

    Returns:
        out: (N, D). cache: whatever backward needs.

    Convention: inverted dropout, as `torch.nn.Dropout`. Deck 002's first form leaves training unscaled and multiplies
    by keep_prob in testing.

    Example:
        >>> x, mask = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]])
        >>> dropout_forward(x, mask, 0.5, True)[0].tolist(), dropout_forward(x, mask, 0.5, False)[0].tolist()
        ([[2.0, 0.0]], [[1.0, 2.0]])

    Source: deck 002, "Dropout"; Srivastava et al. 2014.
    """
    scale = mask / keep_prob if training else np.ones_like(x)
    return x * scale, scale


def dropout_backward(dout: Float[Array, "N D"], cache: Opaque) -> Float[Array, "N D"]:
    """Gradient of dropout: it goes where the signal went, by the same factor.

    Arguments:
        dout: (N, D), gradient of the loss by out. cache: of the forward.

    Returns:
        dx: (N, D).

    Example:
        >>> _, cache = dropout_forward(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]]), 0.5, True)
        >>> dropout_backward(np.array([[3.0, 4.0]]), cache).tolist()
        [[6.0, 0.0]]

    Source: deck 002, "Dropout".
    """
    return dout * cache


dropout = layer(dropout_forward, dropout_backward, lecture="002: Dropout", gradients=("x",))


@dropout.cases
def _(rng):
    yield case("training", **_masked(rng, 6, 4), training=True)
    # So few that who drops nothing moves in another direction, and is not taken for a slip in the forward.
    yield case("training, few are kept", **_masked(rng, 6, 9, kept=6), training=True)
    yield case("training, tall", **_masked(rng, 11, 2), training=True)
    yield case("inputs of 0", edge=0.1, **_some_zero(_masked(rng, 5, 6)), training=True)
    yield case("testing", **_masked(rng, 5, 4), training=False)
    yield case("testing, one example", **_masked(rng, 1, 7), training=False)


def _some_zero(drawn):
    """Half of the units that are kept put in a 0, as after a ReLU."""
    x, kept = drawn["x"].copy(), np.flatnonzero(drawn["mask"])
    x.flat[kept[::2]] = 0.0
    return {**drawn, "x": x}


def _masked(rng, n, d, kept=None):
    """Data, and a mask that keeps so many units; without a number, more than half of them."""
    kept = (n * d + 2) // 2 if kept is None else kept
    mask = rng.permutation(np.arange(n * d) < kept).reshape(n, d) * 1.0
    return {"x": rng.normal(size=(n, d)), "mask": mask, "keep_prob": float(rng.uniform(0.3, 0.8))}


@dropout.alternative
def _():
    """What is dropped is set to zero in a copy."""

    def forward(x, mask, keep_prob, training):
        out = np.array(x, dtype=np.float64)
        if training:
            out[mask == 0] = 0.0
            out /= keep_prob
        return out, (mask, keep_prob, training)

    def backward(dout, cache):
        mask, keep_prob, training = cache
        return np.where(mask > 0, dout / keep_prob, 0.0) if training else np.array(dout)

    return forward, backward


@dropout.worked("one of two units is kept", lecture="002: Dropout")
def _():
    x, mask = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]])
    out, cache = dropout_forward(x, mask, 0.5, True)
    close(out, [[2.0, 0.0]])
    close(dropout_backward(np.array([[3.0, 4.0]]), cache), [[6.0, 0.0]])
    out, cache = dropout_forward(x, mask, 0.5, False)
    close(out, x)


dropout.misconception(
    "mask taken from the output",
    ("return x * scale, scale", "return x * scale, np.where(x * scale == 0, 0, scale)"),
    hint="A unit that was kept may put out 0 all the same. Does your backward know it from one that was dropped?",
)
dropout.misconception(
    "not scaled in training",
    ("mask / keep_prob", "mask"),
    hint="Where half of the units are dropped, how large is the sum of the others, if you do nothing about it?",
)
dropout.misconception(
    "scaled in testing instead of training",
    ("mask / keep_prob if training else np.ones_like(x)", "mask if training else keep_prob * np.ones_like(x)"),
    hint="This is inverted dropout. In which mode is nothing to be done?",
)
dropout.misconception(
    "dropped in testing as well",
    ("if training else np.ones_like(x)", ""),
    hint="Which units are left out when your network is tested?",
)
dropout.misconception(
    "modes swapped",
    ("if training", "if not training"),
    hint="In which of the two modes does yours drop units?",
)
dropout.misconception(
    "scaled by the drop probability",
    ("mask / keep_prob", "mask / (1 - keep_prob)"),
    hint="If nearly all are kept, how much is there to make up for?",
)
dropout.misconception(
    "mask forgotten in backward",
    ("x * scale, scale", "x * scale, scale.max()"),
    hint="What does a unit that was dropped have to do with the loss?",
)
dropout.misconception(
    "scale forgotten in backward",
    ("x * scale, scale", "x * scale, scale > 0"),
    hint="The derivative of x times a number is that number. Which one is it in training?",
)
