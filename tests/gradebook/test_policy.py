"""Does the policy make of records and decisions what a course's rules say? By hand, case by case."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from autograder.course.policy import Policy
from autograder.exchange.model import GradeState
from autograder.gradebook.policy import (
    WHOLE,
    Attempt,
    Score,
    Standing,
    Task,
    Work,
    decimal_of,
    rounded,
    scores_of,
    total_of,
)

DUE = datetime(2026, 3, 14, 23, 59, tzinfo=UTC)
NOW = DUE + timedelta(days=30)
D = Decimal
TASK = Task("hw", {"q": D(10)}, due=DUE)
ESSAY = Task("hw", {"q": D(10)}, {"essay": D(5)}, due=DUE)


def handed(number, points, *, days=None, late=None, state=Standing.GRADED, manual=None):
    """days: after the due date; None for no known time."""
    submitted = None if days is None else DUE + timedelta(days=days)
    return Attempt(number, state, {} if points is None else {"q": D(str(points))}, manual or {}, submitted, late)


def policy(**keys):
    return Policy.model_validate(keys)


def score(work, rules=None, task=TASK, now=NOW):
    return scores_of([task], {"hw": work}, rules or policy(), now=now)["hw"]


UNREAD = handed(2, None, state=Standing.UNREADABLE)
OURS = handed(2, None, state=Standing.UNGRADED)


@pytest.mark.parametrize(
    ("work", "rules", "standing", "points"),
    [
        (Work(), {}, "missing", None),
        (Work(excused=True), {}, "excused", None),
        (Work([handed(1, 7)], excused=True), {}, "excused", None),
        (Work([handed(1, 0)]), {}, "graded", "0.00"),
        (Work([handed(1, 7)]), {}, "graded", "7.00"),
        (Work([handed(1, 7), handed(2, 4)]), {}, "graded", "4.00"),
        (Work([handed(1, 7), handed(2, 4)]), {"attempt": "best"}, "graded", "7.00"),
        (Work([handed(1, 7), handed(2, 4)], chosen=1), {"attempt": "chosen"}, "graded", "7.00"),
        (Work([handed(1, 7), handed(2, 4)]), {"attempt": "chosen"}, "graded", "4.00"),
        (Work([handed(1, 7), handed(2, 4)], chosen=1), {"attempt": "last"}, "graded", "4.00"),
        # an unreadable attempt is none, unless there is no other
        (Work([handed(1, 7), UNREAD]), {}, "graded", "7.00"),
        (Work([UNREAD]), {}, "unreadable", None),
        # a fault of ours is no number, and may hide the best attempt
        (Work([handed(1, 7), OURS]), {}, "ungraded", None),
        (Work([handed(1, 7), OURS]), {"attempt": "best"}, "ungraded", None),
        # decisions
        (Work([handed(1, 7)], {"q": D("9.5")}), {}, "graded", "9.50"),
        (Work([UNREAD], {"q": D(6)}), {}, "graded", "6.00"),
        (Work([UNREAD], {WHOLE: D(3)}), {}, "graded", "3.00"),
        (Work((), {WHOLE: D(0)}), {}, "graded", "0.00"),
        # decimals: halves go away from zero, as Python's own round does not
        (Work([handed(1, "6.125")]), {}, "graded", "6.13"),
        (Work([handed(1, "6.5")]), {"decimals": 0}, "graded", "7"),
        (Work([handed(1, "2.5")]), {"decimals": 0}, "graded", "3"),
    ],
)
def test_score(work, rules, standing, points):
    found = score(work, policy(**rules))
    assert (found.standing, found.points) == (standing, None if points is None else D(points))
    assert str(found.points) == str(points)


def test_what_is_not_due_yet_is_not_missing():
    assert score(Work(), now=DUE - timedelta(hours=1)).standing == Standing.UNGRADED
    assert score(Work(due=NOW + timedelta(days=1))).standing == Standing.UNGRADED
    assert score(Work(), task=Task("hw", {"q": D(10)})).standing == Standing.MISSING


@pytest.mark.parametrize(
    ("manual", "overrides", "standing", "points"),
    [
        ({}, {}, "pending_manual", None),
        ({"essay": D(0)}, {}, "graded", "7.00"),
        ({"essay": D("4.5")}, {}, "graded", "11.50"),
        ({}, {"essay": D(5)}, "graded", "12.00"),
        ({"essay": D(1)}, {"essay": D(5), "q": D(10)}, "graded", "15.00"),
    ],
)
def test_manual_points_are_waited_for(manual, overrides, standing, points):
    found = score(Work([handed(1, 7, manual=manual)], overrides), task=ESSAY)
    assert (found.standing, found.points) == (standing, None if points is None else D(points))
    assert found.maximum == 15


def test_manual_points_of_an_earlier_attempt_are_not_those_of_a_later_one():
    work = Work([handed(1, 7, manual={"essay": D(5)}), handed(2, 8)])
    assert score(work, task=ESSAY).standing == Standing.PENDING_MANUAL
    assert score(work, policy(attempt="chosen"), task=ESSAY).standing == Standing.PENDING_MANUAL


LATE = {"late": {"per_day": 20, "floor": 30, "grace_minutes": 10, "accept_days": 6}}


@pytest.mark.parametrize(
    ("days", "points", "late"),
    [
        (-1, "10.00", 0),
        (0, "10.00", 0),
        (10 / 1440, "10.00", 0),  # within the grace
        (11 / 1440, "8.00", 1),
        (1, "8.00", 1),
        (1 + 1 / 1440, "6.00", 2),
        (3, "4.00", 3),
        (4, "3.00", 4),  # the floor
        (6, "3.00", 6),
    ],
)
def test_late_days_cost(days, points, late):
    found = score(Work([handed(1, 10, days=days)]), policy(**LATE))
    assert (found.points, found.days_late, found.penalty) == (D(points), late, 10 - D(points))


def test_what_is_too_late_does_not_count():
    rules = policy(**LATE)
    assert score(Work([handed(1, 10, days=6.5)]), rules).standing == Standing.MISSING
    assert score(Work([handed(1, 4, days=0), handed(2, 10, days=6.5)]), rules).points == 4
    chosen = Work([handed(1, 4, days=0), handed(2, 10, days=6.5)], chosen=2)
    assert score(chosen, policy(attempt="chosen", **LATE)).points == 3  # a person chose it
    assert score(chosen, rules).points == 4  # where choices count


def test_extension_moves_the_due_date_of_one_student():
    work = Work([handed(1, 10, days=3)], due=DUE + timedelta(days=3))
    assert score(work, policy(**LATE)).points == 10


def test_best_attempt_is_the_best_after_penalties():
    work = Work([handed(1, 7, days=0), handed(2, 8, days=1)])
    found = score(work, policy(attempt="best", **LATE))
    assert (found.attempt, found.points) == (1, 7)


def test_attempts_count_in_the_order_of_their_times_where_all_are_known():
    assert score(Work([handed(1, 4, days=0), handed(2, 7, days=-1)])).points == 4
    assert score(Work([handed(1, 4, days=0), handed(2, 7)])).points == 7


def test_late_by_an_unknown_time_costs_nothing_and_says_so():
    found = score(Work([handed(1, 10, late=True)]), policy(**LATE))
    assert (found.points, found.unsure) == (10, True)
    assert not score(Work([handed(1, 10, days=1, late=True)]), policy(**LATE)).unsure


def test_override_of_the_whole_is_final_and_of_a_question_is_not():
    late = [handed(1, 2, days=1)]
    assert score(Work(late, {WHOLE: D(9)}), policy(**LATE)).points == 9
    assert score(Work(late, {"q": D(9)}), policy(**LATE)).points == D("7.20")


def test_free_late_days_are_spent_in_the_order_of_due_dates():
    tasks = [Task(name, {"q": D(10)}, due=DUE + timedelta(days=7 * week)) for week, name in enumerate("abc")]
    works = {
        task.id: Work([Attempt(1, Standing.GRADED, {"q": D(10)}, submitted=task.due + timedelta(days=2))])
        for task in tasks
    }
    rules = policy(late={"per_day": 10, "free_days": 3})
    found = scores_of(reversed(tasks), works, rules, now=NOW)
    assert list(found) == ["c", "b", "a"]
    assert {name: (each.free_days, each.points) for name, each in found.items()} == {
        "a": (2, 10), "b": (1, 9), "c": (0, 8),
    }  # fmt: skip


def test_by_hand_waits_for_a_person():
    task = Task("report", {}, {WHOLE: D(100)}, by_hand=True)
    assert scores_of([task], {}, policy(), now=NOW)["report"].standing == Standing.PENDING_MANUAL
    assert scores_of([task], {"report": Work(by_hand=D(85))}, policy(), now=NOW)["report"].points == 85
    assert scores_of([task], {"report": Work(excused=True)}, policy(), now=NOW)["report"].standing == Standing.EXCUSED


# The decks' two schemes.
DECK_2 = policy(
    by_hand={"exam": 100, "attendance": 10},
    groups={
        "homework": {"weight": 70, "assignments": [f"hw{n}" for n in range(1, 6)]},
        "exam": {"weight": 25, "assignments": ["exam"]},
        "attendance": {"weight": 5, "assignments": ["attendance"]},
    },
)
DECK_3 = policy(
    by_hand={"report": 100},
    groups={
        "coursework": {"weight": 30, "assignments": ["hw1", "hw2"]},
        "project": {"weight": 70, "assignments": ["report"]},
    },
)


def got(points, most=10):
    return Score(Standing.GRADED, D(most), D(str(points)))


def test_total_of_deck_2_is_5_times_14_and_25_and_5():
    scores = {f"hw{n}": got(points) for n, points in enumerate((10, 8, 6, 4, 2), 1)}
    scores |= {"exam": got(90, 100), "attendance": got(10)}
    # 14 % each: 14 + 11.2 + 8.4 + 5.6 + 2.8 = 42; 0.9 * 25 = 22.5; 5
    total = total_of(scores, DECK_2)
    assert total.percent == D("69.50")
    assert total.groups == {"homework": 60, "exam": 90, "attendance": 100}


def test_total_of_deck_3_is_30_and_70():
    scores = {"hw1": got(10), "hw2": got(5), "report": got(80, 100)}
    assert total_of(scores, DECK_3).percent == D("78.50")  # 0.75 * 30 + 0.8 * 70


def test_total_waits_for_what_is_open_and_tells_what_there_is():
    scores = {"hw1": got(10), "hw2": Score(Standing.PENDING_MANUAL, D(10)), "report": got(80, 100)}
    total = total_of(scores, DECK_3)
    assert total.percent is None
    assert total.groups == {"coursework": None, "project": 80}
    assert total.so_far == 86  # (30 * 1 + 70 * 0.8) / 100
    for standing in (Standing.UNGRADED, Standing.UNREADABLE):
        assert total_of({**scores, "hw2": Score(standing, D(10))}, DECK_3).percent is None


def test_total_counts_missing_as_nothing_and_excused_not_at_all():
    missing, excused = Score(Standing.MISSING, D(10)), Score(Standing.EXCUSED, D(10))
    scores = {"hw1": got(10), "hw2": missing, "report": got(80, 100)}
    assert total_of(scores, DECK_3).percent == D("71.00")
    assert total_of({**scores, "hw2": excused}, DECK_3).percent == D("86.00")
    assert total_of({**scores, "hw1": excused, "hw2": excused}, DECK_3).percent == D("80.00")
    assert total_of(dict.fromkeys(scores, excused), DECK_3).percent is None


@pytest.mark.parametrize(("by_points", "percent"), [(False, "85.00"), (True, "89.09")])
def test_total_drops_the_worst(by_points, percent):
    names = ["a", "b", "c"]
    rules = policy(groups={"homework": {"weight": 100, "assignments": names, "drop": 1, "by_points": by_points}})
    scores = {"a": got(8), "b": got(1), "c": got(90, 100)}
    total = total_of(scores, rules)
    assert (total.percent, total.dropped) == (D(percent), ("b",))
    waiting = {**scores, "b": Score(Standing.UNGRADED, D(10))}
    assert total_of(waiting, rules).percent is None
    excused = {**scores, "a": Score(Standing.EXCUSED, D(10))}
    assert total_of(excused, rules).dropped == ("b",)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"attempt": "first"}, "attempt"),
        ({"late": {"per_day": 120}}, "per_day"),
        ({"late": {"perday": 1}}, "perday"),
        ({"groups": {"a": {"weight": 60, "assignments": ["x"]}}}, "add up to 100"),
        ({"groups": {n: {"weight": 50, "assignments": ["x"]} for n in "ab"}}, "two groups"),
        ({"groups": {"a": {"weight": 100, "assignments": ["x"], "drop": 1}}}, "at least one"),
        ({"groups": {"a": {"weight": 100, "assignments": ["x", "x"]}}}, "twice"),
    ],
)
def test_policy_that_cannot_be_meant_is_refused(keys, word):
    with pytest.raises(ValidationError) as caught:
        policy(**keys)
    assert word in str(caught.value)


def test_policy_comes_back_from_json_as_it_was():
    assert Policy.model_validate(DECK_2.model_dump(mode="json")) == DECK_2


def test_standings_are_the_states_that_exports_know():
    assert {str(each) for each in Standing} == {str(each) for each in GradeState}


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6), st.permutations(range(6)))
def test_sums_are_exact_in_any_order(cents, order):
    points = {f"q{n}": decimal_of(each / 100) for n, each in enumerate(cents)}
    task = Task("hw", dict.fromkeys(points, D(10)), due=DUE)
    shuffled = {f"q{n}": points[f"q{n}"] for n in order if f"q{n}" in points}
    found = scores_of([task], {"hw": Work([Attempt(1, Standing.GRADED, shuffled)])}, policy(), now=NOW)["hw"]
    assert found.points == D(sum(cents)) / 100


@given(st.decimals(0, 1000, places=4))
def test_rounding_is_to_the_nearest_and_halves_go_up(points):
    found = rounded(points, policy())
    assert -D("0.005") <= points - found < D("0.005")
