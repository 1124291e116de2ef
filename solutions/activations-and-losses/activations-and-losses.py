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
# # Activations and losses
#
# First what a unit does with its input, then how a network is told that it is wrong. Define exactly the
# functions asked for, with their arguments in the given order; add cells and helpers of your own as you
# like. Arrays are NumPy arrays of floating-point numbers. Work with NumPy and SciPy.
#
# An activation that works entry by entry is **one function that returns two arrays of the shape of x**:
#
# - `out`, its value,
# - `slope`, its derivative at each entry, $\partial\,\text{out}_i / \partial x_i$.
#
# An activation with parameters to learn, or one that mixes entries, is a **layer**:
# `f_forward(...)` returns `(out, cache)`, and `f_backward(dout, cache)` returns the gradients. What you put
# into `cache` is up to you.
#
# Two things hold for all of them. Inputs of $\pm 1000$ must give finite numbers, though `np.exp(1000.0)` is
# infinite. And at a corner, where a function has no derivative, $x = 0$ counts as **negative**: the slope
# there is the one from the left. (So deck 002 has it for ReLU, $f'(x) = I(x > 0)$; deck 000's table takes
# the other side for some of them.)

# %%
import numpy as np

# %% [markdown]
# ## 1. Sigmoid
#
# Any number becomes one between 0 and 1 (deck 003, *Common Activation Functions*):
#
# $$\sigma(x) = \frac{1}{1 + e^{-x}}, \qquad \sigma'(x) = \sigma(x)\,(1 - \sigma(x))$$


# %%
def sigmoid(x):
    """Logistic function, entry by entry.

    x: any shape. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    e = np.exp(-np.abs(x))  # never more than 1
    out = np.where(x < 0, e / (1 + e), 1 / (1 + e))
    return out, out * (1 - out)
    ### END SOLUTION


# %%
print(sigmoid(np.array([-1000.0, -6.0, 0.0, 6.0])))

# %% [markdown]
# ## 2. Hyperbolic tangent
#
# The same S, between −1 and 1 (deck 003, *Common Activation Functions*):
#
# $$\tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}}, \qquad \tanh'(x) = 1 - \tanh(x)^2$$


# %%
def tanh(x):
    """Hyperbolic tangent, entry by entry.

    x: any shape. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    t = np.tanh(x)
    return t, 1 - t * t
    ### END SOLUTION


# %%
print(tanh(np.array([-1000.0, 0.0, 1.0])))

# %% [markdown]
# ## 3. Hard step
#
# What the first neurons did (deck 004, *Binary Threshold Neuron*; deck 000, *Binary step* in the table of
# activation functions):
#
# $$f(x) = \begin{cases} 1 & x \ge 0 \\ 0 & x < 0 \end{cases}$$
#
# It is 1 at exactly 0. Its derivative is 0 wherever it has one, so it is of no use for training: return the
# value alone.


# %%
def hard_step(x):
    """Binary step, entry by entry.

    x: any shape. Returns an array of zeros and ones of the same shape.
    """
    ### BEGIN SOLUTION
    return (x >= 0).astype(float)
    ### END SOLUTION


# %%
print(hard_step(np.array([-0.5, 0.0, 2.0])))

# %% [markdown]
# ## 4. Leaky ReLU
#
# ReLU lets nothing through below zero, and a unit that is always off learns nothing. This one leaks
# (deck 004, *Leaky ReLU*, with 0.1 for alpha; deck 000 takes 0.01):
#
# $$f(x) = \begin{cases} x & x > 0 \\ \alpha x & x \le 0 \end{cases}$$
#
# with $0 \le \alpha < 1$. The slope at exactly 0 is $\alpha$.


# %%
def leaky_relu(x, alpha):
    """Leaky rectified linear unit, entry by entry.

    x: any shape, alpha: a number. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    slope = np.full(x.shape, alpha)
    slope[x > 0] = 1.0
    return slope * x, slope
    ### END SOLUTION


# %%
print(leaky_relu(np.array([-2.0, 0.0, 3.0]), 0.1))

# %% [markdown]
# ## 5. Bounded ReLU
#
# A ReLU that stops growing at a bound (deck 000, *Bounded ReLU*, where the bound is called n):
#
# $$f(x) = \min(\max(0, x),\ \text{bound})$$
#
# The slope is 1 between the corners and 0 elsewhere, at both corners too: at $x = 0$ and at $x = $ bound.


# %%
def bounded_relu(x, bound):
    """Rectified linear unit that ends at a bound, entry by entry.

    x: any shape, bound: a positive number. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    out = np.clip(x, 0.0, bound)
    between = np.logical_and(out > 0, out < bound)
    return out, between.astype(float)
    ### END SOLUTION


