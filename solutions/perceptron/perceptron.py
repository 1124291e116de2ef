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
# # The first neurons
#
# Seven questions about a single neuron: what it answers, what it can learn, and what it cannot. Define
# exactly the functions asked for, with their arguments in the given order; add cells and helpers of your
# own as you like. Arrays are NumPy arrays, one example a row. Work with NumPy.

# %%
import numpy as np

# %% [markdown]
# ## 1. A neuron with a threshold
#
# McCulloch and Pitts' neuron adds up its weighted inputs and a bias, and fires where the sum is large enough
# (deck 004, *Binary Threshold Neuron*):
#
# $$z_n = b + \sum_i x_{ni} w_i, \qquad y_n = \begin{cases} 1 & \text{if } z_n \ge 0 \\ 0 & \text{otherwise} \end{cases}$$
#
# A sum of exactly zero answers **1**, as in deck 004. (Deck 000, *Artificial Neural Networks (ANN)*, has
# $I(z > 0)$, which differs there; what it calls a threshold is our bias with the other sign.)


# %%
def threshold_neuron(x, w, b):
    """Answers of a binary threshold neuron to N inputs.

    x: (N, D), w: (D,), b: a number. Returns (N,), each 0 or 1; a sum of exactly zero answers 1.
    """
    ### BEGIN SOLUTION
    z = np.dot(x, w) + b
    y = np.ones(len(z))
    y[z < 0] = 0.0
    return y
    ### END SOLUTION


# %%
# At least two of three inputs must be on.
inputs = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
print(threshold_neuron(inputs, np.array([0.3, 0.3, 0.3]), -0.4))

# %% [markdown]
# ## 2. Rosenblatt's rule
#
# How a neuron with a threshold learns (deck 004, *Rosenblatt's Perceptron (1958)*). Labels are −1 and 1.
# Weights and bias start at zero. Go through the examples in their order, `epochs` times. An example with
#
# $$y_n\,(w \cdot x_n + b) \le 0$$
#
# is a mistake, and so is one exactly on the boundary; after a mistake, and only then,
#
# $$w \leftarrow w + y_n x_n, \qquad b \leftarrow b + y_n.$$
#
# Return the number of mistakes of each epoch too: `epochs` numbers, zeros once nothing is wrong any more.
# (With the slide's labels 0 and 1 the step is (label − prediction) x, which is the same.)


# %%
def perceptron_fit(x, y, epochs):
    """Learn a separating line by Rosenblatt's rule, with the learning rate 1.

    x: (N, D), y: (N,) of -1 and 1. Returns (w, b, mistakes): (D,), a number, (epochs,) integers.
    """
    ### BEGIN SOLUTION
    # The bias is the weight of one more input that is always 1.
    rows = np.hstack([x, np.ones((x.shape[0], 1))])
    weights = np.zeros(x.shape[1] + 1)
    mistakes = []
    for _ in range(epochs):
        wrong = 0
        for row, label in zip(rows, y):
            if np.sign(row @ weights) != label:
                weights = weights + label * row
                wrong += 1
        mistakes.append(wrong)
    return weights[:-1], weights[-1], np.array(mistakes)
    ### END SOLUTION


# %%
corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
print("or: ", perceptron_fit(corners, np.array([-1.0, 1.0, 1.0, 1.0]), 10))
print("xor:", perceptron_fit(corners, np.array([-1.0, 1.0, 1.0, -1.0]), 10))

# %% [markdown]
# ## 3. A feature for XOR
#
# No line separates XOR (deck 004, *Perceptron can't even solve XOR!*). A third feature helps (deck 004, *What
# should we do? Handcraft Features (~1960s).*):
#
# $$\phi_1(x) = x_1, \qquad \phi_2(x) = x_2, \qquad \phi_3(x) = x_1 x_2$$
#
# Return them in this order, one example a row. The inputs may be any numbers, not only 0 and 1.


# %%
def xor_features(x):
    """Two inputs, and their product as a third feature.

    x: (N, 2), any numbers. Returns (N, 3).
    """
    ### BEGIN SOLUTION
    features = np.empty((len(x), 3))
    features[:, :2] = x
    features[:, 2] = np.prod(x, axis=1)
    return features
    ### END SOLUTION


# %%
print(perceptron_fit(xor_features(corners), np.array([-1.0, 1.0, 1.0, -1.0]), 20))

# %% [markdown]
# ## 4. A logistic neuron
#
# The same sum, but a smooth answer (deck 004, *A Sigmoid Neuron*; deck 003, *The Perceptron: Forward
# Propagation*, which calls the bias $w_0$):
#
# $$z_n = b + \sum_i x_{ni} w_i, \qquad y_n = \frac{1}{1 + e^{-z_n}}$$
#
# Sums may be many hundreds, of either sign: the answer is then 0 or 1, never NaN.


