"""What is a layer that keeps its parameters and gradients itself?"""

import numpy as np

from autograder.topic import case, topic


class Linear:
    """`Linear(W, b)`: `forward(x)` is x W + b; `backward(dy)` returns the gradient by x and leaves those of its own in
    `dW` and `db`, of the last forward alone.

    >>> linear = Linear(np.array([[2.0]]), np.array([1.0]))
    >>> linear.forward(np.array([[3.0]]))
    array([[7.]])
    >>> linear.backward(np.array([[1.0]])), linear.dW, linear.db
    (array([[2.]]), array([[3.]]), array([1.]))
    """

    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW, self.db = np.zeros_like(W), np.zeros_like(b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T


linear = topic(lecture="CV 2: layers as objects", returns=("y", "dx", "dW", "db"), gradients=("dx", "dW", "db"))(Linear)


@linear.cases
def _(rng):
    for name, n, d, m in (("a batch", 5, 3, 4), ("one output", 6, 4, 1), ("wide", 3, 2, 7)):
        yield case(name, build=once(rng.normal(size=(d, m)), rng.normal(size=m), *batch(rng, n, d, m)))
    W, b = rng.normal(size=(4, 3)), rng.normal(size=3)
    yield case("a second batch", build=twice(W, b, batch(rng, 6, 4, 3), batch(rng, 5, 4, 3)))


def batch(rng, n, d, m):
    return rng.normal(size=(n, d)), rng.normal(size=(n, m))


def once(W, b, x, dy):
    def build(Linear):
        layer = Linear(W, b)
        return {"y": layer.forward(x), "dx": layer.backward(dy), "dW": layer.dW, "db": layer.db}

    return build


def twice(W, b, first, second):
    def build(Linear):
        layer = Linear(W, b)
        layer.forward(first[0])
        layer.backward(first[1])
        return {"y": layer.forward(second[0]), "dx": layer.backward(second[1]), "dW": layer.dW, "db": layer.db}

    return build


@linear.alternative
def _():
    class PerExample:
        def __init__(self, W, b):
            self.W, self.b, self.rows = W, b, []

        def forward(self, x):
            self.rows = [np.array(row) for row in x]
            return np.stack([self.W.T @ row + self.b for row in self.rows])

        def backward(self, dy):
            self.dW = sum(np.outer(row, d) for row, d in zip(self.rows, dy, strict=True))
            self.db = sum(d for d in dy)
            return np.stack([self.W @ d for d in dy])

    return PerExample


linear.misconception(
    "gradients of all batches added up",
    ("self.dW = self.x.T @ dy", "self.dW = self.dW + self.x.T @ dy"),
    ("self.db = dy.sum(axis=0)", "self.db = self.db + dy.sum(axis=0)"),
    hint="Whose gradient is dW after a second backward?",
)
linear.misconception("gradient of b averaged", ("dy.sum(axis=0)", "dy.mean(axis=0)"), hint="Is a mean in dy already?")
linear.misconception("bias left out", ("x @ self.W + self.b", "x @ self.W"), hint="What does b do in forward?")
