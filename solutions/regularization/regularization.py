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
# # Regularisation
#
# Dropout: units are left out by chance, so that none relies on another. Define exactly what is asked for, with the
# arguments in the given order; add cells and helpers of your own as you like. Work with NumPy.

# %%
import numpy as np

# %% [markdown]
# ## 1. A mask
#
# Each of $D$ units is kept with the probability `keep_prob`, for each of $N$ examples by itself (deck 002, *Dropout*).
# Deck 002 calls the probability to keep *p* in its code, and the probability to drop *p* in its text: here it is the
# one to keep. The mask holds 1 where a unit is kept and 0 where it is dropped, and is not scaled. Draw from `rng`
# alone.


# %%
def dropout_mask(n, d, keep_prob, rng):
    """A mask (n, d) of zeros and ones.

    n, d: at least 1. keep_prob: in (0, 1]. rng: a NumPy generator.
    """
    ### BEGIN SOLUTION
    return np.where(rng.uniform(size=(n, d)) < keep_prob, 1.0, 0.0)
    ### END SOLUTION


# %%
print(dropout_mask(2, 5, 0.5, np.random.default_rng(0)))

# %% [markdown]
# ## 2. Dropout
#
# In training what is kept is divided by `keep_prob`, so that the mean stays as it was and nothing is left to do in
# testing (the *inverted* form):
#
# $$y = x \odot \frac{m}{p} \ \text{in training}, \qquad y = x \ \text{in testing}$$
#
# The gradient goes where the signal went, by the same factor.


# %%
def dropout_forward(x, mask, keep_prob, training):
    """Dropout by a given mask.

    x, mask: (N, D). keep_prob: in (0, 1]. training: True or False. Returns (out, cache): out (N, D), and in cache
    whatever you need on the way back.
    """
    ### BEGIN SOLUTION
    if not training:
        return x.copy(), None
    factor = mask / keep_prob
    return factor * x, factor
    ### END SOLUTION


def dropout_backward(dout, cache):
    """The gradient of dropout by x.

    dout: (N, D). cache: of dropout_forward. Returns dx: (N, D).
    """
    ### BEGIN SOLUTION
    return dout.copy() if cache is None else cache * dout
    ### END SOLUTION


# %%
out, cache = dropout_forward(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]]), 0.5, True)
print(out, dropout_backward(np.array([[3.0, 4.0]]), cache))