# %%
print(bounded_relu(np.array([-1.0, 0.0, 2.0, 6.0, 9.0]), 6.0))

# %% [markdown]
# ## 6. PReLU
#
# A leaky ReLU that learns how much to leak (deck 002, the table of activation functions). Each feature d has
# a slope of its own:
#
# $$\text{out}_{nd} = \begin{cases} x_{nd} & x_{nd} > 0 \\ a_d\, x_{nd} & x_{nd} \le 0 \end{cases}$$
#
# Backward gets `dout`, the gradient of some loss with respect to `out`, and returns the gradients with respect
# to `x` and `a`, in this order. The gradient of `a` is summed over the N examples; $a_d$ may become any number. At $x = 0$ the derivative
# by x is $a_d$.


# %%
def prelu_forward(x, a):
    """x: (N, D), a: (D,). Returns (out, cache) with out: (N, D)."""
    ### BEGIN SOLUTION
    positive, negative = np.maximum(x, 0), np.minimum(x, 0)
    return positive + a * negative, (negative, x > 0, a)
    ### END SOLUTION


def prelu_backward(dout, cache):
    """dout: (N, D). Returns (dx, da): (N, D), (D,)."""
    ### BEGIN SOLUTION
    negative, is_on, a = cache
    dx = dout * (is_on + a * ~is_on)
    da = np.sum(dout * negative, axis=0)
    return dx, da
    ### END SOLUTION


# %%
out, cache = prelu_forward(np.array([[-2.0, -2.0], [1.0, 0.0]]), np.array([0.1, 0.5]))
print(out, prelu_backward(np.ones((2, 2)), cache))

# %% [markdown]
# ## 7. RReLU
#
# A leaky ReLU whose slopes are drawn at random while the network trains (deck 000, *RReLU*, beside Leaky ReLU
# and PReLU). So that everybody has the same ones, they are an argument: `slopes` has one for each entry of x,
# drawn evenly between `low` and `high`.
#
# $$f(x_i) = \begin{cases} x_i & x_i > 0 \\ a_i\, x_i & x_i \le 0 \end{cases}
# \qquad
# a_i = \begin{cases} \text{slopes}_i & \text{in training} \\ (\text{low} + \text{high}) / 2 & \text{in test}
# \end{cases}$$
#
# The slopes multiply, as on the slide; the first paper about RReLU divides by them.


# %%
def rrelu(x, slopes, low, high, train):
    """Randomized leaky ReLU, entry by entry.

    x: any shape, slopes: the same shape, low and high: numbers, train: True or False.
    Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    a = slopes if train else 0.5 * (low + high)
    slope = np.where(x > 0, 1.0, a)
    return slope * x, slope
    ### END SOLUTION


# %%
drawn = np.random.default_rng(0).uniform(0.1, 0.5, size=3)
for train in (True, False):
    print(rrelu(np.array([-2.0, -1.0, 3.0]), drawn, 0.1, 0.5, train))

# %% [markdown]
# ## 8. ELU
#
# Below zero it bends along an exponential towards $-\alpha$ (deck 004, *ELU*):
#
# $$f(x) = \begin{cases} x & x > 0 \\ \alpha\,(e^x - 1) & x \le 0 \end{cases}$$
#
# The slope at exactly 0 is $\alpha$, as in deck 002's table of derivatives.


# %%
def elu(x, alpha):
    """Exponential linear unit, entry by entry.

    x: any shape, alpha: a positive number. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    e = alpha * np.exp(np.minimum(x, 0.0))
    on = x > 0
    return np.where(on, x, e - alpha), np.where(on, 1.0, e)
    ### END SOLUTION


# %%
print(elu(np.array([-1000.0, -1.0, 0.0, 1000.0]), 2.0))

