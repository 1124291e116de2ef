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
# # From one neuron to a trained network
#
# Ten questions, from the softmax to a network that learns. Define exactly the functions asked for, with
# their arguments in the given order; add cells and helpers of your own as you like. Arrays are NumPy
# arrays, one example a row. Work with NumPy: PyTorch is there in the last question only.

# %%
import numpy as np

# %% [markdown]
# ## 1. Softmax
#
# Scores become probabilities (deck 004, *Softmax Activation Function*):
#
# $$p_{nc} = \frac{e^{z_{nc}}}{\sum_j e^{z_{nj}}}$$
#
# Each row of the result adds up to 1. Scores may be huge: nothing may overflow.


# %%
def softmax(logits):
    """Probabilities of C classes for N examples.

    logits: (N, C). Returns (N, C); each row adds up to 1.
    """
    ### BEGIN SOLUTION
    z = logits - np.max(logits, axis=1, keepdims=True)
    e = np.exp(z)
    return e / np.sum(e, axis=1, keepdims=True)
    ### END SOLUTION


# %%
scores = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
print(softmax(scores))

# %% [markdown]
# ## 2. Softmax and cross-entropy
#
# The loss is the mean over the N examples of the negative log-probability of the true class (deck 004,
# *Loss Function: Cross-Entropy Loss*):
#
# $$L = -\frac{1}{N} \sum_n \log p_{n,\,y_n}$$
#
# Return it together with its gradient with respect to the scores. The loss must be right for huge scores
# too, so take the logarithm of the softmax on paper first.


# %%
def softmax_cross_entropy(logits, labels):
    """Mean cross-entropy of softmax(logits), and its gradient.

    logits: (N, C). labels: (N,) integers from 0 to C - 1.
    Returns (loss, dlogits): a number, and (N, C).
    """
    ### BEGIN SOLUTION
    n = logits.shape[0]
    z = logits - np.max(logits, axis=1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(z), axis=1))
    loss = np.mean(log_sum - z[np.arange(n), labels])
    one_hot = np.eye(logits.shape[1])[labels]
    return loss, (softmax(logits) - one_hot) / n
    ### END SOLUTION


# %%
# The lecture's example: 0.7 for the true class costs 0.357.
print(softmax_cross_entropy(np.log([[0.2, 0.7, 0.1]]), np.array([1])))

# %% [markdown]
# ## 3. A fully connected layer
#
# Forward (deck 003, *Multi Output Perceptron*; deck 004, *Fully Connected Layer*):
#
# $$\text{out} = x\,w + b$$
#
# Backward gets `dout`, the gradient of some loss with respect to `out`, and returns the gradients with
# respect to `x`, `w` and `b`, in this order. What you put into `cache` is up to you, but put all that
# backward needs into it: forward may be called again before backward is.


# %%
def affine_forward(x, w, b):
    """x: (N, D), w: (D, M), b: (M,). Returns (out, cache) with out: (N, M)."""
    ### BEGIN SOLUTION
    out = np.dot(x, w) + b
    return out, (x, w)
    ### END SOLUTION


def affine_backward(dout, cache):
    """dout: (N, M). Returns (dx, dw, db): (N, D), (D, M), (M,)."""
    ### BEGIN SOLUTION
    x, w = cache
    return np.dot(dout, w.T), np.dot(x.T, dout), np.sum(dout, axis=0)
    ### END SOLUTION


# %%
out, cache = affine_forward(np.ones((2, 3)), np.arange(12.0).reshape(3, 4), np.zeros(4))
print(out.shape, [gradient.shape for gradient in affine_backward(np.ones((2, 4)), cache)])

# %% [markdown]
# ## 4. ReLU
#
# $$\text{out} = \max(0, x)$$
#
# entry by entry, for arrays of any shape (deck 004, *ReLU Activation Function*). The derivative at exactly
# 0 is 0, as in deck 002: $f'(x) = I(x > 0)$.


# %%
def relu_forward(x):
    """x: any shape. Returns (out, cache) with out of the same shape."""
    ### BEGIN SOLUTION
    is_on = x > 0
    return np.where(is_on, x, 0.0), is_on
    ### END SOLUTION


