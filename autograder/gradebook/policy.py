"""Which score follows from what was handed in, what people decided, and the course's policy?

Pure: the same facts, the same scores, whenever and wherever they are computed. Everything is Decimal; points
are rounded once, at the end of an assignment, a half away from zero (ROUND_HALF_UP), and totals are made of the
rounded points, so that what a student adds up by hand is what we say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from autograder.course.policy import Group, Policy

_DAY = timedelta(days=1)
WHOLE = ""  # in place of a question: the whole assignment


class Standing(StrEnum):
    """What is known of one student's assignment. Only `graded` has a number, and a zero is one."""

    GRADED = "graded"
    PENDING_MANUAL = "pending_manual"  # a person has still to grade a part
    UNGRADED = "ungraded"  # through no fault of the student's: not due yet, or a fault of ours
    UNREADABLE = "unreadable"  # the student's file
    MISSING = "missing"  # nothing came in time
    EXCUSED = "excused"  # nothing is asked of this student


@dataclass(frozen=True)
class Task:
    """What an assignment asks for. questions, manual: most points by id. by_hand: it has no notebook."""

    id: str
    questions: Mapping[str, Decimal]
    manual: Mapping[str, Decimal] = field(default_factory=dict)
    due: datetime | None = None
    by_hand: bool = False

    @property
    def maximum(self) -> Decimal:
        return sum((*self.questions.values(), *self.manual.values()), Decimal(0))


@dataclass(frozen=True)
class Attempt:
    """One thing that was handed in, as it stands graded.

    state: GRADED, UNREADABLE, or UNGRADED. points: of its questions. manual: what a person gave.
    submitted, late: as far as they are known.
    """

    number: int
    state: Standing
    points: Mapping[str, Decimal] = field(default_factory=dict)
    manual: Mapping[str, Decimal] = field(default_factory=dict)
    submitted: datetime | None = None
    late: bool | None = None


@dataclass(frozen=True)
class Work:
    """All that is known of one student and one assignment.

    overrides: points that stand, by question; under WHOLE, of the assignment, after which nothing is taken
    off. by_hand: points of a task without a notebook. due: this student's own, where there is one.
    """

    attempts: Sequence[Attempt] = ()
    overrides: Mapping[str, Decimal] = field(default_factory=dict)
    by_hand: Decimal | None = None
    excused: bool = False
    due: datetime | None = None
    chosen: int | None = None


@dataclass(frozen=True)
class Score:
    """points: None unless `standing` is GRADED. attempt: the number of the one that counts.

    days_late: begun days after the due date; free_days: how many of them cost nothing. penalty: points taken
    off. unsure: the LMS marked it late, and nobody has said since when: nothing was taken off.
    """

    standing: Standing
    maximum: Decimal
    points: Decimal | None = None
    attempt: int | None = None
    days_late: int = 0
    free_days: int = 0
    penalty: Decimal = Decimal(0)
    unsure: bool = False
    overridden: bool = False


@dataclass(frozen=True)
class Total:
    """A student's percent of the course.

    percent: None until everything that counts is graded, excused or missing. so_far: of what is.
    groups: percent of each group, None where something is open. dropped: assignments that do not count.
    """

    percent: Decimal | None
    so_far: Decimal | None
    groups: Mapping[str, Decimal | None]
    dropped: tuple[str, ...]


def scores_of(tasks: Iterable[Task], works: Mapping[str, Work], policy: Policy, *, now: datetime) -> dict[str, Score]:
    """The score of every task for one student, by its id.

    works: a task that is not in it was not handed in. Free late days are spent in the order of due dates.
    """
    remaining = policy.late.free_days
    found: dict[str, Score] = {}
    listed = list(tasks)
    for task in sorted(listed, key=lambda task: (task.due is None, task.due or now)):
        found[task.id] = score = _score(task, works.get(task.id, Work()), policy, remaining, now)
        remaining -= score.free_days
    return {task.id: found[task.id] for task in listed}


def total_of(scores: Mapping[str, Score], policy: Policy) -> Total:
    """One student's total. What is missing counts nothing, what is excused is not counted at all."""
    exact: list[tuple[Decimal, Decimal | None]] = []  # weight and share of each group
    known: list[tuple[Decimal, Decimal]] = []
    groups: dict[str, Decimal | None] = {}
    dropped: list[str] = []
    for name, group in policy.groups.items():
        counted = {each: scores[each] for each in group.assignments if scores[each].standing != Standing.EXCUSED}
        if not counted:
            groups[name] = None
            continue
        weight = _decimal(group.weight)
        numbers = {each: _counts(score) for each, score in counted.items()}
        settled = {each: points for each, points in numbers.items() if points is not None}
        so_far, left_out = _share(group, settled, scores, drop=group.drop - (len(numbers) - len(settled)))
        if so_far is not None:
            known.append((weight, so_far))
        whole = len(settled) == len(numbers)
        exact.append((weight, so_far if whole else None))
        groups[name] = _percent(so_far, policy) if whole else None
        dropped += left_out if whole else []
    shares = [(weight, share) for weight, share in exact if share is not None]
    percent = _mean(shares) if exact and len(shares) == len(exact) else None
    return Total(_percent(percent, policy), _percent(_mean(known), policy), groups, tuple(dropped))


def rounded(points: Decimal, policy: Policy) -> Decimal:
    """To the policy's decimals; a half goes away from zero."""
    return points.quantize(Decimal(1).scaleb(-policy.decimals), rounding=ROUND_HALF_UP)


def decimal_of(points: float) -> Decimal:
    """A record's points as they were meant: the noise of adding floats is far below the ninth decimal."""
    return round(Decimal(repr(points)), 9)


