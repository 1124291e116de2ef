"""The gradient checker on right and wrong gradients, and the gradients that its cases claim."""

import itertools

import numpy as np
import pytest
import torch

from autograder.checks.conduct import drive
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.plans import Worth, draw_plan
from reference.gradient_checking import gradient_check
from tests.reference.helpers import TOPICS, drawn

SEEDS = range(28, 33)
START = {"w": np.array([[0.3, -0.2, 0.5]]), "b": np.array([0.7, 1.1])}


def loss(params):
    return float(np.sin(params["w"]).sum() + (params["b"] ** 3).prod() * params["w"][0, 1])


def right_gradient():
    (w,), b = START["w"], START["b"]
    dw = np.cos(w) + np.array([0.0, (b**3).prod(), 0.0])
    return {"w": dw[None, :], "b": 3 * w[1] * (b**3).prod() / b}


def test_right_gradient_is_accepted():
    assert gradient_check(loss, right_gradient(), START) is True


@pytest.mark.parametrize(("name", "index"), [("w", (0, 0)), ("w", (0, 2)), ("b", (0,)), ("b", (1,))])
@pytest.mark.parametrize("factor", [1.01, 0.0, -1.0, np.nan])
def test_one_wrong_entry_is_rejected(name, index, factor):
    grads = right_gradient()
    grads[name][index] *= factor
    assert gradient_check(loss, grads, START) is False


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_verdict_does_not_depend_on_the_scale(scale):
    grads = {name: scale * block for name, block in right_gradient().items()}
    assert gradient_check(lambda p: scale * loss(p), grads, START)
    assert not gradient_check(lambda p: scale * loss(p), {**grads, "b": 1.01 * grads["b"]}, START)


def test_gradient_of_a_flat_function_is_zero():
    zeros = {name: np.zeros_like(block) for name, block in START.items()}
    assert gradient_check(lambda params: 1.0, zeros, START)
    assert not gradient_check(lambda params: 1.0, right_gradient(), START)


def test_parameters_are_as_they_were_after_the_check():
    params = {name: block.copy() for name, block in START.items()}
    gradient_check(loss, right_gradient(), params)
    assert all(np.array_equal(params[name], START[name]) for name in START)


@pytest.mark.parametrize("seed", SEEDS)
def test_verdicts_of_the_cases_are_those_of_their_names(seed):
    for name, case in drawn(TOPICS["gradient_check"], seed).items():
        assert gradient_check(**case.inputs) is name.startswith("right"), name


@pytest.mark.parametrize("seed", SEEDS)
def test_right_gradients_of_the_cases_equal_torch(seed):
    for name, case in drawn(TOPICS["gradient_check"], seed).items():
        if not name.startswith("right"):
            continue
        leaves = {key: torch.tensor(block, requires_grad=True) for key, block in case.inputs["params"].items()}
        data = {key: torch.tensor(value) for key, value in case.inputs["f"].arguments.items() if key in ("x", "y")}
        bound = case.inputs["f"].arguments
        if "W1" not in leaves and data:
            hidden = torch.tanh(data["x"] @ leaves["w"])[:, 0]
            height = bound["scale"] * ((leaves["v"][0] * hidden - data["y"]) ** 2).mean()
        elif data:
            hidden = torch.tanh(data["x"] @ leaves["W1"] + leaves["b1"])
            height = bound["scale"] * ((hidden @ leaves["w2"] - data["y"]) ** 2).mean()
        else:
            distance = torch.cat([(leaves[key] - torch.tensor(bound["centre"][key])).ravel() for key in ("w", "u")])
            height = distance @ torch.tensor(bound["curvature"]) @ distance / 2
        height.backward()
        assert case.inputs["f"](case.inputs["params"]) == pytest.approx(height.item(), rel=1e-12)
        for key, leaf in leaves.items():
            found = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy()  # one without effect
            np.testing.assert_allclose(case.inputs["grads"][key], found, rtol=1e-10)


@pytest.mark.parametrize(
    "guess",
    [
        lambda number, f, params: number <= 4,
        lambda number, f, params: number > 7,
        lambda number, f, params: "v" not in params,
        lambda number, f, params: "v" not in params or f(params) > 1e5,
        lambda number, f, params: "v" not in params or not 1e-3 < f(params) < 1e5,
    ],
    ids=["the first four", "the last", "not a neuron", "not a usual neuron", "an unusual neuron"],
)
def test_verdict_is_not_told_by_what_is_given(guess):
    """No gradient is looked at here: who has the list of cases by heart, or their order, has checked nothing."""
    calls = itertools.count(1)
    plan = draw_plan(gradient_check, Worth("guess", 10.0, {}), np.random.SeedSequence(31))
    student = LocalQuestion({"gradient_check": lambda f, grads, params: bool(guess(next(calls), f, params))})
    assert drive(plan, student.ask).total == 0
