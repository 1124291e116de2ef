"""What is an update rule stepped with? Parameters, gradients and slopes, of any shape.

Parameters are numbers that float32 holds exactly, and gradients keep away from zero: there an adaptive rule
divides one rounding by another.
"""

import numpy as np

from autograder.topic import Array, Float, bind
from reference.drawing import away_from_zero, on_grid

SHAPES = {"a vector": (5,), "a matrix": (3, 4), "a single number": (), "four axes": (2, 3, 2, 2)}


def walk(rng: np.random.Generator, shape: tuple[int, ...], *, steps: int) -> dict[str, Array]:
    """A start, and a gradient for each step. They grow and shrink, and lean to one side, as on a slope."""
    lean = rng.choice([-1.0, 1.0], size=shape)
    sizes = rng.permutation(np.geomspace(0.5, 2.0, steps)).reshape(-1, *[1] * len(shape))
    return {"w": start(rng, shape), "dw": sizes * away_from_zero(rng, (steps, *shape), least=0.2) + 0.1 * lean}


def flat(rng: np.random.Generator) -> dict[str, Array]:
    """One parameter of three never meets a slope, another one steep ones."""
    drawn = walk(rng, (3,), steps=4)
    return {**drawn, "dw": drawn["dw"] * np.array([1.0, 0.0, 30.0])}


def forgetting_rates(rng: np.random.Generator) -> dict[str, float]:
    """A rho that is not one half, where it could be taken for 1 - rho, and an eps that is large enough to be seen."""
    return {
        "lr": float(rng.uniform(0.1, 0.3)),
        "rho": float(rng.uniform(0.7, 0.9)),
        "eps": float(rng.uniform(0.2, 0.6)),
    }


def start(rng: np.random.Generator, shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Where the parameters are before the first step; of several, one is where a bias begins, at 0."""
    at = np.asarray(on_grid(rng.normal(size=shape), step=2.0**-10))
    if at.size > 1:
        at.flat[0] = 0.0
    return at


def hill(rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, object]:
    """A start on a hillside, and its slope as a function, in which every parameter depends on all."""
    size = int(np.prod(shape))
    lean = rng.uniform(0.5, 1.5, size=(size, size)) / size + np.eye(size)
    centre = rng.normal(size=size)
    offset = rng.choice([-1.0, 1.0], size=size) * rng.uniform(1.0, 2.0, size=size)
    at = np.asarray(on_grid((centre + offset).reshape(shape), step=2.0**-10))
    return {"w": at, "grad": bind(_slope, lean=lean.T @ lean, centre=centre)}


def _slope(w, lean, centre):
    away = np.ravel(w).astype(np.float64) - centre  # (*shape,) -> (D,)
    slope = (np.tanh(lean @ away) + 0.3 * away).reshape(np.shape(w))
    # Who works in single precision must not get a mixture of both, which would be judged as double.
    return slope.astype(np.float32) if np.asarray(w).dtype == np.float32 else slope
