"""Is a reference's source, cut out of its course, whole?"""

import math
from math import sqrt as root

import numpy as np
import pytest

from autograder.topic import Array, Float, topic
from autograder.topic.parts import TopicError
from autograder.topic.standalone import executed, standalone

SCALE = (2.0, 3)
TABLE = np.arange(3.0)


@topic(lecture="tests", returns=("y",))
def doubled(x: Float[Array, "N"]) -> Float[Array, "N"]:
    """Twice x."""
    return 2 * x


twice = doubled


def _helper(x):
    return SCALE[0] * root(math.pi) * twice(x)


@topic(lecture="tests", returns=("y",))
def uses(x: Float[Array, "N"]) -> Float[Array, "N"]:
    """What needs a helper, a constant, libraries and another topic."""
    return np.exp(_helper(x))


@topic(lecture="tests", returns=("y",))
def looks_up(x: Float[Array, "N"]) -> Float[Array, "N"]:
    """What needs an array of its module."""
    return TABLE[x]


def test_source_runs_alone_and_gives_the_same():
    x = np.linspace(-1, 1, 5)
    names = executed(uses)
    assert np.array_equal(names["uses"](x), uses(x))
    assert names["uses"].__globals__ is names
    assert "autograder" not in standalone(uses)


def test_array_of_the_module_is_refused_by_name():
    with pytest.raises(TopicError, match="it uses 'TABLE', a ndarray"):
        standalone(looks_up)


def test_variable_of_a_function_around_it_is_refused():
    factor = 2.0

    @topic(lecture="tests", returns=("y",))
    def inner(x):
        """What is not at the top of its module."""
        return factor * x

    with pytest.raises(TopicError, match="variables of the function around it"):
        standalone(inner)
