"""The classifier against numerical slopes, its training against AdamW on each parameter, and what is learned."""

import numpy as np
import pytest

from autograder.topic.kinds import arguments
from reference.adam import adamw
from reference.classifier import classifier_gradients
from reference.classifier_training import nearest_kink, train_classifier
from reference.mlp import loss_and_gradients
from reference.training import accuracy_on_hidden
from tests.reference.helpers import TOPICS, drawn, slope_along

SEED = 37
NAMES = ("W1", "b1", "W2", "b2")


def batch():
    return dict(drawn(TOPICS["classifier_gradients"], SEED)["ordinary"].inputs)


def short_run(name="ten steps"):
    return dict(drawn(TOPICS["train_classifier"], SEED)[name].inputs)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_slope_of_the_loss(name):
    inputs = batch()
    gradient = dict(zip(NAMES, classifier_gradients(**inputs)[1:], strict=True))[name]
    direction = np.random.default_rng(SEED).normal(size=gradient.shape)
    slope = slope_along(lambda moved: classifier_gradients(**{**inputs, name: moved})[0], inputs[name], direction)
    assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-7)


def test_nothing_dropped_is_the_network_without_dropout():
    inputs = batch() | {"keep_prob": 1.0}
    inputs["mask"] = np.ones_like(inputs["mask"])
    loss, *gradients = classifier_gradients(**inputs)
    params = {name: inputs[name] for name in NAMES}
    expected, grads = loss_and_gradients(params, inputs["x"], inputs["y"])
    assert loss == pytest.approx(expected, rel=1e-14)
    for name, gradient in zip(NAMES, gradients, strict=True):
        np.testing.assert_allclose(gradient, grads[name], rtol=1e-12, atol=1e-15)


def test_masks_keep_the_mean_of_the_scores():
    """Over all masks of a hidden layer, each as likely as it is, the scores have the mean that they have in testing."""
    rng = np.random.default_rng(SEED)
    x, W1, W2, keep = rng.normal(size=(1, 3)), rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), 0.7
    masks = np.array(np.meshgrid(*[[0.0, 1.0]] * 4)).reshape(4, -1).T  # (16, H)
    chance = np.prod(np.where(masks == 1, keep, 1 - keep), axis=1)
    hidden = np.maximum(x @ W1, 0)
    mean = sum(p * (hidden * mask / keep) @ W2 for p, mask in zip(chance, masks, strict=True))
    np.testing.assert_allclose(mean, hidden @ W2, rtol=1e-12)
    # The loss of a batch shows whether its scores are those: in one class against a score of 0.
    for mask in masks:
        loss = classifier_gradients(W1, np.zeros(4), W2, np.zeros(2), x, np.array([1]), mask[None], keep)[0]
        scores = (hidden * mask / keep) @ W2
        assert loss == pytest.approx(np.logaddexp(0, scores[0, 0] - scores[0, 1]), rel=1e-12)


def test_one_step_is_that_of_adamw_with_decaying_weights_only():
    run = short_run("one step")
    params, (mask,) = run["params"], run["masks"]
    _, *gradients = classifier_gradients(*(params[name] for name in NAMES), run["x"], run["y"], mask, run["keep_prob"])
    trained = train_classifier(**run)
    rates = (run["lr"], run["beta1"], run["beta2"], run["eps"])
    for name, gradient in zip(NAMES, gradients, strict=True):
        decay = run["decay"] if name[0] == "W" else 0.0
        expected, _ = adamw(params[name], gradient, None, *rates, decay)
        np.testing.assert_allclose(trained[name], expected, rtol=1e-12)


def test_examples_may_be_renumbered_with_their_masks():
    run = short_run("short last batch")
    places = np.random.default_rng(SEED).permutation(len(run["y"]))  # the new number of each example
    back = np.argsort(places)
    moved = {"x": run["x"][back], "y": run["y"][back], "order": places[run["order"]], "masks": run["masks"][:, back]}
    renumbered = train_classifier(**{**run, **moved})
    for name, block in train_classifier(**run).items():
        np.testing.assert_array_equal(renumbered[name], block)


def test_averages_go_on_from_epoch_to_epoch():
    run = short_run()
    first = train_classifier(**{**run, "order": run["order"][:3], "masks": run["masks"][:3]})
    anew = train_classifier(**{**run, "params": first, "order": run["order"][3:], "masks": run["masks"][3:]})
    whole = train_classifier(**run)
    assert any(np.abs(anew[name] - whole[name]).max() > 1e-3 for name in NAMES)


def test_case_of_ten_steps_has_ten():
    run = short_run()
    assert len(run["order"]) * len(run["y"]) / run["batch_size"] == 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_short_runs_keep_away_from_kinks(seed):
    for case in drawn(TOPICS["train_classifier"], seed).values():
        assert nearest_kink(case.inputs) > 1e-3
        moved = {**case.inputs, "x": case.inputs["x"] * (1 + 1e-9)}
        for name, block in train_classifier(**case.inputs).items():
            np.testing.assert_allclose(train_classifier(**moved)[name], block, rtol=1e-5, atol=1e-7)


def test_nearest_kink_is_the_smallest_input_of_a_unit():
    run = short_run("one step")
    inner = run["x"] @ run["params"]["W1"] + run["params"]["b1"]
    assert nearest_kink(run) == np.abs(inner).min()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_exam_is_learned_from_other_images(seed):
    run = train_classifier.exam.draw(np.random.default_rng(seed))
    inputs = arguments(train_classifier.parameters, run)
    assert inputs.keys() == run.keys() - {"hidden_x", "hidden_y"}
    assert accuracy_on_hidden(run, train_classifier(**inputs)) > 0.8
    assert accuracy_on_hidden(run, run["params"]) < 0.3
