"""Do pages say what holds by the gradebook, and do students read no reason of a decision?"""

import json
from decimal import Decimal

import pytest

from autograder.course.load import Question
from autograder.exchange.feedback import public_text
from autograder.exchange.results import read_held, read_scores
from autograder.gradebook.policy import Score, Standing
from autograder.grading.record import ManualRecord, Note
from autograder.report.decided import Decided, Decision, write_scores_file
from autograder.report.pages import Handed
from autograder.values.outcomes import Outcome, State
from tests.report.test_pages import Page, check, make_pages, make_record

ESSAY = Question(id="essay", points=15.0, manual=True, prompt="Why does it learn?", title="In your words")
WRONG = check(Outcome.WRONG_VALUE), check(Outcome.WRONG_VALUE, id="dx", kind="gradient")


def score(standing, points=None, maximum="10", **more):
    return Score(standing, Decimal(maximum), None if points is None else Decimal(points), 1, **more)


def student(tmp_path, decided, record=None, manual=()):
    text = make_pages(tmp_path, manual).student(record or make_record(*WRONG), Handed(), decided)
    Page(text)  # every tag closes
    return text


def test_override_of_a_question_stands_on_the_page_beside_what_the_tests_gave(tmp_path):
    decided = Decided(
        score(Standing.GRADED, "5.50", overridden=True),
        points={"square": Decimal("5.5")},
        overridden=frozenset({"square"}),
        comments=(("square", "I looked at it: <b>right</b>"), ("", "See me.")),
        decisions=(Decision(7, "override square: 5.5 points", "ta", "a secret reason"),),
    )
    text = student(tmp_path, decided)
    assert "<b>5.5</b> <span>of 10 points</span>" in text
    assert "5.5 of 6" in text
    assert "set by a person; by the tests it was 0" in text
    assert "I looked at it: &lt;b&gt;right&lt;/b&gt;" in text
    assert "See me." in text
    assert "a secret reason" not in text
    staff = make_pages(tmp_path).teacher(make_record(*WRONG), Handed(), "eve.html", decided)
    assert "Decision 7, override square: 5.5 points" in staff
    assert "ta: a secret reason" in staff


def test_points_by_hand_are_in_the_number_once_they_are_given(tmp_path):
    record = make_record(*WRONG, manual=(ManualRecord(id="essay", max_points=15.0),))
    waits = Decided(score(Standing.PENDING_MANUAL, maximum="25"), points={"square": Decimal(0)})
    text = student(tmp_path, waits, record, [ESSAY])
    assert "<b>0</b> <span>of 10 points so far</span>" in text
    assert "15 more points" in text
    given = Decided(
        score(Standing.GRADED, "12", "25"),
        points={"square": Decimal(0), "essay": Decimal(12)},
        comments=(("essay", "Well put."),),
    )
    text = student(tmp_path, given, record, [ESSAY])
    assert "<b>12</b> <span>of 25 points</span>" in text
    assert "A person has graded this part." in text
    assert "12 of 15" in text
    assert "Well put." in text
    assert "so far" not in text
    index = make_pages(tmp_path, [ESSAY]).index([record], {"eve": "eve.html"}, {"eve": given})
    assert "1 graded" in index
    assert "The middle one has 12 of 25 points" in index
    assert "pending<" not in index


@pytest.mark.parametrize(
    ("late", "words"),
    [
        ({"days_late": 2, "free_days": 1, "penalty": Decimal("0.80")}, "2 days late, 1 of them free: 0.8 points were"),
        ({"days_late": 1, "free_days": 1}, "1 day late, 1 of them free: nothing was taken off"),
    ],
)
def test_lateness_is_told(tmp_path, late, words):
    assert words in student(tmp_path, Decided(score(Standing.GRADED, "7.2", **late)))


@pytest.mark.parametrize(
    ("standing", "words"),
    [(Standing.EXCUSED, "does not count for you"), (Standing.MISSING, "Nothing of yours came in time")],
)
def test_standing_without_a_number_has_none_on_the_page(tmp_path, standing, words):
    text = student(tmp_path, Decided(score(standing), comments=(("", "Get well."),)))
    assert words in text
    assert "Get well." in text
    assert "<b>0</b>" not in text
    assert "The fault is ours" not in text


def test_override_of_an_unreadable_file_is_a_number(tmp_path):
    note = Note(cell=None, kind="unreadable", text="The file is empty.")
    record = make_record(state=State.UNREADABLE, notes=(note,))
    decided = Decided(score(Standing.GRADED, "4", overridden=True), overridden=frozenset({""}))
    text = student(tmp_path, decided, record)
    assert "<b>4</b> <span>of 10 points</span>" in text
    assert "set by a person, for the whole assignment" in text


def test_scores_file_is_read_before_any_record(tmp_path):
    record = make_record(*WRONG)
    (tmp_path / "results.jsonl").write_text(json.dumps(record.as_json()) + "\n", encoding="utf-8")
    (before,) = read_scores(tmp_path)
    assert before.points == 0
    assert read_held(tmp_path) == {}
    decided = Decided(
        score(Standing.GRADED, "5.50"),
        points={"square": Decimal("5.5")},
        comments=(("square", "Right."), ("", "=1+1")),
    )
    write_scores_file({"eve": decided, "zoë": Decided(score(Standing.EXCUSED))}, tmp_path)
    eve, zoe = read_scores(tmp_path)
    assert (eve.points, eve.maximum, str(eve.state), eve.comment) == (
        Decimal("5.50"),
        10,
        "graded",
        "square: Right.\n=1+1",
    )
    assert (zoe.student, zoe.points, str(zoe.state)) == ("zoë", None, "excused")
    held = read_held(tmp_path)["eve"]
    lines = public_text(record, held)
    assert lines[:5] == ["5.50 of 10 points", "=1+1", "", "square: 5.5 of 6", "Right."]
    assert public_text(record)[0] == "0 of 10 points"