# %% [markdown]
# ## 9. SELU
#
# ELU times a scale (deck 000, *Scaled exponential linear unit* in the table of activation functions):
#
# $$f(x) = \lambda \begin{cases} x & x > 0 \\ \alpha\,(e^x - 1) & x \le 0 \end{cases}$$
#
# With $\lambda = 1.0507009873554805$ and $\alpha = 1.6732632423543772$ outputs keep mean 0 and variance 1 from
# layer to layer. The slide rounds these constants, so here they are arguments, `lam` and `alpha`. The slope at
# exactly 0 is $\lambda\alpha$.


# %%
def selu(x, lam, alpha):
    """Scaled exponential linear unit, entry by entry.

    x: any shape, lam and alpha: numbers. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    out, slope = elu(x, alpha)
    return lam * out, lam * slope
    ### END SOLUTION


# %%
normal = np.random.default_rng(0).normal(size=100_000)
print(selu(normal, 1.0507009873554805, 1.6732632423543772)[0].var())

# %% [markdown]
# ## 10. Softplus
#
# ReLU without its corner (deck 002, the table of activation functions):
#
# $$f(x) = \log(1 + e^x), \qquad f'(x) = \frac{1}{1 + e^{-x}}$$
#
# with the natural logarithm.


# %%
def softplus(x):
    """Smooth rectifier, entry by entry.

    x: any shape. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    out = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    slope, _ = sigmoid(x)
    return out, slope
    ### END SOLUTION


# %%
print(softplus(np.array([-1000.0, 0.0, 1000.0])))

# %% [markdown]
# ## 11. Swish
#
# x times a gate of its own (deck 002, the table of activation functions):
#
# $$f(x) = x\,\sigma(\beta x)$$
#
# With $\beta = 1$ this is deck 000's SiLU. Derive it yourself: the fraction of exponentials in deck 000's table
# is right, but far from zero it is infinity divided by infinity.


# %%
def swish(x, beta):
    """x times the sigmoid of beta times x, entry by entry.

    x: any shape, beta: a number. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    gate, gate_slope = sigmoid(beta * x)
    return x * gate, gate + x * beta * gate_slope
    ### END SOLUTION


# %%
print(swish(np.array([-1.278, 0.0, 1.0]), 1.0))

# %% [markdown]
# ## 12. GELU
#
# x times the probability that a standard normal number lies below it (deck 002, *GELU*). The deck gives it in
# three forms; `form` says which one is asked for:
#
# $$\begin{aligned}
# \texttt{"exact"}: \quad & x\,\Phi(x) = \frac{x}{2} \left( 1 + \operatorname{erf} \frac{x}{\sqrt 2} \right) \\
# \texttt{"tanh"}: \quad & \frac{x}{2} \left( 1 + \tanh\left( \sqrt{2/\pi}\,(x + 0.044715\,x^3) \right) \right) \\
# \texttt{"sigmoid"}: \quad & x\,\sigma(1.702\,x)
# \end{aligned}$$
#
# The slope is the derivative of that same form. That of $\Phi$ is the normal density,
# $e^{-x^2/2} / \sqrt{2\pi}$. NumPy has no erf; `scipy.special.erf` takes arrays. The exact form is the core of
# the question: the points of the other two count only where it is right.


# %%
def gelu(x, form):
    """Gaussian error linear unit, entry by entry.

    x: any shape, form: "exact", "tanh" or "sigmoid". Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    if form == "sigmoid":
        return swish(x, 1.702)
    if form == "tanh":
        c = np.sqrt(2 / np.pi)
        t, t_slope = tanh(c * x + c * 0.044715 * x**3)
        inner = c + 3 * c * 0.044715 * x**2
        return x * (1 + t) / 2, (1 + t) / 2 + x * t_slope * inner / 2
    from scipy.special import erf

    below = 0.5 + 0.5 * erf(x / 2**0.5)
    density = np.exp(-0.5 * x * x) / (2 * np.pi) ** 0.5
    return x * below, below + x * density
    ### END SOLUTION


# %%
for form in ("exact", "tanh", "sigmoid"):
    print(form, gelu(np.array([-1.0, 0.0, 1.0]), form))

# %% [markdown]
# ## 13. Mish
#
# x times the tanh of its softplus (deck 000, *Mish* in the table of activation functions):
#
# $$f(x) = x \tanh(\log(1 + e^x))$$
#
# Derive it by the chain rule, with what you know of tanh and softplus. The table's fraction overflows.