def relu_backward(dout, cache):
    """dout: the shape of x. Returns dx of the same shape."""
    ### BEGIN SOLUTION
    is_on = cache
    return dout * is_on
    ### END SOLUTION


# %%
out, cache = relu_forward(np.array([-2.0, 0.0, 3.0]))
print(out, relu_backward(np.array([10.0, 10.0, 10.0]), cache))

# %% [markdown]
# ## 5. Linear regression
#
# The mean squared error of a linear model (deck 004, *Loss Function: Mean Squared Error*):
#
# $$L = \frac{1}{N} \sum_n (x_n \cdot w + b - y_n)^2$$
#
# Return it with its gradient with respect to `w` and `b`. The derivative of the square keeps its factor 2.


# %%
def mse_loss(w, b, x, y):
    """w: (D,), b: a number, x: (N, D), y: (N,). Returns (loss, dw, db): a number, (D,), a number."""
    ### BEGIN SOLUTION
    n = x.shape[0]
    error = np.dot(x, w) + b - y
    loss = np.sum(error * error) / n
    dw = 2 * np.dot(error, x) / n
    db = 2 * np.sum(error) / n
    return loss, dw, db
    ### END SOLUTION


# %%
print(mse_loss(np.array([1.0]), 0.0, np.array([[1.0], [2.0]]), np.array([3.0, 3.0])))

# %% [markdown]
# ## 6. Minibatch gradient descent
#
# Train the model of question 5 (deck 001, *Minibatch Gradient Descent*). `order` has a row for each epoch:
# visit the examples in that order, `batch_size` at a time, and after each batch take the step
#
# $$w \leftarrow w - \eta\,\frac{\partial L}{\partial w}, \qquad b \leftarrow b - \eta\,\frac{\partial L}{\partial b}$$
#
# with the loss of that batch alone. Where `batch_size` does not divide N, the last batch of an epoch is
# shorter; keep it, and take the mean over its own size.


# %%
def minibatch_gradient_descent(x, y, w, b, lr, order, batch_size):
    """x: (N, D), y: (N,), w: (D,), b: a number, lr: a number, order: (epochs, N) integers.

    Returns (w, b) after all epochs.
    """
    ### BEGIN SOLUTION
    n = x.shape[0]
    for epoch in range(order.shape[0]):
        x_shuffled, y_shuffled = x[order[epoch]], y[order[epoch]]
        for i in range(0, n, batch_size):
            _, dw, db = mse_loss(w, b, x_shuffled[i : i + batch_size], y_shuffled[i : i + batch_size])
            w, b = w - lr * dw, b - lr * db
    return w, b
    ### END SOLUTION


# %%
rng = np.random.default_rng(0)
points = rng.normal(size=(20, 2))
targets = points @ np.array([2.0, -1.0]) + 0.5
orders = np.array([rng.permutation(20) for _ in range(40)])
print(minibatch_gradient_descent(points, targets, np.zeros(2), 0.0, 0.1, orders, 6))

# %% [markdown]
# ## 7. The perceptron
#
# Rosenblatt's rule (deck 004, *Rosenblatt's Perceptron (1958)*) with labels −1 and 1. Weights and bias start
# at zero. Go through the examples in their order, `epochs` times; an example with
#
# $$y_n\,(w \cdot x_n + b) \le 0$$
#
# is a mistake, and then $w \leftarrow w + y_n x_n$ and $b \leftarrow b + y_n$. Return the number of mistakes of
# each epoch too, `epochs` of them.


# %%
def perceptron_fit(x, y, epochs):
    """x: (N, D), y: (N,) of -1 and 1. Returns (w, b, mistakes): (D,), a number, (epochs,) integers."""
    ### BEGIN SOLUTION
    w = np.zeros(x.shape[1])
    b = 0.0
    history = []
    for _ in range(epochs):
        count = 0
        for i in range(len(x)):
            if y[i] * (np.dot(w, x[i]) + b) <= 0:
                w = w + y[i] * x[i]
                b = b + y[i]
                count += 1
        history.append(count)
    return w, b, np.array(history)
    ### END SOLUTION


# %%
print(perceptron_fit(np.array([[2.0, 1.0], [-1.0, -2.0], [1.0, 3.0]]), np.array([1.0, -1.0, 1.0]), 3))

