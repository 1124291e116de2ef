"""When is an embedding near enough to its like, and who has to move?"""

import numpy as np

from autograder.topic import Array, Float, case, topic


@topic(
    lecture="CV 8: metric learning",
    returns=("loss", "danchor", "dpositive", "dnegative"),
    gradients={
        "danchor": ("loss", "anchor"),
        "dpositive": ("loss", "positive"),
        "dnegative": ("loss", "negative"),
    },
)
def triplet_loss(
    anchor: Float[Array, "N D"], positive: Float[Array, "N D"], negative: Float[Array, "N D"], margin: float
) -> tuple[Float[Array, ""], Float[Array, "N D"], Float[Array, "N D"], Float[Array, "N D"]]:
    """Mean over the triplets of max(0, |a - p|² - |a - n|² + margin), and its gradients by a, p and n.

    anchor, positive, negative: (N, D), a row a triplet. Returns loss, a number, and danchor, dpositive and dnegative,
    (N, D) each.

    >>> loss, danchor, dpositive, dnegative = triplet_loss(
    ...     np.array([[0.0]]), np.array([[1.0]]), np.array([[2.0]]), margin=4.0
    ... )
    >>> float(loss), danchor, dpositive, dnegative
    (1.0, array([[2.]]), array([[2.]]), array([[-4.]]))
    """
    near, far = anchor - positive, anchor - negative
    gaps = (near**2).sum(axis=1) - (far**2).sum(axis=1) + margin
    active = (gaps > 0)[:, None] / len(gaps)
    loss = np.maximum(gaps, 0).mean()
    return loss, 2 * active * (near - far), -2 * active * near, 2 * active * far


@triplet_loss.cases
def _(rng):
    for name, n, d, margin in (("ordinary", 8, 3, 0.5), ("a wide margin", 7, 5, 2.0), ("two dimensions", 9, 2, 1.0)):
        yield case(name, **triplets(rng, n, d, margin))


def triplets(rng, n, d, margin):
    """Triplets of which some, not all, cost something, and none is near the kink."""
    while True:
        anchor, positive, negative = rng.normal(size=(3, n, d))
        gaps = ((anchor - positive) ** 2).sum(axis=1) - ((anchor - negative) ** 2).sum(axis=1) + margin
        if 1 < (gaps > 0).sum() < n - 1 and np.abs(gaps).min() > 0.05:
            return {"anchor": anchor, "positive": positive, "negative": negative, "margin": margin}


@triplet_loss.alternative
def _(anchor, positive, negative, margin):
    loss, gradients = 0.0, np.zeros((3, *anchor.shape))
    for i, (a, p, n) in enumerate(zip(anchor, positive, negative, strict=True)):
        gap = np.dot(a - p, a - p) - np.dot(a - n, a - n) + margin
        if gap > 0:
            loss += gap / len(anchor)
            gradients[0, i] = 2 * (n - p) / len(anchor)
            gradients[1, i] = 2 * (p - a) / len(anchor)
            gradients[2, i] = 2 * (a - n) / len(anchor)
    return loss, *gradients


triplet_loss.misconception(
    "anchor moved by its like alone",
    ("2 * active * (near - far)", "2 * active * near"),
    hint="The anchor stands in both distances.",
)
triplet_loss.misconception(
    "triplets that cost nothing move, too",
    ("(gaps > 0)[:, None] / len(gaps)", "np.ones((len(gaps), 1)) / len(gaps)"),
    hint="What is the slope of max(0, gap) where the gap is negative?",
)
triplet_loss.misconception(
    "distances not squared",
    ("(near**2).sum(axis=1) - (far**2).sum(axis=1)", "np.sqrt((near**2).sum(axis=1)) - np.sqrt((far**2).sum(axis=1))"),
    hint="The lecture's distance is the squared one.",
)
triplet_loss.misconception(
    "negative pulled nearer",
    ("2 * active * far", "-2 * active * far"),
    hint="Which way must the negative move for the loss to fall?",
)
