"""What is done to features before a model sees them?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.drawing import on_grid, sign


@topic(lecture="002: Normalization of the data", returns=("train_z", "test_z"))
def standardize(
    train: Float[Array, "N D"], test: Float[Array, "M D"]
) -> tuple[Float[Array, "N D"], Float[Array, "M D"]]:
    """Features with mean 0 and standard deviation 1 over the training examples.

    Formula: `z[n, d] = (x[n, d] - mean[d]) / std[d]`, mean and std of column d of `train`, for both.

    Arguments:
        train: (N, D) floating, one example a row. test: (M, D) floating, other examples.

    Returns:
        train_z: (N, D). test_z: (M, D).

    Numerics: the deviation is taken from centred numbers; the mean of the squares less the square of the
    mean would lose the digits that count where the mean is large. A column with the same value in every
    training example has std 0: it is centred and divided by 1, so that it becomes zeros and not NaN.

    Convention: std divides by N, as deck 002 and `numpy.std` do. (`torch.std` divides by N - 1.) Test
    examples are scaled by what was measured on the training examples: nothing is learned from them.

    Example:
        >>> train_z, test_z = standardize(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 5.0]]))
        >>> train_z.tolist(), test_z.tolist()
        ([[-1.0, 0.0], [1.0, 0.0]], [[2.0, 0.0]])

    Source: deck 002, normalisation of the data, "Z-score" (deviation over the n examples of a feature).
    """
    mean = train.mean(axis=0)  # (N, D) -> (D,)
    std = train.std(axis=0)
    std = np.where(std == 0, 1.0, std)
    return (train - mean) / std, (test - mean) / std


@standardize.cases
def _(rng):
    for name, n, m, d in (
        ("ordinary", 9, 5, 3),
        ("wide", 6, 4, 7),
        ("one feature", 8, 3, 1),
        ("one test example", 7, 1, 4),
    ):
        yield case(name, **_measured(rng, n, m, d))
    # Sums of multiples of 1/8 are exact, in float32 too, so the deviation is zero for everyone.
    inputs = _measured(rng, 8, 3, 4)
    column, constant = rng.integers(4), sign(rng) * on_grid(rng.uniform(1.0, 9.0))
    inputs["train"][:, column] = inputs["test"][:, column] = constant
    yield case("a constant column", edge=0.3, **inputs)


def _measured(rng, n, m, d):
    """Columns of different units, none with a deviation that is small beside its mean."""
    shift, unit = rng.uniform(-3.0, 3.0, size=d), rng.uniform(0.5, 4.0, size=d)
    return {name: (shift + rng.normal(size=(size, d))) * unit for name, size in (("train", n), ("test", m))}


@standardize.alternative
def _(train, test):
    """One column after another."""
    found = [np.zeros(train.shape), np.zeros(test.shape)]
    for d, column in enumerate(train.T.tolist()):
        mean = math.fsum(column) / len(column)
        variance = math.fsum((value - mean) ** 2 for value in column) / len(column)
        for scaled, given in zip(found, (train, test), strict=True):
            scaled[:, d] = [(value - mean) / (math.sqrt(variance) or 1.0) for value in given[:, d].tolist()]
    return tuple(found)


@standardize.alternative
def _(train, test):
    """PyTorch, in double precision."""
    import torch

    seen, unseen = (torch.tensor(each, dtype=torch.float64) for each in (train, test))
    std, mean = torch.std_mean(seen, dim=0, correction=0)
    std[std == 0] = 1.0
    return ((seen - mean) / std).numpy(), ((unseen - mean) / std).numpy()


@standardize.worked("two training examples, by hand", lecture="002: Normalization of the data")
def _():
    # The mean is 2 and the deviation 1; the second feature is the same in both examples.
    train_z, test_z = standardize(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 5.0]]))
    close(train_z, [[-1.0, 0.0], [1.0, 0.0]])
    close(test_z, [[2.0, 0.0]])


standardize.misconception(
    "test examples scaled by their own mean and deviation",
    ("(test - mean) / std", "(test - test.mean(axis=0)) / np.where(test.std(axis=0) == 0, 1.0, test.std(axis=0))"),
    hint="If one test example comes alone, what would its mean and deviation be?",
)
standardize.misconception(
    "mean and deviation of all examples, test included",
    ("train.mean(axis=0)", "np.concatenate([train, test]).mean(axis=0)"),
    ("train.std(axis=0)", "np.concatenate([train, test]).std(axis=0)"),
    hint="May anything that you learn from test examples enter what the model is trained on?",
)
standardize.misconception(
    "one mean and deviation for all features",
    ("train.mean(axis=0)", "train.mean()"),
    ("train.std(axis=0)", "train.std()"),
    hint="A length in metres and a weight in grams: should they share one mean?",
)
standardize.misconception(
    "each example standardized over its features",
    ("(train - mean) / std", "(train - train.mean(axis=1)[:, None]) / np.maximum(train.std(axis=1), 1e-9)[:, None]"),
    ("(test - mean) / std", "(test - test.mean(axis=1)[:, None]) / np.maximum(test.std(axis=1), 1e-9)[:, None]"),
    hint="Which axis holds the examples? The mean of a feature is taken over them.",
)
standardize.misconception(
    "deviation divided by N - 1",
    ("train.std(axis=0)", "train.std(axis=0, ddof=1)"),
    hint="What is the standard deviation of your train_z? The question says by what to divide.",
)
standardize.misconception(
    "divided by the variance",
    ("train.std(axis=0)", "train.var(axis=0)"),
    hint="If a feature is given in centimetres instead of metres, does your result stay the same?",
)
standardize.misconception(
    "not centred",
    ("(train - mean) / std", "train / std"),
    ("(test - mean) / std", "test / std"),
    hint="What is the mean of your train_z?",
)
standardize.misconception(
    "constant column divided by zero",
    ("np.where(std == 0, 1.0, std)", "std"),
    hint="What is the standard deviation of a feature that is the same in every example?",
)
standardize.harmless(("std == 0, 1.0, std", "std == 0, 2.0, std"), because="what it divides is 0")


@topic(lecture="002: Normalization of the data", returns=("scaled",))
def min_max_scale(x: Float[Array, "N D"]) -> Float[Array, "N D"]:
    """Features that go from 0 to 1.

    Formula: `scaled[n, d] = (x[n, d] - min[d]) / (max[d] - min[d])`, min and max of column d.

    Arguments:
        x: (N, D) floating, one example a row.

    Returns:
        (N, D): in each column the smallest value is 0 and the largest 1.

    Numerics: where a column is constant its range is 0; it becomes zeros, not NaN.

    Convention: each column by itself, from 0 to 1. (scikit-learn's `MinMaxScaler` is the same, also for a
    constant column.)

    Example:
        >>> min_max_scale(np.array([[1.0, 7.0], [2.0, 7.0], [5.0, 7.0]])).tolist()
        [[0.0, 0.0], [0.25, 0.0], [1.0, 0.0]]

    Source: deck 002, normalisation of the data, to [0, 1].
    """
    low, high = x.min(axis=0), x.max(axis=0)  # (N, D) -> (D,)
    extent = high - low
    extent = np.where(extent == 0, 1.0, extent)
    return (x - low) / extent


@min_max_scale.cases
def _(rng):
    yield case("ordinary", x=_measured(rng, 7, 1, 3)["train"])
    yield case("wide", x=_measured(rng, 5, 1, 8)["train"])
    yield case("one feature", x=_measured(rng, 9, 1, 1)["train"])
    yield case("all below zero", x=-10.0 - np.abs(_measured(rng, 6, 1, 4)["train"]))
    x = _measured(rng, 6, 1, 4)["train"]
    x[:, rng.integers(4)] = sign(rng) * on_grid(rng.uniform(1.0, 9.0))
    yield case("a constant column", edge=0.3, x=x)


@min_max_scale.alternative
def _(x):
    """One column after another."""
    columns = []
    for column in x.T.tolist():
        low, high = min(column), max(column)
        columns.append([(value - low) / (high - low) if high > low else 0.0 for value in column])
    return np.array(columns).T


@min_max_scale.alternative
def _(x):
    """PyTorch, in double precision."""
    import torch

    given = torch.tensor(x, dtype=torch.float64)
    low, high = torch.aminmax(given, dim=0)
    return torch.nan_to_num((given - low) / (high - low), nan=0.0).numpy()


@min_max_scale.worked("three examples, by hand", lecture="002: Normalization of the data")
def _():
    x = np.array([[1.0, 7.0], [2.0, 7.0], [5.0, 7.0]])
    close(min_max_scale(x), [[0.0, 0.0], [0.25, 0.0], [1.0, 0.0]])


min_max_scale.misconception(
    "one range for all features",
    ("x.min(axis=0), x.max(axis=0)", "x.min(), x.max()"),
    hint="Does each of your columns reach both 0 and 1?",
)
min_max_scale.misconception(
    "each example scaled over its features",
    ("(x - low) / extent", "(x - x.min(axis=1)[:, None]) / np.maximum(np.ptp(x, axis=1), 1e-9)[:, None]"),
    hint="Which axis holds the examples? The range of a feature is taken over them.",
)
min_max_scale.misconception(
    "smallest value not subtracted",
    ("(x - low) / extent", "x / extent"),
    hint="What becomes of the smallest value of a column in yours?",
)
min_max_scale.misconception(
    "divided by the largest value instead of the range",
    ("high - low", "high"),
    hint="What becomes of the largest value of a column in yours? Try a column from 3 to 5.",
)
min_max_scale.misconception(
    "mean subtracted instead of the smallest value",
    ("(x - low) / extent", "(x - x.mean(axis=0)) / extent"),
    hint="Should any of the scaled values be negative?",
)
min_max_scale.misconception(
    "scaled to -1 and 1",
    ("(x - low) / extent", "2 * (x - low) / extent - 1"),
    hint="Which number should the smallest value of a column become?",
)
min_max_scale.misconception(
    "constant column divided by zero",
    ("np.where(extent == 0, 1.0, extent)", "extent"),
    hint="What is the range of a feature that is the same in every example?",
)
min_max_scale.harmless(("extent == 0, 1.0, extent", "extent == 0, 2.0, extent"), because="what it divides is 0")


@topic(lecture="003: The Problem of Overfitting", returns=("features",))
def polynomial_features(x: Float[Array, "N"], degree: int) -> Float[Array, "N K"]:
    """Powers of a number, so that a linear model can draw a curve.

    Formula: `features[n, k - 1] = x[n]**k` for k = 1 to degree.

    Arguments:
        x: (N,) floating. degree: K >= 1.

    Returns:
        (N, K): the first column is x itself, the last its highest power.

    Convention: no column of ones, since the bias of the model stands for it. (scikit-learn's
    `PolynomialFeatures` puts one first unless `include_bias=False`; `numpy.vander` begins with the
    highest power.)

    Example:
        >>> polynomial_features(np.array([2.0, -1.0]), 3).tolist()
        [[2.0, 4.0, 8.0], [-1.0, 1.0, -1.0]]

    Source: deck 003, "The Problem of Overfitting": the curves of its figure.
    """
    return x[:, None] ** np.arange(1, degree + 1)  # (N, 1) ** (K,) -> (N, K)


@polynomial_features.cases
def _(rng):
    for name, n, degree in (("ordinary", 6, 3), ("one example", 1, 4), ("high degree", 5, 7), ("as many", 4, 4)):
        yield case(name, x=_bases(rng, n), degree=degree)
    yield case("degree one", edge=0.2, x=_bases(rng, 5), degree=1)


def _bases(rng, n):
    """Numbers that float32 holds exactly: NumPy raises a float32 to whole powers in float64."""
    return rng.choice([-1.0, 1.0], size=n) * on_grid(rng.uniform(0.6, 1.6, size=n), step=2.0**-10)


@polynomial_features.alternative
def _(x, degree):
    """Each power from the one before, and no exponent."""
    rows = []
    for number in x.tolist():
        row = [number]
        while len(row) < degree:
            row.append(row[-1] * number)
        rows.append(row)
    return np.array(rows)


@polynomial_features.alternative
def _(x, degree):
    """NumPy's Vandermonde matrix, without its column of ones."""
    return np.vander(np.asarray(x, dtype=np.float64), degree + 1, increasing=True)[:, 1:]