# %% [markdown]
# ## 8. Automatic differentiation
#
# A class of scalars that remember how they were computed (deck 004, *Backpropagation with a Computational
# Graph*). `Value(2.0)` has `data` 2.0 and `grad` 0. It knows `+ - * /` with Values and plain numbers on
# either side, unary minus, `**` with a number as exponent, and the methods `exp()`, `tanh()`, `relu()` (derivative
# 0 at exactly 0). `f.backward()` sets `grad` of every node that `f` was computed from to
#
# $$\frac{\partial f}{\partial \text{node}}, \quad\text{the sum over all paths from the node to } f.$$
#
# Graphs may be thousands of nodes deep, deeper than Python lets functions call each other.


# %%
class Value:
    """A number with a gradient. data: the number; grad: 0 until backward() of a result is called."""

    def __init__(self, data):
        ### BEGIN SOLUTION
        self.data = data
        self.grad = 0.0
        self.inputs = []  # what this number was computed from
        self.slopes = []  # and its derivative by each of them
        ### END SOLUTION

    def __add__(self, other):
        """self + other, a Value or a number."""
        ### BEGIN SOLUTION
        other = other if isinstance(other, Value) else Value(other)
        result = Value(self.data + other.data)
        result.inputs, result.slopes = [self, other], [1.0, 1.0]
        return result
        ### END SOLUTION

    def __mul__(self, other):
        """self * other, a Value or a number."""
        ### BEGIN SOLUTION
        other = other if isinstance(other, Value) else Value(other)
        result = Value(self.data * other.data)
        result.inputs, result.slopes = [self, other], [other.data, self.data]
        return result
        ### END SOLUTION

    def __pow__(self, exponent):
        """self ** exponent, a number."""
        ### BEGIN SOLUTION
        result = Value(self.data**exponent)
        result.inputs, result.slopes = [self], [exponent * self.data ** (exponent - 1)]
        return result
        ### END SOLUTION

    def __neg__(self):
        """-self"""
        ### BEGIN SOLUTION
        result = Value(-self.data)
        result.inputs, result.slopes = [self], [-1.0]
        return result
        ### END SOLUTION

    def __sub__(self, other):
        """self - other, a Value or a number."""
        ### BEGIN SOLUTION
        return self + (-other)
        ### END SOLUTION

    def __truediv__(self, other):
        """self / other, a Value or a number."""
        ### BEGIN SOLUTION
        return self * other**-1.0
        ### END SOLUTION

    def __radd__(self, other):
        """other + self, where other is a number."""
        ### BEGIN SOLUTION
        return self + other
        ### END SOLUTION

    def __rmul__(self, other):
        """other * self, where other is a number."""
        ### BEGIN SOLUTION
        return self * other
        ### END SOLUTION

    def __rsub__(self, other):
        """other - self, where other is a number."""
        ### BEGIN SOLUTION
        return -self + other
        ### END SOLUTION

    def __rtruediv__(self, other):
        """other / self, where other is a number."""
        ### BEGIN SOLUTION
        return self**-1.0 * other
        ### END SOLUTION

    def exp(self):
        """e to the power of self."""
        ### BEGIN SOLUTION
        e = np.exp(self.data)
        result = Value(e)
        result.inputs, result.slopes = [self], [e]
        return result
        ### END SOLUTION

    def tanh(self):
        """Hyperbolic tangent."""
        ### BEGIN SOLUTION
        t = np.tanh(self.data)
        result = Value(t)
        result.inputs, result.slopes = [self], [1 - t * t]
        return result
        ### END SOLUTION

    def relu(self):
        """max(0, self)"""
        ### BEGIN SOLUTION
        is_on = float(self.data > 0)
        result = Value(self.data * is_on)
        result.inputs, result.slopes = [self], [is_on]
        return result
        ### END SOLUTION

    def backward(self):
        """Set grad of every node that self was computed from."""
        ### BEGIN SOLUTION
        # How many nodes use each node? A node's turn comes when all of them have had theirs.
        uses = {self: 0}
        to_visit = [self]
        while to_visit:
            for each in to_visit.pop().inputs:
                if each not in uses:
                    uses[each] = 0
                    to_visit.append(each)
                uses[each] += 1
        self.grad = 1.0
        ready = [self]
        while ready:
            node = ready.pop()
            for each, slope in zip(node.inputs, node.slopes, strict=True):
                each.grad += slope * node.grad
                uses[each] -= 1
                if uses[each] == 0:
                    ready.append(each)
        ### END SOLUTION


