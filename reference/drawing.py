"""How are inputs drawn so that every right implementation agrees on them, in float32 as in float64?

A right answer must not fail for the seed it met. So inputs keep away from kinks and ties, and where a
small rounding would be blown up, as by huge logits, they are numbers that float32 holds exactly.
"""

import numpy as np

from autograder.topic import Array, Float


def away_from_zero(rng: np.random.Generator, shape: tuple[int, ...], *, least: float = 1e-3) -> Float[Array, "..."]:
    """Normal numbers pushed outwards, so that none is nearer to zero than `least`."""
    drawn = rng.normal(size=shape)
    return drawn + np.copysign(least, drawn)


def on_grid(numbers: Float[Array, "..."], *, step: float = 0.125) -> Float[Array, "..."]:
    """The nearest multiples of `step`, a power of two: float32 holds them exactly up to 2**24 steps."""
    return np.round(numbers / step) * step


def sign(rng: np.random.Generator) -> float:
    """-1.0 or 1.0."""
    return float(rng.choice([-1.0, 1.0]))
