"""How well do scores put the documents of a query in order, judged one by one or as a whole list?

One convention for these and for the pairs of `pairwise_ranking`: row q holds the documents of query q, of
which the first `lengths[q]` are real; what stands behind them is padding and must change nothing. The loss
of a batch is the mean over its queries, so that one with many documents weighs no more than one with few.
"""

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
def pointwise_ranking_loss(
    scores: Float[Array, "Q M"], relevance: Float[Array, "Q M"], lengths: Int[Array, "Q"]
) -> tuple[Float[Array, ""], Float[Array, "Q M"]]:
    """Each document's score held against its own relevance, and the gradient.

    Formula: `l[q] = mean_i (s[q, i] - y[q, i])**2 over i < lengths[q]`; `loss = mean_q l[q]`.

    Arguments:
        scores: (Q, M) floating. relevance: (Q, M) floating, higher is better. lengths: (Q,) integer, 1 to M.

    Returns:
        loss: a number, the mean over each query's documents, then over the Q queries.
        dscores: (Q, M), the gradient of that loss with respect to scores, 0 in the padding.

    Backward: `dscores[q, i] = 2 (s[q, i] - y[q, i]) / lengths[q] / Q`.

    Convention: ranking as regression. Others make it a classification into relevant or not.

    Example:
        >>> scores, relevance = np.array([[1.0, 0.0], [2.0, 9.0]]), np.array([[3.0, 0.0], [1.0, 0.0]])
        >>> loss, dscores = pointwise_ranking_loss(scores, relevance, np.array([2, 1]))
        >>> float(loss), dscores.tolist()
        (1.5, [[-1.0, 0.0], [1.0, 0.0]])

    Source: deck 000, "Loss Function and Cost Function", which names the pointwise ranking loss.
    """
    loss, dscores = 0.0, np.zeros_like(scores)
    for q, length in enumerate(lengths.tolist()):
        residual = scores[q, :length] - relevance[q, :length]
        loss += (residual**2).mean() / len(scores)
        dscores[q, :length] = 2 * residual / length / len(scores)
    return loss, dscores


pointwise_ranking_loss.cases(core_cases)


@pointwise_ranking_loss.alternative
def _(scores, relevance, lengths):
    """All queries at once, behind a mask of weights."""
    weights = (np.arange(scores.shape[1]) < lengths[:, None]) / lengths[:, None] / len(lengths)
    residual = scores - relevance
    return (weights * residual**2).sum(), 2 * weights * residual


@pointwise_ranking_loss.alternative
def _(scores, relevance, lengths):
    """PyTorch's automatic differentiation, in double precision."""

    def of_query(s, y):
        import torch

        return torch.nn.functional.mse_loss(s, y)

    return by_torch(of_query, scores, relevance, lengths)


@pointwise_ranking_loss.worked("two queries, one of a single document", lecture="000: Loss Function and Cost Function")
def _():
    scores, relevance = np.array([[1.0, 0.0], [2.0, 9.0]]), np.array([[3.0, 0.0], [1.0, 0.0]])
    loss, dscores = pointwise_ranking_loss(scores, relevance, np.array([2, 1]))
    close(loss, 1.5)  # the mean of (4 + 0) / 2 and 1; the 9 is padding
    close(dscores, [[-1.0, 0.0], [1.0, 0.0]])


pointwise_ranking_loss.misconception(
    "padding counted",
    ("lengths.tolist()", "[scores.shape[1]] * len(scores)"),
    hint="How many documents has the second query? What happens if the numbers behind them change?",
)


@pointwise_ranking_loss.wrong(
    "averaged over all documents of the batch",
    hint="A query with nine documents and one with two: do both weigh the same in your mean?",
)
def _(scores, relevance, lengths):
    real = np.arange(scores.shape[1]) < lengths[:, None]
    residual = np.where(real, scores - relevance, 0.0)
    return (residual**2).sum() / lengths.sum(), 2 * residual / lengths.sum()


