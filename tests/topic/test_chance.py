"""Is the limit of a count's distance what it is said to be, for every number of trials?"""

from math import exp, inf, lgamma, log

import numpy as np
import pytest

from autograder.topic.chance import IMPOSSIBLE, distance, limit


def probability_of(hits, trials, p):
    return exp(
        lgamma(trials + 1) - lgamma(hits + 1) - lgamma(trials - hits + 1) + hits * log(p) + (trials - hits) * log(1 - p)
    )


@pytest.mark.parametrize("p", [0.003, 0.1, 0.5, 0.85])
@pytest.mark.parametrize("trials", [1, 2, 9, 64, 700])
def test_limit_is_exceeded_as_seldom_as_it_says(trials, p):
    """Added up exactly over all numbers of hits, not simulated."""
    hits = np.arange(trials + 1)
    far = np.abs(distance(hits, trials, p))
    chances = np.array([probability_of(each, trials, p) for each in hits])
    assert chances.sum() == pytest.approx(1, rel=1e-9)
    for allowed in (0.2, 1e-2, 1e-4, 1e-6):
        assert chances[far > limit(1, allowed)].sum() <= allowed
        # Shared among ten counts, the bound of each is a tenth.
        assert chances[far > limit(10, allowed)].sum() <= allowed / 10


def test_limit_is_not_much_too_wide():
    """700 fair trials: what is allowed to happen once in a million does happen once in 20 million or more."""
    hits = np.arange(701)
    beyond = np.abs(distance(hits, 700, 0.5)) > limit(1, 1e-6)
    assert sum(probability_of(each, 700, 0.5) for each in hits[beyond]) > 5e-8


def test_distance_has_the_sign_of_what_was_too_many():
    assert distance(9, 10, 0.5) > 0 > distance(1, 10, 0.5)
    assert distance(5, 10, 0.5) == 0
    assert distance(9, 10, 0.5) == pytest.approx(-distance(1, 10, 0.5))


@pytest.mark.parametrize(
    ("hits", "trials", "p", "expected"),
    [
        (0, 0, 0.3, 0.0),
        (0, 5, 0.0, 0.0),
        (5, 5, 1.0, 0.0),
        (1, 5, 0.0, IMPOSSIBLE),
        (4, 5, 1.0, -IMPOSSIBLE),
        (5, 5, 0.5, (5 * log(2)) ** 0.5),
    ],
)
def test_ends(hits, trials, p, expected):
    found = distance(hits, trials, p)
    assert abs(found) < inf
    assert found == pytest.approx(expected)


def test_broadcasts_to_any_number_of_counts():
    assert distance(np.ones((3, 2)), 4, np.array([0.1, 0.5])).shape == (3, 2)