# %%
def mish(x):
    """x times tanh of softplus of x, entry by entry.

    x: any shape. Returns (out, slope), both of the shape of x.
    """
    ### BEGIN SOLUTION
    soft, soft_slope = softplus(x)
    gate, gate_slope = tanh(soft)
    return x * gate, gate + x * gate_slope * soft_slope
    ### END SOLUTION


# %%
print(mish(np.array([-1.192, 0.0, 1.0])))

# %% [markdown]
# ## 14. Maxout
#
# A unit that learns its activation: the largest of K linear pieces (deck 004, *Maxout*, with K = 2). For each of
# M units
#
# $$\text{out}_{nm} = \max_k \left( \sum_d x_{nd}\, w_{kdm} + b_{km} \right)$$
#
# Backward returns the gradients with respect to `x`, `w` and `b`, in this order: each entry of `dout` goes to the
# piece that was the largest there, and to no other. No two pieces are equal in the hidden tests.


# %%
def maxout_forward(x, w, b):
    """x: (N, D), w: (K, D, M), b: (K, M). Returns (out, cache) with out: (N, M)."""
    ### BEGIN SOLUTION
    pieces = np.stack([np.dot(x, w[k]) + b[k] for k in range(w.shape[0])])
    winner = np.argmax(pieces, axis=0)
    return np.max(pieces, axis=0), (x, w, winner)
    ### END SOLUTION


def maxout_backward(dout, cache):
    """dout: (N, M). Returns (dx, dw, db): (N, D), (K, D, M), (K, M)."""
    ### BEGIN SOLUTION
    x, w, winner = cache
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros((w.shape[0], w.shape[2]))
    for k in range(w.shape[0]):
        d = dout * (winner == k)
        dx += np.dot(d, w[k].T)
        dw[k] = np.dot(x.T, d)
        db[k] = np.sum(d, axis=0)
    return dx, dw, db
    ### END SOLUTION


# %%
# The pieces x and -x: the largest is the absolute value.
out, cache = maxout_forward(np.array([[-2.0], [3.0]]), np.array([[[1.0]], [[-1.0]]]), np.zeros((2, 1)))
print(out, maxout_backward(np.ones((2, 1)), cache))

# %% [markdown]
# ## 15. Backward through a softmax
#
# Softmax turns the scores z of an example into probabilities p (deck 004, *Softmax Activation Function*). Each
# score changes **all** probabilities of its example. The slide shows $\partial p_i / \partial z_i = p_i (1 - p_i)$,
# which is the diagonal of the Jacobian only; the whole of it is
#
# $$\frac{\partial p_i}{\partial z_j} = p_i\,(\delta_{ij} - p_j), \qquad J = \operatorname{diag}(p) - p\,p^{\mathsf T}$$
#
# Given `dp`, the gradient of some loss with respect to the probabilities, return its gradient with respect to the
# scores, $J\,dp$ for each example.


# %%
def softmax_backward(dp, p):
    """dp: (N, C), p: (N, C) as softmax returned it. Returns dlogits: (N, C)."""
    ### BEGIN SOLUTION
    weighted = p * dp
    return weighted - p * np.sum(weighted, axis=1, keepdims=True)
    ### END SOLUTION


# %%
print(softmax_backward(np.array([[1.0, 0.0, 0.0]]), np.array([[0.2, 0.7, 0.1]])))

# %% [markdown]
# ## 16. Log-softmax
#
# Losses want the logarithm of a probability, and a probability may be too small for a computer. So take it on paper:
#
# $$\text{out}_{nc} = z_{nc} - \log \sum_j e^{z_{nj}}$$
#
# (deck 004, *Softmax Activation Function* and *Loss Function: Cross-Entropy Loss*; natural logarithm). Backward
# returns the gradient with respect to the scores: write down the whole Jacobian first. With the cross-entropy's
# `dout` it must give the slide's $y - t$. Scores may be huge.


# %%
def log_softmax_forward(logits):
    """logits: (N, C). Returns (out, cache) with out: (N, C)."""
    ### BEGIN SOLUTION
    top = np.max(logits, axis=1, keepdims=True)
    total = np.sum(np.exp(logits - top), axis=1, keepdims=True)
    out = logits - top - np.log(total)
    return out, np.exp(logits - top) / total
    ### END SOLUTION