pointwise_ranking_loss.misconception(
    "documents summed instead of averaged",
    ("(residual**2).mean()", "(residual**2).sum()"),
    ("2 * residual / length", "2 * residual"),
    hint="A query with nine documents and one with two: do both weigh the same in your loss?",
)
pointwise_ranking_loss.misconception(
    "queries summed instead of averaged",
    ("(residual**2).mean() / len(scores)", "(residual**2).mean()"),
    ("2 * residual / length / len(scores)", "2 * residual / length"),
    hint="Should the loss of a batch grow when the same queries are in it twice?",
)
pointwise_ranking_loss.misconception(
    "gradient summed over the queries",
    ("2 * residual / length / len(scores)", "2 * residual / length"),
    hint="The loss is a mean over the queries; what does that make of its gradient?",
)
pointwise_ranking_loss.misconception(
    "factor 2 of the gradient lost",
    ("2 * residual / length", "residual / length"),
    hint="Differentiate r**2 on paper. Does the loss have a factor that cancels what comes out?",
)
pointwise_ranking_loss.misconception(
    "divided by the width instead of the length",
    ("(residual**2).mean()", "(residual**2).sum() / scores.shape[1]"),
    ("2 * residual / length", "2 * residual / scores.shape[1]"),
    hint="Over how many documents of a query is the mean? The padding is none of them.",
)


@topic(
    lecture="000: Loss Function and Cost Function",
    returns=("loss", "dscores"),
    gradients={"dscores": ("loss", "scores")},
)
def listwise_ranking_loss(
    scores: Float[Array, "Q M"], relevance: Float[Array, "Q M"], lengths: Int[Array, "Q"]
) -> tuple[Float[Array, ""], Float[Array, "Q M"]]:
    """ListNet's top-one loss: which document of a list should come first, and how surely, and the gradient.

    Formula: over the documents i < lengths[q], `t = softmax(y[q])` and `p = softmax(s[q])`;
    `l[q] = -sum_i t[i] log p[i]`; `loss = mean_q l[q]`.

    Arguments:
        scores: (Q, M) floating, any finite size. relevance: (Q, M) floating, higher is better.
        lengths: (Q,) integer, 1 to M.

    Returns:
        loss: a number in nats, summed over each query's documents, the mean over the Q queries.
        dscores: (Q, M), the gradient of that loss with respect to scores, 0 in the padding.

    Backward: `dscores[q, i] = (p[i] - t[i]) / Q`.

    Numerics: log and softmax are taken together, as in every cross-entropy.

    Convention: the cross-entropy as in the paper, not the divergence: the loss is not 0 at its lowest.

    Example:
        >>> loss, dscores = listwise_ranking_loss(np.zeros((1, 3)), np.log([[2.0, 1.0, 9.0]]), np.array([2]))
        >>> round(float(loss), 6), dscores.round(6).tolist()
        (0.693147, [[-0.166667, 0.166667, 0.0]])

    Source: deck 000, "Loss Function and Cost Function", which names the listwise ranking loss; Cao et
    al. (2007), "Learning to Rank: From Pairwise Approach to Listwise Approach".
    """
    loss, dscores = 0.0, np.zeros_like(scores)
    for q, length in enumerate(lengths.tolist()):
        s, y = scores[q, :length], relevance[q, :length]
        first = np.exp(y - y.max())
        wanted = first / first.sum()
        shifted = s - s.max()
        log_p = shifted - np.log(np.exp(shifted).sum())
        loss -= (wanted * log_p).sum() / len(scores)
        dscores[q, :length] = (np.exp(log_p) - wanted) / len(scores)
    return loss, dscores


@listwise_ranking_loss.cases
def _(rng):
    yield from core_cases(rng)
    far = draw_queries(rng, rng.permutation([4, 3, 6]).tolist(), 6, spread=2e3)
    # Padding so far above that nothing is left of the real documents beside it.
    far["scores"] = on_grid(np.where(far["relevance"] < 0, 2e4 + far["scores"], far["scores"]))
    yield case("huge scores", edge=0.2, **far)


@listwise_ranking_loss.alternative
def _(scores, relevance, lengths):
    """One query after another, by log-sum-exp."""

    def log_softmax(row):
        largest = max(row)
        log_sum = largest + math.log(math.fsum(math.exp(value - largest) for value in row))
        return [value - log_sum for value in row]

    losses, dscores = [], np.zeros(scores.shape)
    for q, length in enumerate(lengths.tolist()):
        log_p, log_t = (log_softmax(each[q, :length].tolist()) for each in (scores.astype(float), relevance))
        losses.extend(-math.exp(t) * p for t, p in zip(log_t, log_p, strict=True))
        dscores[q, :length] = [(math.exp(p) - math.exp(t)) / len(scores) for t, p in zip(log_t, log_p, strict=True)]
    return math.fsum(losses) / len(scores), dscores


