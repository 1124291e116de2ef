"""How wrong are class scores, and which way do they improve?"""

import math

import numpy as np

from autograder.topic import Array, Float, Int, case, close, topic
from reference.drawing import on_grid


@topic(
    lecture="004: Loss Function: Cross-Entropy Loss",
    returns=("loss", "dlogits"),
    gradients={"dlogits": ("loss", "logits")},
)
def softmax_cross_entropy(
    logits: Float[Array, "N C"], labels: Int[Array, "N"]
) -> tuple[Float[Array, ""], Float[Array, "N C"]]:
    """Mean negative log-likelihood of the true classes under softmax, and its gradient.

    Formula: `p = softmax(z)`; `loss = -mean_n log p[n, labels[n]]`.

    Arguments:
        logits: (N, C) floating, any finite size.
        labels: (N,) integer, 0 to C - 1: the true class of each example.

    Returns:
        loss: a number in nats, the mean over N.
        dlogits: (N, C), the gradient of that mean with respect to logits.

    Backward: `dlogits = (p - t) / N`, where t is 1 at the true class and 0 elsewhere.

    Numerics: log and softmax are taken together. On its own a small p underflows to 0, and log 0 is
    minus infinity; clipping p hides that, but caps the loss.

    Convention: `torch.nn.functional.cross_entropy` with its default, the mean. The slide writes one
    example, without the mean.

    Example:
        >>> loss, dlogits = softmax_cross_entropy(np.log([[0.2, 0.7, 0.1]]), np.array([1]))
        >>> round(float(loss), 3), dlogits.round(6).tolist()
        (0.357, [[0.2, -0.3, 0.1]])

    Source: deck 004, "Loss Function: Cross-Entropy Loss"; deck 000 works -log 0.7 and prints 0.36.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    loss = -log_p[rows, labels].mean()  # (N, C) -> (N,) -> ()
    dlogits = np.exp(log_p)
    dlogits[rows, labels] -= 1
    return loss, dlogits / len(labels)


@softmax_cross_entropy.cases
def _(rng):
    yield case("ordinary", logits=rng.normal(size=(7, 5)), labels=rng.integers(5, size=7))
    yield case("one example", logits=rng.normal(size=(1, 4)), labels=rng.integers(4, size=1))
    yield case("two classes", logits=rng.normal(size=(6, 2)), labels=rng.permutation([0, 0, 0, 1, 1, 1]))
    yield case("many classes", logits=rng.normal(size=(3, 11)), labels=rng.choice(11, size=3, replace=False))
    yield case("one class never true", logits=2 * rng.normal(size=(8, 3)), labels=rng.integers(2, size=8))
    # Every true class lies far below another one: a loss in the thousands, and no row of the gradient
    # is so small that nothing but rounding would be left of it.
    labels = rng.integers(4, size=5)
    logits = rng.uniform(-1e4, 0.0, size=(5, 4))
    logits[np.arange(5), (labels + rng.integers(1, 4, size=5)) % 4] = rng.uniform(1e3, 1e4, size=5)
    yield case("huge logits", edge=0.2, logits=on_grid(logits), labels=labels)


@softmax_cross_entropy.alternative
def _(logits, labels):
    """One example after another, by log-sum-exp."""
    losses, dlogits = [], []
    for row, label in zip(np.asarray(logits, dtype=np.float64).tolist(), labels.tolist(), strict=True):
        largest = max(row)
        log_sum = largest + math.log(math.fsum(math.exp(value - largest) for value in row))
        losses.append(log_sum - row[label])
        slopes = [math.exp(value - log_sum) for value in row]
        slopes[label] -= 1.0
        dlogits.append([slope / len(labels) for slope in slopes])
    return math.fsum(losses) / len(labels), np.array(dlogits)


@softmax_cross_entropy.alternative
def _(logits, labels):
    """PyTorch's loss, and its gradient by automatic differentiation, in double precision."""
    import torch

    scores = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(labels, dtype=torch.int64))
    loss.backward()
    return loss.item(), scores.grad.numpy()