def log_softmax_backward(dout, cache):
    """dout: (N, C). Returns dlogits: (N, C)."""
    ### BEGIN SOLUTION
    p = cache
    return dout - p * np.sum(dout, axis=1, keepdims=True)
    ### END SOLUTION


# %%
# The lecture's example: 0.7 for the true class costs 0.357.
out, cache = log_softmax_forward(np.log([[0.2, 0.7, 0.1]]))
print(out, log_softmax_backward(np.array([[0.0, -1.0, 0.0]]), cache))

# %% [markdown]
# # Losses
#
# A loss says in one number how far off the answers of a network are, and its gradient says where to go. Each
# of the following functions returns both (the two measures of information are the exception). An example's
# loss is the **sum** over its outputs, and the loss of a batch is the **mean** over its N examples, the
# gradient likewise. Logarithms are natural ones.

# %% [markdown]
# ## 17. Squared error
#
# For outputs that are numbers (deck 003, *Mean Squared Error Loss*; deck 004, *Loss Function: Mean Squared
# Error*). With $r = \text{predictions} - \text{targets}$,
#
# $$L = \frac{1}{N} \sum_n \sum_d r_{nd}^2$$
#
# Summed over the D outputs of an example, averaged over the N examples, and without a factor of one half.
# (PyTorch's `mse_loss` divides by D too.)


# %%
def squared_error(predictions, targets):
    """Mean over the examples of the squared distance, and its gradient.

    predictions, targets: (N, D). Returns (loss, dpredictions): a number, and (N, D).
    """
    ### BEGIN SOLUTION
    n = predictions.shape[0]
    error = predictions - targets
    loss = np.sum(error * error) / n
    return loss, (2.0 / n) * error
    ### END SOLUTION


# %%
# The grades of deck 003: predicted and true.
predicted, true = np.array([[30.0], [80.0], [85.0]]), np.array([[90.0], [20.0], [95.0]])
print(squared_error(predicted, true))

# %% [markdown]
# ## 18. Absolute error
#
# One very wrong example dominates a sum of squares. The absolute error (deck 000, *Loss Function and Cost
# Function*, where it is called MAE) takes every unit of error alike:
#
# $$L = \frac{1}{N} \sum_n \sum_d |r_{nd}|$$
#
# Where a prediction is exactly right, $r = 0$, there is a kink; the gradient there is **0**.


# %%
def absolute_error(predictions, targets):
    """Mean over the examples of the absolute differences, and its gradient.

    predictions, targets: (N, D). Returns (loss, dpredictions): a number, and (N, D).
    """
    ### BEGIN SOLUTION
    n = predictions.shape[0]
    error = predictions - targets
    slope = (error > 0).astype(float) - (error < 0).astype(float)
    return np.sum(np.abs(error)) / n, slope / n
    ### END SOLUTION


# %%
print(absolute_error(predicted, true))

# %% [markdown]
# ## 19. Huber's loss
#
# A square for small errors and straight for large ones (deck 000, *Loss Function and Cost Function*):
#
# $$h(r) = \begin{cases} \tfrac12 r^2 & \text{if } |r| \le \delta \\ \delta\,(|r| - \tfrac12 \delta) & \text{otherwise}
# \end{cases} \qquad L = \frac{1}{N} \sum_n \sum_d h(r_{nd})$$
#
# Here the square does have its factor one half. At $|r| = \delta$ the branches meet, in value and in slope: a
# good test of your code.


# %%
def huber(predictions, targets, delta):
    """Mean over the examples of Huber's loss, and its gradient.

    predictions, targets: (N, D). delta: a number above 0.
    Returns (loss, dpredictions): a number, and (N, D).
    """
    ### BEGIN SOLUTION
    n = predictions.shape[0]
    error = predictions - targets
    near = np.minimum(np.abs(error), delta)  # the part of the error that is squared
    beyond = np.abs(error) - near  # and the part that is not
    loss = np.sum(0.5 * near * near + delta * beyond) / n
    return loss, np.clip(error, -delta, delta) / n
    ### END SOLUTION


# %%
print(huber(predicted, true, 20.0))

# %% [markdown]
# ## 20. Hinge loss
#
# For two classes, with labels −1 and 1 and one score an example (deck 000, *Loss Function and Cost
# Function*). An example costs nothing once it is on its side by a margin of 1:
#
# $$L = \frac{1}{N} \sum_n \max(0,\; 1 - y_n s_n)$$
#
# Exactly at the margin, $y_n s_n = 1$, the gradient is **0**.


