"""How wrong is the score of a classifier for two classes, and which way does it improve?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.drawing import on_grid


@topic(
    lecture="000: Loss Function and Cost Function",
    returns=("loss", "dscores"),
    gradients={"dscores": ("loss", "scores")},
)
def hinge(scores: Float[Array, "N"], labels: Float[Array, "N"]) -> tuple[Float[Array, ""], Float[Array, "N"]]:
    """Mean hinge loss of scores for two classes, and its gradient.

    Formula: `m[n] = labels[n] scores[n]`; `loss = mean_n max(0, 1 - m[n])`.

    Arguments:
        scores: (N,) floating, any finite size. labels: (N,) floating, -1.0 or 1.0.

    Returns:
        loss: a number, the mean over N.
        dscores: (N,), the gradient of that mean with respect to scores.

    Backward: `dscores[n] = -labels[n] / N where m[n] < 1, else 0`.

    Convention: at a margin of exactly 1, the kink, the gradient is 0. Some write the square of the
    hinge, or the sum; this is the plain one and the mean.

    Example:
        >>> loss, dscores = hinge(np.array([2.0, 0.5, 1.0, -3.0]), np.array([1.0, 1.0, -1.0, -1.0]))
        >>> float(loss), dscores.tolist()
        (0.625, [0.0, -0.25, 0.25, 0.0])

    Source: deck 000, "Loss Function and Cost Function", which names the hinge loss for classification.
    """
    margin = labels * scores
    loss = np.maximum(0, 1 - margin).mean()
    return loss, np.where(margin < 1, -labels, 0.0) / len(labels)


def _labels_and_margins(rng, n):
    """Labels of both signs, and margins beyond 1, between 0 and 1, and below 0, in turn and away from all kinks."""
    labels = np.resize([1.0, -1.0, -1.0, 1.0, 1.0], n) * rng.choice([-1.0, 1.0])
    middle, low, high = rng.uniform(0.1, 0.9, size=n), rng.uniform(-2.0, -0.2, size=n), rng.uniform(1.2, 3.0, size=n)
    turn = np.arange(n) % 3
    return labels, np.where(turn == 0, middle, np.where(turn == 1, low, high))


@hinge.cases
def _(rng):
    for name, n in {"ordinary": 9, "one example": 1, "two examples": 2, "many examples": 17}.items():
        labels, margins = _labels_and_margins(rng, n)
        yield case(name, scores=labels * margins, labels=labels)
    labels, margins = _labels_and_margins(rng, 8)
    margins[rng.choice(8, size=3, replace=False)] = 1.0
    yield case("exactly on the margin", edge=0.1, scores=labels * margins, labels=labels)


@hinge.alternative
def _(scores, labels):
    """One example after another."""
    losses, dscores = [], []
    for score, label in zip(scores.tolist(), labels.tolist(), strict=True):
        short = 1.0 - score if label > 0 else 1.0 + score
        losses.append(max(short, 0.0))
        dscores.append(-label / len(labels) if short > 0 else 0.0)
    return math.fsum(losses) / len(labels), np.array(dscores)


@hinge.alternative
def _(scores, labels):
    """PyTorch's automatic differentiation, in double precision."""
    import torch

    leaf = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    loss = torch.relu(1 - torch.tensor(labels, dtype=torch.float64) * leaf).mean()
    loss.backward()
    return loss.item(), leaf.grad.numpy()


@hinge.worked("right by too little, and wrong", lecture="000: Loss Function and Cost Function")
def _():
    loss, dscores = hinge(np.array([2.0, 0.5, 1.0, -3.0]), np.array([1.0, 1.0, -1.0, -1.0]))
    close(loss, 0.625)  # (0 + 0.5 + 2 + 0) / 4
    close(dscores, [0.0, -0.25, 0.25, 0.0])