# %%
# The lecture's example: f = (x + y) z at (-2, 5, -4) is -12, with the gradient (-4, -4, 3).
x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
f = (x + y) * z
f.backward()
print(f.data, x.grad, y.grad, z.grad)

# %% [markdown]
# ## 9. Checking a gradient
#
# Before you trust a gradient, compare it with differences of the function itself:
#
# $$\frac{\partial f}{\partial p} \approx \frac{f(p + h) - f(p - h)}{2h}$$
#
# `f` takes a dict like `params` and returns a number; `grads` is the claimed gradient, with the same names
# and shapes. Return `True` where it is right as far as right programs agree (a relative error up to $10^{-7}$)
# and `False` where an entry or a block is off by a relative error of $10^{-3}$ or more. Relative means:
# whatever the size of `f`, the verdict on the same work is the same. Where a parameter does nothing, a gradient
# of 0 is right. (Deck 003, *Computing Gradients: Backpropagation*, is what this checks.)


# %%
def gradient_check(f, grads, params):
    """f: dict -> number. grads, params: dicts name -> array. Returns True or False."""
    ### BEGIN SOLUTION
    h = 1e-5
    for name in params:
        for i in range(params[name].size):
            values = []
            for step in (h, -h):
                moved = {key: np.array(params[key], dtype=float) for key in params}
                moved[name].reshape(-1)[i] += step
                values.append(f(moved))
            numerical = (values[0] - values[1]) / (2 * h)
            claimed = grads[name].reshape(-1)[i]
            if abs(claimed - numerical) > 1e-5 * max(abs(claimed), abs(numerical), 1e-12):
                return False
    return True
    ### END SOLUTION


# %%
cube = {"w": np.array([1.0, 2.0])}
print(gradient_check(lambda p: np.sum(p["w"] ** 3), {"w": np.array([3.0, 12.0])}, cube))
print(gradient_check(lambda p: np.sum(p["w"] ** 3), {"w": np.array([3.0, 12.1])}, cube))

# %% [markdown]
# ## 10. Training a network
#
# Put it together: a network with one hidden layer,
#
# $$\text{logits} = \mathrm{relu}(x W_1 + b_1)\,W_2 + b_2,$$
#
# softmax cross-entropy (the mean over the batch), plain minibatch gradient descent (deck 004, *Train a Deep
# Neural Network with SGD*, without its momentum and weight decay). `order`, `batch_size` and the short last
# batch are as in question 6. In this question you may use PyTorch.


# %%
def mlp_train(params, x, y, lr, order, batch_size):
    """params: {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}, x: (N, D), y: (N,) integers.

    Returns the trained parameters in a dict with the same keys and shapes.
    """
    ### BEGIN SOLUTION
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    for epoch_order in order:
        for i in range(0, len(epoch_order), batch_size):
            rows = epoch_order[i : i + batch_size]
            # forward
            a, cache1 = affine_forward(x[rows], W1, b1)
            h, cache_relu = relu_forward(a)
            scores, cache2 = affine_forward(h, W2, b2)
            # backward
            _, dscores = softmax_cross_entropy(scores, y[rows])
            dh, dW2, db2 = affine_backward(dscores, cache2)
            da = relu_backward(dh, cache_relu)
            _, dW1, db1 = affine_backward(da, cache1)
            # update
            W1, b1 = W1 - lr * dW1, b1 - lr * db1
            W2, b2 = W2 - lr * dW2, b2 - lr * db2
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    ### END SOLUTION


# %%
# XOR, which no perceptron learns.
corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
labels = np.array([0, 1, 1, 0])
start = {"W1": rng.normal(size=(2, 8)), "b1": np.zeros(8), "W2": rng.normal(size=(8, 2)), "b2": np.zeros(2)}
trained = mlp_train(start, corners, labels, 0.5, np.tile(np.arange(4), (200, 1)), 4)
hidden, _ = relu_forward(corners @ trained["W1"] + trained["b1"])
print(softmax(hidden @ trained["W2"] + trained["b2"]).round(2))