# %%
def hinge(scores, labels):
    """Mean hinge loss, and its gradient.

    scores: (N,). labels: (N,) of -1 and 1. Returns (loss, dscores): a number, and (N,).
    """
    ### BEGIN SOLUTION
    n = len(scores)
    missing = 1.0 - labels * scores
    paying = missing > 0
    dscores = np.zeros(n)
    dscores[paying] = -labels[paying] / n
    return np.sum(missing[paying]) / n, dscores
    ### END SOLUTION


# %%
print(hinge(np.array([2.0, 0.5, 1.0, -3.0]), np.array([1.0, 1.0, -1.0, -1.0])))

# %% [markdown]
# ## 21. Binary cross-entropy
#
# For two classes and a score that a sigmoid makes a probability, $p_n = \sigma(z_n)$ (deck 003, *Binary Cross
# Entropy Loss*):
#
# $$L = -\frac{1}{N} \sum_n \big[\, t_n \log p_n + (1 - t_n) \log(1 - p_n) \,\big]$$
#
# The function gets the **scores** (logits) $z$, and the gradient is by the scores. Targets are numbers from 0
# to 1, not only 0 and 1. Scores may be huge: the loss of a score of 1000 on the wrong side is 1000, so take the
# logarithm of the sigmoid on paper first.


# %%
def binary_cross_entropy(logits, targets):
    """Mean cross-entropy between targets and sigmoid(logits), and its gradient.

    logits: (N,). targets: (N,) from 0 to 1. Returns (loss, dlogits): a number, and (N,).
    """
    ### BEGIN SOLUTION
    # -log(sigmoid(z)) = log(1 + exp(-z)), and -log(1 - sigmoid(z)) = log(1 + exp(z))
    cost_of_one = np.logaddexp(0.0, -logits)
    cost_of_zero = np.logaddexp(0.0, logits)
    loss = np.mean(targets * cost_of_one + (1.0 - targets) * cost_of_zero)
    p = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return loss, (p - targets) / len(targets)
    ### END SOLUTION


# %%
print(binary_cross_entropy(np.array([0.0, np.log(3.0), 1000.0]), np.array([0.0, 1.0, 0.0])))

# %% [markdown]
# ## 22. Entropy
#
# How much does a distribution leave open? (Deck 000, *Cross Entropy*, begins with it.) For each of N rows,
#
# $$H_n = -\sum_c p_{nc} \log p_{nc}$$
#
# in nats, that is with the natural logarithm. A class that never comes contributes nothing: $0 \log 0 = 0$.
# Return one number for each row.


# %%
def entropy(probabilities):
    """Entropy of each row, in nats.

    probabilities: (N, C), rows add up to 1, entries may be 0. Returns (N,).
    """
    ### BEGIN SOLUTION
    possible = probabilities > 0
    surprise = np.zeros_like(probabilities)
    surprise[possible] = -np.log(probabilities[possible])
    return np.sum(probabilities * surprise, axis=1)
    ### END SOLUTION


# %%
print(entropy(np.array([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 1.0, 0.0]])))

# %% [markdown]
# ## 23. Kullback-Leibler divergence
#
# How far is a model $q$ from the truth $p$? (Deck 002, *f-divergence*, with $f(x) = x \log x$.) For each row,
#
# $$\mathrm{KL}(p_n \,\|\, q_n) = \sum_c p_{nc} \log \frac{p_{nc}}{q_{nc}}$$
#
# in nats. The mean is under the first argument, so the order matters. A class with $p = 0$ contributes 0,
# whatever $q$ is; where $q = 0$ and $p > 0$ the divergence is **infinite** (`np.inf`): add nothing to the
# probabilities to avoid it. Return one number for each row.


# %%
def kl_divergence(p, q):
    """KL(p || q) of each pair of rows, in nats; infinite where q excludes what p allows.

    p, q: (N, C), rows add up to 1, entries may be 0. Returns (N,).
    """
    ### BEGIN SOLUTION
    divergences = np.zeros(len(p))
    for n in range(len(p)):
        possible = p[n] > 0
        a, b = p[n][possible], q[n][possible]
        if np.any(b == 0):
            divergences[n] = np.inf
        else:
            divergences[n] = np.sum(a * np.log(a / b))
    return divergences
    ### END SOLUTION


