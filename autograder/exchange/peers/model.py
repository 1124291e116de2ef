"""What is a notebook with tests in it, and how does a test end?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["cell", "doctest", "function"]


@dataclass(frozen=True)
class Code:
    """A cell that is no test. number: counts code cells from 1, as students count them."""

    number: int
    source: str


@dataclass(frozen=True)
class Test:
    """One test, and what it is worth.

    source: all of it, for the jail. visible: what students see of it; "" where that is nothing.
    mode: a notebook's cell, a text of doctest examples, or the function at `function` of a test file.
    partial: the value that the cell ends in may say how many points it earned.
    name: for people, where the id is not enough.
    """

    __test__ = False  # for pytest, which would take the class for one of its own

    id: str
    source: str
    visible: str
    points: float
    mode: Mode = "cell"
    function: int = 0
    partial: bool = False
    name: str = ""

    @property
    def has_hidden(self) -> bool:
        return self.visible != self.source


@dataclass(frozen=True)
class Group:
    """Tests that run one after the other on the same names, in a fork of their own."""

    tests: tuple[Test, ...]

    @property
    def has_hidden(self) -> bool:
        return any(test.has_hidden for test in self.tests)


Step = Code | Group


@dataclass(frozen=True)
class Result:
    """How a test ended.

    outcome: passed, partial, failed, timed_out, crashed, out_of_memory, no_score (it names a number that
    is none of its points) or not_graded (a fault of ours). points: None for the last two.
    evidence: for staff. shown: for the student; never anything that a hidden test could have said.
    """

    outcome: str
    points: float | None
    evidence: str = ""
    shown: str = ""


@dataclass(frozen=True)
class Ran:
    """What came of one notebook: its tests by id, and what happened while it was loaded."""

    results: dict[str, Result]
    notes: Sequence[str] = ()
    cpu_s: float = 0.0
    peak_mib: float = 0.0
