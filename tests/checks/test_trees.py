"""Layers over a dict of parameters: gradients as trees, and purity of arguments and cache."""

import numpy as np
import pytest

from autograder.topic import Array, Float, Opaque, case, layer
from tests.checks.test_checks import grade, outcomes


def line_forward(params: dict[str, Array], x: Float[Array, "N D"]) -> tuple[Float[Array, "N"], Opaque]:
    """tanh(x @ w + b)."""
    out = np.tanh(x @ params["w"] + params["b"])
    return out, (params, x, out)


def line_backward(dout, cache):
    """Gradients by params and x."""
    params, x, out = cache
    inner = dout * (1 - out**2)
    return {"w": x.T @ inner, "b": inner.sum()}, np.outer(inner, params["w"])


def make_line(*, pure=False):
    line = layer(line_forward, line_backward, lecture="tests", gradients=("params", "x"), pure=pure)

    @line.cases
    def _(rng):
        for n, d in ((5, 3), (4, 2), (1, 4)):
            yield case(f"{n} by {d}", params={"w": rng.normal(size=d), "b": rng.normal()}, x=rng.normal(size=(n, d)))

    return line


def names(forward=line_forward, backward=line_backward):
    return {"line_forward": forward, "line_backward": backward}


def steep_forward(params, x):
    """A wrong forward, which saturates later."""
    inner = x @ params["w"] + params["b"]
    return np.arctan(inner), (params, x, inner)


def steep_backward(dout, cache):
    """The right gradient of the wrong forward."""
    params, x, inner = cache
    back = dout / (1 + inner**2)
    return {"b": back.sum(), "w": x.T @ back}, np.outer(back, params["w"])


def test_gradient_tree_of_a_wrong_forward_is_carried():
    result = grade(make_line(), names(steep_forward, steep_backward))
    assert outcomes(result) == {"out": "wrong_value", "dparams": "carried", "dx": "carried"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda grads: {**grads, "b": 1.5 * grads["b"]},
        lambda grads: {name: np.zeros_like(value) for name, value in grads.items()},
        # The leaf that fails first has wrong values, the other one another shape: this once stopped the grading.
        lambda grads: {"w": grads["w"], "b": np.ones(3)},
    ],
    ids=["one leaf too large", "zeros", "another shape behind wrong values"],
)
def test_wrong_gradient_tree_of_a_wrong_forward_is_not_carried(spoil):
    def backward(dout, cache):
        grads, dx = steep_backward(dout, cache)
        return spoil(grads), dx

    found = outcomes(grade(make_line(), names(steep_forward, backward)))
    assert found == {"out": "wrong_value", "dparams": "wrong_value", "dx": "carried"}


def test_gradient_tree_with_other_keys_is_of_the_wrong_type():
    def backward(dout, cache):
        grads, dx = steep_backward(dout, cache)
        return {"w": grads["w"]}, dx

    assert outcomes(grade(make_line(), names(steep_forward, backward)))["dparams"] == "wrong_type"


def test_pure_layer_that_leaves_everything_as_it_was_passes():
    assert set(outcomes(grade(make_line(pure=True), names())).values()) == {"passed"}


def spoiling_backward(dout, cache):
    """Right, but writes the slopes over what forward kept."""
    params, x, out = cache
    out *= -out
    out += 1
    inner = dout * out
    return {"w": x.T @ inner, "b": inner.sum()}, np.outer(inner, params["w"])


@pytest.mark.parametrize(("pure", "outcome"), [(False, "passed"), (True, "broken_property")])
def test_cache_is_looked_at_only_where_the_layer_must_be_pure(pure, outcome):
    found = outcomes(grade(make_line(pure=pure), names(backward=spoiling_backward)))
    assert found == {"out": "passed", "dparams": outcome, "dx": outcome}


def greedy_forward(params, x):
    """Right, but writes into its argument."""
    result = line_forward(params, x.copy())
    x += 1.0
    return result


@pytest.mark.parametrize(("pure", "outcome"), [(False, "passed"), (True, "broken_property")])
def test_arguments_are_looked_at_only_where_the_layer_must_be_pure(pure, outcome):
    found = outcomes(grade(make_line(pure=pure), names(forward=greedy_forward)))
    assert set(found.values()) == {outcome}


def test_second_backward_that_fails_is_told():
    def backward(dout, cache):
        if not cache[-1].any():
            raise ValueError
        result = line_backward(dout, cache)
        cache[-1][...] = 0
        return result

    assert outcomes(grade(make_line(pure=True), names(backward=backward)))["dx"] == "raised"


def test_pure_layer_with_rounding_from_call_to_call_passes():
    noise = iter(np.random.default_rng(0).normal(size=100))

    def backward(dout, cache):
        grads, dx = line_backward(dout, cache)
        return grads, dx * (1 + 1e-12 * next(noise))

    assert set(outcomes(grade(make_line(pure=True), names(backward=backward))).values()) == {"passed"}


def test_upstream_gradient_that_is_written_into_is_noticed():
    """A mask multiplied into the dout that was given: with fresh copies for every call, nothing else showed it."""

    def backward(dout, cache):
        dout *= 1.0 - cache[-1] ** 2
        return line_backward(dout / (1.0 - cache[-1] ** 2), cache)

    result = grade(make_line(pure=True), names(backward=backward))
    assert outcomes(result) == {"out": "passed", "dparams": "broken_property", "dx": "broken_property"}
    assert "changes dout" in result.verdicts["dx"].message
    assert set(outcomes(grade(make_line(), names(backward=backward))).values()) == {"passed"}
