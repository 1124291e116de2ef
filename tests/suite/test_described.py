"""A docstring is complete, and its example is true; what is not is refused with its sentence."""

import numpy as np
import pytest

from autograder.topic import Array, Int, topic
from tests.suite.helpers import sentences, with_cases


def documented(text):
    def joined(x, labels: Int[Array, "N"]):
        return x, np.multiply(x, labels)

    joined.__doc__ = text
    declared = topic(lecture="tests", returns=("y", "picked"))(joined)
    return with_cases(declared, lambda rng, n: {"x": rng.normal(size=n), "labels": rng.integers(1, 4, size=n)})


GOOD = """y is x, and picked is x times labels.

    >>> joined(np.array([2.0]), np.array([3]))
    (array([2.]), array([6.]))
    """


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "joined has no docstring"),
        ("  ", "joined has no docstring"),
        (GOOD.replace("labels", "the classes"), "the docstring of joined does not name the argument labels:"),
        (GOOD.replace("x times labels", "a product").replace("y is x", "y"), "name the arguments x, labels:"),
        (GOOD.replace("and picked", "and that"), "does not name the output picked, which stands in `returns`"),
        (GOOD.partition(">>>")[0], "the docstring of joined has no example. Add one: a line `>>> joined(...)`"),
        (
            GOOD.replace("6.", "7."),
            "`joined(np.array([2.0]), np.array([3]))` prints (array([2.]), array([6.])), and the docstring says (array",
        ),
        (GOOD.replace("np.array([3])", "None"), "np.array([2.0]), None)` raises TypeError: unsupported operand"),
        (GOOD.replace(">>> joined", ">>>joined"), "the example in the docstring of joined cannot be read"),
    ],
)
def test_docstring_that_is_not_complete_or_not_true_is_refused(text, reason, capsys):
    (said,) = sentences(documented(text))
    assert reason in said
    assert sentences(documented(GOOD)) == []
    assert capsys.readouterr().out == ""
