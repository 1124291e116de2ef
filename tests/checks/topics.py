"""Small topics for tests of checks and suites, none of them the course's."""

import numpy as np

from autograder.topic import Array, Float, Opaque, bind, case, layer, topic, trainer


def scale_forward(x: Float[Array, "N D"], w: Float[Array, "D"]) -> tuple[Float[Array, "N D"], Opaque]:
    """tanh(x) * w, and a cache.

    >>> scale_forward(np.zeros((1, 2)), np.ones(2))[0]
    array([[0., 0.]])
    """
    t = np.tanh(x)
    return t * w, (t, w)


def scale_backward(dout, cache):
    """Gradients by x and w, given dout, that of the outputs out, and the cache.

    >>> scale_backward(np.ones((1, 1)), (np.zeros((1, 1)), np.full(1, 3.0)))
    (array([[3.]]), array([0.]))
    """
    t, w = cache
    return dout * w * (1 - t**2), (dout * t).sum(axis=0)


def make_scale():
    scale = layer(scale_forward, scale_backward, lecture="tests", gradients=("x", "w"))

    @scale.cases
    def _(rng):
        yield case("ordinary", x=rng.normal(size=(4, 3)), w=rng.normal(size=3))
        yield case("tall", x=rng.normal(size=(7, 2)), w=rng.normal(size=2))
        yield case("one example", x=rng.normal(size=(1, 5)), w=rng.normal(size=5))

    @scale.alternative
    def _():
        def forward(x, w):
            e = np.exp(2 * np.asarray(x, dtype=np.float64))
            return (e - 1) / (e + 1) * w, (x, w)

        def backward(dout, cache):
            x, w = cache
            dx, dw = np.zeros_like(dout), np.zeros(dout.shape[1])
            for i in range(dout.shape[0]):
                for j in range(dout.shape[1]):
                    dx[i, j] = dout[i, j] * w[j] / np.cosh(x[i, j]) ** 2
                    dw[j] += dout[i, j] * np.tanh(x[i, j])
            return dx, dw

        return forward, backward

    scale.misconception("slope of tanh forgotten", ("* (1 - t**2)", ""), hint="tanh has a slope.")
    scale.misconception("dw averaged", ("(dout * t).sum(axis=0)", "(dout * t).mean(axis=0)"), hint="w is shared.")
    return scale


def make_square():
    @topic(lecture="tests", returns=("loss", "dx"), gradients={"dx": ("loss", "x")})
    def square(x: Float[Array, "N"]) -> tuple[Float[Array, ""], Float[Array, "N"]]:
        """The loss, a mean of squares of x, and its gradient dx.

        >>> loss, dx = square(np.array([3.0, 1.0]))
        >>> float(loss), dx
        (5.0, array([3., 1.]))
        """
        return (x**2).mean(), 2 * x / len(x)

    @square.cases
    def _(rng):
        yield case("ordinary", x=rng.normal(size=5))
        yield case("longer", x=rng.normal(size=9))
        yield case("two", x=rng.normal(size=2))
        yield case("large", edge=0.25, x=1e8 * rng.normal(size=4))

    @square.alternative
    def _(x):
        total = 0.0
        for value in x:
            total += float(value) ** 2
        return total / len(x), np.array([2 * float(value) / len(x) for value in x])

    @square.property("even", share=0.1, hint="A square does not know signs.")
    def _(inputs):
        there = yield {}
        back = yield {"x": -inputs["x"]}
        return bool(np.allclose(there["loss"], back["loss"], rtol=1e-5))

    square.misconception("gradient summed", ("2 * x / len(x)", "2 * x"), hint="A mean.")
    square.misconception("factor two lost", ("2 * x / len(x)", "x / len(x)"), hint="The power rule.")
    return square


class Counter:
    """A number that can be added to.

    >>> Counter(1.0).add(2.0).total
    3.0
    """

    def __init__(self, start):
        self.total = start

    def add(self, amount):
        self.total = self.total + amount
        return self