hinge.misconception(
    "no margin",
    ("np.maximum(0, 1 - margin)", "np.maximum(0, -margin)"),
    ("np.where(margin < 1, -labels, 0.0)", "np.where(margin < 0, -labels, 0.0)"),
    hint="This is the perceptron's loss. What should an example cost that is right, but by a score of only 0.1?",
)
hinge.misconception(
    "gradient only of misclassified examples",
    ("np.where(margin < 1, -labels, 0.0)", "np.where(margin < 0, -labels, 0.0)"),
    hint="From which margin on does an example cost nothing in your loss? Its gradient must end there too.",
)
hinge.misconception(
    "margin squared",
    ("np.maximum(0, 1 - margin).mean()", "(np.maximum(0, 1 - margin) ** 2).mean()"),
    ("np.where(margin < 1, -labels, 0.0)", "-2 * labels * np.maximum(0, 1 - margin)"),
    hint="There is a squared hinge loss too. Which one does the formula of the question say?",
)
hinge.misconception(
    "not cut off at zero",
    ("np.maximum(0, 1 - margin).mean()", "(1 - margin).mean()"),
    ("np.where(margin < 1, -labels, 0.0)", "-labels"),
    hint="May an example that is right by far pay for one that is wrong?",
)
hinge.misconception(
    "gradient of examples beyond the margin",
    ("np.where(margin < 1, -labels, 0.0)", "-labels"),
    hint="An example beyond the margin costs nothing, before and after a small change. What is its gradient?",
)
hinge.misconception(
    "labels left out of the gradient",
    ("np.where(margin < 1, -labels, 0.0)", "np.where(margin < 1, -1.0, 0.0)"),
    hint="Should the score of an example of the class -1 go up?",
)
hinge.misconception(
    "gradient of the wrong sign",
    ("np.where(margin < 1, -labels, 0.0)", "np.where(margin < 1, labels, 0.0)"),
    hint="An example of the class 1 scores 0.2, and its score grows. Does the loss go up or down?",
)
hinge.misconception(
    "gradient multiplied by the score",
    ("np.where(margin < 1, -labels, 0.0)", "np.where(margin < 1, -margin, 0.0)"),
    hint="How steep is 1 - y s as a function of s? Does the slope depend on s?",
)
hinge.misconception(
    "loss of the predicted class instead of the score",
    ("margin = labels * scores", "margin = labels * np.sign(scores)"),
    hint="Two examples on the right side, one by 0.1 and one by 3: do they cost the same?",
)
hinge.misconception(
    "loss summed over the batch",
    ("np.maximum(0, 1 - margin).mean()", "np.maximum(0, 1 - margin).sum()"),
    hint="Should the loss of a batch grow when the same examples are in it twice?",
)
hinge.misconception(
    "gradient summed over the batch",
    ("np.where(margin < 1, -labels, 0.0) / len(labels)", "np.where(margin < 1, -labels, 0.0)"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
hinge.misconception(
    "averaged over the examples that cost something",
    ("np.maximum(0, 1 - margin).mean()", "np.maximum(0, 1 - margin).sum() / max(1, (margin < 1).sum())"),
    ("np.where(margin < 1, -labels, 0.0) / len(labels)",
     "np.where(margin < 1, -labels, 0.0) / max(1, (margin < 1).sum())"),
    hint="Examples beyond the margin cost nothing. Do they still count as examples in the mean?",
)  # fmt: skip
hinge.misconception(
    "gradient exactly on the margin",
    ("margin < 1", "margin <= 1"),
    hint="Which gradient does the question fix at a margin of exactly 1?",
)


@topic(
    lecture="003: Binary Cross Entropy Loss",
    returns=("loss", "dlogits"),
    gradients={"dlogits": ("loss", "logits")},
)
def binary_cross_entropy(
    logits: Float[Array, "N"], targets: Float[Array, "N"]
) -> tuple[Float[Array, ""], Float[Array, "N"]]:
    """Mean cross-entropy between targets and the sigmoid of logits, and its gradient.

    Formula: `p = sigmoid(z)`; `loss = -mean_n (t[n] log p[n] + (1 - t[n]) log(1 - p[n]))`.

    Arguments:
        logits: (N,) floating, any finite size. targets: (N,) floating, 0 to 1: the probability of class 1.

    Returns:
        loss: a number in nats, the mean over N.
        dlogits: (N,), the gradient of that mean with respect to logits.

    Backward: `dlogits = (p - t) / N`.

    Numerics: of large logits p is exactly 0 or 1, and the logarithm of the other one is minus infinity.
    On paper the loss is `max(z, 0) - t z + log(1 + exp(-|z|))`, where no exponent is positive.

    Convention: `torch.nn.functional.binary_cross_entropy_with_logits` with its default, the mean. The
    slide's formula takes the probability, and its minus sign and mean belong to both terms.

    Example:
        >>> loss, dlogits = binary_cross_entropy(np.array([0.0, np.log(3.0)]), np.array([0.0, 1.0]))
        >>> round(float(loss), 6), dlogits.round(6).tolist()
        (0.490415, [0.25, -0.125])

    Source: deck 003, "Binary Cross Entropy Loss"; deck 000, "Cross Entropy".
    """
    losses = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))
    p = np.exp(-np.logaddexp(0, -logits))  # sigmoid without overflow
    return losses.mean(), (p - targets) / len(targets)


@binary_cross_entropy.cases
def _(rng):
    for name, n in {"ordinary": 8, "more examples": 15}.items():
        yield case(name, logits=2 * rng.normal(size=n), targets=rng.permutation(np.arange(n) % 2).astype(float))
    # One example, on the wrong side: on the right side nearly nothing would be left of the loss.
    label = float(rng.integers(2))
    yield case("one example", logits=(1 - 2 * label) * rng.uniform(0.5, 2.0, size=1), targets=np.array([label]))
    yield case("uncertain targets", logits=2 * rng.normal(size=7), targets=rng.uniform(0.05, 0.95, size=7))
    # Of each sign some are right and some are wrong, so that both logarithms are taken of zero.
    size = rng.uniform(1e3, 1e4, size=8)
    logits, labels = size * np.resize([1.0, -1.0], 8), np.repeat([0.0, 1.0], 4)
    order = rng.permutation(8)
    yield case("huge logits", edge=0.2, logits=on_grid(logits[order]), targets=labels[order])