# %%
print(kl_divergence(np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])))

# %% [markdown]
# ## 24. Categorical cross-entropy
#
# The loss of deck 000, *Cross Entropy*, and deck 004, *Loss Function: Cross-Entropy Loss*, from
# **probabilities** $p$ and target probabilities $t$ (one-hot, or any distribution):
#
# $$L = -\frac{1}{N} \sum_n \sum_c t_{nc} \log p_{nc}$$
#
# The gradient is by the probabilities, not by scores in front of a softmax: deck 004 calls it very big where
# the target is 1 and the output almost zero. Where $t = 0$ a class contributes nothing to loss and gradient, even
# if $p = 0$. A true class may have a probability like $10^{-25}$; its loss must be right, so add nothing to the
# probabilities and do not clip them.


# %%
def categorical_cross_entropy(probabilities, targets):
    """Mean cross-entropy between rows of targets and of probabilities, and its gradient.

    probabilities, targets: (N, C), rows add up to 1.
    Returns (loss, dprobabilities): a number, and (N, C).
    """
    ### BEGIN SOLUTION
    n = len(targets)
    rows, classes = np.nonzero(targets)
    t, p = targets[rows, classes], probabilities[rows, classes]
    dprobabilities = np.zeros(targets.shape)
    dprobabilities[rows, classes] = -t / (n * p)
    return -np.sum(t * np.log(p)) / n, dprobabilities
    ### END SOLUTION


# %%
# The lecture's example: 0.7 for the true class costs 0.357.
print(categorical_cross_entropy(np.array([[0.2, 0.7, 0.1]]), np.array([[0.0, 1.0, 0.0]])))

# %% [markdown]
# ## 25. Smoothed labels
#
# Full confidence is never reached by a softmax, so the network is asked for a little less. With a smoothing
# $\varepsilon$, the target of class $c$ in the cross-entropy (deck 004, *Loss Function: Cross-Entropy Loss*)
# becomes
#
# $$t_{nc} = (1 - \varepsilon)\,[c = y_n] + \frac{\varepsilon}{C}, \qquad
# L = -\frac{1}{N} \sum_n \sum_c t_{nc} \log \mathrm{softmax}(z_n)_c$$
#
# $\varepsilon$ is shared out among **all** C classes, the true one too, so that targets add up to 1. The gradient
# is by the scores $z$, which may be huge.


# %%
def label_smoothed_cross_entropy(logits, labels, smoothing):
    """Mean cross-entropy of softmax(logits) against smoothed labels, and its gradient.

    logits: (N, C). labels: (N,) integers from 0 to C - 1. smoothing: a number from 0 to below 1.
    Returns (loss, dlogits): a number, and (N, C).
    """
    ### BEGIN SOLUTION
    n, c = logits.shape
    z = logits - np.max(logits, axis=1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(z), axis=1))
    t = (1.0 - smoothing) * np.eye(c)[labels] + smoothing / c
    loss = np.mean(log_sum - np.sum(t * z, axis=1))  # the targets of a row add up to 1
    return loss, (np.exp(z - log_sum[:, None]) - t) / n
    ### END SOLUTION


# %%
print(label_smoothed_cross_entropy(np.log([[0.2, 0.7, 0.1]]), np.array([1]), 0.3))

# %% [markdown]
# ## 26. Ranking, one document at a time
#
# A search engine scores the documents of a query; `relevance` says how good they are. Deck 000, *Loss Function
# and Cost Function*, names three ways to make a loss of that. In all three, row $q$ of `scores` and `relevance`
# holds the documents of query $q$, but only the first `lengths[q]` are real; **what stands behind is padding**
# and must have no influence, and gradient 0. The loss is the mean over the Q queries.
#
# Pointwise: hold each score $s$ against the relevance $y$ of its document,
#
# $$L = \frac{1}{Q} \sum_q \frac{1}{n_q} \sum_{i \le n_q} (s_{qi} - y_{qi})^2, \qquad n_q = \text{lengths}_q$$
#
# Each query weighs the same, however many documents it has.