@softmax_cross_entropy.worked("0.7 for the true class costs 0.357", lecture="000: Cross entropy")
def _():
    loss, dlogits = softmax_cross_entropy(np.log([[0.2, 0.7, 0.1]]), np.array([1]))
    close(loss, 0.357, within=5e-4)
    close(dlogits, [[0.2, -0.3, 0.1]])


softmax_cross_entropy.misconception(
    "gradient summed over the batch",
    ("dlogits / len(labels)", "dlogits"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
softmax_cross_entropy.misconception(
    "loss summed over the batch",
    ("log_p[rows, labels].mean()", "log_p[rows, labels].sum()"),
    hint="Should the loss of a batch grow when the same examples are in it twice?",
)
softmax_cross_entropy.misconception(
    "loss averaged over examples and classes",
    ("log_p[rows, labels].mean()", "log_p[rows, labels].sum() / log_p.size"),
    hint="Each example brings one number to the mean. Over how many numbers do you average?",
)
softmax_cross_entropy.misconception(
    "minus sign of the loss lost",
    ("-log_p[rows, labels]", "log_p[rows, labels]"),
    hint="The logarithm of a probability is never positive. Which sign should a loss have?",
)
softmax_cross_entropy.misconception(
    "gradient without the true class",
    ("dlogits[rows, labels] -= 1", "dlogits = dlogits"),
    hint="Your gradient does not depend on the labels. What should happen to the score of the true class?",
)
softmax_cross_entropy.misconception(
    "gradient of the wrong sign",
    ("dlogits / len(labels)", "-dlogits / len(labels)"),
    hint="Raise the score of the true class a little: does the loss go up or down? Compare your sign.",
)
softmax_cross_entropy.misconception(
    "only the diagonal of the softmax derivative",
    ("dlogits / len(labels)", "np.minimum(dlogits, 0) / len(labels)"),  # only the true class is below 0
    hint="A score changes the probabilities of all classes, not only of its own. Which partial derivatives "
    "are missing on the slide's y(1 - y)?",
)
softmax_cross_entropy.misconception(
    "softmax over the examples",
    ("logits.max(axis=1, keepdims=True)", "logits.max(axis=0, keepdims=True)"),
    ("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum(axis=0, keepdims=True)"),
    hint="Which probabilities must add up to 1: those of one example, or those of one class?",
)
softmax_cross_entropy.misconception(
    "largest logit not subtracted",
    ("logits - logits.max(axis=1, keepdims=True)", "logits"),
    hint="What is np.exp(1000.0)? The loss does not change when a constant is taken from all scores of a row.",
)
softmax_cross_entropy.misconception(
    "loss of the predicted class",
    ("log_p[rows, labels].mean()", "log_p.max(axis=1).mean()"),
    hint="Is an example on which the network is sure and wrong cheap or expensive in your loss?",
)


@softmax_cross_entropy.wrong(
    "probabilities clipped before the logarithm",
    hint="How large can your loss become at most? Take the logarithm of the softmax on paper first; then "
    "nothing needs to be clipped.",
)
def _(logits, labels):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exponentials / exponentials.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.log(np.clip(p[rows, labels], 1e-12, 1.0)).mean()
    p[rows, labels] -= 1
    return loss, p / len(labels)


@softmax_cross_entropy.wrong(
    "logarithm of a probability that has underflowed",
    hint="What is the probability of a class whose score lies 1000 below another one, and its logarithm? "
    "Take the logarithm of the softmax on paper first.",
)
def _(logits, labels):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exponentials / exponentials.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(labels)


@topic(
    lecture="004: Loss Function: Cross-Entropy Loss",
    returns=("loss", "dlogits"),
    gradients={"dlogits": ("loss", "logits")},
)
def label_smoothed_cross_entropy(
    logits: Float[Array, "N C"], labels: Int[Array, "N"], smoothing: float
) -> tuple[Float[Array, ""], Float[Array, "N C"]]:
    """Mean cross-entropy of softmax against labels that are not quite sure, and its gradient.

    Formula: `t = (1 - e) one_hot(labels) + e / C`; `loss = -mean_n sum_c t[n, c] log softmax(z)[n, c]`.

    Arguments:
        logits: (N, C) floating, any finite size. labels: (N,) integer, 0 to C - 1. smoothing: e, from 0
            (the plain cross-entropy) to below 1.

    Returns:
        loss: a number in nats, summed over C, the mean over N.
        dlogits: (N, C), the gradient of that loss with respect to logits.

    Backward: `dlogits = (softmax(z) - t) / N`.

    Convention: e is shared out among all C classes, the true one with them, as in Szegedy et al. and in
    `torch.nn.functional.cross_entropy(label_smoothing=e)`. Others give e / (C - 1) to the wrong classes only.

    Example:
        >>> loss, dlogits = label_smoothed_cross_entropy(np.log([[0.2, 0.7, 0.1]]), np.array([1]), 0.3)
        >>> round(float(loss), 3), dlogits.round(6).tolist()
        (0.677, [[0.1, -0.1, 0.0]])

    Source: deck 004, "Loss Function: Cross-Entropy Loss", with softer targets t; Szegedy et al. (2016),
    "Rethinking the Inception Architecture for Computer Vision".
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    soft = np.full_like(logits, smoothing / logits.shape[1])
    soft[np.arange(len(labels)), labels] += 1 - smoothing
    loss = -(soft * log_p).sum(axis=1).mean()  # (N, C) -> (N,) -> ()
    return loss, (np.exp(log_p) - soft) / len(labels)


@label_smoothed_cross_entropy.cases
def _(rng):
    sizes = {"ordinary": (7, 5, 0.1), "one example": (1, 4, 0.2), "two classes": (6, 2, 0.3), "strong": (3, 9, 0.5)}
    for name, (n, c, smoothing) in sizes.items():
        yield case(name, logits=2 * rng.normal(size=(n, c)), labels=rng.integers(c, size=n), smoothing=smoothing)
    logits, labels = 2 * rng.normal(size=(5, 3)), rng.integers(3, size=5)
    yield case("no smoothing", logits=logits, labels=labels, smoothing=0.0)
    logits = on_grid(rng.uniform(-1e4, 1e4, size=(5, 4)))
    yield case("huge logits", edge=0.2, logits=logits, labels=rng.integers(4, size=5), smoothing=0.125)


@label_smoothed_cross_entropy.alternative
def _(logits, labels, smoothing):
    """One example after another, by log-sum-exp."""
    losses, dlogits = [], []
    for row, label in zip(np.asarray(logits, dtype=np.float64).tolist(), labels.tolist(), strict=True):
        largest = max(row)
        log_sum = largest + math.log(math.fsum(math.exp(value - largest) for value in row))
        targets = [smoothing / len(row) + (1.0 - smoothing if c == label else 0.0) for c in range(len(row))]
        losses.append(math.fsum(t * (log_sum - value) for t, value in zip(targets, row, strict=True)))
        slopes = [math.exp(value - log_sum) - t for t, value in zip(targets, row, strict=True)]
        dlogits.append([slope / len(labels) for slope in slopes])
    return math.fsum(losses) / len(labels), np.array(dlogits)


@label_smoothed_cross_entropy.alternative
def _(logits, labels, smoothing):
    """PyTorch's loss, and its gradient by automatic differentiation, in double precision."""
    import torch

    scores = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    classes = torch.tensor(labels, dtype=torch.int64)
    loss = torch.nn.functional.cross_entropy(scores, classes, label_smoothing=smoothing)
    loss.backward()
    return loss.item(), scores.grad.numpy()


@label_smoothed_cross_entropy.worked(
    "0.7 for the true class, wanted 0.8", lecture="004: Loss Function: Cross-Entropy Loss"
)
def _():
    loss, dlogits = label_smoothed_cross_entropy(np.log([[0.2, 0.7, 0.1]]), np.array([1]), 0.3)
    close(loss, -(0.1 * math.log(0.2) + 0.8 * math.log(0.7) + 0.1 * math.log(0.1)))
    close(dlogits, [[0.1, -0.1, 0.0]])


label_smoothed_cross_entropy.misconception(
    "smoothing shared out among the wrong classes only",
    ("smoothing / logits.shape[1]", "smoothing / (logits.shape[1] - 1)"),
    ("soft[np.arange(len(labels)), labels] += 1 - smoothing", "soft[np.arange(len(labels)), labels] = 1 - smoothing"),
    hint="Among how many classes does the question share out the smoothing? Does the true one get a part?",
)
label_smoothed_cross_entropy.misconception(
    "true class without its share of the smoothing",
    ("soft[np.arange(len(labels)), labels] += 1 - smoothing", "soft[np.arange(len(labels)), labels] = 1 - smoothing"),
    hint="What do the targets of one example add up to?",
)
label_smoothed_cross_entropy.misconception(
    "true class not lowered",
    ("soft[np.arange(len(labels)), labels] += 1 - smoothing", "soft[np.arange(len(labels)), labels] += 1"),
    hint="What do the targets of one example add up to?",
)
label_smoothed_cross_entropy.misconception(
    "smoothing given to every class in full",
    ("smoothing / logits.shape[1]", "smoothing"),
    hint="What do the targets of one example add up to? The smoothing is shared out.",
)
label_smoothed_cross_entropy.misconception(
    "smoothing and its complement exchanged",
    ("smoothing / logits.shape[1]", "(1 - smoothing) / logits.shape[1]"),
    ("+= 1 - smoothing", "+= smoothing"),
    hint="With a smoothing of 0 this should be the plain cross-entropy. What do your targets become then?",
)
label_smoothed_cross_entropy.misconception(
    "not smoothed",
    ("smoothing / logits.shape[1]", "0.0"),
    ("+= 1 - smoothing", "+= 1"),
    hint="Which of the arguments does your loss not depend on?",
)
label_smoothed_cross_entropy.misconception(
    "gradient not smoothed",
    ("(np.exp(log_p) - soft)", "(np.exp(log_p) - np.eye(logits.shape[1])[labels])"),
    hint="At which probabilities is your gradient zero, and at which ones is your loss lowest?",
)
label_smoothed_cross_entropy.misconception(
    "loss summed over the batch",
    (".sum(axis=1).mean()", ".sum()"),
    hint="Should the loss of a batch grow when the same examples are in it twice?",
)
label_smoothed_cross_entropy.misconception(
    "gradient summed over the batch",
    ("(np.exp(log_p) - soft) / len(labels)", "np.exp(log_p) - soft"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
label_smoothed_cross_entropy.misconception(
    "averaged over the classes as well",
    (".sum(axis=1).mean()", ".mean()"),
    hint="Each example brings one number to the mean. Over how many numbers do you average?",
)
label_smoothed_cross_entropy.misconception(
    "softmax over the examples",
    ("logits.max(axis=1, keepdims=True)", "logits.max(axis=0, keepdims=True)"),
    ("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum(axis=0, keepdims=True)"),
    hint="Which probabilities must add up to 1: those of one example, or those of one class?",
)
label_smoothed_cross_entropy.misconception(
    "largest logit not subtracted",
    ("logits - logits.max(axis=1, keepdims=True)", "logits"),
    hint="What is np.exp(1000.0)? The loss does not change when a constant is taken from all scores of a row.",
)
label_smoothed_cross_entropy.misconception(
    "logarithm of a probability that has underflowed",
    ("log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
     "log_p = np.log(np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True))"),
    hint="What is the probability of a class whose score lies 1000 below another one, and its logarithm? "
    "Take the logarithm of the softmax on paper first.",
)  # fmt: skip
