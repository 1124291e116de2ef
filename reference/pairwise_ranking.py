"""How surely do scores put the better one of two documents first?"""

import math

import numpy as np

from autograder.topic import Array, Float, Int, case, close, topic
from reference.drawing import on_grid
from reference.queries import by_torch, core_cases, draw_queries, unchanged_by_shifts


@topic(
    lecture="000: Loss Function and Cost Function",
    returns=("loss", "dscores"),
    gradients={"dscores": ("loss", "scores")},
)
def pairwise_ranking_loss(
    scores: Float[Array, "Q M"], relevance: Float[Array, "Q M"], lengths: Int[Array, "Q"]
) -> tuple[Float[Array, ""], Float[Array, "Q M"]]:
    """RankNet's loss: how surely a better document is scored above a worse one, and the gradient.

    Formula: the pairs of query q are all (i, j) with i, j < lengths[q] and y[q, i] > y[q, j];
    `l[q] = mean over its pairs of log(1 + exp(-(s[q, i] - s[q, j])))`, and 0 without a pair;
    `loss = mean_q l[q]`.

    Arguments:
        scores: (Q, M) floating, any finite size. relevance: (Q, M) floating, higher is better.
        lengths: (Q,) integer, 1 to M.

    Returns:
        loss: a number in nats, the mean over each query's pairs, then over the Q queries.
        dscores: (Q, M), the gradient of that loss with respect to scores, 0 in the padding.

    Backward: a pair adds -sigmoid(s_j - s_i) to the gradient of s_i and takes it from that of s_j,
    over the number of its query's pairs and Q. A document is in many pairs, so they add up.

    Numerics: exp overflows for a pair far out of order, which should cost its distance.

    Convention: documents of equal relevance are no pair. A query without a pair counts among the Q.

    Example:
        >>> loss, dscores = pairwise_ranking_loss(np.zeros((1, 3)), np.array([[2.0, 0.0, 1.0]]), np.array([3]))
        >>> round(float(loss), 6), dscores.round(6).tolist()
        (0.693147, [[-0.333333, 0.333333, 0.0]])

    Source: deck 000, "Loss Function and Cost Function", which names the pairwise ranking loss; Burges et
    al. (2005), "Learning to Rank using Gradient Descent".
    """
    loss, dscores, queries = 0.0, np.zeros_like(scores), len(scores)
    for q, length in enumerate(lengths.tolist()):
        s, y = scores[q, :length], relevance[q, :length]
        better, worse = np.nonzero(y[:, None] > y)
        if len(better):
            gap = s[better] - s[worse]  # one a pair
            loss += np.logaddexp(0, -gap).mean() / queries
            slope = -np.exp(-np.logaddexp(0, gap)) / len(gap) / queries  # sigmoid without overflow
            np.add.at(dscores[q], better, slope)
            np.add.at(dscores[q], worse, -slope)
    return loss, dscores


@pairwise_ranking_loss.cases
def _(rng):
    yield from core_cases(rng)
    equal = draw_queries(rng, [3, 5, 4, 2], 5)
    for q in rng.choice(4, size=2, replace=False).tolist():
        equal["relevance"][q] = rng.integers(4)
    yield case("nothing to put in order", edge=0.15, **equal)
    far = draw_queries(rng, rng.permutation([4, 3, 6]).tolist(), 6, spread=2e3)
    # Apart by more than an exponential can say, and the first two of each query out of order.
    far["scores"] = on_grid(far["scores"])
    far["scores"][:, 0] = np.where(far["relevance"][:, 0] > far["relevance"][:, 1], -2e3, 2e3)
    far["scores"][:, 1] = -far["scores"][:, 0]
    yield case("far out of order", edge=0.15, **far)


@pairwise_ranking_loss.alternative
def _(scores, relevance, lengths):
    """One pair after another."""
    losses, dscores = [], np.zeros(scores.shape)
    for q, length in enumerate(lengths.tolist()):
        s, y = scores[q].tolist(), relevance[q].tolist()
        pairs = [(i, j) for i in range(length) for j in range(length) if y[i] > y[j]]
        for i, j in pairs:
            gap, weight = s[i] - s[j], 1.0 / (len(pairs) * len(scores))
            small = math.exp(-abs(gap))
            losses.append(weight * (max(-gap, 0.0) + math.log1p(small)))
            pull = weight * (small if gap > 0 else 1.0) / (1.0 + small)
            dscores[q, i] -= pull
            dscores[q, j] += pull
    return math.fsum(losses), dscores


@pairwise_ranking_loss.alternative
def _(scores, relevance, lengths):
    """PyTorch's automatic differentiation, in double precision."""

    def of_query(s, y):
        import torch

        costs = torch.nn.functional.softplus(s[None, :] - s[:, None])[y[:, None] > y[None, :]]
        return costs.sum() / max(1, len(costs))

    return by_torch(of_query, scores, relevance, lengths)


