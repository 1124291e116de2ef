"""How much does a distribution leave open, and how far is another one from it?

All in nats, and everywhere 0 log 0 is 0, the limit of p log p.
"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic


def _distributions(rng, n, c):
    """Rows of probabilities, none near 0."""
    drawn = rng.uniform(0.2, 2.0, size=(n, c))
    return drawn / drawn.sum(axis=1, keepdims=True)


@topic(lecture="000: Cross Entropy", returns=("entropies",))
def entropy(probabilities: Float[Array, "N C"]) -> Float[Array, "N"]:
    """Shannon's entropy of each of N distributions over C classes.

    Formula: `h[n] = -sum_c p[n, c] log p[n, c]`.

    Arguments:
        probabilities: (N, C) floating, each row adding up to 1; entries may be 0.

    Returns:
        (N,), in nats, one number for each row: 0 where one class is certain, log C where all are alike.

    Numerics: 0 log 0 is 0 here, but NaN in floating point.

    Convention: the natural logarithm; divided by log 2 it is in bits. `scipy.stats.entropy(axis=1)`.

    Example:
        >>> entropy(np.array([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0]])).round(6).tolist()
        [1.386294, 0.693147]

    Source: deck 000, "Cross Entropy", which begins with H(X).
    """
    safe = np.where(probabilities > 0, probabilities, 1.0)  # log 1 = 0
    return -(probabilities * np.log(safe)).sum(axis=1)  # (N, C) -> (N,)


@entropy.cases
def _(rng):
    for name, (n, c) in {"ordinary": (6, 4), "one row": (1, 5), "two classes": (7, 2), "many classes": (3, 9)}.items():
        yield case(name, probabilities=_distributions(rng, n, c))
    some = _distributions(rng, 5, 6)
    some[np.arange(5)[:, None], rng.permuted(np.tile(np.arange(6), (5, 1)), axis=1)[:, :3]] = 0.0
    certain = np.eye(6)[rng.integers(6, size=1)]
    yield case("zeros", edge=0.3, probabilities=np.vstack([some / some.sum(axis=1, keepdims=True), certain]))


@entropy.alternative
def _(probabilities):
    """One number after another; what has no probability is passed over."""
    return np.array([-math.fsum(p * math.log(p) for p in row if p > 0) for row in probabilities.tolist()])


@entropy.alternative
def _(probabilities):
    """PyTorch in double precision."""
    import torch

    return torch.special.entr(torch.tensor(probabilities, dtype=torch.float64)).sum(dim=1).numpy()


@entropy.worked("a fair coin, a die with four sides, a sure thing", lecture="000: Cross Entropy")
def _():
    rows = np.array([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 1.0, 0.0]])
    close(entropy(rows), [math.log(2), math.log(4), 0.0])


entropy.misconception(
    "in bits",
    ("np.log(safe)", "np.log2(safe)"),
    hint="To which base does the question take the logarithm? A fair coin has log 2 = 0.69 nats.",
)
entropy.misconception(
    "minus sign lost",
    ("-(probabilities * np.log(safe))", "(probabilities * np.log(safe))"),
    hint="The logarithm of a probability is never positive. Can there be less than nothing left open?",
)
entropy.misconception(
    "averaged over the classes",
    (".sum(axis=1)", ".mean(axis=1)"),
    hint="Are the terms of one row added up, or averaged? Try two classes with 1/2 each.",
)
entropy.misconception(
    "summed over the rows",
    (".sum(axis=1)", ".sum(axis=0)"),
    hint="Which numbers belong to one distribution: those of a row or those of a column?",
)
entropy.misconception(
    "averaged to one number",
    (".sum(axis=1)", ".sum(axis=1).mean()"),
    hint="The question asks for one number for each row. How many are yours?",
)
entropy.misconception(
    "not weighted by the probabilities",
    ("probabilities * np.log(safe)", "np.log(safe)"),
    hint="How surprising is a class, and how often does that surprise happen? You have the first only.",
)
entropy.misconception(
    "impurity instead of entropy",
    ("-(probabilities * np.log(safe)).sum(axis=1)", "1 - (probabilities**2).sum(axis=1)"),
    hint="This is Gini's impurity, another measure. Where is the logarithm?",
)
entropy.misconception(
    "0 log 0 not taken as 0",
    ("np.where(probabilities > 0, probabilities, 1.0)", "probabilities"),
    hint="What does NumPy make of 0 * np.log(0)? What does a class contribute that never comes?",
)
entropy.harmless(
    ("probabilities > 0, probabilities, 1.0", "probabilities > 0, probabilities, 2.0"), because="it is multiplied by 0"
)


@topic(lecture="002: f-divergence", returns=("divergences",))
def kl_divergence(p: Float[Array, "N C"], q: Float[Array, "N C"]) -> Float[Array, "N"]:
    """Kullback-Leibler divergence of q from p, for each of N pairs of distributions over C classes.

    Formula: `d[n] = sum_c p[n, c] log(p[n, c] / q[n, c])`, written KL(p || q).

    Arguments:
        p: (N, C) floating, each row adding up to 1: the true distribution. q: (N, C) floating,
            likewise: the model. Entries of both may be 0.

    Returns:
        (N,), in nats, one number for each row: 0 where p and q are equal, infinity where q excludes
        what p allows.

    Numerics: a class with p = 0 contributes 0, whatever q is; the formula as it stands gives NaN.

    Convention: the expectation is under the first argument, as on the slide; with the arguments exchanged
    it is the slide's reverse KL. `torch.nn.functional.kl_div(q.log(), p, reduction="none").sum(1)`: note the
    order. It is the cross-entropy of p and q less the entropy of p, so by q it has the cross-entropy's gradient.

    Example:
        >>> p = np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]])
        >>> q = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])
        >>> kl_divergence(p, q).round(6).tolist()
        [0.143841, 0.693147, inf]

    Source: deck 002, "f-divergence", with f(x) = x log x.
    """
    safe_p, safe_q = np.where(p > 0, p, 1.0), np.where(p > 0, q, 1.0)  # log 1 = 0
    with np.errstate(divide="ignore"):  # log 0 is minus infinity, as it should be
        log_ratio = np.log(safe_p) - np.log(safe_q)
    return (p * log_ratio).sum(axis=1)  # (N, C) -> (N,)


def _far_apart(rng, n, c):
    """Pairs of distributions that are far from equal: in each row q prefers what p does not."""
    p = np.sort(_distributions(rng, n, c), axis=1)
    p[:, -1] += 1.0
    q = np.sort(_distributions(rng, n, c) ** 1.5, axis=1)[:, ::-1].copy()
    order = rng.permutation(c)
    return (p / p.sum(axis=1, keepdims=True))[:, order], (q / q.sum(axis=1, keepdims=True))[:, order]


@kl_divergence.cases
def _(rng):
    for name, (n, c) in {"ordinary": (6, 4), "one pair": (1, 5), "two classes": (7, 2), "many classes": (3, 9)}.items():
        p, q = _far_apart(rng, n, c)
        yield case(name, p=p, q=q)
    p, q = _far_apart(rng, 5, 6)
    p[:, rng.integers(6)] = 0.0
    both = rng.integers(6)
    p[:3, both] = q[:3, both] = 0.0
    p, q = p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)
    yield case("zeros in p", edge=0.2, p=p, q=q)
    p, q = _far_apart(rng, 5, 4)
    q[rng.choice(5, size=2, replace=False), rng.integers(4)] = 0.0
    yield case("impossible under q", edge=0.1, finite=False, p=p, q=q / q.sum(axis=1, keepdims=True))


@kl_divergence.alternative
def _(p, q):
    """One number after another."""

    def term(a, b):
        return 0.0 if a == 0 else math.inf if b == 0 else a * math.log(a / b)

    return np.array([math.fsum(map(term, *rows)) for rows in zip(p.tolist(), q.tolist(), strict=True)])


@kl_divergence.alternative
def _(p, q):
    """PyTorch in double precision: the cross-entropy less the entropy."""
    import torch

    true, model = (torch.tensor(each, dtype=torch.float64) for each in (p, q))
    return (torch.xlogy(true, true) - torch.xlogy(true, model)).sum(dim=1).numpy()


@kl_divergence.worked("a fair coin, taken for another one", lecture="002: f-divergence")
def _():
    p = np.array([[0.5, 0.5], [1.0, 0.0], [0.3, 0.7], [0.5, 0.5]])
    q = np.array([[0.25, 0.75], [0.5, 0.5], [0.3, 0.7], [1.0, 0.0]])
    divergences = kl_divergence(p, q)
    close(divergences[:3], [math.log(4 / 3) / 2, math.log(2), 0.0])
    assert divergences[3] == np.inf, f"q excludes what p allows: expected infinity, got {divergences[3]}"


kl_divergence.misconception(
    "arguments exchanged",
    ("safe_p, safe_q = np.where(p > 0, p, 1.0), np.where(p > 0, q, 1.0)",
     "p, q = q, p; safe_p, safe_q = np.where(p > 0, p, 1.0), np.where(p > 0, q, 1.0)"),
    hint="Under which of the two distributions is the mean taken? KL(p || q) and KL(q || p) are not the same.",
)  # fmt: skip
kl_divergence.misconception(
    "weighted by q",
    ("(p * log_ratio)", "(q * log_ratio)"),
    hint="Under which of the two distributions is the mean taken?",
)
kl_divergence.misconception(
    "ratio turned over",
    ("np.log(safe_p) - np.log(safe_q)", "np.log(safe_q) - np.log(safe_p)"),
    hint="A divergence is never negative. Which of the two stands above the line?",
)
kl_divergence.misconception(
    "cross-entropy instead of divergence",
    ("np.log(safe_p) - np.log(safe_q)", "-np.log(safe_q)"),
    hint="What should come out where p and q are equal, and what does yours give?",
)
kl_divergence.misconception(
    "averaged over the classes",
    (".sum(axis=1)", ".mean(axis=1)"),
    hint="Are the terms of one row added up, or averaged?",
)
kl_divergence.misconception(
    "summed over the rows",
    (".sum(axis=1)", ".sum(axis=0)"),
    hint="Which numbers belong to one distribution: those of a row or those of a column?",
)
kl_divergence.misconception(
    "averaged to one number",
    (".sum(axis=1)", ".sum(axis=1).mean()"),
    hint="The question asks for one number for each row. How many are yours?",
)
kl_divergence.misconception(
    "both directions averaged",
    ("(p * log_ratio)", "(0.5 * (p - q) * log_ratio)"),
    hint="KL is not symmetric. Does your result change when p and q change places?",
)
kl_divergence.misconception(
    "in bits",
    ("np.log(safe_p) - np.log(safe_q)", "np.log2(safe_p) - np.log2(safe_q)"),
    hint="To which base does the question take the logarithm?",
)
kl_divergence.misconception(
    "classes with p = 0 give NaN",
    ("np.where(p > 0, p, 1.0), np.where(p > 0, q, 1.0)", "p, q"),
    hint="What does NumPy make of 0 * np.log(0)? What does a class contribute that p never chooses?",
)
kl_divergence.misconception(
    "a small number added to the probabilities",
    ("np.where(p > 0, p, 1.0), np.where(p > 0, q, 1.0)", "p + 1e-12, q + 1e-12"),
    hint="How far is q from p where q gives no chance at all to what p allows? Yours stays finite.",
)
kl_divergence.harmless(
    ("np.where(p > 0, p, 1.0)", "np.where(p > 0, p, 2.0)"),
    ("np.where(p > 0, q, 1.0)", "np.where(p > 0, q, 2.0)"),
    because="it is multiplied by 0",
)


@topic(
    lecture="000: Cross Entropy",
    returns=("loss", "dprobabilities"),
    gradients={"dprobabilities": ("loss", "probabilities")},
)
def categorical_cross_entropy(
    probabilities: Float[Array, "N C"], targets: Float[Array, "N C"]
) -> tuple[Float[Array, ""], Float[Array, "N C"]]:
    """Mean cross-entropy between rows of target and of predicted probabilities, and its gradient.

    Formula: `loss = -mean_n sum_c t[n, c] log p[n, c]`.

    Arguments:
        probabilities: (N, C) floating, each row adding up to 1. targets: (N, C) floating, likewise:
            one-hot, or any distribution. An entry of probabilities may be 0 where targets is 0.

    Returns:
        loss: a number in nats, summed over C, the mean over N.
        dprobabilities: (N, C), the gradient of that loss with respect to probabilities.

    Backward: `dprobabilities = -t / p / N`, and 0 where t is 0: the very big gradient that deck 004
    speaks of. Behind a softmax it comes to (p - t) / N, with respect to the logits.

    Numerics: 0 log 0 is 0 here, the limit of t log t, but NaN in floating point. A small number added to
    p hides that, and caps the loss; a stand-in for p where t is 0 does neither.

    Convention: the natural logarithm. Keras clips p at 1e-7; nothing is clipped here. PyTorch's
    `cross_entropy` takes logits.

    Example:
        >>> loss, dprobabilities = categorical_cross_entropy(np.array([[0.2, 0.8, 0.0]]), np.array([[0.0, 1.0, 0.0]]))
        >>> round(float(loss), 3), (dprobabilities + 0.0).tolist()
        (0.223, [[0.0, -1.25, 0.0]])

    Source: deck 000, "Cross Entropy", with the loss 0.36 of (0.2, 0.7, 0.1); deck 004, "Loss Function:
    Cross-Entropy Loss".
    """
    safe = np.where(targets > 0, probabilities, 1.0)  # log 1 = 0
    loss = -(targets * np.log(safe)).sum(axis=1).mean()  # (N, C) -> (N,) -> ()
    return loss, -targets / safe / len(targets)


@categorical_cross_entropy.cases
def _(rng):
    for name, (n, c) in {"ordinary": (7, 4), "one example": (1, 5), "many classes": (3, 9)}.items():
        yield case(name, probabilities=_distributions(rng, n, c), targets=np.eye(c)[rng.integers(c, size=n)])
    yield case("targets spread", probabilities=_distributions(rng, 6, 3), targets=_distributions(rng, 6, 3))
    labels = rng.integers(5, size=6)
    kept = _distributions(rng, 6, 5)
    kept[np.arange(6), (labels + rng.integers(1, 5, size=6)) % 5] = 0.0
    kept /= kept.sum(axis=1, keepdims=True)
    yield case("a wrong class excluded", edge=0.15, probabilities=kept, targets=np.eye(5)[labels])
    labels = rng.integers(4, size=5)
    small = _distributions(rng, 5, 4)
    small[np.arange(5), labels] = 10.0 ** -rng.uniform(20, 28, size=5)
    yield case("true class nearly excluded", edge=0.15, probabilities=small, targets=np.eye(4)[labels])


@categorical_cross_entropy.alternative
def _(probabilities, targets):
    """One number after another; what has no weight is passed over."""
    terms, slopes = [], np.zeros(targets.shape)
    for n, c in np.argwhere(targets > 0).tolist():
        p, t = float(probabilities[n, c]), float(targets[n, c])
        terms.append(-t * math.log(p))
        slopes[n, c] = -t / p / len(targets)
    return math.fsum(terms) / len(targets), slopes


@categorical_cross_entropy.alternative
def _(probabilities, targets):
    """PyTorch's automatic differentiation, in double precision."""
    import torch

    leaf = torch.tensor(probabilities, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor(targets, dtype=torch.float64)
    counted = weights > 0
    loss = -(weights[counted] * torch.log(leaf[counted])).sum() / len(weights)
    loss.backward()
    return loss.item(), leaf.grad.numpy()


@categorical_cross_entropy.worked("0.7 for the true class costs 0.357", lecture="000: Cross Entropy")
def _():
    loss, dprobabilities = categorical_cross_entropy(np.array([[0.2, 0.7, 0.1]]), np.array([[0.0, 1.0, 0.0]]))
    close(loss, 0.357, within=5e-4)
    close(dprobabilities, [[0.0, -1 / 0.7, 0.0]])


@categorical_cross_entropy.worked("a class with no weight costs nothing", lecture="000: Cross Entropy")
def _():
    loss, dprobabilities = categorical_cross_entropy(np.array([[0.5, 0.5, 0.0]]), np.array([[1.0, 0.0, 0.0]]))
    close(loss, math.log(2))
    close(dprobabilities, [[-2.0, 0.0, 0.0]])


categorical_cross_entropy.misconception(
    "gradient with respect to the logits",
    ("-targets / safe / len(targets)", "(probabilities - targets) / len(targets)"),
    hint="p - t belongs to the scores in front of a softmax. With respect to what does this question differentiate?",
)
categorical_cross_entropy.misconception(
    "targets left out of the gradient",
    ("-targets / safe / len(targets)", "-1 / safe / len(targets)"),
    hint="What does the loss depend on, if only the probability of a class with target 0 changes?",
)
categorical_cross_entropy.misconception(
    "gradient of the wrong sign",
    ("-targets / safe / len(targets)", "targets / safe / len(targets)"),
    hint="The true class gets a higher probability: does the loss go up or down?",
)
categorical_cross_entropy.misconception(
    "minus sign of the loss lost",
    ("-(targets * np.log(safe))", "(targets * np.log(safe))"),
    hint="The logarithm of a probability is never positive. Which sign should a loss have?",
)
categorical_cross_entropy.misconception(
    "loss summed over the batch",
    (".sum(axis=1).mean()", ".sum()"),
    hint="Should the loss of a batch grow when the same examples are in it twice?",
)
categorical_cross_entropy.misconception(
    "gradient summed over the batch",
    ("-targets / safe / len(targets)", "-targets / safe"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
categorical_cross_entropy.misconception(
    "averaged over the classes as well",
    (".sum(axis=1).mean()", ".mean()"),
    hint="Each example brings one number to the mean. Over how many numbers do you average?",
)
categorical_cross_entropy.misconception(
    "summed over the examples, averaged over the classes",
    (".sum(axis=1).mean()", ".sum(axis=0).mean()"),
    hint="Which axis holds the examples? The mean belongs to that one.",
)
categorical_cross_entropy.misconception(
    "only the likeliest class of the target counted",
    ("safe = np.where(targets > 0, probabilities, 1.0)",
     "targets = np.eye(targets.shape[1])[targets.argmax(axis=1)]; safe = np.where(targets > 0, probabilities, 1.0)"),
    hint="Targets need not be one-hot. What do the other classes of a target like (0.6, 0.4) contribute?",
)  # fmt: skip
categorical_cross_entropy.misconception(
    "logarithm to the base 2",
    ("np.log(safe)", "np.log2(safe)"),
    hint="Is your loss in bits or in nats?",
)
categorical_cross_entropy.misconception(
    "0 log 0 not taken as 0",
    ("np.where(targets > 0, probabilities, 1.0)", "probabilities"),
    hint="What does NumPy make of 0 * np.log(0), and of 0 / 0? What does a class cost that has no weight?",
)
categorical_cross_entropy.misconception(
    "a small number added to the probabilities",
    ("np.where(targets > 0, probabilities, 1.0)", "probabilities + 1e-12"),
    hint="How large can your loss become at most? Nothing needs to be added where the target is above 0.",
)
categorical_cross_entropy.misconception(
    "probabilities clipped before the logarithm",
    ("np.where(targets > 0, probabilities, 1.0)", "np.clip(probabilities, 1e-15, 1.0)"),
    hint="How large can your loss become at most? Nothing needs to be clipped where the target is above 0.",
)
categorical_cross_entropy.harmless(
    ("targets > 0, probabilities, 1.0", "targets > 0, probabilities, 2.0"), because="it is multiplied by 0"
)
