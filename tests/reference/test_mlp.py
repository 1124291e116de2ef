"""Networks of several layers against PyTorch, numerical derivatives and closed forms."""

import numpy as np
import pytest
import torch

from reference.mlp import initial, inner_activations, loss_and_gradients, mlp_backward, mlp_forward, network
from tests.reference.helpers import TOPICS, drawn, slope_along

SEED = 37
SIZES = [(3, 2), (4, 6, 3), (5, 5, 5, 5), (6, 8, 7, 4, 2)]
sizes_of = pytest.mark.parametrize("sizes", SIZES, ids=str)


def made(sizes, n=6):
    rng = np.random.default_rng(SEED)
    return initial(rng, sizes), rng.normal(size=(n, sizes[0])), rng.integers(sizes[-1], size=n)


def in_torch(params, x):
    leaves = {name: torch.tensor(block, requires_grad=True) for name, block in params.items()}
    given = torch.tensor(x, requires_grad=True)
    modules = []
    for number in range(1, len(params) // 2 + 1):
        modules += [torch.nn.ReLU()] if number > 1 else []
        d, m = params[f"W{number}"].shape
        linear = torch.nn.Linear(d, m, dtype=torch.float64)
        del linear.weight, linear.bias
        linear.weight, linear.bias = leaves[f"W{number}"].T, leaves[f"b{number}"]
        modules.append(linear)
    return torch.nn.Sequential(*modules)(given), leaves, given


@sizes_of
def test_mlp_equals_torch(sizes):
    params, x, _ = made(sizes)
    dout = np.random.default_rng(SEED + 1).normal(size=(len(x), sizes[-1]))
    expected, leaves, given = in_torch(params, x)
    expected.backward(torch.tensor(dout))
    out, cache = mlp_forward(params, x)
    dparams, dx = mlp_backward(dout, cache)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(dx, given.grad.numpy(), rtol=1e-12, atol=1e-13)
    assert dparams.keys() == params.keys()
    for name, leaf in leaves.items():
        np.testing.assert_allclose(dparams[name], leaf.grad.numpy(), rtol=1e-12, atol=1e-13)


@sizes_of
def test_loss_and_gradients_equal_torch(sizes):
    params, x, y = made(sizes)
    scores, leaves, _ = in_torch(params, x)
    expected = torch.nn.functional.cross_entropy(scores, torch.tensor(y))
    expected.backward()
    loss, grads = loss_and_gradients(params, x, y)
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(grads[name], leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


@sizes_of
def test_gradients_are_slopes_of_the_loss(sizes):
    params, x, y = made(sizes)
    _, grads = loss_and_gradients(params, x, y)
    rng = np.random.default_rng(SEED + 2)
    for name, block in params.items():
        direction = rng.normal(size=block.shape)
        slope = slope_along(lambda at, name=name: loss_and_gradients({**params, name: at}, x, y)[0], block, direction)
        assert (grads[name] * direction).sum() == pytest.approx(slope, rel=1e-6)


def test_one_layer_is_a_fully_connected_one():
    params, x, _ = made((4, 3))
    out, cache = mlp_forward(params, x)
    np.testing.assert_array_equal(out, x @ params["W1"] + params["b1"])
    _, dx = mlp_backward(np.ones_like(out), cache)
    np.testing.assert_allclose(dx, np.tile(params["W1"].sum(axis=1), (len(x), 1)))


def test_unit_that_is_off_for_every_example_learns_nothing():
    params, x, y = made((4, 6, 3))
    params["b1"][2] = -1e3
    _, grads = loss_and_gradients(params, x, y)
    assert not grads["W1"][:, 2].any()
    assert not grads["W2"][2].any()
    assert grads["b1"][2] == 0 != grads["b1"][1]


def test_derivative_at_exactly_zero_is_zero():
    params = {"W1": np.ones((1, 1)), "b1": np.zeros(1), "W2": np.ones((1, 1)), "b2": np.zeros(1)}
    _, cache = mlp_forward(params, np.array([[0.0]]))
    dparams, dx = mlp_backward(np.ones((1, 1)), cache)
    assert (dx[0, 0], dparams["b1"][0], dparams["b2"][0]) == (0, 0, 1)


def test_huge_scores_have_a_finite_loss_and_gradient():
    params, x, y = made((4, 6, 3))
    params["W2"] = params["W2"] * 1e5
    loss, grads = loss_and_gradients(params, x, y)
    assert 1e3 < loss < np.inf
    assert all(np.isfinite(block).all() for block in grads.values())


def test_backward_may_be_called_again():
    params, x, _ = made((4, 6, 5, 3))
    out, cache = mlp_forward(params, x)
    first, again = (mlp_backward(np.ones_like(out), cache) for _ in range(2))
    np.testing.assert_array_equal(first[1], again[1])
    for name in params:
        np.testing.assert_array_equal(first[0][name], again[0][name])


@pytest.mark.parametrize("seed", range(5))
def test_network_has_units_that_are_on_and_off_and_none_at_its_kink(seed):
    drawn_inputs = network(np.random.default_rng(seed), 5, (4, 6, 5, 3))
    for inner in inner_activations(**drawn_inputs):
        assert np.abs(inner).min() > 1e-2
        assert (inner > 0).any(axis=0).all()
        assert (inner < 0).any(axis=0).all()


@pytest.mark.parametrize("name", ["mlp", "loss_and_gradients"])
@pytest.mark.parametrize("seed", range(3))
def test_hidden_cases_keep_away_from_kinks(name, seed):
    for case in drawn(TOPICS[name], seed).values():
        inner = inner_activations(case.inputs["params"], case.inputs["x"])
        assert all(np.abs(each).min() > 1e-2 for each in inner)
