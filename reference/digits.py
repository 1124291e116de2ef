"""Which images of digits has nobody seen before?

Handwritten digits that everybody can look up are shifted, rotated and noised at random, so that those a
network is examined on exist nowhere but in the suite.
"""

import functools
from pathlib import Path

import numpy as np

from autograder.topic import Array, Float, Int

CLASSES = 10
SIDE = 8  # pixels
_LARGEST = 16  # of a pixel, in the file
_SHIFT = 0.4  # pixels, the most each way
_TURN = 0.2  # radians, the most each way
_NOISE = 0.1  # standard deviation, where ink is 1 and paper 0
_GREY = 0.3  # about the mean of all pixels, subtracted: networks learn faster from numbers around 0


def digits(rng: np.random.Generator, *counts: int) -> list[tuple[Float[Array, "N 64"], Int[Array, "N"]]]:
    """Sets of digit-like images with their labels, no two sets sharing an original.

    counts: the size of each set, a multiple of 10: every class is equally frequent, so that a constant
    answer is right one time in ten. Returns (x, y) for each: x (N, 64), about -0.3 where there is paper and
    0.7 where there is ink; y (N,), the digits.
    """
    images, labels = _originals()
    picked: list[list[Array]] = [[] for _ in counts]
    for each in range(CLASSES):
        start = 0
        mine = rng.permutation(np.flatnonzero(labels == each))
        for number, count in enumerate(counts):
            picked[number].append(mine[start : start + count // CLASSES])
            start += count // CLASSES
    sets = []
    for parts in picked:
        rows = rng.permutation(np.concatenate(parts))
        x = moved(rng, images[rows]) + _NOISE * rng.normal(size=(len(rows), SIDE, SIDE))
        sets.append((x.reshape(len(rows), SIDE * SIDE) - _GREY, labels[rows]))  # (N, 8, 8) -> (N, 64)
    return sets


def moved(rng: np.random.Generator, images: Float[Array, "N S S"]) -> Float[Array, "N S S"]:
    """Each image shifted and turned by its own amounts; what comes in from outside is paper.

    Where a pixel comes from lies between four others, whose average is taken, the nearer ones counting
    more.
    """
    n, side = len(images), images.shape[1]
    angle = rng.uniform(-_TURN, _TURN, size=(n, 1, 1))
    shift = rng.uniform(-_SHIFT, _SHIFT, size=(2, n, 1, 1))
    centre = (side - 1) / 2
    down, right = np.mgrid[:side, :side][:, None] - centre  # (2, 1, S, S) -> twice (1, S, S)
    margin = 1 + side // 2  # wide enough that no source lies outside: corners come from less than 3 pixels off
    wide = np.pad(images, ((0, 0), (margin, margin), (margin, margin)))
    row = np.cos(angle) * down - np.sin(angle) * right + shift[0] + centre + margin  # (N, S, S)
    column = np.sin(angle) * down + np.cos(angle) * right + shift[1] + centre + margin
    above, left = np.floor(row).astype(int), np.floor(column).astype(int)
    lower, later = row - above, column - left
    at = np.arange(n)[:, None, None]
    return (
        (1 - lower) * (1 - later) * wide[at, above, left]
        + (1 - lower) * later * wide[at, above, left + 1]
        + lower * (1 - later) * wide[at, above + 1, left]
        + lower * later * wide[at, above + 1, left + 1]
    )


@functools.cache
def _originals() -> tuple[Float[Array, "N 8 8"], Int[Array, "N"]]:
    with np.load(Path(__file__).parent / "data" / "digits.npz") as file:
        return file["images"] / _LARGEST, file["labels"].astype(np.int64)
