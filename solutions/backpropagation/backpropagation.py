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
# # Backpropagation by hand
#
# Eight questions, from one layer to a network that reads digits. Define exactly the functions and the class
# asked for, with their arguments in the given order; add cells and helpers of your own as you like. Arrays
# are NumPy arrays, one example a row. Work with NumPy: what PyTorch does for you later, you write here once.

# %%
import numpy as np

# %% [markdown]
# ## 1. A fully connected layer
#
# Every output sees every input (deck 003, *Multi Output Perceptron*; deck 004, *Fully Connected Layer*):
#
# $$\text{out} = x\,w + b$$
#
# Backward is given `dout`, the gradient of some loss with respect to `out`, and returns the gradients with
# respect to `x`, `w` and `b`, in this order (deck 004, *Backpropagating dE/dy (Hinton)*). A gradient has the
# shape of what it belongs to. Gradients are **sums** over the examples: where the loss is a mean, its 1/N is
# in `dout` already. What you put into `cache` is up to you, but put all that backward needs into it: forward may be
# called again, with other arguments, before backward is. (Deck 001 has an example as a column and writes
# $Wa + b$: its $W$ is our `w` transposed.)


# %%
def affine_forward(x, w, b):
    """A fully connected layer.

    x: (N, D), w: (D, M), b: (M,). Returns (out, cache) with out: (N, M).
    """
    ### BEGIN SOLUTION
    return b + np.einsum("nd,dm->nm", x, w), {"input": x, "weight": w}
    ### END SOLUTION


def affine_backward(dout, cache):
    """Gradients of a fully connected layer.

    dout: (N, M). Returns (dx, dw, db): (N, D), (D, M), (M,).
    """
    ### BEGIN SOLUTION
    dx = np.einsum("nm,dm->nd", dout, cache["weight"])
    dw = np.einsum("nm,nd->dm", dout, cache["input"])
    db = np.einsum("nm->m", dout)
    return dx, dw, db
    ### END SOLUTION


# %%
out, cache = affine_forward(np.ones((2, 3)), np.arange(12.0).reshape(3, 4), np.zeros(4))
print(out)
print([gradient.shape for gradient in affine_backward(np.ones((2, 4)), cache)])

# %% [markdown]
# ## 2. ReLU
#
# $$\text{out} = \max(0, x)$$
#
# entry by entry, for arrays of any shape (deck 004, *ReLU Activation Function*). The derivative at exactly
# 0 is 0, as in deck 002: $f'(x) = I(x > 0)$.


# %%
def relu_forward(x):
    """Rectified linear unit.

    x: any shape. Returns (out, cache) with out of the same shape.
    """
    ### BEGIN SOLUTION
    out = np.clip(x, 0, None)
    return out, np.sign(out)
    ### END SOLUTION


def relu_backward(dout, cache):
    """Gradient of a rectified linear unit.

    dout: the shape of x. Returns dx of the same shape.
    """
    ### BEGIN SOLUTION
    return np.multiply(cache, dout)
    ### END SOLUTION


# %%
out, cache = relu_forward(np.array([-2.0, 0.0, 3.0]))
print(out, relu_backward(np.array([10.0, 10.0, 10.0]), cache))

# %% [markdown]
# ## 3. A network of L layers
#
# Fully connected layers, with ReLU after each **but the last** (deck 001, forward propagation in matrix form;
# deck 004, *Benefits of MLP with Backpropagation*):
#
# $$h_0 = x, \qquad h_l = \mathrm{relu}(h_{l-1} W_l + b_l) \ \text{ for } l < L, \qquad
# \text{out} = h_{L-1} W_L + b_L$$
#
# `params` is a dict with the keys `"W1", "b1", "W2", "b2", …, "WL", "bL"`; there may be one layer only, or many.
#
# Backward takes `dout` from the last layer to the first and returns `(dparams, dx)`: a dict with the keys and
# shapes of `params`, and the gradient of `x`. Again these are sums over the examples. Both functions leave
# what they are given as it was, and backward leaves its `cache` so that it may be called with it once more.


