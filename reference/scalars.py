"""In which other ways can a class of scalars differentiate, right ones and wrong ones?

The right ones are alternatives to `reference.autograd.Value`, independent of it. The orders are those in
which students let the nodes of a graph pass their gradients on.
"""

import math
import operator


def tensor_class():
    """PyTorch's scalars in double precision; its graph and its derivatives, none of ours."""

    class Tensor:
        def __init__(self, data):
            import torch

            is_result = isinstance(data, torch.Tensor)
            self.tensor = data if is_result else torch.tensor(data, dtype=torch.float64, requires_grad=True)
            self.tensor.retain_grad()

        @property
        def data(self):
            return self.tensor.item()

        @property
        def grad(self):
            return 0.0 if self.tensor.grad is None else self.tensor.grad.item()

        def backward(self):
            self.tensor.backward()

    def lifted(operation, *, reflected=False):
        def method(*operands):
            tensors = [getattr(each, "tensor", each) for each in operands]
            return Tensor(operation(*(reversed(tensors) if reflected else tensors)))

        return method

    for name in ("add", "sub", "mul", "truediv", "pow", "neg"):
        setattr(Tensor, f"__{name}__", lifted(getattr(operator, name)))
    for name in ("add", "sub", "mul", "truediv"):
        setattr(Tensor, f"__r{name}__", lifted(getattr(operator, name), reflected=True))
    for name in ("exp", "tanh", "relu"):
        setattr(Tensor, name, lifted(operator.methodcaller(name)))
    return Tensor


def tape_class():
    """A tape: every operation appends itself, and the tape is read backwards."""

    class Entry:
        def __init__(self, data, tape=None, back=None):
            self.data, self.grad, self.back = data, 0.0, back
            self.tape = [] if tape is None else tape
            self.tape.append(self)

        def backward(self):
            for entry in self.tape:
                entry.grad = 0.0
            self.grad = 1.0
            for entry in reversed(self.tape):
                if entry.back:
                    entry.back(entry.grad)

    def joined(one, other):
        """Operands, the plain ones made constants, on one tape in the order of their making."""
        one, other = (each if isinstance(each, Entry) else Entry(each) for each in (one, other))
        if one.tape is not other.tape:
            one.tape.extend(other.tape)
            for entry in other.tape:
                entry.tape = one.tape
        return one, other

    def binary(compute, slopes):
        def method(self, operand):
            one, other = joined(self, operand)

            def back(upstream):
                for each, slope in zip((one, other), slopes(one.data, other.data), strict=True):
                    each.grad += slope * upstream

            return Entry(compute(one.data, other.data), one.tape, back)

        return method, lambda self, operand: method(operand, self)

    def unary(compute, slope):
        def method(self, *fixed):
            def back(upstream):
                self.grad += slope(self.data, *fixed) * upstream

            return Entry(compute(self.data, *fixed), self.tape, back)

        return method

    Entry.__add__, Entry.__radd__ = binary(lambda a, b: a + b, lambda a, b: (1, 1))
    Entry.__sub__, Entry.__rsub__ = binary(lambda a, b: a - b, lambda a, b: (1, -1))
    Entry.__mul__, Entry.__rmul__ = binary(lambda a, b: a * b, lambda a, b: (b, a))
    Entry.__truediv__, Entry.__rtruediv__ = binary(lambda a, b: a / b, lambda a, b: (1 / b, -a / b / b))
    Entry.__neg__ = unary(lambda a: -a, lambda a: -1)
    Entry.__pow__ = unary(lambda a, n: a**n, lambda a, n: n * a**n / a)
    Entry.exp = unary(math.exp, math.exp)
    Entry.tanh = unary(math.tanh, lambda a: 1 / math.cosh(a) ** 2)
    Entry.relu = unary(lambda a: (a + abs(a)) / 2, lambda a: float(a > 0))
    return Entry


def depth_first(result):
    """Each node when it is first reached, one operand to the end before the next."""
    ordered, stack = {}, [result]
    while stack:
        node = stack.pop()
        if node not in ordered:
            ordered[node] = True
            stack.extend(parent for parent, _ in reversed(node.slopes))
    return list(ordered)


def breadth_first(result):
    """Each node when it is first reached, all operands of one node before theirs."""
    ordered = {result: True}
    for node in (queue := [result]):
        for parent, _ in node.slopes:
            if parent not in ordered:
                ordered[parent] = True
                queue.append(parent)
    return list(ordered)


def breadth_first_with_repeats(result):
    """Each node as often as it is reached."""
    queue = [result]
    for node in queue:
        queue.extend(parent for parent, _ in node.slopes)
    return queue


def operands_first_by_recursion(result):
    ordered, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent, _ in node.slopes:
                visit(parent)
            ordered.append(node)

    visit(result)
    return ordered
