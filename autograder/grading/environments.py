"""In which environment is each question of a submission asked?

In the one it names, but for a notebook that never mentions what only that one has: there the smaller
one that other questions need anyway serves as well, and the notebook is loaded once.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from autograder.notebook.submission import Submission

_WORD = re.compile(r"\w+")


class _Placed(Protocol):
    """A question, as far as its place goes."""

    @property
    def environment(self) -> str: ...


_Question = TypeVar("_Question", bound=_Placed)


def by_environment(
    submission: Submission, questions: Iterable[_Question], modules: Mapping[str, frozenset[str]]
) -> dict[str, list[_Question]]:
    """Questions by the environment to ask them in. modules: what can be imported in each."""
    asked = list(questions)
    used = {question.environment for question in asked}
    words = words_of(submission)
    groups: dict[str, list[_Question]] = {}
    for question in asked:
        groups.setdefault(_smallest(question.environment, used, modules, words), []).append(question)
    return groups


def _smallest(named: str, used: set[str], modules: Mapping[str, frozenset[str]], words: frozenset[str]) -> str:
    """The environment that a question names, or the smallest used one that this notebook cannot tell from it."""
    same = [other for other in used if modules[other] <= modules[named]]
    same = [other for other in same if not words & (modules[named] - modules[other])]
    return min(same, key=lambda other: (len(modules[other]), other))


def words_of(submission: Submission) -> frozenset[str]:
    """Every word in the code: whatever is imported by its name is among them."""
    texts = [cell.source for cell in submission.cells]
    texts += [content.decode("utf-8", errors="replace") for content in submission.files.values()]
    return frozenset(word for text in texts for word in _WORD.findall(text))