def _score(task: Task, work: Work, policy: Policy, free: int, now: datetime) -> Score:
    whole = work.overrides.get(WHOLE)
    if work.excused:
        return Score(Standing.EXCUSED, task.maximum)
    if task.by_hand:
        points = whole if whole is not None else work.by_hand
        if points is None:
            return Score(Standing.PENDING_MANUAL, task.maximum)
        return Score(Standing.GRADED, task.maximum, rounded(points, policy), overridden=whole is not None)
    due = work.due or task.due
    accepted = _accepted(work, due, policy)
    candidates = [_of_attempt(task, work, attempt, due, policy, free) for attempt in accepted]
    score = _counting(candidates, work, policy)
    if score is None:
        is_over = due is None or due < now
        score = Score(Standing.MISSING if is_over else Standing.UNGRADED, task.maximum)
    if whole is None:
        return score
    return Score(
        Standing.GRADED, task.maximum, rounded(whole, policy), score.attempt, score.days_late, overridden=True
    )  # fmt: skip


def _accepted(work: Work, due: datetime | None, policy: Policy) -> list[Attempt]:
    """The attempts that may count, in order: readable ones if there are any, and none that came too late."""
    limit = policy.late.accept_days
    chosen = work.chosen if policy.attempt == "chosen" else None  # a person's choice needs no date
    in_time = [
        attempt
        for attempt in work.attempts
        if limit is None or attempt.number == chosen or _days_late(attempt, due, policy) <= limit
    ]
    readable = [attempt for attempt in in_time if attempt.state != Standing.UNREADABLE]
    ordered = sorted(readable or in_time, key=lambda attempt: attempt.number)
    times = [attempt.submitted for attempt in ordered if attempt.submitted]
    if len(times) == len(ordered):  # where all times are known they decide, in whatever order it was graded
        ordered = [attempt for _, attempt in sorted(zip(times, ordered, strict=True), key=lambda pair: pair[0])]
    return ordered


def _of_attempt(task: Task, work: Work, attempt: Attempt, due: datetime | None, policy: Policy, free: int) -> Score:
    """What this attempt is worth if it counts."""
    automatic = {question: _given(work, question, attempt.points) for question in task.questions}
    by_person = {question: _given(work, question, attempt.manual) for question in task.manual}
    days = _days_late(attempt, due, policy)
    free = min(days, free)
    standing = Standing.GRADED
    if None in automatic.values():
        standing = Standing.UNREADABLE if attempt.state == Standing.UNREADABLE else Standing.UNGRADED
    elif None in by_person.values():
        standing = Standing.PENDING_MANUAL
    earned = sum((points for points in (*automatic.values(), *by_person.values()) if points is not None), Decimal(0))
    per_day, floor = _decimal(policy.late.per_day), _decimal(policy.late.floor)
    stays = max(floor, 100 - per_day * (days - free)) / 100
    points = rounded(earned * stays, policy)
    return Score(
        standing,
        task.maximum,
        points if standing == Standing.GRADED else None,
        attempt.number,
        days_late=days,
        free_days=free,
        penalty=rounded(earned, policy) - points if standing == Standing.GRADED else Decimal(0),
        unsure=bool(attempt.late and attempt.submitted is None),
        overridden=bool(work.overrides),
    )


def _given(work: Work, question: str, graded: Mapping[str, Decimal]) -> Decimal | None:
    return work.overrides.get(question, graded.get(question))


def _counting(candidates: Sequence[Score], work: Work, policy: Policy) -> Score | None:
    """The one that counts, by the policy; None where nothing came."""
    if not candidates:
        return None
    if policy.attempt == "chosen":
        return next((each for each in candidates if each.attempt == work.chosen), candidates[-1])
    if policy.attempt == "best" and len(candidates) > 1:
        waiting = [each for each in candidates if each.standing in (Standing.UNGRADED, Standing.PENDING_MANUAL)]
        if waiting:  # it may turn out to be the best one: there is no number yet
            return waiting[-1]
        return max(candidates, key=lambda each: (each.points is not None, each.points or 0, -each.days_late))
    return candidates[-1]


def _days_late(attempt: Attempt, due: datetime | None, policy: Policy) -> int:
    if due is None or attempt.submitted is None:
        return 0
    if attempt.submitted <= due + timedelta(minutes=policy.late.grace_minutes):
        return 0
    return -(-(attempt.submitted - due) // _DAY)


def _counts(score: Score) -> Decimal | None:
    return Decimal(0) if score.standing == Standing.MISSING else score.points


def _share(
    group: Group, points: Mapping[str, Decimal], scores: Mapping[str, Score], *, drop: int
) -> tuple[Decimal | None, list[str]]:
    """The part of a group's weight that was earned, between 0 and 1, and what was dropped for it."""
    worst_first = sorted(points, key=lambda each: points[each] / scores[each].maximum)
    left_out = worst_first[: max(0, min(drop, len(worst_first) - 1))]
    kept = [each for each in points if each not in left_out]
    if not kept:
        return None, []
    if group.by_points:
        most = sum((scores[each].maximum for each in kept), Decimal(0))
        return sum((points[each] for each in kept), Decimal(0)) / most, left_out
    return sum((points[each] / scores[each].maximum for each in kept), Decimal(0)) / len(kept), left_out


def _mean(weighted: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Weights of groups that are not counted go to the others."""
    if not weighted:
        return None
    total = sum((weight for weight, _ in weighted), Decimal(0))
    return sum((weight * share for weight, share in weighted), Decimal(0)) / total


def _percent(share: Decimal | None, policy: Policy) -> Decimal | None:
    return None if share is None else rounded(100 * share, policy)


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))