@polynomial_features.worked("powers of 2 and of -1", lecture="003: The Problem of Overfitting")
def _():
    close(polynomial_features(np.array([2.0, -1.0]), 3), [[2.0, 4.0, 8.0], [-1.0, 1.0, -1.0]])


polynomial_features.misconception(
    "a column of ones in front",
    ("np.arange(1, degree + 1)", "np.arange(degree + 1)"),
    hint="Which part of a linear model does a column of ones stand for? It has one already.",
)
polynomial_features.misconception(
    "powers from 0 to degree - 1",
    ("np.arange(1, degree + 1)", "np.arange(degree)"),
    hint="Where does range begin, and where does it end? Look at your last column.",
)
polynomial_features.misconception(
    "highest power first",
    ("np.arange(1, degree + 1)", "np.arange(degree, 0, -1)"),
    hint="Which power stands in the first column of yours?",
)
polynomial_features.misconception(
    "multiples instead of powers",
    ("x[:, None] ** np.arange(1, degree + 1)", "x[:, None] * np.arange(1, degree + 1)"),
    hint="A linear model of your features is still a straight line in x. What is missing?",
)
polynomial_features.misconception(
    "powers of two only",
    ("np.arange(1, degree + 1)", "2 ** np.arange(degree)"),
    hint="Squaring the column before skips powers. Which ones are in yours?",
)
polynomial_features.misconception(
    "sign of negative numbers lost",
    ("x[:, None]", "np.abs(x)[:, None]"),
    hint="What is the third power of -1?",
)
