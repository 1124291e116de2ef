"""The perceptron against worked updates, its mistake bound and XOR."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(
    points=st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=1, max_size=12),
    teacher=st.tuples(*[st.integers(-4, 4)] * 3),
    bias=st.integers(-5, 4),
)
def test_mistakes_stay_below_the_bound_for_any_teacher(points, teacher, bias):
    """The bound holds for every separating direction: here for the one that made the labels."""
    x, weights = np.array(points, dtype=float), np.array([*teacher, bias + 0.5])  # never 0 on whole numbers
    inputs = np.column_stack([x, np.ones(len(x))])
    score = inputs @ weights
    gamma = np.abs(score).min() / np.linalg.norm(weights)
    bound = (np.linalg.norm(inputs, axis=1).max() / gamma) ** 2
    epochs = 40
    _, _, mistakes = perceptron_fit(x, np.sign(score), epochs)
    assert mistakes.sum() <= bound * (1 + 1e-12)
    if bound < epochs:  # each epoch before the last one made a mistake, or all had been learned
        assert mistakes[-1] == 0


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_mistakes_never_end_on_xor(order):
    x, y = CORNERS[list(order)], np.array([-1.0, 1.0, 1.0, -1.0])[list(order)]
    _, _, mistakes = perceptron_fit(x, y, 50)
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
