"""What do the tests of the references share? All topics, distances between outputs, numerical derivatives."""

import importlib
import pkgutil

import numpy as np

import reference
from autograder.suite.draw import draw_cases
from autograder.suite.right import show
from autograder.topic import Topic
from autograder.topic.kinds import Failure
from autograder.values.compare import norm, split

MODULES = [importlib.import_module(f"reference.{info.name}") for info in pkgutil.iter_modules(reference.__path__)]
TOPICS = {topic.name: topic for module in MODULES for topic in vars(module).values() if isinstance(topic, Topic)}


def drawn(topic, seed):
    """The cases of a topic by name, from one seed."""
    return draw_cases(topic, np.random.SeedSequence(seed))


def shown(topic, names, cases):
    """What an implementation shows on each case, through the code that grades."""
    return show(topic, names, cases.values())


def distance(actual, expected):
    """Difference of two outputs relative to the expected one's norm; infinite where they cannot be compared."""
    if isinstance(actual, Failure) or isinstance(expected, Failure):
        same = isinstance(actual, Failure) and isinstance(expected, Failure) and _end(actual) == _end(expected)
        return 0.0 if same else np.inf
    try:
        (one, left), (other, right) = split(actual), split(expected)
    except TypeError:
        return np.inf
    if one != other or left.keys() != right.keys():
        return np.inf
    return max(_array_distance(left[key], right[key]) for key in left)


def largest_distance(one, other, cases):
    """The largest distance of any block on any of these cases."""
    return max(distance(one[case][block], other[case][block]) for case in cases for block in one[case])


def slope_along(f, at, direction, *, step=6e-6):
    """Central difference of a number-valued f along a direction."""
    return (f(at + step * direction) - f(at - step * direction)) / (2 * step)


def _end(failure):
    return failure.outcome, failure.doing, failure.answer.detail.get("type")


def _array_distance(actual, expected):
    if actual.shape != expected.shape:
        return np.inf
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(expected)
    if not np.array_equal(finite, np.isfinite(actual)):
        return np.inf
    size = float(norm(np.where(finite, expected, 0.0)))
    difference = float(norm(np.subtract(actual, expected, where=finite, out=np.zeros_like(expected))))
    return difference / size if size else float(difference > 0)
