# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Initialisation and normalisation
#
# How the weights begin, and how the numbers that run through a network are kept in bounds. Define exactly what is
# asked for, with the arguments in the given order; add cells and helpers of your own as you like. Work with NumPy.

# %%
import numpy as np

# %% [markdown]
# ## 1. Orthogonal initialisation
#
# A matrix with orthonormal columns keeps the length of what it is multiplied with, so that signals neither die nor
# explode (deck 000, *Orthogonal Initialization*). Draw one at random: $Q^\top Q = I$ where it is tall, and
# $Q Q^\top = I$ where it is wide. No direction may be more likely than another: a QR decomposition of normal numbers
# alone does not do that, as the signs of $Q$'s columns come from the algorithm and not from chance. Multiply each
# column of $Q$ by the sign of the entry on $R$'s diagonal.
#
# Draw from `rng` alone.


# %%
def orthogonal_init(rows, columns, rng):
    """A random matrix (rows, columns) with orthonormal columns, or rows where it is wide.

    rows, columns: at least 1. rng: a NumPy generator.
    """
    ### BEGIN SOLUTION
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.where(r.diagonal() < 0, -1.0, 1.0)
    return q.T if columns > rows else q
    ### END SOLUTION


# %%
q = orthogonal_init(4, 2, np.random.default_rng(0))
print(q.T @ q)

# %% [markdown]
# ## 2. Batch normalisation
#
# Every feature gets mean 0 and variance 1 over the batch, and then a scale and a shift that are learned (deck 002,
# *Batch Normalization (BN)*):
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y = \gamma\,\hat x + \beta$$
#
# $\mu$ and $\sigma^2$ are mean and variance over the $N$ examples, the variance divided by $N$. Mind on the way back
# that both depend on every example of the batch.


# %%
def batchnorm_forward(x, gamma, beta, eps):
    """Normalise each feature by the statistics of the batch.

    x: (N, D). gamma, beta: (D,). eps: positive. Returns (out, cache): out (N, D), and in cache whatever you need
    on the way back.
    """
    ### BEGIN SOLUTION
    mean, variance = np.mean(x, axis=0), np.var(x, axis=0)
    inverse = 1.0 / np.sqrt(variance + eps)
    normalised = (x - mean) * inverse
    return normalised * gamma + beta, {"normalised": normalised, "inverse": inverse, "gamma": gamma}
    ### END SOLUTION


def batchnorm_backward(dout, cache):
    """Gradients of batch normalisation.

    dout: (N, D). cache: of batchnorm_forward. Returns (dx, dgamma, dbeta): (N, D), (D,), (D,).
    """
    ### BEGIN SOLUTION
    normalised, n = cache["normalised"], dout.shape[0]
    dnormalised = dout * cache["gamma"]
    dx = n * dnormalised - dnormalised.sum(axis=0) - normalised * np.sum(dnormalised * normalised, axis=0)
    return dx * cache["inverse"] / n, np.sum(dout * normalised, axis=0), np.sum(dout, axis=0)
    ### END SOLUTION


# %%
out, cache = batchnorm_forward(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]), 3.0)
print(out, batchnorm_backward(np.array([[1.0], [0.0]]), cache))

# %% [markdown]
# ## 3. Batch normalisation with a memory
#
# When a network is used there may be only one example, so the statistics of training are remembered:
#
# $$\text{running} \leftarrow (1 - m)\,\text{running} + m\,\text{batch}$$
#
# with $m$ = `momentum`, for the mean and for the variance. The running mean begins at 0, the running variance at 1.
# With `training=True` normalise by the batch, as in question 2, and remember; into the running variance goes the
# unbiased variance of the batch, divided by $N - 1$. With `training=False` normalise by what was remembered, and
# remember nothing. `running_mean` and `running_var` are attributes, arrays (D,) from the start.


# %%
class BatchNorm:
    """Batch normalisation with running statistics.

    gamma, beta: (D,). momentum: in (0, 1), the weight of the new batch. eps: positive.
    """

    def __init__(self, gamma, beta, momentum, eps):
        ### BEGIN SOLUTION
        self.gamma, self.beta = gamma, beta
        self.momentum, self.eps = momentum, eps
        self.running_mean = np.zeros(len(gamma))
        self.running_var = np.ones(len(gamma))
        ### END SOLUTION

    def forward(self, x, training):
        """Normalise x (N, D), by the batch or by what is remembered. Returns (N, D)."""
        ### BEGIN SOLUTION
        if not training:
            normalised = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
            return self.gamma * normalised + self.beta
        m = self.momentum
        self.running_mean = (1 - m) * self.running_mean + m * x.mean(axis=0)
        self.running_var = (1 - m) * self.running_var + m * x.var(axis=0, ddof=1)
        return self.gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + self.eps) + self.beta
        ### END SOLUTION


# %%
bn = BatchNorm(np.array([1.0]), np.array([0.0]), 0.5, 1e-5)
print(bn.forward(np.array([[1.0], [3.0]]), True), bn.running_mean, bn.running_var)
