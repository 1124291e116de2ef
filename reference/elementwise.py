"""How is a rule for one number applied to every entry, with its derivative, and where are inputs drawn for it?

What the activations share: two ways of computing one in another way, and inputs that stand on both
sides of a kink, never on it.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.topic import Array, Float


def one_by_one(rule: Callable[[float], tuple[float, float]], x: Array) -> tuple[Array, Array]:
    """`rule(value) -> (out, slope)` for one entry after another."""
    pairs = [rule(value) for value in x.ravel().tolist()]
    outs, slopes = zip(*pairs, strict=True)
    return np.array(outs).reshape(x.shape), np.array(slopes).reshape(x.shape)


def by_torch(function: Callable[[Any], Any], x: Array) -> tuple[Array, Array]:
    """A function of a tensor, entry by entry, with its automatic derivative, in double precision."""
    import torch

    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    out = function(leaf)
    (slope,) = torch.autograd.grad(out.sum(), leaf)
    return out.detach().numpy(), slope.numpy()


def logistic(z: Array) -> Array:
    """The sigmoid, by its logarithm: no exponential overflows."""
    return np.exp(-np.logaddexp(0, -z))


def either_side(rng: np.random.Generator, shape: tuple[int, ...], *, least: float = 1e-3) -> Float[Array, "..."]:
    """Normal numbers, as many above zero as below (or one more), none nearer to it than `least`."""
    count = math.prod(shape)
    signs = rng.permutation(np.resize([1.0, -1.0], count))
    return (signs * (least + np.abs(rng.normal(size=count)))).reshape(shape)


def far_out(rng: np.random.Generator) -> Float[Array, "14"]:
    """Ordinary numbers among some so far from zero that their exponential overflows or vanishes.

    One axis, so that they are compared as a whole: where a function has all but vanished, right programs
    agree about how small it is to no more than rounding.
    """
    far = np.array([1000.0, -1000.0, *(rng.uniform(750, 1000) * np.array([1, -1])), 120.0, -120.0])
    return rng.permutation(np.concatenate([far, either_side(rng, (8,))]))


def with_zeros(rng: np.random.Generator, shape: tuple[int, int], *, columns: int) -> Float[Array, "N D"]:
    """Numbers on either side of zero, in some columns exactly zero."""
    drawn = either_side(rng, shape)
    drawn[:, rng.choice(shape[1], size=columns, replace=False)] = 0.0
    return drawn
