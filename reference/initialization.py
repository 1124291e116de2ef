"""With which weights does training start?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, sampler


@sampler(lecture="000: Orthogonal Initialization", returns=("q",))
def orthogonal_init(rows: int, columns: int, rng: np.random.Generator) -> Float[Array, "R C"]:
    """A random matrix with orthonormal columns, or orthonormal rows where it is wide.

    Formula: `a` of normal numbers, tall; `a = q r` with orthonormal columns in q and r upper triangular; column j of
    q is multiplied by the sign of r[j, j]. A wide matrix is the transpose of a tall one.

    Arguments:
        rows, columns: at least 1. rng: a NumPy generator, from which alone to draw.

    Returns:
        q: (R, C) with q'q = I where R >= C, and qq' = I where C >= R.

    Numerics: without the signs q is orthogonal, too, but not uniform: they are what the algorithm of the
    decomposition makes them, and the first entry of each is never positive.

    Convention: uniform among such matrices (Haar), as in `torch.nn.init.orthogonal_` with a gain of 1.

    Example:
        >>> q = orthogonal_init(5, 3, np.random.default_rng(0))
        >>> np.allclose(q.T @ q, np.eye(3))
        True

    Source: deck 000, "Orthogonal Initialization"; Saxe, McClelland and Ganguli 2014; Mezzadri 2007.
    """
    a = rng.normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(a)
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T


@orthogonal_init.cases
def _(rng):
    yield case("tall", rows=int(rng.integers(5, 8)), columns=3)
    yield case("wide", rows=2, columns=int(rng.integers(4, 7)))
    yield case("square", rows=3, columns=3)
    yield case("one column", edge=0.1, rows=4, columns=1)
    yield case("larger", edge=0.1, rows=7, columns=9)


@orthogonal_init.law("q has as many rows and columns as asked for", hint="Which of the two comes first in a shape?")
def _(inputs, q):
    return q.shape == (inputs["rows"], inputs["columns"])


@orthogonal_init.law(
    "its columns are orthonormal, or its rows where it is wide", hint="Multiply it with its own transpose."
)
def _(inputs, q):
    tall = q if q.shape[0] >= q.shape[1] else q.T
    return bool(np.abs(tall.T.astype(np.float64) @ tall - np.eye(tall.shape[1])).max() < 1e-4)


@orthogonal_init.distribution("each entry is as often positive as negative", hint="Who decides about the signs?")
def _(inputs, draws):
    return np.sum([draw > 0 for draw in draws], axis=0), len(draws), 0.5


@orthogonal_init.distribution("no direction is more likely than another", hint="Is every entry spread in the same way?")
def _(inputs, draws):
    """Each entry is a coordinate of a uniform unit vector, whose distribution is known."""
    shares = np.array([0.25, 0.5, 0.75])
    limits = [_magnitude(share, max(inputs["rows"], inputs["columns"])) for share in shares]
    below = np.array([[np.abs(draw) < limit for limit in limits] for draw in draws])  # (K, 3, R, C)
    return below.sum(axis=0), len(draws), shares[:, None, None]


def _magnitude(share, n):
    """Below which magnitude a coordinate of a uniform unit vector in n dimensions is, for a share of them."""
    angles = np.linspace(0.0, math.pi / 2, 4001)  # of the vector to the plane where the coordinate is 0
    density = np.cos(angles) ** (n - 2)
    total = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return math.sin(float(np.interp(share * total[-1], total, angles)))


@orthogonal_init.alternative
def _(rows, columns, rng):
    """Gram and Schmidt, one vector after the other."""
    vectors = []
    for _ in range(min(rows, columns)):
        v = rng.normal(size=max(rows, columns))
        for _ in range(2):  # twice is enough for rounding
            for other in vectors:
                v = v - (other @ v) * other
        vectors.append(v / math.sqrt(v @ v))
    return np.array(vectors) if columns >= rows else np.array(vectors).T


@orthogonal_init.alternative
def _(rows, columns, rng):
    """The orthogonal part of the polar decomposition."""
    u, _, vt = np.linalg.svd(rng.normal(size=(rows, columns)), full_matrices=False)
    return u @ vt


@orthogonal_init.worked("orthonormal columns, or rows", lecture="000: Orthogonal Initialization")
def _():
    q = orthogonal_init(5, 3, np.random.default_rng(0))
    close(q.T @ q, np.eye(3))
    q = orthogonal_init(2, 4, np.random.default_rng(1))
    close(q @ q.T, np.eye(2))


orthogonal_init.misconception(
    "signs as the decomposition leaves them",
    ("q = q * np.sign(np.diag(r))", ""),
    hint="Draw a hundred, and look at the first entry of each.",
)
orthogonal_init.misconception(
    "normal numbers, not made orthogonal",
    ("return q if", "q = a; return q if"),
    hint="Multiply your matrix with its own transpose. What should come out?",
)
orthogonal_init.misconception(
    "columns of length one that are not orthogonal",
    ("return q if", "q = a / np.sqrt((a**2).sum(axis=0)); return q if"),
    hint="Multiply your matrix with its own transpose. What should stand beside the diagonal?",
)
orthogonal_init.misconception(
    "uniform numbers made orthogonal",
    ("rng.normal(size=", "rng.uniform(size="),
    hint="Which numbers have no preferred direction?",
)
orthogonal_init.misconception(
    "wide matrix not transposed",
    ("q if rows >= columns else q.T", "q"),
    hint="Which shape has yours, where there are more columns than rows?",
)
orthogonal_init.harmless(("q * np.sign(", "q / np.sign("), because="signs are 1 and -1")
orthogonal_init.harmless(("rows >= columns", "rows > columns"), because="of a square one, the transposed is as good")