# %%
def mlp_forward(params, x):
    """A multilayer perceptron.

    params: {"W1": (D, M1), "b1": (M1,), ..., "WL", "bL"}, x: (N, D). Returns (out, cache) with out: (N, C).
    """
    ### BEGIN SOLUTION
    depth = max(int(key[1:]) for key in params)
    caches = []
    h = x
    for l in range(1, depth + 1):
        h, affine_cache = affine_forward(h, params["W" + str(l)], params["b" + str(l)])
        relu_cache = None
        if l != depth:
            h, relu_cache = relu_forward(h)
        caches.append((l, affine_cache, relu_cache))
    return h, caches
    ### END SOLUTION


def mlp_backward(dout, cache):
    """Gradients of a multilayer perceptron.

    dout: (N, C). Returns (dparams, dx): a dict with the keys and shapes of params, and (N, D).
    """
    ### BEGIN SOLUTION
    grads = {}
    d = dout
    for l, affine_cache, relu_cache in cache[::-1]:
        if relu_cache is not None:
            d = relu_backward(d, relu_cache)
        d, grads["W" + str(l)], grads["b" + str(l)] = affine_backward(d, affine_cache)
    return grads, d
    ### END SOLUTION


# %%
# relu(x) + relu(-x) is |x|; its slope is the sign of x.
absolute = {"W1": np.array([[1.0, -1.0]]), "b1": np.zeros(2), "W2": np.ones((2, 1)), "b2": np.zeros(1)}
out, cache = mlp_forward(absolute, np.array([[-2.0], [3.0]]))
print(out.ravel(), mlp_backward(np.array([[1.0], [10.0]]), cache)[1].ravel())

# %% [markdown]
# ## 4. Loss and gradients
#
# The network of question 3 as a classifier: its outputs are scores, softmax makes probabilities of them, and
# the loss is the **mean** over the N examples of the cross-entropy (deck 004, *Loss Function: Cross-Entropy
# Loss*):
#
# $$L = -\frac{1}{N}\sum_n \log p_{n,\,y_n}, \qquad
# \frac{\partial L}{\partial z_{nc}} = \frac{p_{nc} - t_{nc}}{N}$$
#
# with $t_{nc}$ 1 at the true class and 0 elsewhere. Take the logarithm of the probabilities as they are: a small
# number added to them changes the loss. Return the loss and the gradient of all parameters (deck 003, *Computing
# Gradients: Backpropagation*). Nothing is updated here: `params`, `x` and `y` stay as they were.


# %%
def loss_and_gradients(params, x, y):
    """Mean cross-entropy of a multilayer perceptron, and the gradient of its parameters.

    params: as for mlp_forward, x: (N, D), y: (N,) integers from 0 to C - 1.
    Returns (loss, grads): a number, and a dict with the keys and shapes of params.
    """
    ### BEGIN SOLUTION
    z, cache = mlp_forward(params, x)
    z = z - np.amax(z, axis=1)[:, None]
    log_p = z - np.log(np.sum(np.exp(z), axis=1))[:, None]
    truth = np.zeros(z.shape)
    np.put_along_axis(truth, y[:, None], 1.0, axis=1)
    loss = -np.sum(truth * log_p) / len(y)
    grads, _ = mlp_backward((np.exp(log_p) - truth) / len(y), cache)
    return loss, grads
    ### END SOLUTION


# %%
# Zeros everywhere: four classes equally likely, so the loss is log 4.
zeros = {"W1": np.zeros((2, 3)), "b1": np.zeros(3), "W2": np.zeros((3, 4)), "b2": np.zeros(4)}
loss, grads = loss_and_gradients(zeros, np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([2, 0]))
print(loss, grads["b2"])

