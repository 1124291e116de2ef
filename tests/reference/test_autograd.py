"""The scalar class against the lectures' worked gradients, PyTorch and closed forms."""

import numpy as np
import pytest
import torch

from reference.autograd import Value

SEED = 27


def test_worked_sum_times_has_the_lectures_gradient():
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    f = (x + y) * z
    f.backward()
    assert (f.data, x.grad, y.grad, z.grad) == (-12.0, -4.0, -4.0, 3.0)


def test_worked_quotient_and_product_has_the_lectures_gradient():
    x, y = Value(1.5), Value(0.8)
    u, v = x * y, x / y
    z = u**2 + v**2
    z.backward()
    assert x.grad == pytest.approx(2 * 1.5 * 0.8**2 + 2 * 1.5 / 0.8**2, rel=1e-14)
    assert y.grad == pytest.approx(2 * 1.5**2 * 0.8 - 2 * 1.5**2 / 0.8**3, rel=1e-14)


OPERATIONS = {
    "sum": lambda x, y: x + y,
    "difference": lambda x, y: x - y,
    "product": lambda x, y: x * y,
    "quotient": lambda x, y: x / y,
    "minus": lambda x, y: -x * y,
    "square": lambda x, y: x**2 + y**3,
    "negative and broken powers": lambda x, y: y**-2 + y**0.5 * x,
    "number on the left": lambda x, y: (2 + x) * (3 - y) + 4 / y + 5 * x,
    "number on the right": lambda x, y: (x + 2) * (y - 3) + y / 4 + x * 5,
    "exp": lambda x, y: (x * y).exp(),
    "tanh": lambda x, y: (x + y).tanh() * y,
    "relu, on": lambda x, y: (y - x).relu() * y,
    "relu, off": lambda x, y: (x - y).relu() * y + x,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_equals_torch(name):
    data = (-0.7, 1.3)
    ours = [Value(each) for each in data]
    theirs = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in data]
    result, expected = OPERATIONS[name](*ours), OPERATIONS[name](*theirs)
    result.backward()
    expected.backward()
    assert result.data == pytest.approx(expected.item(), rel=1e-14)
    gradients = [0.0 if each.grad is None else each.grad.item() for each in theirs]
    np.testing.assert_allclose([each.grad for each in ours], gradients, rtol=1e-13)


def test_gradient_is_zero_before_backward_and_where_nothing_flows():
    x, unused = Value(3.0), Value(4.0)
    f = x * x
    assert (x.grad, f.grad) == (0, 0)
    f.backward()
    assert (x.grad, f.grad, unused.grad) == (6.0, 1.0, 0)


def test_relu_has_no_slope_at_exactly_zero():
    x = Value(0.0)
    x.relu().backward()
    assert x.grad == 0.0


def test_node_used_on_paths_of_different_length_gets_all_of_its_gradient():
    x = Value(0.3)
    middle = x * x
    ((middle.exp() + x).tanh() * middle + middle).backward()
    at = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    square = at * at
    ((square.exp() + at).tanh() * square + square).backward()
    assert x.grad == pytest.approx(at.grad.item(), rel=1e-14)


def test_doubling_sixty_times_visits_each_node_once():
    x = node = Value(1.0)
    for _ in range(60):
        node = node + node
    node.backward()
    assert x.grad == 2.0**60


def test_chain_of_5000_nodes_does_not_overflow_the_stack():
    x = node = Value(0.5)
    for _ in range(5000):
        node = node + x
    node.backward()
    assert (node.data, x.grad) == (2500.5, 5001.0)