def make_counter():
    counter = topic(lecture="tests", returns=("total",))(Counter)

    @counter.cases
    def _(rng):
        for number, steps in enumerate((2, 3, 5)):
            amounts = [float(a) for a in rng.normal(size=steps)]

            def build(Counter, amounts=amounts):
                made = Counter(1.0)
                for amount in amounts:
                    made = made.add(amount)
                return {"total": made.total}

            yield case(f"case {number}", build=build)

    @counter.alternative
    def _():
        class Other:
            def __init__(self, start):
                self.parts = [start]

            def add(self, amount):
                self.parts.append(amount)
                return self

            @property
            def total(self):
                return sum(self.parts)

        return Other

    counter.misconception("start forgotten", ("self.total = start", "self.total = 0.0"), hint="Where does it start?")
    return counter


def polynomial(x, *, coefficients):
    """Value of a polynomial."""
    return float(np.polyval(coefficients, x))


def make_slope():
    @topic(lecture="tests", returns=("slope",))
    def slope(f, x: Float[Array, ""]) -> Float[Array, ""]:
        """Central difference."""
        return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5

    @slope.cases
    def _(rng):
        for number in range(3):
            f = bind(polynomial, coefficients=rng.normal(size=4))
            yield case(f"polynomial {number}", f=f, x=float(rng.normal()))

    return slope


def make_descent(steps: int = 60):
    @trainer(lecture="tests", returns=("w",))
    def descend(w: Float[Array, "D"], target: Float[Array, "D"], lr: float, steps: int) -> Float[Array, "D"]:
        """So many steps of gradient descent at the rate lr, from w to the target at the bottom of a bowl.

        >>> descend(np.zeros(2), np.ones(2), 0.5, 2)
        array([0.75, 0.75])
        """
        for _ in range(steps):
            w = w - lr * (w - target)
        return w

    @descend.cases
    def _(rng):
        for number in range(3):
            yield case(f"run {number}", w=rng.normal(size=4), target=rng.normal(size=4), lr=0.1, steps=3)

    @descend.alternative
    def _(w, target, lr, steps):
        return target + (1 - lr) ** steps * (np.asarray(w) - target)

    @descend.converges(loss=lambda inputs, w: float(((w - inputs["target"]) ** 2).mean()) + 1e-12)
    def _(rng):
        return {"w": rng.normal(size=4), "target": rng.normal(size=4), "lr": 0.1, "steps": steps}

    descend.misconception("uphill", ("w - lr * (w - target)", "w + lr * (w - target)"), hint="Which way is down?")
    return descend


def distances(x: Float[Array, "N D"]) -> Float[Array, "N N"]:
    """Squared distances between all rows of x.

    >>> distances(np.array([[0.0], [3.0]]))
    array([[0., 9.],
           [9., 0.]])
    """
    return ((x[:, None] - x[None]) ** 2).sum(axis=2)


def slow_distances(x):
    return np.array([[sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) for other in x] for one in x])


def bulky_distances(x):
    return np.stack([(x[:, None] - x[None]) ** power for power in range(8)])[2].sum(axis=2)


def make_distances():
    declared = topic(lecture="tests", returns=("squares",))(distances)

    @declared.cases
    def _(rng):
        yield case("ordinary", x=rng.normal(size=(5, 3)))
        yield case("wide", x=rng.normal(size=(3, 6)))
        yield case("tall", x=rng.normal(size=(7, 2)))

    @declared.alternative
    def _(x):
        x = np.asarray(x, dtype=np.float64)
        return np.stack([np.square(x - row).sum(axis=1) for row in x])

    declared.misconception("not squared", ("(x[:, None] - x[None]) ** 2", "abs(x[:, None] - x[None])"), hint="Squares.")
    declared.costly(lambda rng: {"x": rng.normal(size=(160, 40))})
    declared.slow("a loop over pairs")(slow_distances)
    declared.bulky("every power at once")(bulky_distances)
    return declared