# %% [markdown]
# ## 5. Automatic differentiation
#
# A number that remembers what it was computed from (deck 004, *Backpropagation with a Computational Graph*).
# `Value(2.0)` has `data` 2.0 and `grad` 0. It knows `+ - * /` with Values and plain numbers on either side,
# unary minus, `**` with a plain number as exponent, and the methods `exp()`, `tanh()` and `relu()` (derivative
# 0 at exactly 0). `f.backward()` sets `grad` of every node that `f` was computed from to
#
# $$\frac{\partial f}{\partial \text{node}}, \quad \text{the sum over all paths from the node to } f.$$
#
# In deck 001, $f = (x + y)\,z$ at $(-2, 5, -4)$ is $-12$ with the gradient $(-4, -4, 3)$, and $z = u^2 + v^2$ with
# $u = xy$, $v = x/y$ has the partial derivatives $2xy^2 + 2x/y^2$ and $2x^2y - 2x^2/y^3$. Graphs may be thousands of
# nodes deep, deeper than Python lets functions call each other.


# %%
class Value:
    """A number with a gradient. data: the number; grad: 0 until backward() of a result is called."""

    def __init__(self, data):
        ### BEGIN SOLUTION
        self.data = data
        self.grad = 0.0
        self.parents = ()
        self.spread = lambda: None  # adds this node's share to the gradients of its parents
        ### END SOLUTION

    def __add__(self, other):
        """self + other, a Value or a number."""
        ### BEGIN SOLUTION
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data + other.data)
        out.parents = (self, other)

        def spread():
            self.grad += out.grad
            other.grad += out.grad

        out.spread = spread
        return out
        ### END SOLUTION

    def __mul__(self, other):
        """self * other, a Value or a number."""
        ### BEGIN SOLUTION
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data * other.data)
        out.parents = (self, other)

        def spread():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.spread = spread
        return out
        ### END SOLUTION

    def __pow__(self, exponent):
        """self ** exponent, a number."""
        ### BEGIN SOLUTION
        out = Value(self.data**exponent)
        out.parents = (self,)

        def spread():
            self.grad += out.grad * exponent * self.data ** (exponent - 1)

        out.spread = spread
        return out
        ### END SOLUTION

    def __neg__(self):
        """-self"""
        ### BEGIN SOLUTION
        return self * -1.0
        ### END SOLUTION

    def __sub__(self, other):
        """self - other, a Value or a number."""
        ### BEGIN SOLUTION
        return self + other * -1.0
        ### END SOLUTION

    def __truediv__(self, other):
        """self / other, a Value or a number."""
        ### BEGIN SOLUTION
        return self * (other if isinstance(other, Value) else Value(other)) ** -1
        ### END SOLUTION

    def __radd__(self, other):
        """other + self, where other is a number."""
        ### BEGIN SOLUTION
        return Value(other) + self
        ### END SOLUTION

    def __rmul__(self, other):
        """other * self, where other is a number."""
        ### BEGIN SOLUTION
        return Value(other) * self
        ### END SOLUTION

    def __rsub__(self, other):
        """other - self, where other is a number."""
        ### BEGIN SOLUTION
        return Value(other) - self
        ### END SOLUTION

    def __rtruediv__(self, other):
        """other / self, where other is a number."""
        ### BEGIN SOLUTION
        return Value(other) / self
        ### END SOLUTION

    def exp(self):
        """e to the power of self."""
        ### BEGIN SOLUTION
        out = Value(float(np.exp(self.data)))
        out.parents = (self,)

        def spread():
            self.grad += out.data * out.grad

        out.spread = spread
        return out
        ### END SOLUTION

    def tanh(self):
        """Hyperbolic tangent."""
        ### BEGIN SOLUTION
        out = Value(float(np.tanh(self.data)))
        out.parents = (self,)

        def spread():
            self.grad += (1 - out.data * out.data) * out.grad

        out.spread = spread
        return out
        ### END SOLUTION

    def relu(self):
        """max(0, self)"""
        ### BEGIN SOLUTION
        out = Value(self.data if self.data > 0 else 0.0)
        out.parents = (self,)

        def spread():
            if self.data > 0:
                self.grad += out.grad

        out.spread = spread
        return out
        ### END SOLUTION

    def backward(self):
        """Set grad of every node that self was computed from."""
        ### BEGIN SOLUTION
        # A node is pushed twice: to open it, and, below its parents, to close it. Closed nodes stand
        # after everything they were computed from.
        closed, opened = [], set()
        stack = [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                closed.append(node)
            elif node not in opened:
                opened.add(node)
                stack.append((node, True))
                stack.extend((parent, False) for parent in node.parents)
        self.grad = 1.0
        while closed:
            closed.pop().spread()
        ### END SOLUTION


# %%
x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
f = (x + y) * z
f.backward()
print(f.data, x.grad, y.grad, z.grad)

# %% [markdown]
# ## 6. Checking a gradient
#
# Before you trust a gradient, yours or another's, hold it against differences of the function itself:
#
# $$\frac{\partial f}{\partial p} \approx \frac{f(p + h) - f(p - h)}{2h}$$
#
# `f` takes a dict like `params` and returns a number; `grads` is the claimed gradient, with the same keys and
# shapes. Return `True` where it is right as far as right programs agree (a relative error up to $10^{-7}$) and
# `False` where an entry or a block is off by a relative error of $10^{-3}$ or more. Relative means: whatever the
# size of `f`, the verdict on the same work is the same. Where a parameter does nothing, a gradient of 0 is right.
# (Deck 003, *Computing Gradients: Backpropagation*, is what this checks.)


# %%
def gradient_check(f, grads, params):
    """Is a claimed gradient right?

    f: dict -> number. grads, params: dicts name -> array. Returns True or False.
    """
    ### BEGIN SOLUTION
    h = 1e-5

    def shifted(key, i, by):
        copies = {name: np.array(value, dtype=np.float64) for name, value in params.items()}
        copies[key].flat[i] += by
        return f(copies)

    for key, value in params.items():
        slopes = np.array([(shifted(key, i, h) - shifted(key, i, -h)) / (2 * h) for i in range(value.size)])
        claims = np.ravel(grads[key])
        errors = np.abs(claims - slopes) / np.maximum(np.abs(claims) + np.abs(slopes), 1e-15)
        if np.any(errors > 2e-5):
            return False
    return True
    ### END SOLUTION


# %%
# Your own gradients of question 4, on a small network.
rng = np.random.default_rng(0)
small = {"W1": rng.normal(size=(2, 3)), "b1": rng.normal(size=3), "W2": rng.normal(size=(3, 2)), "b2": np.zeros(2)}
points, classes = rng.normal(size=(5, 2)), np.array([0, 1, 1, 0, 1])
print(gradient_check(lambda p: loss_and_gradients(p, points, classes)[0],
                     loss_and_gradients(small, points, classes)[1], small))

# %% [markdown]
# ## 7. Two moons
#
# Train a network with one hidden layer,
#
# $$\text{scores} = \mathrm{relu}(x W_1 + b_1)\,W_2 + b_2,$$
#
# by plain minibatch gradient descent (deck 004, *Train a Deep Neural Network with SGD*, without its momentum and
# its weight decay). `order` has a row for each epoch: visit the examples in that order, `batch_size` at a time,
# and after each batch take the step
#
# $$p \leftarrow p - \eta\,\frac{\partial L}{\partial p}$$
#
# for all parameters, $L$ being the mean cross-entropy of that batch alone. All gradients of a step belong to the
# parameters before it. Where `batch_size` does not divide N, the last batch of an epoch is shorter; keep it, and
# take the mean over its own size. Your training is also run on two moons, and the loss that the parameters
# you return have there must come down to that of the reference.


# %%
def mlp_train(params, x, y, lr, order, batch_size):
    """Train a network with one hidden layer.

    params: {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}, x: (N, D), y: (N,) integers, lr: a number,
    order: (epochs, N) integers. Returns the trained parameters in a dict with the same keys and shapes.
    """
    ### BEGIN SOLUTION
    W1, b1 = np.array(params["W1"], dtype=float), np.array(params["b1"], dtype=float)
    W2, b2 = np.array(params["W2"], dtype=float), np.array(params["b2"], dtype=float)
    for epoch in order:
        begin = 0
        while begin < len(epoch):
            idx = epoch[begin : begin + batch_size]
            begin += batch_size
            a = x[idx] @ W1 + b1
            h = a * (a > 0)
            s = h @ W2 + b2
            e = np.exp(s - s.max(axis=1, keepdims=True))
            ds = e / e.sum(axis=1, keepdims=True)
            ds[np.arange(len(idx)), y[idx]] -= 1.0
            ds /= len(idx)
            da = (ds @ W2.T) * (a > 0)
            W2 -= lr * (h.T @ ds)
            b2 -= lr * ds.sum(axis=0)
            W1 -= lr * (x[idx].T @ da)
            b1 -= lr * da.sum(axis=0)
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    ### END SOLUTION


# %%
angles = np.pi * rng.uniform(size=200)
moon = np.arange(200) % 2
arc = np.stack([np.cos(angles), np.sin(angles)], axis=1)
moons = np.where(moon[:, None] == 0, arc, [1.0, 0.5] - arc) + 0.1 * rng.normal(size=(200, 2))
start = {"W1": rng.normal(size=(2, 16)), "b1": np.zeros(16), "W2": 0.3 * rng.normal(size=(16, 2)), "b2": np.zeros(2)}
trained = mlp_train(start, moons, moon, 0.3, np.array([rng.permutation(200) for _ in range(60)]), 10)
print((mlp_forward(trained, moons)[0].argmax(axis=1) == moon).mean())

# %% [markdown]
# ## 8. Digits
#
# The same for a network of **any number of layers**: the parameters are those of question 3, the gradients those
# of question 4, and `lr`, `order`, `batch_size` and the short last batch are as in question 7.
#
# Half of the points are for the steps themselves. The other half is an exam: your function is given a thousand
# images of digits, 8 by 8 pixels, shifted, turned and noised, and the network that it returns is asked about images that
# it has never seen. Points grow with its accuracy, from guessing to what the reference reaches.


# %%
def deep_mlp_train(params, x, y, lr, order, batch_size):
    """Train a network of any number of layers.

    params: {"W1": (D, M1), "b1": (M1,), ..., "WL", "bL"}, x: (N, D), y: (N,) integers, lr: a number,
    order: (epochs, N) integers. Returns the trained parameters in a dict with the same keys and shapes.
    """
    ### BEGIN SOLUTION
    for epoch in range(order.shape[0]):
        x_now, y_now = x[order[epoch]], y[order[epoch]]
        for i in range(0, x.shape[0], batch_size):
            grads = loss_and_gradients(params, x_now[i : i + batch_size], y_now[i : i + batch_size])[1]
            params = {key: params[key] - lr * grads[key] for key in params}
    return params
    ### END SOLUTION


# %%
# A stand-in for digits: is the upper left pixel of 2 x 2 brighter than the lower right one, or the other way round?
images = rng.uniform(size=(300, 4))
brighter = (images[:, 0] > images[:, 3]).astype(int)
start = {}
for l, (d, m) in enumerate([(4, 8), (8, 6), (6, 2)], start=1):
    start[f"W{l}"], start[f"b{l}"] = rng.normal(size=(d, m)) * np.sqrt(2 / d), np.zeros(m)
trained = deep_mlp_train(start, images, brighter, 0.2, np.array([rng.permutation(300) for _ in range(30)]), 20)
print((mlp_forward(trained, images)[0].argmax(axis=1) == brighter).mean())
