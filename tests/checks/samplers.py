"""Small samplers for tests of laws and distributions, none of them the course's."""

import numpy as np

from autograder.topic import Array, Float, case, sampler

NORMAL_QUANTILES = {0.1: -1.2815515655446004, 0.5: 0.0, 0.9: 1.2815515655446004}


def make_mask():
    @sampler(lecture="tests", returns=("mask",))
    def mask(n: int, d: int, keep_prob: float, rng: np.random.Generator) -> Float[Array, "N D"]:
        """A dropout mask of n times d: 1 with probability keep_prob, else 0, as rng decides.

        >>> mask(1, 2, 1.0, np.random.default_rng(0))
        array([[1., 1.]])
        """
        return (rng.random((n, d)) < keep_prob) * 1.0

    @mask.cases
    def _(rng):
        for name, keep_prob in (("most", 0.8), ("few", 0.3), ("half", 0.5)):
            yield case(name, n=4, d=6, keep_prob=keep_prob)
        yield case("all", edge=0.2, n=3, d=2, keep_prob=1.0)

    @mask.law("a mask has the shape of what it masks")
    def _(inputs, drawn):
        return drawn.shape == (inputs["n"], inputs["d"])

    @mask.law("a mask holds zeros and ones", hint="Nothing between them.")
    def _(inputs, drawn):
        return bool(np.isin(drawn, (0, 1)).all())

    @mask.distribution("each unit is kept at the rate keep_prob", hint="Keep or drop?")
    def _(inputs, draws):
        return np.sum(draws, axis=0), len(draws), inputs["keep_prob"]

    @mask.distribution("units are kept independently of each other")
    def _(inputs, draws):
        units = np.array(draws)
        together = units.prod(axis=1).sum(axis=0)  # (K, N, D) -> (D,)
        return together, len(draws), inputs["keep_prob"] ** inputs["n"]

    @mask.alternative
    def _(n, d, keep_prob, rng):
        return rng.binomial(1, keep_prob, size=(n, d))

    mask.misconception("dropped at keep_prob", ("< keep_prob", ">= keep_prob"), hint="Keep or drop?")
    mask.misconception(
        "one mask for all examples", ("rng.random((n, d))", "rng.random(d) + np.zeros((n, 1))"), hint="?"
    )
    mask.misconception("scaled", ("* 1.0", "/ keep_prob"), hint="The mask alone.")
    return mask


def make_weights():
    @sampler(lecture="tests", returns=("w", "b"))
    def weights(fan_in: int, rng: np.random.Generator) -> tuple[Float[Array, "D"], Float[Array, "M"]]:
        """Normal weights w of variance 1 / fan_in, drawn from rng, and biases b of zero.

        >>> weights(2, np.random.default_rng(0))[1]
        array([0., 0., 0.])
        """
        return rng.normal(size=400) / np.sqrt(fan_in), np.zeros(3)

    @weights.cases
    def _(rng):
        for fan_in in (2, 7, 100):
            yield case(f"{fan_in} inputs", fan_in=fan_in)

    @weights.law("biases are zero")
    def _(inputs, drawn):
        return drawn[0].shape == (400,) and drawn[1].shape == (3,) and not drawn[1].any()

    @weights.distribution("weights are normal with variance 1 / fan_in")
    def _(inputs, draws):
        scaled = np.concatenate([w for w, _ in draws]) * np.sqrt(inputs["fan_in"])
        return [(scaled < q).sum() for q in NORMAL_QUANTILES.values()], len(scaled), list(NORMAL_QUANTILES)

    @weights.alternative
    def _(fan_in, rng):
        return fan_in**-0.5 * rng.standard_normal(400), [0.0, 0.0, 0.0]

    weights.misconception("variance for deviation", ("np.sqrt(fan_in)", "fan_in"), hint="Roots.")
    weights.misconception("uniform", ("rng.normal(size=400)", "rng.uniform(-(3**0.5), 3**0.5, size=400)"), hint="Law.")
    return weights


def make_coin(bias):
    """A coin whose misconception is a slightly unfair one."""

    @sampler(lecture="tests", returns=("tosses",))
    def coin(rng: np.random.Generator) -> Float[Array, "N"]:
        """Many tosses."""
        return (rng.random(64) < 0.5) * 1.0

    @coin.cases
    def _(rng):
        for number in range(3):
            yield case(f"coin {number}")

    @coin.law("heads or tails")
    def _(inputs, drawn):
        return drawn.shape == (64,) and bool(np.isin(drawn, (0, 1)).all())

    @coin.distribution("fair")
    def _(inputs, draws):
        return np.sum(draws), 64 * len(draws), 0.5

    coin.misconception("unfair", ("< 0.5", f"< {0.5 + bias}"), hint="Toss it often.")
    return coin