# %%
def pointwise_ranking_loss(scores, relevance, lengths):
    """Mean over queries of the mean squared difference of score and relevance, and its gradient.

    scores, relevance: (Q, M). lengths: (Q,) integers, 1 to M.
    Returns (loss, dscores): a number, and (Q, M), 0 in the padding.
    """
    ### BEGIN SOLUTION
    q, m = scores.shape
    is_real = np.arange(m)[None, :] < lengths[:, None]
    error = np.where(is_real, scores - relevance, 0.0)
    weight = 1.0 / (q * lengths[:, None])
    return np.sum(weight * error**2), 2.0 * weight * error
    ### END SOLUTION


# %%
print(pointwise_ranking_loss(np.array([[1.0, 0.0], [2.0, 9.0]]), np.array([[3.0, 0.0], [1.0, 0.0]]), np.array([2, 1])))

# %% [markdown]
# ## 27. Ranking in pairs
#
# Only the order counts: for each pair of documents of a query with $y_{qi} > y_{qj}$, the score of $i$ should
# be the higher one. RankNet's loss is
#
# $$L = \frac{1}{Q} \sum_q \frac{1}{|P_q|} \sum_{(i,j) \in P_q} \log\big(1 + e^{-(s_{qi} - s_{qj})}\big), \qquad
# P_q = \{(i, j) : i, j \le n_q,\; y_{qi} > y_{qj}\}$$
#
# Equally relevant documents are no pair. A query without a pair costs 0 and still counts among the Q. Scores may
# be far apart: a pair that is out of order by 1000 costs 1000. `lengths` and padding are as in the question before.


# %%
def pairwise_ranking_loss(scores, relevance, lengths):
    """RankNet's loss, a mean over queries of the mean over pairs, and its gradient.

    scores, relevance: (Q, M). lengths: (Q,) integers, 1 to M.
    Returns (loss, dscores): a number, and (Q, M), 0 in the padding.
    """
    ### BEGIN SOLUTION
    loss, dscores = 0.0, np.zeros(scores.shape)
    for q in range(len(scores)):
        n = lengths[q]
        s, y = scores[q, :n], relevance[q, :n]
        is_pair = y[:, None] > y[None, :]  # (n, n): the row's document is better than the column's
        count = np.sum(is_pair)
        if count == 0:
            continue
        gaps = s[:, None] - s[None, :]
        loss += np.sum(np.logaddexp(0.0, -gaps) * is_pair) / count
        pull = is_pair * 0.5 * (1.0 - np.tanh(0.5 * gaps)) / count
        dscores[q, :n] = np.sum(pull, axis=0) - np.sum(pull, axis=1)
    return loss / len(scores), dscores / len(scores)
    ### END SOLUTION


# %%
print(pairwise_ranking_loss(np.zeros((1, 3)), np.array([[2.0, 0.0, 1.0]]), np.array([3])))

# %% [markdown]
# ## 28. Ranking a whole list
#
# Which document should come first? ListNet (top-one) makes two distributions over the documents of a query, one
# of their relevance and one of their scores, and takes the cross-entropy:
#
# $$t_q = \mathrm{softmax}(y_{q1}, \dots, y_{q n_q}), \quad p_q = \mathrm{softmax}(s_{q1}, \dots, s_{q n_q}), \qquad
# L = -\frac{1}{Q} \sum_q \sum_{i \le n_q} t_{qi} \log p_{qi}$$
#
# Both softmaxes are over the real documents only. Scores may be huge. `lengths` and padding are as before.


# %%
def listwise_ranking_loss(scores, relevance, lengths):
    """ListNet's top-one loss, a mean over queries, and its gradient.

    scores, relevance: (Q, M). lengths: (Q,) integers, 1 to M.
    Returns (loss, dscores): a number, and (Q, M), 0 in the padding.
    """
    ### BEGIN SOLUTION
    dscores = np.zeros(scores.shape)
    losses = []
    for q, n in enumerate(lengths):
        log_p = scores[q, :n] - np.logaddexp.reduce(scores[q, :n])
        t = np.exp(relevance[q, :n] - np.logaddexp.reduce(relevance[q, :n]))
        losses.append(-np.dot(t, log_p))
        dscores[q, :n] = (np.exp(log_p) - t) / len(scores)
    return np.mean(losses), dscores
    ### END SOLUTION


# %%
print(listwise_ranking_loss(np.zeros((1, 3)), np.log([[2.0, 1.0, 9.0]]), np.array([2])))
