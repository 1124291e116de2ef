"""What is computed with a student's class of scalars, to see values and derivatives?

Each function takes the class and returns the values and gradients to look at. It may do with the
objects only what a straight line of operators, calls and attributes can: no branch, no loop over them.
"""


def sum_times(Value):
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    total = x + y
    f = total * z
    f.backward()
    return {"data": [total.data, f.data], "grad": [x.grad, y.grad, z.grad, total.grad, f.grad]}


def quotient_and_product(Value, a, b):
    x, y = Value(a), Value(b)
    u, v = x * y, x / y
    z = u**2 + v**2
    z.backward()
    return {"data": [u.data, v.data, z.data], "grad": [x.grad, y.grad, u.grad, v.grad]}


def arithmetic(Value, a, b):
    x, y, unused = Value(a), Value(b), Value(a)
    quotient, power = (x - y) * x / (y - 3.0), -(x**3)
    f = quotient + power * y
    f.backward()
    return {"data": [quotient.data, power.data, f.data], "grad": [x.grad, y.grad, unused.grad]}


def plain_numbers(Value, a, b):
    x, y = Value(a), Value(b)
    left = (2 + x) * (5 - y) + 3 / x
    right = (y + 1) / 4 - (x * 0.5 - 2) ** 2 + y**-1.5
    f = left * right - 3 * x
    f.backward()
    return {"data": [left.data, right.data, f.data], "grad": [x.grad, y.grad, left.grad, right.grad]}


def functions(Value, a, b):
    x, y = Value(a), Value(b)
    squashed = (2 * x + y).tanh()
    on, off = ((x - y) * 0.5).relu(), (y - x).relu()
    f = squashed * (x * y).exp() - 3 * on * squashed + off * x + (y.exp() - x.tanh()) * 2
    f.backward()
    return {"data": [squashed.data, on.data, off.data, f.data], "grad": [x.grad, y.grad, on.grad, off.grad]}


def at_the_corner(Value, a):
    """Every node used once: who overwrites gradients does so in an order of their own, which is not asked here."""
    x, y = Value(0.0), Value(a)
    corner = x.relu()
    f = (corner + 2) * y
    f.backward()
    return {"data": [corner.data, f.data], "grad": [x.grad, y.grad, corner.grad]}


def used_twice(Value, a, b):
    x, y = Value(a), Value(b)
    double, cube = x + x, x * x * x
    f = double * y + cube - y * y
    f.backward()
    return {"data": [double.data, cube.data, f.data], "grad": [x.grad, y.grad]}


def diamond(Value, a, b):
    """Paths of different length from the middle to the result, whichever operand is followed first."""
    x, y = Value(a), Value(b)
    middle = x * y + x
    far = (middle.tanh() * 2 + y).exp()
    f = far * middle + (middle * x) * far.tanh()
    f.backward()
    return {"data": [middle.data, far.data, f.data], "grad": [x.grad, y.grad, middle.grad, far.grad]}


def chain(Value, leaves, adds, side):
    x, y = (Value(leaf) for leaf in leaves)
    total = x * side
    for add in adds:
        total = total + x if add else total - y
    total.backward()
    return {"data": total.data, "grad": [x.grad, y.grad]}