@pairwise_ranking_loss.worked("three documents with equal scores", lecture="000: Loss Function and Cost Function")
def _():
    # Three pairs, each costs log 2; the best document is pushed up twice, the middle one up and down.
    loss, dscores = pairwise_ranking_loss(np.zeros((1, 3)), np.array([[2.0, 0.0, 1.0]]), np.array([3]))
    close(loss, math.log(2))
    close(dscores, [[-1 / 3, 1 / 3, 0.0]])


@pairwise_ranking_loss.property(
    "a constant added to a query's scores changes nothing",
    share=0.1,
    hint="Only differences between scores of one query decide about their order.",
)
def _(inputs):
    return (yield from unchanged_by_shifts(inputs))


pairwise_ranking_loss.misconception(
    "padding counted",
    ("lengths.tolist()", "[scores.shape[1]] * len(scores)"),
    hint="How many documents has the second query? What happens if the numbers behind them change?",
)
pairwise_ranking_loss.misconception(
    "worse document wanted on top",
    ("y[:, None] > y", "y[:, None] < y"),
    hint="A document with more relevance gets a higher score: does your loss go up or down?",
)
pairwise_ranking_loss.misconception(
    "documents of equal relevance paired",
    ("y[:, None] > y", "(y[:, None] >= y) & ~np.eye(length, dtype=bool)"),
    hint="Two documents are equally relevant. Which of them should stand above the other?",
)
pairwise_ranking_loss.misconception(
    "only neighbours paired",
    ("y[:, None] > y", "(y[:, None] > y) & (np.abs(np.arange(length)[:, None] - np.arange(length)) == 1)"),
    hint="How many pairs are there among three documents with three grades?",
)
pairwise_ranking_loss.misconception(
    "pairs summed instead of averaged",
    ("np.logaddexp(0, -gap).mean()", "np.logaddexp(0, -gap).sum()"),
    ("/ len(gap) / queries", "/ queries"),
    hint="A query with thirty pairs and one with three: do both weigh the same in your loss?",
)
pairwise_ranking_loss.misconception(
    "queries summed instead of averaged",
    ("queries = 0.0, np.zeros_like(scores), len(scores)", "queries = 0.0, np.zeros_like(scores), 1"),
    hint="Should the loss of a batch grow when the same queries are in it twice?",
)
pairwise_ranking_loss.misconception(
    "gradient overwritten where a document is in several pairs",
    ("np.add.at(dscores[q], better, slope)", "dscores[q][better] += slope"),
    ("np.add.at(dscores[q], worse, -slope)", "dscores[q][worse] += -slope"),
    hint="The best of three documents is in two pairs. Is it in your gradient twice?",
)
pairwise_ranking_loss.misconception(
    "gradient of the better document only",
    ("np.add.at(dscores[q], worse, -slope)", "pass"),
    hint="A pair has two scores. What do the entries of the gradient of one query add up to?",
)
pairwise_ranking_loss.misconception(
    "gradient of the wrong sign",
    ("slope = -np.exp(-np.logaddexp(0, gap))", "slope = np.exp(-np.logaddexp(0, gap))"),
    hint="The better document of a pair gets a higher score: does the loss go up or down?",
)
pairwise_ranking_loss.misconception(
    "gradient weighted by the wrong probability",
    ("slope = -np.exp(-np.logaddexp(0, gap))", "slope = -np.exp(-np.logaddexp(0, -gap))"),
    hint="Should a pair pull harder when it is in order, or when it is out of order?",
)
pairwise_ranking_loss.misconception(
    "margin instead of the logarithm",
    ("np.logaddexp(0, -gap).mean()", "np.maximum(0, 1 - gap).mean()"),
    ("np.exp(-np.logaddexp(0, gap))", "(gap < 1)"),
    hint="This is a pairwise hinge loss. Which function of the difference does the question's formula have?",
)
pairwise_ranking_loss.misconception(
    "queries without a pair not counted",
    ("queries = 0.0, np.zeros_like(scores), len(scores)",
     "queries = 0.0, np.zeros_like(scores), sum(np.ptp(relevance[k, :lengths[k]]) > 0 for k in range(len(scores)))"),
    hint="A query in which all documents are equally relevant costs nothing. Is it still a query in the mean?",
)  # fmt: skip
pairwise_ranking_loss.misconception(
    "mean over no pairs",
    ("if len(better)", "if True"),
    hint="What does np.mean give for a query in which all documents are equally relevant?",
)
pairwise_ranking_loss.misconception(
    "exponential overflows",
    ("np.logaddexp(0, -gap).mean()", "np.log(1 + np.exp(-gap)).mean()"),
    hint="What is np.exp(1000.0), and what should a pair cost that is out of order by 1000?",
)
