# %% [markdown]
# # Foundations
# Grace Kim

# %%
from __future__ import annotations

import functools
import time

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# %%
def timed(function):
    """Remember how long the calls of a function took."""
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        begin = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            wrapper.seconds.append(time.perf_counter() - begin)
    wrapper.seconds = []
    return wrapper

# %% [markdown]
# ## 1. Softmax

# %%
@timed
def softmax(scores: Array) -> Array:
    """Row-wise softmax, (N, C) -> (N, C)."""
    e: Array = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

# %%
assert np.allclose(softmax(np.zeros((2, 5))), 0.2)
print("softmax ok")

# %% [markdown]
# ## 2. Cross-entropy

# %%
@timed
def softmax_cross_entropy(scores: Array, y: NDArray[np.int64]) -> tuple[float, Array]:
    n: int = len(y)
    m = scores.max(axis=1, keepdims=True)
    log_p: Array = scores - m - np.log(np.exp(scores - m).sum(axis=1, keepdims=True))
    d: Array = np.exp(log_p)
    d[np.arange(n), y] -= 1.0
    return float(-log_p[np.arange(n), y].mean()), d / n

# %% [markdown]
# ## 3. Affine layer

# %%
Cache = tuple[Array, Array]

@timed
def affine_forward(x: Array, w: Array, b: Array) -> tuple[Array, Cache]:
    return x @ w + b, (x, w)

@timed
def affine_backward(upstream: Array, saved: Cache) -> tuple[Array, Array, Array]:
    x, w = saved
    return upstream @ w.T, x.T @ upstream, upstream.sum(axis=0)

# %% [markdown]
# ## 4. ReLU

# %%
def relu_forward(x):
    mask = x > 0
    out = np.where(mask, x, 0.0)
    return out, mask

# %%
def relu_backward(upstream, saved):
    return np.where(saved, upstream, 0.0)

# %%
r, rc = relu_forward(np.linspace(-2, 2, 5).reshape(1, 5))
print(r, relu_backward(np.ones((1, 5)), rc))

# %% [markdown]
# ## 5. Linear regression

# %%
def mse_loss(w, b, x, y):
    err = np.dot(x, w) + b - y           # residuals (N,)
    N = x.shape[0]
    return np.dot(err, err) / N, 2 * np.dot(err, x) / N, 2 * np.mean(err)

# %%
rng = np.random.default_rng(1)
feats = rng.normal(size=(20, 3))
target = feats @ np.array([1.0, -2.0, 0.5]) + 3
l0, g0, gb0 = mse_loss(np.zeros(3), 0.0, feats, target)
print("loss at zero:", l0, "gradient:", g0, gb0)

# %% [markdown]
# ## 6. Minibatch gradient descent

# %%
def minibatch_gradient_descent(x, y, w, b, eta, perms, batch_size):
    epochs = perms.shape[0]
    N = perms.shape[1]
    w = np.array(w, dtype=float)
    b = float(b)
    for e in range(epochs):
        start = 0
        while start < N:
            end = min(start + batch_size, N)     # the last batch may be short
            m = end - start
            dw = np.zeros(w.shape)
            db = 0.0
            for k in range(start, end):
                i = perms[e][k]
                err = b - y[i]
                for j in range(len(w)):
                    err += w[j] * x[i][j]
                for j in range(len(w)):
                    dw[j] += 2 * err * x[i][j] / m
                db += 2 * err / m
            for j in range(len(w)):
                w[j] -= eta * dw[j]
            b -= eta * db
            start = end
    return w, b

# %%
rng = np.random.default_rng(3)
A = rng.normal(size=(12, 2))
t = A @ np.array([1.0, -1.0])
perm = np.array([rng.permutation(12) for _ in range(25)])
w_fit, b_fit = minibatch_gradient_descent(A, t, np.zeros(2), 0.0, 0.1, perm, 5)
w_fit.round(3), round(float(b_fit), 3)

# %% [markdown]
# ## 7. Perceptron

# %%
def perceptron_fit(x, y, epochs):
    w, b = np.zeros(x.shape[1]), 0.0
    mistakes = [0] * epochs
    for e in range(epochs):
        for i in range(x.shape[0]):
            margin = y[i] * (np.dot(w, x[i]) + b)
            if margin <= 0:
                w = w + y[i] * x[i]
                b = b + y[i]
                mistakes[e] += 1
        if mistakes[e] == 0:
            break       # nothing changes any more, the remaining epochs stay 0
    return w, b, np.array(mistakes)

# %% [markdown]
# ## 8. Autograd

# %%
class Value:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents        # pairs (node, local derivative)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __pow__(self, k):
        return Value(self.data ** k, ((self, k * self.data ** (k - 1)),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data / other.data, ((self, 1 / other.data), (other, -self.data / other.data ** 2)))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Value(other) - self

    def __rtruediv__(self, other):
        return Value(other) / self

    def exp(self):
        e = np.exp(self.data)
        return Value(e, ((self, e),))

    def tanh(self):
        t = np.tanh(self.data)
        return Value(t, ((self, 1 - t * t),))

    def relu(self):
        return Value(max(self.data, 0.0), ((self, 1.0 if self.data > 0 else 0.0),))

    def backward(self):
        # order the graph with an explicit stack, so long chains are no problem
        perms, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                perms.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                for parent, _ in node.parents:
                    stack.append((parent, False))
        for node in perms:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(perms):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad

# %%
vx, vy = Value(0.5), Value(1.5)
out = (vx * vy).tanh() + (vx / vy).exp() - 2 * vy.relu()
out.backward()
print(round(out.data, 5), round(vx.grad, 5), round(vy.grad, 5))

# %% [markdown]
# ## 9. Gradient check

# %%
def gradient_check(f, grads, params):
    h = 1e-5
    for name in params:
        numeric = np.zeros_like(params[name], dtype=float)
        for i in np.ndindex(params[name].shape):
            plus = {k: v.copy() for k, v in params.items()}
            minus = {k: v.copy() for k, v in params.items()}
            plus[name][i] += h
            minus[name][i] -= h
            numeric[i] = (f(plus) - f(minus)) / (2 * h)
        # relative error entry by entry
        error = np.abs(numeric - grads[name]) / np.maximum(1e-5, np.maximum(np.abs(numeric), np.abs(grads[name])))
        if np.any(error > 1e-4):
            return False
    return True

# %% [markdown]
# ## 10. Training an MLP

# %%
def mlp_gradients(p, x, y):
    hidden = x @ p['W1'] + p['b1']
    active = hidden > 0
    hidden = hidden * active
    scores = hidden @ p['W2'] + p['b2']
    scores = scores - scores.max(axis=1, keepdims=True)
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    delta = (probs - np.eye(probs.shape[1])[y]) / len(y)
    delta_hidden = (delta @ p['W2'].T) * active
    return {'W1': x.T @ delta_hidden, 'b1': delta_hidden.sum(0), 'W2': hidden.T @ delta, 'b2': delta.sum(0)}

# %%
def mlp_train(params, x, y, eta, perms, batch_size):
    p = {k: v.copy() for k, v in params.items()}
    for epoch in perms:
        for s in range(0, len(epoch), batch_size):
            i = epoch[s:s + batch_size]
            g = mlp_gradients(p, x[i], y[i])
            for k in p:
                p[k] -= eta * g[k]      # plain SGD
    return p