@binary_cross_entropy.alternative
def _(logits, targets):
    """One example after another: softplus of the score, less the score of class 1."""
    losses, dlogits = [], []
    for z, t in zip(logits.tolist(), targets.tolist(), strict=True):
        small = math.exp(-abs(z))
        missed = t if z < 0 else 1.0 - t  # how much the target gives to the class that the score is against
        losses.append(missed * abs(z) + math.log1p(small))
        p = 1.0 / (1.0 + small) if z >= 0 else small / (1.0 + small)
        dlogits.append((p - t) / len(targets))
    return math.fsum(losses) / len(targets), np.array(dlogits)


@binary_cross_entropy.alternative
def _(logits, targets):
    """PyTorch's loss, and its gradient by automatic differentiation, in double precision."""
    import torch

    leaf = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    truth = torch.tensor(targets, dtype=torch.float64)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(leaf, truth)
    loss.backward()
    return loss.item(), leaf.grad.numpy()


@binary_cross_entropy.worked("probabilities of 1/2 and 3/4", lecture="003: Binary Cross Entropy Loss")
def _():
    loss, dlogits = binary_cross_entropy(np.array([0.0, math.log(3)]), np.array([0.0, 1.0]))
    close(loss, -(math.log(1 / 2) + math.log(3 / 4)) / 2)
    close(dlogits, [0.25, -0.125])


@binary_cross_entropy.worked("a score of 1000 on the wrong side costs 1000", lecture="003: Binary Cross Entropy Loss")
def _():
    loss, dlogits = binary_cross_entropy(np.array([1000.0]), np.array([0.0]))
    close(loss, 1000.0)
    close(dlogits, [1.0])


binary_cross_entropy.misconception(
    "only the term of class 1",
    ("losses = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))",
     "losses = targets * np.logaddexp(0, -logits)"),
    hint="What does an example of the class 0 cost in your loss?",
)  # fmt: skip
binary_cross_entropy.misconception(
    "classes exchanged",
    ("losses = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))",
     "targets = 1 - targets; losses = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))"),
    hint="Does your loss fall or rise when an example of the class 1 gets a higher score?",
)  # fmt: skip
binary_cross_entropy.misconception(
    "minus sign of the loss lost",
    ("losses.mean()", "-losses.mean()"),
    hint="The logarithm of a probability is never positive. Which sign should a loss have?",
)
binary_cross_entropy.misconception(
    "gradient of the wrong sign",
    ("(p - targets) / len(targets)", "(targets - p) / len(targets)"),
    hint="An example of the class 1 gets a higher score: does the loss go up or down?",
)
binary_cross_entropy.misconception(
    "gradient with the slope of the sigmoid",
    ("(p - targets) / len(targets)", "(p - targets) * p * (1 - p) / len(targets)"),
    hint="This is the gradient of a squared error. What does the slope of the sigmoid meet in the chain rule here?",
)
binary_cross_entropy.misconception(
    "gradient with respect to the probability",
    ("(p - targets) / len(targets)", "(p - targets) / (p * (1 - p)) / len(targets)"),
    hint="With respect to what does the question ask for the gradient: the probability or the score?",
)
binary_cross_entropy.misconception(
    "logarithm to the base 2",
    ("losses.mean()", "losses.mean() / np.log(2)"),
    hint="Is your loss in bits or in nats? The gradient of the question belongs to the natural logarithm.",
)
binary_cross_entropy.misconception(
    "loss summed over the batch",
    ("losses.mean()", "losses.sum()"),
    hint="Should the loss of a batch grow when the same examples are in it twice?",
)
binary_cross_entropy.misconception(
    "gradient summed over the batch",
    ("(p - targets) / len(targets)", "p - targets"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
binary_cross_entropy.misconception(
    "targets rounded",
    ("losses = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))",
     "targets = np.round(targets); "
     "losses = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))"),
    hint="Targets may lie between 0 and 1. What does an example with the target 0.4 cost?",
)  # fmt: skip
binary_cross_entropy.misconception(
    "exponential overflows",
    ("np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))",
     "np.log(1 + np.exp(logits)) - targets * logits"),
    hint="What is np.exp(1000.0)? Write log(1 + e^z) for a large z in a form that has no large exponent.",
)  # fmt: skip


@binary_cross_entropy.wrong(
    "logarithm of a probability that has underflowed",
    hint="What is the sigmoid of 1000, and the logarithm of what is left to 1? Take the logarithm of the "
    "sigmoid on paper first.",
)
def _(logits, targets):
    p = np.exp(-np.logaddexp(0, -logits))
    loss = -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean()
    return loss, (p - targets) / len(targets)


@binary_cross_entropy.wrong(
    "probabilities clipped before the logarithm",
    hint="How large can your loss become at most? Take the logarithm of the sigmoid on paper first; then "
    "nothing needs to be clipped.",
)
def _(logits, targets):
    p = np.exp(-np.logaddexp(0, -logits))
    kept = np.clip(p, 1e-12, 1 - 1e-12)
    loss = -(targets * np.log(kept) + (1 - targets) * np.log(1 - kept)).mean()
    return loss, (p - targets) / len(targets)
