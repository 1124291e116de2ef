"""Is a decision written down with who and why, checked first, and does the latest one hold?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from autograder.course.errors import CourseError
from autograder.course.policy import Policy
from autograder.gradebook.audit import events
from autograder.gradebook.database import Gradebook
from autograder.gradebook.decide import Decision, decide, withdraw
from autograder.gradebook.facts import scores_of_all, standing_decisions
from autograder.gradebook.feed import Feed, Receipt
from autograder.gradebook.policy import WHOLE, Score, Standing, Task
from autograder.gradebook.tables import Kind
from tests.gradebook.made import record, source

DUE = datetime(2026, 3, 14, 23, 59, tzinfo=UTC)
NOW = DUE + timedelta(days=30)
D = Decimal
TASKS = [
    Task("hw", {"softmax": D(10)}, {"essay": D(5)}, due=DUE),
    Task("quiz", {"softmax": D(10)}, due=DUE),
    Task("attendance", {}, {WHOLE: D(10)}, by_hand=True),
]
POLICY = Policy.model_validate({"late": {"per_day": 10}})
HW = Decision(Kind.OVERRIDE, "ada", "hw", "softmax", points=D(9))


@pytest.fixture
def fed(book: Gradebook) -> Gradebook:
    feed = Feed(book, "quiz", {"ada": Receipt(DUE + timedelta(days=1))})
    for text in ("one", "two"):
        handed = source("ada", text)
        Feed(book, "hw").keep(handed, record(handed, 7.0))
    feed.keep(handed, record(handed, 7.0, suite="quiz"))
    return book


def said(book: Gradebook, decision: Decision) -> int:
    return decide(book, TASKS, decision, author="ta", reason="because")


def score(book: Gradebook, task: str) -> Score:
    with book.reading() as connection:
        return scores_of_all(connection, TASKS, POLICY, now=NOW)["ada"][task]


def test_every_kind_of_decision_does_what_it_says(fed: Gradebook) -> None:
    assert (score(fed, "hw").standing, score(fed, "quiz").points) == ("pending_manual", D("6.30"))
    said(fed, Decision(Kind.MANUAL, "ada", "hw", "essay", points=D("4.5")))
    assert score(fed, "hw").points == D("11.50")
    said(fed, HW)
    assert score(fed, "hw").points == D("13.50")
    said(fed, Decision(Kind.EXTEND, "ada", "quiz", moment=DUE + timedelta(days=2)))
    assert score(fed, "quiz").points == 7
    said(fed, Decision(Kind.SUBMITTED, "ada", "quiz", moment=DUE + timedelta(days=5)))
    assert score(fed, "quiz").points == D("4.90")
    said(fed, Decision(Kind.OVERRIDE, "ada", "quiz", points=D(3)))
    assert score(fed, "quiz").points == 3
    said(fed, Decision(Kind.EXCUSE, "ada", "quiz"))
    assert score(fed, "quiz").standing == Standing.EXCUSED
    assert score(fed, "attendance").standing == Standing.PENDING_MANUAL
    said(fed, Decision(Kind.MANUAL, "ada", "attendance", points=D(10)))
    assert score(fed, "attendance").points == 10
    said(fed, Decision(Kind.COMMENT, "ada", "hw", text="Well done"))
    said(fed, Decision(Kind.CHOOSE, "ada", "hw", attempt=1))
    with fed.reading() as connection:
        assert scores_of_all(connection, TASKS, Policy(attempt="chosen"), now=NOW)["ada"]["hw"].attempt == 1


def test_manual_points_belong_to_an_attempt(fed: Gradebook) -> None:
    said(fed, Decision(Kind.MANUAL, "ada", "hw", "essay", attempt=1, points=D(5)))
    assert score(fed, "hw").standing == Standing.PENDING_MANUAL
    said(fed, Decision(Kind.MANUAL, "ada", "hw", "essay", attempt=2, points=D(2)))
    assert score(fed, "hw").points == 9


def test_latest_holds_and_what_is_withdrawn_gives_way_to_what_was_before(fed: Gradebook) -> None:
    said(fed, Decision(Kind.MANUAL, "ada", "hw", "essay", points=D(0)))
    first = said(fed, HW)
    second = said(fed, replace(HW, points=D(2)))
    assert score(fed, "hw").points == 2
    withdraw(fed, second, author="prof", reason="the other one was right")
    assert score(fed, "hw").points == 9
    withdraw(fed, first, author="prof", reason="neither")
    assert score(fed, "hw").points == 7
    with fed.reading() as connection:
        assert [row.kind for row in standing_decisions(connection)] == ["manual"]
        told = [(event.author, event.text) for event in events(connection, student="ada") if event.what == "decision"]
    assert told[1:] == [
        ("ta", "override softmax: 9 points"),
        ("ta", "override softmax: 2 points"),
        ("prof", "withdraw: decision 3"),
        ("prof", "withdraw: decision 2"),
    ]


def test_comments_stand_beside_each_other(fed: Gradebook) -> None:
    for text in ("one", "two"):
        said(fed, Decision(Kind.COMMENT, "ada", "hw", text=text))
    with fed.reading() as connection:
        assert [row.text for row in standing_decisions(connection, "ada")] == ["one", "two"]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"student": "adda"}, "did you mean 'ada'"),
        ({"assignment": "quizz"}, "did you mean 'quiz'"),
        ({"question": "sofmax"}, "did you mean 'softmax'"),
        ({"points": D("10.5")}, "between 0 and 10"),
        ({"points": D(-1)}, "between 0 and 10"),
        ({"question": "", "points": D(85)}, "between 0 and 15"),
        ({"kind": Kind.MANUAL}, "hw/softmax is not graded by hand (hw/essay)"),
        ({"kind": Kind.MANUAL, "question": "essay", "points": D(1), "attempt": 3}, "no attempt 3"),
        ({"kind": Kind.CHOOSE, "attempt": 7, "points": None}, "there are: 1, 2"),
    ],
)
def test_decision_that_cannot_be_meant_is_refused(fed: Gradebook, wrong: dict[str, object], word: str) -> None:
    with pytest.raises(CourseError) as caught:
        said(fed, replace(HW, **wrong))  # type: ignore[arg-type]
    assert word in str(caught.value)
    with fed.reading() as connection:
        assert standing_decisions(connection) == []


def test_decision_needs_an_author_and_a_reason_and_a_number_to_withdraw(fed: Gradebook) -> None:
    for author, reason in (("", "r"), ("ta", " ")):
        with pytest.raises(CourseError, match="give --"):
            decide(fed, TASKS, HW, author=author, reason=reason)
    with pytest.raises(CourseError, match="no decision 7"):
        withdraw(fed, 7, author="ta", reason="r")
    number = said(fed, HW)
    withdraw(fed, number, author="ta", reason="r")
    with pytest.raises(CourseError, match="withdrawn already"):
        withdraw(fed, number, author="ta", reason="r")
