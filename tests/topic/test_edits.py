"""Misconceptions as token edits: layout and comments do not matter, a lost match does."""

import pytest

from autograder.topic import topic
from autograder.topic.edits import EditError, edited, source_of


def sample(x, y):
    """A docstring that says x + y, which must not be matched."""
    # a comment that says x + y
    total = x + y  # and so does this one
    return total / (len(x)
                    + 1)  # fmt: skip


def test_edit_matches_tokens_across_layout():
    assert "total / 7" in edited(source_of(sample), (("(len(x) + 1)", "7"),))


def test_docstring_and_comments_are_not_matched():
    assert "total = x - y" in edited(source_of(sample), (("x + y", "x - y"),))


@pytest.mark.parametrize("old", ["x * y", "x", ""])
def test_edit_that_does_not_match_once_is_an_error(old):
    with pytest.raises(EditError, match="not once"):
        edited(source_of(sample), ((old, "z"),))


def documented(x):
    """Twice x.

    Returns a number.
    """
    return 2 * x


def test_edit_that_does_not_match_shows_the_code_without_the_gap_of_its_docstring():
    with pytest.raises(EditError) as caught:
        edited(source_of(documented), (("3 * x", "x"),))
    assert str(caught.value).splitlines()[1:] == ["def documented(x):", "    pass", "    return 2 * x"]


def test_edit_changes_the_misconception_and_not_the_reference():
    declared = topic(lecture="tests", returns=("total",))(plus)
    declared.misconception("minus", ("a + b", "a - b"), hint="Which operation?")
    assert declared.misconceptions[0].names["plus"](5, 3) == 2
    assert declared(5, 3) == 8


def plus(a, b):
    """Sum."""
    return helper(a + b)


def helper(value):
    return value


def test_edited_class_refers_to_itself():
    declared = topic(lecture="tests", returns=("value",))(Doubling)
    declared.misconception("tripled", ("* 2", "* 3"), hint="Twice.")
    wrong = declared.misconceptions[0].names["Doubling"]
    assert wrong(1).next().next().value == 9
    assert Doubling(1).next().next().value == 4


class Doubling:
    """Doubles."""

    def __init__(self, value):
        self.value = value

    def next(self):
        """The next one."""
        return Doubling(self.value * 2)
