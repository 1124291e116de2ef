"""How does a program differentiate what another program computes?"""

import math

from autograder.topic import case, close, topic
from reference import expressions, scalars
from reference.drawing import on_grid, sign


class Value:
    """A number that remembers what it was computed from, so that derivatives can flow back.

    Formula: forward, each operation keeps its operands and the derivative of its result by each of
    them. Backward, from the result to the leaves, `parent.grad += d(node)/d(parent) * node.grad`.

    Arguments:
        data: a number.

    Attributes:
        data: the number. grad: 0 at the start; after `result.backward()` it is d(result)/d(self).

    Operations: `+ - * /` between Values and with plain numbers on either side; unary minus; `**` with
    a plain number as exponent; methods `exp()`, `tanh()`, `relu()` (derivative 0 at exactly 0).

    Numerics: a node passes its gradient on when it has all of it, so nodes are visited in an order in
    which each comes before everything it was computed from. That order is found without recursion:
    Python's stack ends after about 1,000 calls, a training step has more nodes.

    Convention: `torch` frees the graph after `backward()`, and adds up over several calls of it.

    Example:
        >>> x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
        >>> f = (x + y) * z
        >>> f.backward()
        >>> f.data, x.grad, y.grad, z.grad
        (-12.0, -4.0, -4.0, 3.0)

    Source: deck 001, f(x, y, z) = (x + y) z; deck 004, "Backpropagation with a Computational Graph".
    """

    def __init__(self, data, slopes=()):
        self.data = data
        self.grad = 0.0
        self.slopes = slopes  # pairs of an operand and the derivative of this node by it

    @staticmethod
    def of(number):
        """A plain number as a Value; a Value as it is."""
        return number if isinstance(number, Value) else Value(number)

    def __add__(self, other):
        other = Value.of(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = Value.of(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __pow__(self, exponent):
        return Value(self.data**exponent, ((self, exponent * self.data ** (exponent - 1)),))

    def exp(self):
        result = math.exp(self.data)
        return Value(result, ((self, result),))

    def tanh(self):
        result = math.tanh(self.data)
        return Value(result, ((self, 1 - result**2),))

    def relu(self):
        return Value(max(self.data, 0.0), ((self, 1.0 if self.data > 0 else 0.0),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        other = Value.of(other)
        return Value(self.data - other.data, ((self, 1.0), (other, -1.0)))

    def __truediv__(self, other):
        return self * Value.of(other) ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Value.of(other) - self

    def __rtruediv__(self, other):
        return Value.of(other) / self

    def backward(self):
        """Set `grad` of every node that this one was computed from."""
        self.grad = 1.0
        for node in reversed(_operands_first(self)):
            for parent, slope in node.slopes:
                parent.grad += slope * node.grad


def _operands_first(result):
    """All nodes below `result`, each after its operands: a depth-first walk with its own stack."""
    ordered, seen, stack = [], {result}, [(result, iter(result.slopes))]
    while stack:
        node, operands = stack[-1]
        for parent, _ in operands:
            if parent not in seen:
                seen.add(parent)
                stack.append((parent, iter(parent.slopes)))
                break
        else:
            ordered.append(node)
            stack.pop()
    return ordered


declared = topic(
    lecture="004: Backpropagation with a Computational Graph", returns=("data", "grad"), gradients=("grad",)
)
value = declared(Value)


@value.cases
def _(rng):
    a, b = rng.uniform(0.5, 2.0, size=2).tolist()
    c, d = rng.uniform(0.2, 0.8, size=2).tolist()
    yield case("worked: (x + y) z", build=expressions.sum_times)
    yield case("worked: u^2 + v^2", build=lambda Value: expressions.quotient_and_product(Value, a, b))
    yield case("arithmetic", build=lambda Value: expressions.arithmetic(Value, a, -b))
    yield case("numbers on either side", build=lambda Value: expressions.plain_numbers(Value, a, b))
    yield case("functions", build=lambda Value: expressions.functions(Value, c, -d))
    yield case("a node used twice", build=lambda Value: expressions.used_twice(Value, a, -c))
    yield case("a diamond", build=lambda Value: expressions.diamond(Value, c, d))
    yield case("relu at exactly 0", edge=0.1, build=lambda Value: expressions.at_the_corner(Value, a))
    # Sixteenths: the sums of the chain are exact in float32 too.
    leaves = on_grid(rng.uniform(0.5, 2.0, size=2), step=1 / 16).tolist()
    adds = rng.permutation([True] * 3000 + [False] * 1999).tolist()
    side = sign(rng)
    yield case("5,000 nodes", edge=0.2, build=lambda Value: expressions.chain(Value, leaves, adds, side))


value.alternative(scalars.tensor_class)
value.alternative(scalars.tape_class)


@value.worked("f = (x + y) z at (-2, 5, -4)", lecture="001: f(x, y, z) = (x + y) z")
def _():
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    f = (x + y) * z
    f.backward()
    close(f.data, -12.0)
    close([x.grad, y.grad, z.grad], [-4.0, -4.0, 3.0])


@value.worked("z = u^2 + v^2 with u = x y, v = x / y", lecture="001: z = f(u, v) = u^2 + v^2")
def _():
    x, y = Value(3.0), Value(2.0)
    z = (x * y) ** 2 + (x / y) ** 2
    z.backward()
    close(z.data, 38.25)
    close(x.grad, 2 * 3.0 * 2.0**2 + 2 * 3.0 / 2.0**2)
    close(y.grad, 2 * 3.0**2 * 2.0 - 2 * 3.0**2 / 2.0**3)


value.misconception(
    "gradient overwritten instead of accumulated",
    ("parent.grad += slope * node.grad", "parent.grad = slope * node.grad"),
    hint="A node that is used twice changes the result in two ways. What happens to the first one's share?",
)
value.misconception(
    "nodes visited from the leaves",
    ("reversed(_operands_first(self))", "_operands_first(self)"),
    hint="A node can pass on only what has reached it. At which end of the graph do derivatives start?",
)
value.misconception(
    "nodes visited depth first",
    ("reversed(_operands_first(self))", "scalars.depth_first(self)"),
    hint="Draw a node with a short and a long path to the result. Has it all of its gradient when you visit it?",
)
value.misconception(
    "nodes visited breadth first",
    ("reversed(_operands_first(self))", "scalars.breadth_first(self)"),
    hint="Draw a node with a short and a long path to the result. Has it all of its gradient when you visit it?",
)
value.misconception(
    "nodes visited once for each use",
    ("reversed(_operands_first(self))", "scalars.breadth_first_with_repeats(self)"),
    hint="How often does a node that is used twice pass its gradient on?",
)
value.misconception(
    "graph walked by recursion",
    ("_operands_first(self)", "scalars.operands_first_by_recursion(self)"),
    hint="How many calls deep does your walk go for a sum of 5,000 terms, and how many does Python allow?",
)
value.misconception(
    "derivative of the result by itself not set",
    ("self.grad = 1.0", "pass"),
    hint="Every gradient is a multiple of the one you start with. What is the derivative of f by f?",
)
value.misconception(
    "product: each factor with itself",
    ("(self, other.data), (other, self.data)", "(self, self.data), (other, other.data)"),
    hint="What is the derivative of x y by x: x or y?",
)
value.misconception(
    "difference: sign of the second operand",
    ("(other, -1.0)", "(other, 1.0)"),
    hint="Does x - y grow or shrink when y grows?",
)
value.misconception(
    "quotient: sign of the denominator",
    (
        "self * Value.of(other) ** -1",
        "Value(self.data / Value.of(other).data, ((self, 1 / Value.of(other).data), "
        "(Value.of(other), self.data / Value.of(other).data ** 2)))",
    ),
    hint="Does x / y grow or shrink when y grows, x and y being positive?",
)
value.misconception(
    "number minus Value reversed",
    ("Value.of(other) - self", "self - other"),
    hint="Python asks x.__rsub__(5) for 5 - x. Which one is taken from which?",
)
value.misconception(
    "number over Value reversed",
    ("Value.of(other) / self", "self / other"),
    hint="Python asks x.__rtruediv__(5) for 5 / x. Which one is divided by which?",
)
value.misconception(
    "power: exponent not lowered",
    ("self.data ** (exponent - 1)", "self.data**exponent"),
    hint="What is the derivative of x**2 at x = 3?",
)
value.misconception(
    "power: factor of the exponent lost",
    ("exponent * self.data ** (exponent - 1)", "self.data ** (exponent - 1)"),
    hint="What is the derivative of x**2 at x = 3?",
)
value.misconception(
    "exp differentiated like a power",
    ("((self, result),)", "((self, self.data * math.exp(self.data - 1)),)"),
    hint="In exp(x) the variable is the exponent, not the base. Which function is its own derivative?",
)
value.misconception(
    "tanh: input instead of output squared",
    ("1 - result**2", "1 - self.data**2"),
    hint="The deck writes Grad = 1 - y**2. Which of input and output is y?",
)
value.misconception(
    "tanh: output not squared",
    ("1 - result**2", "1 - result"),
    hint="The slope of tanh is the same at x and at -x. Is yours?",
)
value.misconception(
    "relu: derivative 1 at exactly 0",
    ("self.data > 0", "self.data >= 0"),
    hint="Which derivative does the question fix at exactly 0?",
)
value.misconception(
    "relu: gradient not masked",
    ("1.0 if self.data > 0 else 0.0", "1.0"),
    hint="Where the input is negative the output stays 0. What does a small change of the input do there?",
)
value.harmless(("return self * -1", "return self / -1"), because="a division by -1 is as exact as a product")
