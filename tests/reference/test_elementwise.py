"""Activations that work entry by entry: against PyTorch, closed forms, difference quotients and far from zero."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from reference.elementwise import either_side, far_out, with_zeros
from reference.exponential_units import elu, selu
from reference.gelu import gelu
from reference.rectifiers import bounded_relu, leaky_relu
from reference.smooth_activations import mish, softplus, swish
from reference.squashing import hard_step, sigmoid, tanh

SEED = 23
# name: (ours, its further arguments, PyTorch's, slope at 0, corners)
ACTIVATIONS = {
    "sigmoid": (sigmoid, (), torch.sigmoid, 0.25, ()),
    "tanh": (tanh, (), torch.tanh, 1.0, ()),
    "leaky ReLU": (leaky_relu, (0.1,), lambda x: functional.leaky_relu(x, 0.1), 0.1, (0.0,)),
    "leaky ReLU without leak": (leaky_relu, (0.0,), torch.relu, 0.0, (0.0,)),
    "bounded ReLU": (bounded_relu, (6.0,), functional.relu6, 0.0, (0.0, 6.0)),
    "ELU": (elu, (1.5,), lambda x: functional.elu(x, 1.5), 1.5, (0.0,)),
    "SELU": (
        selu,
        (1.0507009873554805, 1.6732632423543772),
        torch.selu,
        1.0507009873554805 * 1.6732632423543772,
        (0.0,),
    ),
    "softplus": (softplus, (), lambda x: functional.softplus(x, threshold=700), 0.5, ()),
    "SiLU": (swish, (1.0,), functional.silu, 0.5, ()),
    "Swish": (swish, (1.7,), lambda x: x * torch.sigmoid(1.7 * x), 0.5, ()),
    "GELU": (gelu, ("exact",), functional.gelu, 0.5, ()),
    "GELU, tanh form": (gelu, ("tanh",), lambda x: functional.gelu(x, approximate="tanh"), 0.5, ()),
    "GELU, sigmoid form": (gelu, ("sigmoid",), lambda x: x * torch.sigmoid(1.702 * x), 0.5, ()),
    "Mish": (mish, (), functional.mish, 0.6, ()),
}
activations = pytest.mark.parametrize("name", ACTIVATIONS)
FAR = [-1e3, -750.0, -120.0, 120.0, 750.0, 1e3]


@activations
@pytest.mark.parametrize("shape", [(7,), (5, 3), (2, 3, 4, 5)], ids=str)
def test_activation_equals_torch_in_every_shape(name, shape):
    ours, extra, theirs, _, corners = ACTIVATIONS[name]
    x = 2 * np.random.default_rng(SEED).normal(size=shape)
    x.flat[: len(corners) + 1] = [0.0, *corners]  # torch decides about corners as we do
    leaf = torch.tensor(x, requires_grad=True)
    expected = theirs(leaf)
    expected.sum().backward()
    out, slope = ours(x, *extra)
    assert out.shape == slope.shape == shape
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(slope, leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


@activations
def test_activation_far_from_zero_is_at_its_asymptotes(name):
    ours, extra, theirs, _, _ = ACTIVATIONS[name]
    out, slope = ours(np.array(FAR), *extra)
    leaf = torch.tensor(FAR, dtype=torch.float64, requires_grad=True)
    expected = theirs(leaf)
    expected.sum().backward()
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(slope, leaf.grad.numpy(), rtol=1e-12, atol=1e-12)


@activations
def test_slope_at_zero(name):
    ours, extra, _, expected, _ = ACTIVATIONS[name]
    for zero in (0.0, -0.0):
        assert ours(np.array([zero]), *extra)[1][0] == pytest.approx(expected, rel=1e-14)


@activations
def test_slope_is_that_of_the_value(name):
    ours, extra, _, _, corners = ACTIVATIONS[name]
    x, step = 2 * np.random.default_rng(SEED).normal(size=200), 6e-6
    for corner in corners:
        x = x[np.abs(x - corner) > 2 * step]
    numerical = (ours(x + step, *extra)[0] - ours(x - step, *extra)[0]) / (2 * step)
    np.testing.assert_allclose(ours(x, *extra)[1], numerical, atol=1e-8)


@given(st.floats(-1e3, 1e3))
def test_laws_of_the_sigmoid(value):
    x = np.array([value])
    (here, slope), (there, _) = sigmoid(x), sigmoid(-x)
    assert here[0] + there[0] == pytest.approx(1, abs=1e-15)
    assert 0 <= here[0] <= 1
    assert 0 <= slope[0] <= 0.25
    assert tanh(x / 2)[0][0] == pytest.approx(2 * here[0] - 1, abs=1e-15)
    assert softplus(x)[1][0] == pytest.approx(here[0], rel=1e-12)


def test_swish_with_a_sharp_gate_is_relu():
    x = either_side(np.random.default_rng(SEED), (20,), least=0.1)
    np.testing.assert_allclose(swish(x, 1e3)[0], np.maximum(x, 0), atol=1e-12)


def test_deck_000_ranges():
    """What its table prints for the lowest values of SiLU, Mish and GELU."""
    x = np.linspace(-5, 5, 100_001)
    lowest = [swish(x, 1.0)[0].min(), mish(x)[0].min(), gelu(x, "exact")[0].min()]
    assert [math.trunc(1000 * each) / 1000 for each in lowest[:2]] == [-0.278, -0.308]
    assert math.trunc(100 * lowest[2]) / 100 == -0.16  # -0.16997: the deck rounds this one to -0.17


def test_selu_keeps_mean_and_variance_of_normal_numbers():
    """The fixed point that its constants were made for, by a sum over a fine grid."""
    x = np.linspace(-12, 12, 200_001)
    weight = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    out = selu(x, 1.0507009873554805, 1.6732632423543772)[0]
    assert (weight * out).sum() == pytest.approx(0, abs=1e-8)
    assert (weight * out**2).sum() == pytest.approx(1, abs=1e-8)


def test_deck_000_derivatives_are_right_where_they_do_not_overflow():
    x = np.linspace(-6, 6, 49)
    e = np.exp(x)
    fraction = e * (4 * e**2 + e**3 + 4 * (1 + x) + e * (6 + 4 * x)) / (2 + 2 * e + e**2) ** 2
    np.testing.assert_allclose(mish(x)[1], fraction, rtol=1e-10, atol=1e-12)
    fraction = (1 + 1 / e + x / e) / (1 + 1 / e) ** 2
    np.testing.assert_allclose(swish(x, 1.0)[1], fraction, rtol=1e-10, atol=1e-12)


def test_hard_step_is_one_from_zero_on():
    assert hard_step(np.array([[-1e3, -1e-300, -0.0], [0.0, 1e-300, 1e3]])).tolist() == [[0, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize("count", [1, 2, 9])
def test_either_side_has_both_and_keeps_away_from_zero(count):
    drawn = either_side(np.random.default_rng(SEED), (count,))
    assert (drawn > 0).sum() == (count + 1) // 2
    assert np.abs(drawn).min() >= 1e-3


def test_far_out_holds_what_overflows():
    drawn = far_out(np.random.default_rng(SEED))
    assert {1000.0, -1000.0} <= set(drawn.tolist())
    with np.errstate(over="ignore"):
        assert np.isinf(np.exp(drawn)).sum() == 2
        assert np.isinf(np.exp(-drawn)).sum() == 2


def test_with_zeros_has_whole_columns_of_them():
    drawn = with_zeros(np.random.default_rng(SEED), (4, 6), columns=2)
    assert (drawn == 0).all(axis=0).sum() == (drawn == 0).any(axis=0).sum() == 2