# %%
def logistic_neuron(x, w, b):
    """Answers of a logistic neuron to N inputs.

    x: (N, D), w: (D,), b: a number. Returns (N,), each from 0 to 1.
    """
    ### BEGIN SOLUTION
    z = np.dot(x, w) + b
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))
    ### END SOLUTION


# %%
# The lecture's example: g(1 + 3 x1 - 2 x2) at (-1, 2) is g(-6), about 0.002.
print(logistic_neuron(np.array([[-1.0, 2.0]]), np.array([3.0, -2.0]), 1.0))

# %% [markdown]
# ## 5. The delta rule
#
# A linear neuron without bias, $y_n = x_n \cdot w$, and the error that it makes on all examples (deck 004, *The
# Delta Rule For a Linear Neuron*):
#
# $$E = \frac{1}{2} \sum_n (t_n - y_n)^2, \qquad w_i \leftarrow w_i + \varepsilon \sum_n x_{ni}\,(t_n - y_n)$$
#
# Take one step, and return the error **before** it and the weights **after** it. This is the *batch* rule: all
# residuals belong to the old weights. Both sums are sums, as on the slide, not means, and the error has its
# factor ½.


# %%
def delta_rule(x, t, w, lr):
    """One step of the batch delta rule for a linear neuron.

    x: (N, D), t: (N,) targets, w: (D,), lr: a number.
    Returns (error, w): a number, half the sum of the squared residuals before the step, and (D,) after it.
    """
    ### BEGIN SOLUTION
    residuals = np.array([t[n] - np.dot(w, x[n]) for n in range(len(t))])
    error = 0.5 * np.dot(residuals, residuals)
    gradient = -np.sum(residuals[:, None] * x, axis=0)
    return error, w - lr * gradient
    ### END SOLUTION


# %%
weights = np.zeros(1)
for _ in range(5):
    error, weights = delta_rule(np.array([[1.0], [2.0]]), np.array([3.0, 6.0]), weights, 0.1)
    print(error, weights)

# %% [markdown]
# ## 6. The delta rule of a logistic neuron
#
# For a logistic neuron the chain rule brings one more factor, the slope $y(1-y)$ of the logistic (deck 004, *Using the
# chain rule to get the derivatives needed for learning the weights of a logistic unit*):
#
# $$E = \frac{1}{2} \sum_n (t_n - y_n)^2, \qquad
# \frac{\partial E}{\partial w_i} = -\sum_n x_{ni}\,y_n(1 - y_n)\,(t_n - y_n)$$
#
# Return the error and its **gradient**, with respect to `w` and to `b` (the slide leaves `b` out: it is the weight
# of an input that is always 1). Sums over the examples again, not means. On some examples the neuron may be
# as good as sure, with sums of thousands; nothing may become NaN.


# %%
def logistic_delta(x, t, w, b):
    """Squared error of a logistic neuron, and its gradient.

    x: (N, D), t: (N,) targets from 0 to 1, w: (D,), b: a number.
    Returns (error, dw, db): a number, half the sum of the squared residuals, then (D,), and a number.
    """
    ### BEGIN SOLUTION
    y = logistic_neuron(x, w, b)
    error = np.sum((y - t) ** 2) / 2
    by_sum = (y - t) * (y - y * y)
    return error, np.dot(by_sum, x), np.sum(by_sum)
    ### END SOLUTION


# %%
print(logistic_delta(np.array([[2.0, 1.0]]), np.array([1.0]), np.zeros(2), 0.0))

# %% [markdown]
# ## 7. Hebb's rule
#
# Deck 002 tells how people may learn, in Hebb's words (*Hebb's Rule*): when one cell takes part in firing another
# again and again, the connection from the first to the second grows stronger. It has no formula; here is the one
# that is graded. In moment $n$ the D sending cells have the activities $x_n$ and the M receiving cells the
# activities $y_n$; then
#
# $$w_{ij} \leftarrow w_{ij} + \varepsilon \sum_n x_{ni}\,y_{nj}$$
#
# The activities of the receiving cells are given, not computed from `w`. The moments are summed, nothing
# decays, and no mean is taken away.


# %%
def hebb_update(x, y, w, lr):
    """One step of Hebb's rule.

    x: (N, D) activities of sending cells, y: (N, M) of receiving cells, w: (D, M), lr: a number.
    Returns w after the step, (D, M).
    """
    ### BEGIN SOLUTION
    return w + lr * np.einsum("ni,nj->ij", x, y)
    ### END SOLUTION


# %%
print(hebb_update(np.array([[1.0, 0.0, 1.0]]), np.array([[1.0, 0.0]]), np.zeros((3, 2)), 0.5))
