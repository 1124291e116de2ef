# %%
import numpy as np

# %%
# Question 1
def affine_forward(x, w, b):
    z = x.dot(w)
    z += b
    return z, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    db = dout.sum(0)
    return dout.dot(w.T), x.T.dot(dout), db

# %%
# Question 2
def relu_forward(x):
    out = x.copy()
    out[x <= 0] = 0
    return out, x


def relu_backward(dout, cache):
    dx = dout.copy()
    dx[cache <= 0] = 0
    return dx

# %%
# Question 3
def mlp_forward(params, x):
    L = len(params) // 2
    a = [x]  # activations, a[l] goes into layer l + 1
    for l in range(1, L):
        a.append(np.maximum(a[-1] @ params["W%d" % l] + params["b%d" % l], 0))
    out = a[-1] @ params["W%d" % L] + params["b%d" % L]
    return out, (params, a)


def mlp_backward(dout, cache):
    params, a = cache
    delta, grads = dout, {}
    for l in range(len(a), 0, -1):
        grads["W%d" % l] = a[l - 1].T @ delta
        grads["b%d" % l] = np.sum(delta, axis=0)
        delta = delta @ params["W%d" % l].T
        if l > 1:
            delta = delta * np.sign(a[l - 1])
    return grads, delta

# %%
# Question 4
def loss_and_gradients(params, x, y):
    n = len(x)
    out, cache = mlp_forward(params, x)
    out = out - out.max(axis=1).reshape(-1, 1)
    exps = np.exp(out)
    total = exps.sum(axis=1)
    loss = np.mean(np.log(total) - out[range(n), y])
    delta = exps / total.reshape(-1, 1)
    delta[range(n), y] -= 1
    grads, _ = mlp_backward(delta / n, cache)
    return loss, grads

# %%
# Question 5
import math


class Value:
    """One number in the graph."""

    def __init__(self, data, edges=()):
        self.data = data
        self.grad = 0
        self.edges = list(edges)  # (parent, local derivative)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    __radd__ = __add__

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    __rmul__ = __mul__

    def __pow__(self, k):
        return Value(self.data**k, [(self, k * self.data ** (k - 1))])

    def __neg__(self):
        return Value(-self.data, [(self, -1.0)])

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return (-self) + other

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data / other.data, [(self, 1 / other.data), (other, -self.data / other.data**2)])

    def __rtruediv__(self, other):
        return Value(other) / self

    def exp(self):
        e = math.exp(self.data)
        return Value(e, [(self, e)])

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, [(self, 1 - t**2)])

    def relu(self):
        return Value(max(0.0, self.data), [(self, float(self.data > 0))])

    def backward(self):
        order, visited = [], set()

        def visit(node):
            if node not in visited:
                visited.add(node)
                for parent, _ in node.edges:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.edges:
                parent.grad += slope * node.grad

# %%
# Question 6
def gradient_check(f, grads, params):
    h = 1e-6
    p = {name: np.array(value, dtype=float) for name, value in params.items()}
    for name in p:
        numerical = np.zeros(p[name].shape)
        it = np.nditer(p[name], flags=["multi_index"])
        for _ in it:
            i = it.multi_index
            old = p[name][i]
            p[name][i] = old + h
            up = f(p)
            p[name][i] = old - h
            down = f(p)
            p[name][i] = old
            numerical[i] = (up - down) / (2 * h)
        diff = np.linalg.norm(numerical - grads[name])
        if diff / (np.linalg.norm(numerical) + np.linalg.norm(grads[name])) > 1e-4:
            return False
    return True

# %%
# Question 7
def mlp_train(params, x, y, lr, order, batch_size):
    p = {k: v.copy() for k, v in params.items()}
    for perm in order:
        for i in range(0, len(perm), batch_size):
            _, g = loss_and_gradients(p, x[perm[i : i + batch_size]], y[perm[i : i + batch_size]])
            for k in p:
                p[k] -= lr * g[k]
    return p

# %%
# Question 8
def deep_mlp_train(params, x, y, lr, order, batch_size):
    return mlp_train(params, x, y, lr, order, batch_size)
