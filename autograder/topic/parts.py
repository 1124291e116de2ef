"""What hangs on a topic: blocks, misconceptions, properties, laws, long runs and exams."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.topic.case import Case

Names = dict[str, Any]  # what an implementation defines, by the names the student must use
CaseMaker = Callable[[np.random.Generator], Iterable[Case]]
InputsMaker = Callable[[np.random.Generator], dict[str, Any]]
DEVICE = "device"  # a parameter's name; its values are PyTorch's words
DRAWS, GENERATOR, RNG = "draws", "generator", "rng"  # a sampler's first blocks, and its last parameter
PropertyCheck = Callable[[dict[str, Any]], Generator[dict[str, Any], dict[str, Any], bool]]


class TopicError(Exception):
    """A topic is declared in a way that cannot be graded; the message tells its author what to change."""


def must_be_names(what: str, names: object) -> None:
    """TopicError where an author wrote ("loss"), which is a text, for ("loss",)."""
    if isinstance(names, str):
        raise TopicError(f'{what} is the text {names!r}; write a tuple of names, as ("{names}",)')


@dataclass(frozen=True)
class Block:
    """One output that is judged by itself.

    of, wrt: for a gradient, the output and the input it is the derivative of and with respect to.
    requires: the block that must be right for this one to count. weight: of its points, where the course names none.
    """

    name: str
    kind: str  # the check that judges it: "value", "gradient", "trajectory"; of a sampler, "law" or "distribution"
    of: str = ""
    wrt: str = ""
    requires: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Misconception:
    """A way of getting it wrong that a student plausibly takes."""

    name: str
    hint: str
    names: Names
    edits: tuple[tuple[str, str], ...] = ()
    equivalent_to: str = ""


@dataclass(frozen=True)
class Harmless:
    """An edit of the reference that changes no answer. because: the reason, for whoever reads the proof."""

    edit: tuple[str, str]
    because: str


@dataclass(frozen=True)
class Property:
    """A law that right outputs obey. `share` is its part of the question's points."""

    name: str
    check: PropertyCheck
    share: float
    hint: str = ""


@dataclass(frozen=True)
class Training:
    """How a trainer is judged: draw inputs, train, and let the reference compute the loss."""

    draw: Callable[[np.random.Generator], dict[str, Any]]
    loss: Callable[[dict[str, Any], Any], float]
    weight: float


@dataclass(frozen=True)
class Law:
    """What every single draw of a sampler obeys: a function of inputs and draw."""

    name: str
    holds: Callable[[dict[str, Any], Any], bool]
    hint: str = ""


@dataclass(frozen=True)
class Distribution:
    """How often things happen over many draws: a function of inputs and draws that returns hits, trials
    and the probability of a hit, arrays that broadcast. Each count is a binomial one of its own."""

    name: str
    counts: Callable[[dict[str, Any], list[Any]], tuple[Any, Any, Any]]
    hint: str = ""


@dataclass(frozen=True)
class Exam:
    """How a trainer is examined: draw inputs, train, and count what is right on examples it has not seen.

    Of what `draw` returns, entries that are no parameters of the function stay on our side: the hidden
    examples and their labels. chance: the accuracy of a constant answer.
    """

    draw: Callable[[np.random.Generator], dict[str, Any]]
    accuracy: Callable[[dict[str, Any], Any], float]
    chance: float
    weight: float
