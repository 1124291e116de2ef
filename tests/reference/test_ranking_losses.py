"""The ranking losses against PyTorch, closed forms, and what they must not look at."""

import numpy as np
import pytest
import torch

from reference.pairwise_ranking import pairwise_ranking_loss
from reference.ranking_losses import listwise_ranking_loss, pointwise_ranking_loss
from tests.reference.helpers import slope_along

SEED = 44
LOSSES = {"pointwise": pointwise_ranking_loss, "pairwise": pairwise_ranking_loss, "listwise": listwise_ranking_loss}
losses = pytest.mark.parametrize("name", LOSSES)
shift_invariant = pytest.mark.parametrize("name", ["pairwise", "listwise"])


def queries(lengths=(3, 5, 2, 6)):
    rng = np.random.default_rng(SEED)
    shape = len(lengths), max(lengths) + 1  # one column is nobody's
    return rng.normal(size=shape), rng.integers(4, size=shape).astype(float), np.array(lengths)


def of_one_query_by_torch(name, s, y):
    if name == "pointwise":
        return torch.nn.functional.mse_loss(s, y)
    if name == "listwise":
        return torch.nn.functional.cross_entropy(s[None, :], torch.softmax(y, 0)[None, :])
    better, worse = torch.nonzero(y[:, None] > y[None, :], as_tuple=True)
    return torch.nn.functional.soft_margin_loss(s[better] - s[worse], torch.ones(len(better), dtype=torch.float64))


@losses
def test_loss_and_gradient_equal_torch(name):
    scores, relevance, lengths = queries()
    relevance[:, 0] = relevance[:, 1] + 1  # every query has a pair
    leaf, grades = torch.tensor(scores, requires_grad=True), torch.tensor(relevance)
    each = [of_one_query_by_torch(name, leaf[q, :n], grades[q, :n]) for q, n in enumerate(lengths)]
    expected = sum(each) / len(each)
    expected.backward()
    loss, dscores = LOSSES[name](scores, relevance, lengths)
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(dscores, leaf.grad.numpy(), rtol=1e-11, atol=1e-16)


@losses
def test_gradient_is_that_of_the_loss(name):
    scores, relevance, lengths = queries()
    direction = np.random.default_rng(SEED + 1).normal(size=scores.shape)
    numerical = slope_along(lambda at: LOSSES[name](at, relevance, lengths)[0], scores, direction)
    assert (LOSSES[name](scores, relevance, lengths)[1] * direction).sum() == pytest.approx(numerical, rel=1e-7)


@losses
def test_padding_changes_nothing(name):
    scores, relevance, lengths = queries()
    padding = np.arange(scores.shape[1]) >= lengths[:, None]
    loss, dscores = LOSSES[name](scores, relevance, lengths)
    again, dagain = LOSSES[name](np.where(padding, 1e6, scores), np.where(padding, -7.0, relevance), lengths)
    assert loss == again
    np.testing.assert_array_equal(dscores, dagain)
    assert not dscores[padding].any()


@losses
def test_loss_is_the_mean_over_the_queries(name):
    scores, relevance, lengths = queries()
    parts = [LOSSES[name](scores[[q]], relevance[[q]], lengths[[q]])[0] for q in range(len(lengths))]
    assert LOSSES[name](scores, relevance, lengths)[0] == pytest.approx(np.mean(parts), rel=1e-13)


@shift_invariant
def test_only_differences_of_scores_count(name):
    scores, relevance, lengths = queries()
    shifts = np.array([[1.0], [-2.0], [3.0], [0.5]])
    loss, dscores = LOSSES[name](scores, relevance, lengths)
    assert LOSSES[name](scores + shifts, relevance, lengths)[0] == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(dscores.sum(axis=1), 0, atol=1e-15)


def test_query_without_a_pair_costs_nothing_but_counts():
    scores, relevance, lengths = queries((4, 4))
    relevance[0] = 2.0
    relevance[1, :4] = [0.0, 1.0, 2.0, 3.0]
    loss, dscores = pairwise_ranking_loss(scores, relevance, lengths)
    alone, dalone = pairwise_ranking_loss(scores[1:], relevance[1:], lengths[1:])
    assert loss == pytest.approx(alone / 2, rel=1e-13)
    np.testing.assert_allclose(dscores, [np.zeros(5), dalone[0] / 2], rtol=1e-13)


def test_pairs_far_out_of_order_cost_their_distance():
    scores, relevance = np.array([[-3000.0, 3000.0]]), np.array([[1.0, 0.0]])
    loss, dscores = pairwise_ranking_loss(scores, relevance, np.array([2]))
    assert (loss, dscores.tolist()) == (6000.0, [[-1.0, 1.0]])
    loss, dscores = pairwise_ranking_loss(-scores, relevance, np.array([2]))
    assert (loss, np.abs(dscores).max()) == (0.0, 0.0)


def test_listwise_loss_is_lowest_where_scores_are_the_relevance():
    _, relevance, lengths = queries()
    lowest, dscores = listwise_ranking_loss(relevance + 5.0, relevance, lengths)
    np.testing.assert_allclose(dscores, 0, atol=1e-16)
    assert lowest < listwise_ranking_loss(queries()[0], relevance, lengths)[0]


def test_listwise_loss_of_a_single_document_is_zero():
    assert listwise_ranking_loss(np.array([[700.0, 1.0]]), np.array([[3.0, 0.0]]), np.array([1]))[0] == 0