@listwise_ranking_loss.alternative
def _(scores, relevance, lengths):
    """PyTorch's automatic differentiation, in double precision."""

    def of_query(s, y):
        import torch

        return torch.nn.functional.cross_entropy(s, torch.softmax(y, dim=0))

    return by_torch(of_query, scores, relevance, lengths)


@listwise_ranking_loss.worked("two documents, wanted on top two times out of three", lecture="000: Cross Entropy")
def _():
    loss, dscores = listwise_ranking_loss(np.zeros((1, 3)), np.log([[2.0, 1.0, 9.0]]), np.array([2]))
    close(loss, math.log(2))  # equal scores; the third entry is padding
    close(dscores, [[1 / 2 - 2 / 3, 1 / 2 - 1 / 3, 0.0]])


@listwise_ranking_loss.property(
    "a constant added to a query's scores changes nothing",
    share=0.1,
    hint="Only differences between scores of one query decide about their order.",
)
def _(inputs):
    return (yield from unchanged_by_shifts(inputs))


listwise_ranking_loss.misconception(
    "padding counted",
    ("lengths.tolist()", "[scores.shape[1]] * len(scores)"),
    hint="How many documents has the second query? What happens if the numbers behind them change?",
)
listwise_ranking_loss.misconception(
    "relevance divided by its sum",
    ("np.exp(y - y.max())", "y"),
    hint="How does the question make probabilities of grades? What do yours become when all grades are 0?",
)
listwise_ranking_loss.misconception(
    "relevance taken as it is",
    ("first / first.sum()", "y"),
    hint="What do your target probabilities add up to?",
)
listwise_ranking_loss.misconception(
    "only the most relevant document wanted",
    ("first / first.sum()", "np.eye(length)[y.argmax()]"),
    hint="A document that is only a little less relevant should have some chance to be first. Has it, in your targets?",
)
listwise_ranking_loss.misconception(
    "scores and relevance exchanged",
    ("loss -= (wanted * log_p).sum()", "loss -= (np.exp(log_p) * np.log(wanted)).sum()"),
    hint="Of which distribution is the logarithm taken, and which one weighs it?",
)
listwise_ranking_loss.misconception(
    "divergence instead of cross-entropy",
    ("(wanted * log_p).sum()", "(wanted * (log_p - np.log(wanted))).sum()"),
    hint="Your loss is 0 at its lowest. Is that the formula of the question? Both have the same gradient.",
)
listwise_ranking_loss.misconception(
    "documents averaged instead of summed",
    ("(wanted * log_p).sum()", "(wanted * log_p).mean()"),
    hint="The targets of a query add up to 1 already. Is there anything left to divide by?",
)
listwise_ranking_loss.misconception(
    "loss summed over the queries",
    ("(wanted * log_p).sum() / len(scores)", "(wanted * log_p).sum()"),
    hint="Should the loss of a batch grow when the same queries are in it twice?",
)
listwise_ranking_loss.misconception(
    "gradient summed over the queries",
    ("(np.exp(log_p) - wanted) / len(scores)", "np.exp(log_p) - wanted"),
    hint="The loss is a mean over the queries; what does that make of its gradient?",
)
listwise_ranking_loss.misconception(
    "gradient of the wrong sign",
    ("(np.exp(log_p) - wanted)", "(wanted - np.exp(log_p))"),
    hint="The most relevant document gets a higher score: does the loss go up or down?",
)
listwise_ranking_loss.misconception(
    "largest score not subtracted",
    ("s - s.max()", "s"),
    hint="What is np.exp(1000.0)? The softmax does not change when a constant is taken from all scores of a list.",
)
listwise_ranking_loss.misconception(
    "largest score of the padding subtracted",
    ("s - s.max()", "s - scores[q].max()"),
    hint="Over which documents do you take the largest score? What is left if one of the padding is far above?",
)
listwise_ranking_loss.misconception(
    "logarithm of a probability that has underflowed",
    ("log_p = shifted - np.log(np.exp(shifted).sum())", "log_p = np.log(np.exp(shifted) / np.exp(shifted).sum())"),
    hint="What is the probability of a score 1000 below another one, and its logarithm? Take the logarithm "
    "of the softmax on paper first.",
)
listwise_ranking_loss.harmless(
    ("np.exp(y - y.max())", "np.exp(y + y.max())"),
    ("np.exp(y - y.max())", "np.exp(y)"),
    ("np.exp(y - y.max())", "np.exp(y - y.min())"),
    because="grades are small: a factor goes out again, and nothing overflows",
)
