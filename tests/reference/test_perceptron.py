"""The perceptron against worked updates, its mistake bound and XOR."""

import numpy as np
import pytest

from reference.perceptron import perceptron_fit
from tests.reference.helpers import TOPICS, drawn

SEED = 26
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def test_first_example_is_a_mistake_and_the_boundary_too():
    w, b, mistakes = perceptron_fit(np.array([[2.0, -1.0], [1.0, 3.0]]), np.array([-1.0, -1.0]), 1)
    # The second score is (-2, 1) @ (1, 3) - 1 = 0: a mistake as well.
    assert (w.tolist(), b, mistakes.tolist()) == ([-3.0, -2.0], -2.0, [2])


@pytest.mark.parametrize("seed", range(SEED, SEED + 5))
def test_mistakes_stay_below_the_bound_on_separable_data(seed):
    """(R / gamma)**2 with 1 appended to the inputs, for the separating direction that was learned."""
    for name in ("separable", "separable, first example negative"):
        case = drawn(TOPICS["perceptron_fit"], seed)[name]
        x, y = case.inputs["x"], case.inputs["y"]
        w, b, mistakes = perceptron_fit(**case.inputs)
        inputs, weights = np.column_stack([x, np.ones(len(x))]), np.append(w, b)
        margins = y * (inputs @ weights) / np.linalg.norm(weights)
        assert mistakes[-1] == 0
        assert margins.min() > 0
        assert mistakes.sum() <= (np.linalg.norm(inputs, axis=1).max() / margins.min()) ** 2


def test_mistakes_never_end_on_xor():
    _, _, mistakes = perceptron_fit(CORNERS, np.array([-1.0, 1.0, 1.0, -1.0]), 50)
    assert len(mistakes) == 50
    assert mistakes.min() > 0


def test_mistakes_end_on_xor_with_the_product_as_a_feature():
    features = np.column_stack([CORNERS, CORNERS.prod(axis=1)])
    w, b, mistakes = perceptron_fit(features, np.array([-1.0, 1.0, 1.0, -1.0]), 50)
    assert mistakes[-1] == 0
    assert np.sign(features @ w + b).tolist() == [-1.0, 1.0, 1.0, -1.0]


def test_history_counts_the_updates():
    case = drawn(TOPICS["perceptron_fit"], SEED)["not separable"]
    x, y = case.inputs["x"], case.inputs["y"]
    _, b, mistakes = perceptron_fit(np.zeros_like(x), y, 4)  # only the bias can move
    assert mistakes.sum() % 2 == abs(b) % 2
    assert abs(b) <= mistakes.sum()
