"""How is a layer kept at mean zero and variance one, while it trains and when it is tested?"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer, topic
from reference.drawing import away_from_zero


def batchnorm_forward(
    x: Float[Array, "N D"], gamma: Float[Array, "D"], beta: Float[Array, "D"], eps: float
) -> tuple[Float[Array, "N D"], Opaque]:
    """Forward of batch normalisation, as in training: every feature by the statistics of the batch.

    Formula: `mean = mean over N of x`, `var = mean over N of (x - mean)**2`, `xhat = (x - mean) / sqrt(var + eps)`,
    `out = gamma xhat + beta`.

    Arguments:
        x: (N, D) floating. gamma, beta: (D,) floating. eps: positive.

    Returns:
        out: (N, D). cache: whatever backward needs.

    Numerics: the variance is that of differences; mean of x**2 less mean**2 cancels.

    Convention: the variance divides by N (biased) and eps is inside the root, as in `torch.nn.BatchNorm1d`.

    Example:
        >>> out, _ = batchnorm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), 3.0)
        >>> out.tolist()
        [[4.0], [6.0]]

    Source: deck 002, "Batch Normalization (BN)"; Ioffe and Szegedy 2015.
    """
    centred = x - x.mean(axis=0)  # (N, D) - (D,) -> (N, D)
    std = np.sqrt((centred**2).mean(axis=0) + eps)
    xhat = centred / std
    return gamma * xhat + beta, (xhat, gamma, std)


def batchnorm_backward(
    dout: Float[Array, "N D"], cache: Opaque
) -> tuple[Float[Array, "N D"], Float[Array, "D"], Float[Array, "D"]]:
    """Gradients of batch normalisation: mean and variance depend on every example.

    Arguments:
        dout: (N, D), gradient of the loss by out. cache: of the forward.

    Returns:
        dx: (N, D); dgamma: (D,); dbeta: (D,).

    Backward: `dbeta = sum over N of dout`; `dgamma = sum over N of dout xhat`;
    `dx = gamma / std (dout - mean(dout) - xhat mean(dout xhat))`.

    Example:
        >>> _, cache = batchnorm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), 3.0)
        >>> [each.tolist() for each in batchnorm_backward(np.array([[1.0], [0.0]]), cache)]
        [[[0.375], [-0.375]], [-0.5], [1.0]]

    Source: deck 002, "Batch Normalization (BN)"; Ioffe and Szegedy 2015.
    """
    xhat, gamma, std = cache
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dx = gamma / std * (dout - dout.mean(axis=0) - xhat * (dout * xhat).mean(axis=0))
    return dx, dgamma, dbeta


batchnorm = layer(
    batchnorm_forward,
    batchnorm_backward,
    lecture="002: Batch Normalization (BN)",
    gradients=("x", "gamma", "beta"),
)


@batchnorm.cases
def _(rng):
    yield case("ordinary", **_batch(rng, 8, 5))
    yield case("wide", **_batch(rng, 4, 9))
    yield case("tall", **_batch(rng, 15, 2))
    yield case("far from zero", **_batch(rng, 6, 3, shift=20.0))
    yield case("a feature that does not vary", edge=0.1, **_flat(rng))


def _batch(rng, n, d, shift=1.0):
    """Features of several sizes; eps is large enough to be seen."""
    x = rng.normal(size=(n, d)) * rng.uniform(0.5, 2.0, size=d) + shift * rng.normal(size=d)
    return {"x": x, **_affine(rng, d), "eps": float(rng.uniform(0.05, 0.2))}


def _affine(rng, d):
    return {"gamma": away_from_zero(rng, (d,), least=0.3), "beta": rng.normal(size=d)}


def _flat(rng):
    drawn = _batch(rng, 8, 4)
    drawn["x"][:, 2] = 0.5
    return drawn


@batchnorm.alternative
def _():
    """By the chain rule, step by step, through variance and mean."""

    def forward(x, gamma, beta, eps):
        x = np.asarray(x, dtype=np.float64)
        return (x - np.mean(x, 0)) * (np.var(x, 0) + eps) ** -0.5 * gamma + beta, (x, np.asarray(gamma), eps)

    def backward(dout, cache):
        x, gamma, eps = cache
        n = len(x)
        centred, var = x - x.mean(axis=0), x.var(axis=0)
        dxhat = dout * gamma
        dvar = (dxhat * centred).sum(axis=0) * -0.5 * (var + eps) ** -1.5
        dmean = -dxhat.sum(axis=0) * (var + eps) ** -0.5
        dx = dxhat * (var + eps) ** -0.5 + 2 * centred * dvar / n + dmean / n
        return dx, (dout * centred).sum(axis=0) * (var + eps) ** -0.5, dout.sum(axis=0)

    return forward, backward


@batchnorm.alternative
def _():
    """Feature by feature, in plain numbers; dx by the full Jacobian of one feature."""

    def forward(x, gamma, beta, eps):
        out, kept = np.empty(np.shape(x)), []
        for j, column in enumerate(np.asarray(x, dtype=np.float64).T):
            mean = math.fsum(column) / len(column)
            std = math.sqrt(math.fsum((value - mean) ** 2 for value in column) / len(column) + eps)
            hat = (column - mean) / std
            out[:, j] = float(gamma[j]) * hat + float(beta[j])
            kept.append((hat, float(gamma[j]), std))
        return out, kept

    def backward(dout, kept):
        dx, dgamma = np.empty(np.shape(dout)), []
        for j, (hat, scale, std) in enumerate(kept):
            n = len(hat)
            jacobian = scale / std * (np.eye(n) - 1 / n - np.outer(hat, hat) / n)
            dx[:, j] = jacobian @ np.asarray(dout, dtype=np.float64)[:, j]
            dgamma.append(math.fsum(dout[:, j] * hat))
        return dx, np.array(dgamma), np.array([math.fsum(column) for column in np.asarray(dout).T])

    return forward, backward


@batchnorm.worked("a batch of two", lecture="002: Batch Normalization (BN)")
def _():
    # Mean 2, variance 1, and with eps = 3 a root of 2: xhat is -1/2 and 1/2.
    out, cache = batchnorm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), 3.0)
    close(out, [[4.0], [6.0]])
    dx, dgamma, dbeta = batchnorm_backward(np.array([[1.0], [0.0]]), cache)
    close(dx, [[0.375], [-0.375]])
    close(dgamma, [-0.5])
    close(dbeta, [1.0])


batchnorm.misconception(
    "mean and deviation taken for constants",
    ("(dout - dout.mean(axis=0) - xhat * (dout * xhat).mean(axis=0))", "dout"),
    hint="If one example moves, does the mean stay? What does that do to the others?",
)
batchnorm.misconception(
    "deviation taken for a constant",
    ("- xhat * (dout * xhat).mean(axis=0)", ""),
    hint="If one example moves away from the mean, does the deviation stay?",
)
batchnorm.misconception(
    "mean taken for a constant",
    ("- dout.mean(axis=0)", ""),
    hint="If one example moves, does the mean stay? What does that do to the others?",
)
batchnorm.misconception(
    "unbiased variance",
    ("(centred**2).mean(axis=0)", "(centred**2).sum(axis=0) / (len(x) - 1)"),
    hint="By what is the sum of squares divided, by N or by N - 1? The question's formula says which.",
)
batchnorm.misconception(
    "eps outside of the root",
    ("np.sqrt((centred**2).mean(axis=0) + eps)", "np.sqrt((centred**2).mean(axis=0)) + eps"),
    hint="Is eps added before or after the root is taken?",
)
batchnorm.misconception(
    "eps left out",
    (".mean(axis=0) + eps)", ".mean(axis=0))"),
    hint="What do you do with a feature that does not vary?",
)
batchnorm.misconception(
    "divided by the variance",
    ("np.sqrt((centred**2).mean(axis=0) + eps)", "(centred**2).mean(axis=0) + eps"),
    hint="Which variance has your xhat? It should be nearly 1.",
)
batchnorm.misconception(
    "examples normalised instead of features",
    ("x - x.mean(axis=0)", "x - x.mean(axis=1, keepdims=True)"),
    ("(centred**2).mean(axis=0) + eps", "(centred**2).mean(axis=1, keepdims=True) + eps"),
    hint="That is layer normalisation. Over which axis does a batch have its mean?",
)
batchnorm.misconception(
    "gamma missing in dx",
    ("gamma / std * (dout", "1 / std * (dout"),
    hint="out is gamma times xhat. What does the gradient by x have to do with gamma?",
)
batchnorm.misconception(
    "dgamma of x instead of xhat",
    ("dgamma = (dout * xhat)", "dgamma = (dout * xhat * std)"),
    hint="By what is gamma multiplied in the forward?",
)
batchnorm.misconception(
    "dgamma and dbeta averaged",
    ("dbeta = dout.sum(axis=0)", "dbeta = dout.mean(axis=0)"),
    ("dgamma = (dout * xhat).sum(axis=0)", "dgamma = (dout * xhat).mean(axis=0)"),
    hint="gamma and beta are used by every example. What happens to gradients of what is used several times?",
)


class BatchNorm:
    """Batch normalisation with its two modes and its memory.

    Formula: with `training=True` as `batchnorm_forward`, and the running statistics move towards those of the batch:
    `running = (1 - momentum) running + momentum batch`. With `training=False` the running statistics take the place
    of the batch's: `out = gamma (x - running_mean) / sqrt(running_var + eps) + beta`, and nothing is remembered.

    Arguments:
        gamma, beta: (D,) floating. momentum: in (0, 1). eps: positive.
        forward(x, training): x (N, D).

    Returns:
        An object with `forward`, which returns (N, D), and the attributes `running_mean`, `running_var`, both (D,),
        which start at 0 and at 1.

    Numerics: a batch of one is right in testing, and has no variance in training.

    Convention: the batch is normalised by its biased variance, but the unbiased one, divided by N - 1, goes into
    `running_var`; and momentum is the weight of the new batch. Both as in `torch.nn.BatchNorm1d`.

    Example:
        >>> bn = BatchNorm(np.array([1.0]), np.array([0.0]), 0.5, 1e-5)
        >>> _ = bn.forward(np.array([[1.0], [3.0]]), True)
        >>> bn.running_mean.tolist(), bn.running_var.tolist()
        ([1.0], [1.5])

    Source: deck 002, "Batch Normalization (BN)"; Ioffe and Szegedy 2015.
    """

    def __init__(self, gamma, beta, momentum, eps):
        self.gamma, self.beta, self.momentum, self.eps = gamma, beta, momentum, eps
        self.running_mean, self.running_var = np.zeros(gamma.shape), np.ones(gamma.shape)

    def forward(self, x, training):
        mean, var = self.running_mean, self.running_var
        if training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            unbiased = var * len(x) / (len(x) - 1)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * unbiased
        return self.gamma * (x - mean) / np.sqrt(var + self.eps) + self.beta


batch_norm = topic(
    lecture="002: Batch Normalization (BN)",
    returns=("train_out", "test_out", "running_mean", "running_var"),
)(BatchNorm)


@batch_norm.cases
def _(rng):
    for name, sizes, d in (("ordinary", (6, 6, 6), 4), ("batches that differ", (4, 9), 3), ("many", (5,) * 6, 2)):
        yield case(name, build=_life(rng, sizes, d, tested=5))
    yield case("a single example is tested", edge=0.15, build=_life(rng, (7, 4), 3, tested=1))
    yield case("tested before it was trained", edge=0.1, build=_life(rng, (), 4, tested=3))


def _life(rng, sizes, d, *, tested):
    """Some batches of training, then a test, twice: testing must leave no trace."""
    affine, rates = _affine(rng, d), (float(rng.uniform(0.15, 0.35)), float(rng.uniform(0.05, 0.2)))
    shift = rng.normal(size=d)
    batches = [rng.normal(size=(n, d)) * rng.uniform(0.5, 2.0, size=d) + shift for n in sizes]
    test = rng.normal(size=(tested, d)) + 1.0

    def build(BatchNorm):
        bn = BatchNorm(affine["gamma"], affine["beta"], *rates)
        outs = [bn.forward(batch, True) for batch in batches]
        bn.forward(test, False)
        shown = {"test_out": bn.forward(test, False), "running_mean": bn.running_mean, "running_var": bn.running_var}
        return {**shown, "train_out": outs[-1]} if outs else shown

    return build


@batch_norm.alternative
def _():
    """Moves the memory by a part of the difference; the moments in plain numbers."""

    class Other:
        def __init__(self, gamma, beta, momentum, eps):
            self.affine, self.rate, self.eps = (gamma, beta), momentum, eps
            self.running_mean, self.running_var = np.array([0.0] * len(gamma)), np.array([1.0] * len(gamma))

        def forward(self, x, training):
            used_mean, used_var = self.running_mean, self.running_var
            if training:
                n = len(x)
                used_mean = np.array([math.fsum(column) / n for column in x.T])
                squares = np.array([math.fsum((column - m) ** 2) for column, m in zip(x.T, used_mean, strict=True)])
                used_var = squares / n
                self.running_mean = self.running_mean + self.rate * (used_mean - self.running_mean)
                self.running_var = self.running_var + self.rate * (squares / (n - 1) - self.running_var)
            scale = self.affine[0] / (used_var + self.eps) ** 0.5
            return x * scale + (self.affine[1] - used_mean * scale)

    return Other


@batch_norm.worked("one batch of training, and a test", lecture="002: Batch Normalization (BN)")
def _():
    bn = BatchNorm(np.array([1.0]), np.array([0.0]), 0.5, 0.0)
    close(bn.forward(np.array([[1.0], [3.0]]), True), [[-1.0], [1.0]])
    # The mean moves half of the way from 0 to 2, and the variance from 1 to 2, which is 2 / (2 - 1).
    close(bn.running_mean, [1.0])
    close(bn.running_var, [1.5])
    close(bn.forward(np.array([[1.0]]), False), [[0.0]])


batch_norm.misconception(
    "statistics of the batch in testing",
    ("mean, var = self.running_mean, self.running_var", "mean, var = x.mean(axis=0), x.var(axis=0)"),
    hint="What would you do with a single example that is to be tested?",
)
batch_norm.misconception(
    "running statistics in training",
    (
        "mean, var = x.mean(axis=0), x.var(axis=0)",
        "mean, var = x.mean(axis=0), x.var(axis=0); old = self.running_mean, self.running_var",
    ),
    ("return self.gamma", "mean, var = old if training else (mean, var); return self.gamma"),
    hint="Which mean has the output of a batch in training? It should be beta.",
)
batch_norm.misconception(
    "weights of old and new swapped",
    (
        "(1 - self.momentum) * self.running_mean + self.momentum * mean",
        "self.momentum * self.running_mean + (1 - self.momentum) * mean",
    ),
    (
        "(1 - self.momentum) * self.running_var + self.momentum * unbiased",
        "self.momentum * self.running_var + (1 - self.momentum) * unbiased",
    ),
    hint="With a momentum of 0.1, how much of the old mean is left after one batch?",
)
batch_norm.misconception(
    "biased variance remembered",
    ("var * len(x) / (len(x) - 1)", "var"),
    hint="Which variance goes into the memory: divided by N, or by N - 1?",
)
batch_norm.misconception(
    "normalised by the unbiased variance",
    ("self.running_mean = (1 - self.momentum)", "var = unbiased; self.running_mean = (1 - self.momentum)"),
    hint="Which variance is the batch divided by: divided by N, or by N - 1?",
)
batch_norm.misconception(
    "memory replaced by the last batch",
    ("(1 - self.momentum) * self.running_mean + self.momentum * mean", "mean"),
    ("(1 - self.momentum) * self.running_var + self.momentum * unbiased", "unbiased"),
    hint="How much do the batches before the last one count for in your memory?",
)
batch_norm.misconception(
    "testing is remembered as well",
    (
        "mean, var = self.running_mean, self.running_var",
        "mean, var = self.running_mean, self.running_var; rate = 0.0 if training else self.momentum; "
        "self.running_mean = (1 - rate) * mean + rate * x.mean(axis=0)",
    ),
    hint="Test twice with the same batch. Is the second answer another one?",
)
batch_norm.misconception(
    "variance starts at zero",
    ("np.ones(gamma.shape)", "np.zeros(gamma.shape)"),
    hint="Test it before the first batch: what comes out?",
)
