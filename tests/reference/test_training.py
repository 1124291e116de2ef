"""Training networks against PyTorch, one step in closed form, where the long run ends, and what is learned."""

import numpy as np
import pytest
import torch

from autograder.topic.kinds import arguments
from reference.mlp import initial, inner_activations, loss_and_gradients
from reference.training import accuracy_on_hidden, deep_mlp_train, mean_loss, mlp_train
from tests.reference.helpers import TOPICS, drawn

SEED = 29


def start(d=3, h=5, c=4):
    rng = np.random.default_rng(SEED)
    return {key: rng.normal(size=shape) for key, shape in {"W1": (d, h), "b1": h, "W2": (h, c), "b2": c}.items()}


def data(n=7, d=3, c=4):
    rng = np.random.default_rng(SEED + 1)
    return rng.normal(size=(n, d)), rng.integers(c, size=n)


def test_one_step_equals_torch():
    params, (x, y) = start(), data()
    leaves = {name: torch.tensor(block, requires_grad=True) for name, block in params.items()}
    hidden = torch.nn.functional.relu(torch.tensor(x) @ leaves["W1"] + leaves["b1"])
    loss = torch.nn.functional.cross_entropy(hidden @ leaves["W2"] + leaves["b2"], torch.tensor(y))
    loss.backward()
    trained = mlp_train(params, x, y, 0.2, np.arange(7)[None, :], 7)
    for name, leaf in leaves.items():
        expected = (leaf - 0.2 * leaf.grad).detach().numpy()
        np.testing.assert_allclose(trained[name], expected, rtol=1e-12, atol=1e-14)
    assert mean_loss({"params": params, "x": x, "y": y}, params) == pytest.approx(loss.item(), rel=1e-13)


def test_step_goes_along_the_gradient_of_the_mean_loss():
    params, (x, y) = start(), data()
    trained = mlp_train(params, x, y, 1.0, np.arange(7)[None, :], 7)
    run = {"params": params, "x": x, "y": y}
    rng = np.random.default_rng(SEED + 2)
    for name, block in params.items():
        direction, h = rng.normal(size=block.shape), 1e-6
        ends = [mean_loss(run, {**params, name: block + sign * h * direction}) for sign in (1, -1)]
        step = ((block - trained[name]) * direction).sum()
        assert step == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6)


def test_last_short_batch_is_a_step_of_its_own():
    params, (x, y) = start(), data()
    order = np.array([[3, 1, 4, 0, 6, 5, 2]])
    at_once = mlp_train(params, x, y, 0.2, order, 4)
    first = mlp_train(params, x, y, 0.2, order[:, :4], 4)
    both = mlp_train(first, x, y, 0.2, order[:, 4:], 3)
    for name in params:
        np.testing.assert_array_equal(at_once[name], both[name])


def test_short_runs_keep_away_from_kinks():
    for case in drawn(TOPICS["mlp_train"], SEED).values():
        inputs = dict(case.inputs)
        moved = {**inputs, "x": inputs["x"] * (1 + 1e-9)}
        for name, block in mlp_train(**inputs).items():
            np.testing.assert_allclose(mlp_train(**moved)[name], block, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_long_run_learns_what_no_line_separates(seed):
    run = mlp_train.training.draw(np.random.default_rng(seed))
    ended = mean_loss(run, mlp_train(**run))
    design = np.column_stack([run["x"], np.ones(len(run["x"]))])
    line, *_ = np.linalg.lstsq(design, 2.0 * run["y"] - 1, rcond=None)
    assert ((design @ line > 0) == run["y"]).mean() < 1
    assert ended < 0.06 < 0.3 < mean_loss(run, run["params"])


def test_mean_loss_of_other_shapes_says_which():
    run = mlp_train.training.draw(np.random.default_rng(SEED))
    with pytest.raises(ValueError, match=r"b1 must have shape \(16,\), not \(\)"):
        mean_loss(run, {**run["params"], "b1": 0.0})


def test_deep_step_goes_along_the_gradient():
    rng = np.random.default_rng(SEED)
    params, (x, y) = initial(rng, (3, 6, 5, 4)), data()
    trained = deep_mlp_train(params, x, y, 0.2, np.arange(7)[None, :], 7)
    _, grads = loss_and_gradients(params, x, y)
    for name, block in params.items():
        np.testing.assert_allclose(trained[name], block - 0.2 * grads[name], rtol=1e-14)


def test_deep_training_equals_that_of_one_hidden_layer():
    params, (x, y) = start(), data()
    order = np.array([[3, 1, 4, 0, 6, 5, 2], [0, 1, 2, 3, 4, 5, 6]])
    expected = mlp_train(params, x, y, 0.2, order, 3)
    for name, block in deep_mlp_train(params, x, y, 0.2, order, 3).items():
        np.testing.assert_allclose(block, expected[name], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_short_deep_runs_keep_away_from_kinks(seed):
    for case in drawn(TOPICS["deep_mlp_train"], seed).values():
        inputs = dict(case.inputs)
        params, nearest = inputs["params"], np.inf
        for visit in inputs["order"]:
            for begin in range(0, len(visit), inputs["batch_size"]):
                batch = visit[begin : begin + inputs["batch_size"]]
                for inner in inner_activations(params, inputs["x"][batch]):
                    nearest = min(nearest, np.abs(inner).min())
                params = deep_mlp_train(**{**inputs, "params": params, "order": batch[None, :]})
        assert nearest > 1e-3


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_exam_is_learned_from_other_images(seed):
    run = deep_mlp_train.exam.draw(np.random.default_rng(seed))
    inputs = arguments(deep_mlp_train.parameters, run)
    assert inputs.keys() == run.keys() - {"hidden_x", "hidden_y"}
    assert len(run["x"]) % run["batch_size"] == 0  # what is done with a short batch is judged step for step
    assert accuracy_on_hidden(run, deep_mlp_train(**inputs)) > 0.75
    assert accuracy_on_hidden(run, run["params"]) < 0.3
    constant = {name: np.zeros_like(block) for name, block in run["params"].items()}
    assert accuracy_on_hidden(run, constant) == pytest.approx(0.1)
