"""What do a class's numbers say of the class, and of the questions?

Quantiles interpolate linearly between the two nearest values. Nothing is made up where a class is too small
to say it: a number that is not there is None.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.gradebook.policy import Standing
from autograder.report.signature import Unexplained
from autograder.report.tally import COSTS, VERDICTS, Item, Known, Tally
from autograder.values.outcomes import Outcome, State

FEWEST = 10  # students from whom a correlation is computed: of fewer it says next to nothing
TENTHS = 10
_STATES = [str(each) for each in (*Standing, State.NOT_GRADED)]  # in the order in which they are told
_NOISE = 1e-9  # of adding points; a smaller spread is none


@dataclass(frozen=True)
class Spread:
    """A distribution. sd: of a sample, over n - 1; None for a single value."""

    count: int
    mean: float
    sd: float | None
    lowest: float
    quarter: float
    median: float
    three_quarters: float
    highest: float


@dataclass(frozen=True)
class QuestionReport:
    """One question.

    mean_share: of its points, 0 to 1, over the `students` who have a number; None where nobody has.
    discrimination: the corrected item-total correlation, Pearson's, of the question's points with the sum of
    the points of all other questions, over students with a number in every question that has any; None below
    FEWEST students, or where one of the two does not vary.
    verdicts: students by full, part, none or no number. outcomes: students with at least one check that ended so.
    """

    item: Item
    students: int
    mean_share: float | None
    discrimination: float | None
    verdicts: dict[str, int]
    outcomes: dict[Outcome, int]


@dataclass(frozen=True)
class Cost:
    """What one measure came to. who: whose submission cost most."""

    median: float
    p95: float
    largest: float
    who: str


@dataclass(frozen=True)
class ClassReport:
    """The whole report. tenths: students by tenths of the points, the last one with the full points.

    complete: how many students the correlations are made of. known, unknown: with students, most frequent first.
    suites: how many the records are of.
    """

    states: dict[str, int]
    max_points: float
    points: Spread | None
    tenths: tuple[int, ...]
    questions: tuple[QuestionReport, ...]
    complete: int
    known: tuple[tuple[Known, tuple[str, ...]], ...]
    unknown: tuple[tuple[Unexplained, tuple[str, ...]], ...]
    costs: dict[str, Cost]
    suites: int

    @property
    def students(self) -> int:
        return sum(self.states.values())


def analyse(tally: Tally, max_points: float) -> ClassReport:
    """Make the report of a class. max_points: of the whole."""
    points, counts = _numbers(tally.points), Counter(tally.states)
    table = np.array([np.array(tally.given[item.id], dtype=float) for item in tally.items])  # (questions, students)
    correlations, complete = discriminations(table)
    return ClassReport(
        states={state: counts[state] for state in sorted(counts, key=_STATES.index)},
        max_points=max_points,
        points=spread(points),
        tenths=tenths(points, max_points),
        questions=tuple(
            _question(tally, item, row, correlation)
            for item, row, correlation in zip(tally.items, table, correlations, strict=True)
        ),
        complete=complete,
        known=_most_frequent(tally, tally.known, lambda key: (key.question, key.name)),
        unknown=_most_frequent(tally, tally.unknown, lambda key: (key.question, key.kind, _ordered(key))),
        suites=len(tally.suites),
        costs={name: cost for name in COSTS if (cost := _cost(tally, name)) is not None},
    )


def spread(values: np.ndarray) -> Spread | None:
    """Of numbers (students,) float64 without NaN; None where there are none."""
    if not len(values):
        return None
    lowest, quarter, median, three, highest = (float(each) for each in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    sd = float(values.std(ddof=1)) if len(values) > 1 else None
    return Spread(len(values), float(values.mean()), sd, lowest, quarter, median, three, highest)


def tenths(points: np.ndarray, most: float) -> tuple[int, ...]:
    """How many of the points (students,) lie in each tenth of `most`; full points and more are in the last."""
    if most <= 0:
        return (0,) * TENTHS
    places = np.clip(np.floor(TENTHS * points / most + _NOISE), 0, TENTHS - 1).astype(int)
    return tuple(int(each) for each in np.bincount(places, minlength=TENTHS))


def discriminations(table: np.ndarray) -> tuple[list[float | None], int]:
    """Of each question's points (questions, students), NaN where there is none: see `QuestionReport`.

    The second value is the number of students with a number in every question that has any.
    """
    asked = ~np.isnan(table).all(axis=1) if table.size else np.zeros(len(table), dtype=bool)
    whole = ~np.isnan(table[asked]).any(axis=0) if asked.any() else np.zeros(0, dtype=bool)
    complete = int(whole.sum())
    found: list[float | None] = []
    for place in range(len(table)):
        if not asked[place] or complete < FEWEST or asked.sum() < 2:
            found.append(None)
            continue
        others = asked.copy()
        others[place] = False
        found.append(_correlation(table[place, whole], table[others][:, whole].sum(axis=0)))
    return found, complete


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    if np.ptp(one) <= _NOISE or np.ptp(other) <= _NOISE:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _question(tally: Tally, item: Item, row: np.ndarray, correlation: float | None) -> QuestionReport:
    numbers = row[~np.isnan(row)]
    share = float(numbers.mean()) / item.max_points if len(numbers) and item.max_points > 0 else None
    verdicts = {verdict: tally.verdicts[item.id][verdict] for verdict in VERDICTS}
    outcomes = {outcome: tally.outcomes[item.id][outcome] for outcome in Outcome if tally.outcomes[item.id][outcome]}
    return QuestionReport(item, len(numbers), share, correlation, verdicts, outcomes)


def _cost(tally: Tally, name: str) -> Cost | None:
    values = np.array(tally.costs[name], dtype=float)
    if not len(values) or np.isnan(values).all():
        return None
    place = int(np.nanargmax(values))
    median, p95 = (float(each) for each in np.nanquantile(values, [0.5, 0.95]))
    return Cost(median, p95, float(values[place]), tally.students[place])


def _most_frequent(tally: Tally, groups: Any, order: Any) -> tuple[Any, ...]:
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), order(pair[0])))
    return tuple((key, tuple(tally.students[place] for place in places)) for key, places in ordered)


def _ordered(group: Unexplained) -> Sequence[tuple[str, ...]]:
    return sorted((end.block, end.case, end.outcome, end.signature) for end in group.ends)


def _numbers(values: Any) -> np.ndarray:
    found: np.ndarray = np.array(values, dtype=float)
    kept: np.ndarray = found[~np.isnan(found)]
    return kept
