"""How did a class do, in the numbers from which a report is made?

Students are taken in one at a time. What stays of each are numbers, a name, and its place in the groups of
those who made the same mistake; the record itself is let go.
"""

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autograder.grading.record import Record
from autograder.report.signature import Unexplained, unexplained
from autograder.values.outcomes import Outcome

COSTS = ("wall_s", "cpu_s", "peak_mib")  # what is measured of a submission
FULL, PART, NONE, BLANK = "full", "part", "none", "no number"
VERDICTS = (FULL, PART, NONE, BLANK)


@dataclass(frozen=True)
class Item:
    """A question of the assignment. manual: a person gives its points."""

    id: str
    title: str
    max_points: float
    manual: bool = False


@dataclass(frozen=True)
class Entry:
    """One student as they stand.

    points: of the whole, None where there is no number. given: points by question, as far as there are any.
    record: of the attempt that counts; None where nothing was graded.
    """

    student: str
    state: str
    points: float | None
    given: Mapping[str, float]
    record: Record | None = None


@dataclass(frozen=True)
class Known:
    """A misconception that was recognised in a question."""

    question: str
    name: str
    hint: str


@dataclass
class Tally:
    """The class so far.

    given: points by question, one number a student, NaN where there is none. costs: the same of what was
    measured. known, unknown: places in `students`. outcomes: students with at least one check that ended so.
    suites: by which the records were made.
    """

    items: Sequence[Item]
    students: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    points: "array[float]" = field(default_factory=lambda: array("d"))
    given: "dict[str, array[float]]" = field(default_factory=dict)
    costs: "dict[str, array[float]]" = field(default_factory=lambda: {name: array("d") for name in COSTS})
    outcomes: dict[str, Counter[Outcome]] = field(default_factory=dict)
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    suites: set[str] = field(default_factory=set)
    known: "dict[Known, array[int]]" = field(default_factory=dict)
    unknown: "dict[Unexplained, array[int]]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        for item in self.items:
            self.given[item.id] = array("d")
            self.outcomes[item.id] = Counter()
            self.verdicts[item.id] = Counter()

    def add(self, entry: Entry) -> None:
        """Take one student in."""
        place = len(self.students)
        self.students.append(entry.student)
        self.states.append(entry.state)
        self.points.append(_number(entry.points))
        for item in self.items:
            points = entry.given.get(item.id)
            self.given[item.id].append(_number(points))
            self.verdicts[item.id][verdict_of(points, item.max_points)] += 1
        # What could not be read was not run, and its zeros are no measurement.
        measured = entry.record.measured if entry.record is not None and entry.record.questions else None
        for name in COSTS:
            self.costs[name].append(getattr(measured, name) if measured else math.nan)
        if entry.record is not None:
            self.suites.add(entry.record.suite)
            self._add_checks(entry.record, place)

    def _add_checks(self, record: Record, place: int) -> None:
        for question in record.questions:
            self.outcomes[question.id].update({check.outcome for check in question.checks})
            named = {(c.diagnosis.name, c.diagnosis.hint) for c in question.checks if c.diagnosis}
            for name, hint in named:
                self.known.setdefault(Known(question.id, name, hint), array("L")).append(place)
            for group in unexplained(question):
                self.unknown.setdefault(group, array("L")).append(place)


def verdict_of(points: float | None, most: float) -> str:
    """Full, part or none of a question's points, or no number."""
    if points is None:
        return BLANK
    return FULL if points >= most else PART if points > 0 else NONE


def _number(points: float | None) -> float:
    return math.nan if points is None else points
