"""How unlikely is a count, if the law is right?

A count of hits in independent trials is binomial, and by Chernoff's bound a share of hits as far out as
h/m or further, on one side, has at most the probability exp(-m KL(h/m, p)). So the root of the exponent,
signed, is a distance for which a limit can be stated exactly, for any number of trials and any p: no
approximation has to hold, and nothing but logarithms is needed.
"""

from math import log, sqrt

import numpy as np

IMPOSSIBLE = 1e6  # the distance of a count that the law rules out


def distance(hits: np.ndarray, trials: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """How far counts are from the law: sqrt(trials KL(hits / trials, probability)), negative where too few.

    All broadcast together. Without trials the distance is 0: nothing was seen.
    """
    hits, trials, p = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (hits, trials, probability)))
    share = np.divide(hits, trials, out=np.array(p), where=trials > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = trials * (_times_log(share, p) + _times_log(1 - share, 1 - p))
    root = np.minimum(np.sqrt(np.maximum(exponent, 0.0)), IMPOSSIBLE)
    return np.asarray(np.sign(share - p) * root)


def limit(counts: int, false_failure: float) -> float:
    """The distance that any of so many counts exceeds, on either side, with at most this probability."""
    return sqrt(log(2 * counts / false_failure))


def _times_log(share: np.ndarray, p: np.ndarray) -> np.ndarray:
    """share log(share / p), which is 0 where share is 0."""
    return np.where(share > 0, share * np.log(np.where(share > 0, share, 1.0) / p), 0.0)
