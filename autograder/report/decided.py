"""What holds of a student's assignment beside what was graded: the score, and what people decided?

From the gradebook, for pages and for files that go out. Reasons and authors are for staff; what a student is
told in words are comments.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from autograder.course.load import Assignment, Course
from autograder.gradebook.audit import said_of
from autograder.gradebook.facts import (
    handins,
    policy_in_force,
    scores_of_all,
    standing_decisions,
    tasks_of,
    works_of,
)
from autograder.gradebook.policy import WHOLE, Score, Standing, Work
from autograder.gradebook.tables import Kind
from autograder.report.tables import SCORES


@dataclass(frozen=True)
class Decision:
    """A decision that holds, for staff."""

    number: int
    text: str
    author: str
    reason: str


@dataclass(frozen=True)
class Decided:
    """One student.

    record: the key of the record of the attempt that counts; None where nothing was graded. points: that hold, by
    question, those by hand among them. overridden: questions whose points a person set; WHOLE, the assignment's.
    comments: (question or WHOLE, text), in order.
    """

    score: Score
    record: str | None = None
    points: Mapping[str, Decimal] | None = None
    overridden: frozenset[str] = frozenset()
    comments: tuple[tuple[str, str], ...] = ()
    decisions: tuple[Decision, ...] = ()

    def given(self, question: str) -> float | None:
        """The points of a question that hold; None where there are none."""
        points = (self.points or {}).get(question)
        return None if points is None else float(points)

    def comments_on(self, question: str) -> list[str]:
        return [text for on, text in self.comments if on == question]


def decided_of(connection: Connection, course: Course, assignment: str, *, now: datetime) -> dict[str, Decided]:
    """Everybody in the gradebook, sorted by student."""
    policy = policy_in_force(connection, course)
    everybody = scores_of_all(connection, tasks_of(course, policy), policy, now=now)
    works = works_of(connection)
    keys = {(each.student, each.number): each.record for each in handins(connection, assignment)}
    rows: dict[str, list[Any]] = {}
    for row in standing_decisions(connection):
        if row.assignment == assignment:
            rows.setdefault(row.student, []).append(row)
    found = {}
    for student, scores in everybody.items():
        score, work = scores[assignment], works.get(student, {}).get(assignment, Work())
        mine = rows.get(student, [])
        found[student] = Decided(
            score=score,
            record=keys.get((student, score.attempt)) if score.attempt is not None else None,
            points=_points(work, score.attempt),
            overridden=frozenset(work.overrides),
            comments=tuple((row.question, row.text) for row in mine if row.kind == Kind.COMMENT),
            decisions=tuple(Decision(row.id, said_of(row), row.author, row.reason) for row in mine),
        )
    return found


def head_of(decided: Decided, assignment: Assignment) -> dict[str, Any]:
    """What the head of a page says: in place of what stands there of a record alone.

    state: `graded` where there is a number, of the whole or of what is graded so far. waiting: points that a
    person has still to give. late: begun days, free ones among them, and the points that were taken off.
    """
    score = decided.score
    open_parts = [part for part in assignment.manual if decided.given(part.id) is None]
    got, most, waiting = score.points, score.maximum, 0.0
    state = str(score.standing)
    if score.standing == Standing.PENDING_MANUAL:
        waiting = sum(part.points for part in open_parts)
        got = sum((decided.points or {}).values(), Decimal(0))
        most -= Decimal(repr(waiting))
        state = str(Standing.GRADED)
    return {
        "state": state,
        "got": None if got is None else float(got),
        "max_points": float(most),
        "waiting": waiting,
        "set_whole": WHOLE in decided.overridden,
        "late": {"days": score.days_late, "free": score.free_days, "penalty": float(score.penalty)},
        "comments": decided.comments_on(WHOLE),
    }


def write_scores_file(everybody: Mapping[str, Decided], out: Path) -> Path:
    """Write `scores.jsonl`, a line a student, which `export` goes by before any record."""
    path = out / SCORES
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for student, decided in everybody.items():
            file.write(json.dumps(_line(student, decided), ensure_ascii=False, allow_nan=False) + "\n")
    os.replace(partial, path)
    return path


def _line(student: str, decided: Decided) -> dict[str, Any]:
    score = decided.score
    return {
        "student": student,
        "state": str(score.standing),
        "points": None if score.points is None else f"{score.points:f}",
        "max_points": f"{score.maximum.normalize():f}",
        "days_late": score.days_late,
        "penalty": f"{score.penalty:f}",
        "questions": {question: f"{points:f}" for question, points in (decided.points or {}).items()},
        "comments": [{"question": question, "text": text} for question, text in decided.comments],
    }


def _points(work: Work, number: int | None) -> dict[str, Decimal]:
    """Points by question in the attempt that counts, with what a person put in their place."""
    attempt = next((each for each in work.attempts if each.number == number), None)
    points = {**attempt.points, **attempt.manual} if attempt is not None else {}
    return points | {question: each for question, each in work.overrides.items() if question != WHOLE}
