"""A declared gradient is the slope of its output, and no convention at a kink is refused."""

import numpy as np
import pytest

from autograder.topic import Array, case, topic
from tests.checks.topics import make_scale
from tests.suite.helpers import sentences, with_cases


def loss_and(gradient, *cases, value=lambda x: (x**3).sum(), draw=None):
    def cubes(x):
        """loss, the sum of all x cubed, and dx.

        >>> len(cubes(np.zeros(2)))
        2
        """
        return value(x), gradient(x)

    declared = topic(lecture="tests", returns=("loss", "dx"), gradients={"dx": ("loss", "x")})(cubes)
    return with_cases(declared, draw, *cases)


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x: 3 * x**2 * 0.999,
        lambda x: -3 * x**2,
        lambda x: 0 * x,
        lambda x: 3 * np.roll(x, 1) ** 2,
        lambda x: np.where(np.arange(x.size) == 1, 0, 3 * x**2),
    ],
    ids=["a thousandth", "sign", "zero", "order", "an entry"],
)
def test_gradient_that_is_none_is_refused(gradient):
    (said,) = sentences(loss_and(gradient))
    assert said.startswith("dx is not the gradient of loss by x on the case 'ordinary': along a random direction")
    assert sentences(loss_and(lambda x: 3 * x**2)) == []


def test_gradient_of_a_layer_is_held_against_its_upstream_gradient():
    declared = make_scale()
    backward = declared.reference["scale_backward"]

    def averaged(dout, cache):
        dx, dw = backward(dout, cache)
        return dx, dw / len(dout)

    averaged.__doc__ = backward.__doc__
    declared.reference["scale_backward"] = averaged
    (said,) = [each for each in sentences(declared) if "gradient of" in each]
    assert said.startswith("dw is not the gradient of out by w on the case 'ordinary'")


def test_gradient_by_a_dict_of_arrays_is_looked_at():
    def energy(params: dict[str, Array]):
        """loss, the sum of squares of all params, and grads.

        >>> energy({"a": np.ones(2)})[1]
        {'a': array([2., 2.])}
        """
        return sum((each**2).sum() for each in params.values()), {key: 2 * each for key, each in params.items()}

    def declare(reference):
        declared = topic(lecture="tests", returns=("loss", "grads"), gradients={"grads": ("loss", "params")})(reference)
        return with_cases(declared, lambda rng, n: {"params": {"a": rng.normal(size=n), "b": rng.normal(size=(2, n))}})

    assert sentences(declare(energy)) == []

    def spoiled(params):
        loss, grads = energy(params)
        return loss, grads | {"b": grads["b"] / 2}

    spoiled.__doc__ = energy.__doc__
    said = [each for each in sentences(declare(spoiled)) if each.startswith("grads is not the gradient of loss")]
    assert len(said) == 1


ZEROS = case("zeros", edge=0.1, x=np.array([0.0, 1.0, 0.0, -2.0]))


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_gradient_at_a_kink_may_be_any_between_the_slopes_of_both_sides(slope):
    gradient = lambda x: np.where(x == 0, slope, x > 0)  # noqa: E731
    assert sentences(loss_and(gradient, ZEROS, value=lambda x: np.maximum(x, 0).sum())) == []


def test_gradient_beside_a_kink_is_looked_at():
    gradient = lambda x: np.where(x == 0, 40.0, x > 0)  # noqa: E731
    (said,) = sentences(loss_and(gradient, ZEROS, value=lambda x: np.maximum(x, 0).sum()))
    assert "on the case 'zeros'" in said


@pytest.mark.parametrize("distance", [1e-9, 1e-6, 3e-6, 5e-6, 1e-5])
def test_kink_within_a_step_refuses_no_right_gradient(distance):
    near = case("near", x=distance * np.array([1.0, -1.0, 0.5, 2.0, -0.3, 1.0]))
    assert sentences(loss_and(np.sign, near, value=lambda x: np.abs(x).sum())) == []


def test_gradient_at_the_end_of_the_domain_and_of_huge_numbers_is_not_refused():
    def fails_outside(p):
        if (p < 0).any():
            raise ValueError("no probability")
        return np.sqrt(p).sum()

    def drawn(rng, n):
        return {"x": rng.random(n) + 0.1}

    for value in (fails_outside, lambda p: np.sqrt(p).sum()):
        declared = loss_and(
            lambda p: 0.5 / np.sqrt(p + 1e-300),
            case("end", edge=0.1, x=np.array([1e-12, 0.5])),
            value=value,
            draw=drawn,
        )
        assert sentences(declared) == []
    huge = case("huge", edge=0.1, x=1e8 * np.array([1.0, -2.0]))
    assert sentences(loss_and(lambda x: 3 * x**2, huge)) == []
