"""Which implementation fails which check, on which case, and how far off is it?

The rows of a proof: right implementations, misconceptions, answers that know nothing, spoiled gradients.
Its columns are checks, each over its cases.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.checks.conduct import Result
from autograder.checks.distribution import FALSE_FAILURE
from autograder.checks.plan import Plan
from autograder.suite.right import IN_FLOAT32
from autograder.values.compare import compare
from autograder.values.outcomes import Outcome

RIGHT, WRONG, NULL, SPOILED = "right", "misconception", "null", "spoiled"
# Of a bar at four standard deviations of 30 reference runs, missed twice: the two misses share the bar.
MISSED_TWICE = 6e-7


@dataclass(frozen=True)
class Column:
    """One check. cases: those on which a value can be compared; none for a long run, an exam or a property."""

    check: str
    kind: str
    block: str
    cases: tuple[str, ...]
    points: float


@dataclass
class Row:
    """How one implementation fared.

    outcomes: of each check, in the order of the columns. cells: for each check and case the outcome and how
    many times further off than allowed, None where nothing could be compared. runs: how many suites it met,
    of which the worst is shown. points: the most it earned in one. verdicts: given on it in all of them.
    """

    kind: str
    name: str
    outcomes: list[str]
    cells: list[list[tuple[str, float | None]]]
    runs: int = 1
    points: float = 0.0
    verdicts: int = 0


@dataclass
class Matrix:
    """columns: the checks. chance: an upper bound for the probability that chance alone fails a right answer in the
    question. rows: all implementations that were tried."""

    columns: tuple[Column, ...] = ()
    chance: float = 0.0
    rows: list[Row] = field(default_factory=list)

    def add(self, kind: str, name: str, result: Result) -> None:
        """Take down how an implementation fared; of several suites, the worst of each check and case."""
        row = _row(self.columns, kind, name, result)
        known = next((each for each in self.rows if (each.kind, each.name) == (kind, name)), None)
        if known is None:
            self.rows.append(row)
            return
        known.runs += 1
        known.verdicts += row.verdicts
        known.points = max(known.points, row.points)
        known.outcomes = [_worse(*pair) for pair in zip(known.outcomes, row.outcomes, strict=True)]
        known.cells = [
            [_worse_cell(*pair) for pair in zip(before, now, strict=True)]
            for before, now in zip(known.cells, row.cells, strict=True)
        ]

    def as_json(self) -> dict[str, Any]:
        """`verdicts` were given on right implementations; `nearest` is the largest part of the allowed difference
        that one of them used up."""
        right = [row for row in self.rows if row.kind == RIGHT]
        ratios = [ratio for row in right for cells in row.cells for _, ratio in cells if ratio is not None]
        return {
            "checks": [
                {"id": c.check, "kind": c.kind, "block": c.block, "cases": list(c.cases), "points": c.points}
                for c in self.columns
            ],
            "rows": [
                {
                    "kind": row.kind,
                    "name": row.name,
                    "runs": row.runs,
                    "points": row.points,
                    "outcomes": row.outcomes,
                    "cells": [[[outcome, readable(ratio)] for outcome, ratio in cells] for cells in row.cells],
                }
                for row in self.rows
            ],
            "verdicts": sum(row.verdicts for row in right),
            "nearest": readable(max(ratios, default=0.0)),
            "chance": self.chance,
        }


def columns_of(plan: Plan) -> tuple[Column, ...]:
    """The checks of a plan, with the cases on which each compares values."""
    return tuple(
        Column(
            check.id,
            check.kind,
            check.block,
            tuple(case for case in check.cases if check.block in plan.expectations.get(case, {})),
            check.points,
        )
        for check in plan.checks
    )


def chance_of(plan: Plan) -> float:
    """An upper bound for the probability that a right answer to the question fails by chance.

    Equal answers are judged equally, so only what is drawn or trained anew in every grading has one.
    """
    bars = sum(check.kind in ("convergence", "accuracy") for check in plan.checks)
    return FALSE_FAILURE * (plan.topic.kind == "sampler") + MISSED_TWICE * bars


def readable(margin: float | None) -> float | str | None:
    """A margin to three digits; infinity in words, which JSON takes."""
    if margin is None or np.isfinite(margin):
        return None if margin is None else float(f"{margin:.3g}")
    return "fails outright"


def _row(columns: tuple[Column, ...], kind: str, name: str, result: Result) -> Row:
    single = name == IN_FLOAT32
    outcomes, cells = [], []
    for column in columns:
        verdict = result.verdicts.get(column.check)  # none where the check was left out, as a long run is
        outcomes.append(str(verdict.outcome) if verdict else "")
        cells.append([_cell(result, column.block, case, single=single) for case in column.cases])
    return Row(kind, name, outcomes, cells, points=result.total, verdicts=len(result.verdicts))


def _cell(result: Result, block: str, case: str, *, single: bool) -> tuple[str, float | None]:
    """single: what is allowed in float32 is what its distance is measured by, even where it stays within the other."""
    if case not in result.sheet.seen:
        return "", None
    comparison = result.sheet.compare(case, block)
    if single and comparison.outcome == Outcome.PASSED:
        expected = result.plan.expectations[case][block]
        leaves = {key: replace(leaf, allowed64=leaf.allowed32) for key, leaf in expected.leaves.items()}
        shown = result.sheet.seen[case][block]
        comparison = compare(actual=shown, expected=replace(expected, leaves=leaves), what=block)
    return str(comparison.outcome), None if np.isnan(comparison.ratio) else comparison.ratio


def _worse(one: str, other: str) -> str:
    return max(one, other, key=_rank)


def _worse_cell(one: tuple[str, float | None], other: tuple[str, float | None]) -> tuple[str, float | None]:
    return max(one, other, key=lambda cell: (_rank(cell[0]), cell[1] or 0.0))


def _rank(outcome: str) -> int:
    """What was not looked at says least, then what passed."""
    return 0 if not outcome else 1 if outcome == Outcome.PASSED else 2
