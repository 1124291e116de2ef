"""Single neurons against PyTorch, numerical derivatives, closed forms and truth tables."""

import itertools

import numpy as np
import pytest
import torch

from reference.neurons import delta_rule, hebb_update, logistic_delta, logistic_neuron, threshold_neuron, xor_features
from tests.reference.helpers import slope_along

SEED = 27
CORNERS = np.array(list(itertools.product([0.0, 1.0], repeat=2)))


def problem(n=9, d=4):
    rng = np.random.default_rng(SEED)
    return rng.normal(size=(n, d)), rng.integers(2, size=n) * 1.0, rng.normal(size=d), 0.3


@pytest.mark.parametrize(
    ("gate", "w", "b", "truth"),
    [
        ("and", (1, 1), -2, (0, 0, 0, 1)),
        ("or", (1, 1), -1, (0, 1, 1, 1)),
        ("not the first", (-1, 0), 0, (1, 1, 0, 0)),
        ("nand", (-1, -1), 1, (1, 1, 1, 0)),
        ("always", (0, 0), 0, (1, 1, 1, 1)),
    ],
)
def test_threshold_neuron_is_the_gate(gate, w, b, truth):
    # Every one of these has a corner exactly on its boundary, which answers 1.
    assert threshold_neuron(CORNERS, np.array(w), b).tolist() == list(truth)


def test_threshold_neuron_is_a_majority():
    x = np.array(list(itertools.product([0, 1], repeat=3)))
    assert threshold_neuron(x, np.full(3, 0.3), -0.4).tolist() == (x.sum(axis=1) >= 2).tolist()


def test_threshold_neuron_cannot_be_xor_but_with_the_product_it_can():
    grid = np.linspace(-3, 3, 13)  # weights and biases in steps of one half
    wanted = [0.0, 1.0, 1.0, 0.0]
    answers = (threshold_neuron(CORNERS, np.array(w), b) for *w, b in itertools.product(grid, repeat=3))
    assert not any(answer.tolist() == wanted for answer in answers)
    assert threshold_neuron(xor_features(CORNERS), np.array([1.0, 1.0, -2.0]), -0.5).tolist() == wanted


def test_logistic_neuron_equals_torch():
    x, _, w, b = problem()
    expected = torch.sigmoid(torch.tensor(x) @ torch.tensor(w) + b).numpy()
    np.testing.assert_allclose(logistic_neuron(x, w, b), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("z", "y"), [(0.0, 0.5), (-6.0, 0.0024726231566347743), (1e4, 1.0), (-1e4, 0.0), (-700.0, np.exp(-700.0))]
)
def test_logistic_neuron_at(z, y):
    with np.errstate(all="raise", under="ignore"):
        assert logistic_neuron(np.array([[z]]), np.ones(1), 0.0)[0] == pytest.approx(y, rel=1e-14)


def test_logistic_neuron_of_the_opposite_sum_is_the_rest():
    x, _, w, b = problem()
    np.testing.assert_allclose(logistic_neuron(x, w, b) + logistic_neuron(-x, w, -b), 1, rtol=1e-15)


def test_delta_rule_steps_down_the_gradient_of_its_error():
    x, _, w, _ = problem()
    t, direction = x[:, 0] + 1.0, np.random.default_rng(SEED + 1).normal(size=w.shape)
    error, moved = delta_rule(x, t, w, 0.5)
    assert error == pytest.approx(0.5 * ((t - x @ w) ** 2).sum(), rel=1e-14)
    along = slope_along(lambda at: delta_rule(x, t, at, 0.0)[0], w, direction)
    assert (w - moved) @ direction / 0.5 == pytest.approx(along, rel=1e-8)


def test_delta_rule_converges_to_least_squares():
    x, t, w, _ = problem(n=30)
    lr = 1.0 / np.linalg.norm(x, ord=2) ** 2
    errors = []
    for _ in range(400):
        error, w = delta_rule(x, t, w, lr)
        errors.append(error)
    solution, (left,), *_ = np.linalg.lstsq(x, t, rcond=None)
    np.testing.assert_allclose(w, solution, rtol=1e-9)
    assert errors[-1] == pytest.approx(left / 2, rel=1e-12)
    assert (np.diff(errors) <= 1e-12).all()


def test_delta_rule_leaves_what_fits():
    x, _, w, _ = problem()
    error, moved = delta_rule(x, x @ w, w, 0.1)
    assert error == 0
    assert moved.tolist() == w.tolist()


def test_logistic_delta_equals_torch():
    x, t, w, b = problem()
    weights, bias = torch.tensor(w, requires_grad=True), torch.tensor(b, dtype=torch.float64, requires_grad=True)
    expected = ((torch.tensor(t) - torch.sigmoid(torch.tensor(x) @ weights + bias)) ** 2).sum() / 2
    expected.backward()
    error, dw, db = logistic_delta(x, t, w, b)
    assert error == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(dw, weights.grad.numpy(), rtol=1e-12)
    assert db == pytest.approx(bias.grad.item(), rel=1e-12)


def test_logistic_delta_is_the_gradient_of_its_error():
    x, t, w, b = problem()
    direction = np.random.default_rng(SEED + 1).normal(size=w.shape)
    _, dw, db = logistic_delta(x, t, w, b)
    assert dw @ direction == pytest.approx(
        slope_along(lambda at: logistic_delta(x, t, at, b)[0], w, direction), rel=1e-8
    )
    assert db == pytest.approx(slope_along(lambda at: logistic_delta(x, t, w, at)[0], b, 1.0), rel=1e-8)


def test_logistic_delta_of_a_sure_neuron_is_zero_even_where_it_is_wrong():
    with np.errstate(all="raise", under="ignore"):
        error, dw, db = logistic_delta(np.array([[1e4], [-1e4]]), np.array([0.0, 0.0]), np.ones(1), 0.0)
    assert (error, dw.tolist(), db) == (0.5, [0.0], 0.0)


def test_hebb_update_recalls_orthogonal_patterns():
    """What a Hebbian matrix stores for orthonormal senders, it recalls exactly."""
    rng = np.random.default_rng(SEED)
    x = np.linalg.qr(rng.normal(size=(5, 5)))[0][:3]  # (3, 5), orthonormal rows
    y = rng.normal(size=(3, 4))
    np.testing.assert_allclose(x @ hebb_update(x, y, np.zeros((5, 4)), 1.0), y, rtol=1e-12)


def test_hebb_update_adds_up_over_moments():
    rng = np.random.default_rng(SEED)
    x, y, w = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), rng.normal(size=(3, 2))
    in_two_steps = hebb_update(x[4:], y[4:], hebb_update(x[:4], y[:4], w, 0.1), 0.1)
    np.testing.assert_allclose(hebb_update(x, y, w, 0.1), in_two_steps, rtol=1e-13)


def test_xor_features_of_a_batch_of_one():
    assert xor_features(np.array([[2.0, -3.0]])).tolist() == [[2.0, -3.0, -6.0]]
