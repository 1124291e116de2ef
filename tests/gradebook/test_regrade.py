"""Does a regrade show exactly who is affected and why, and change nothing that was not accepted?"""

from collections.abc import Callable
from decimal import Decimal

import pytest

from autograder.course.create import create_course
from autograder.course.errors import CourseError
from autograder.course.load import Course, load_course
from autograder.gradebook.audit import events
from autograder.gradebook.database import Gradebook, now
from autograder.gradebook.decide import Decision, decide
from autograder.gradebook.facts import policy_in_force, scores_of_all, tasks_of
from autograder.gradebook.feed import Feed, start_term
from autograder.gradebook.regrade import Difference, Regraded, accept, difference, sources_of
from autograder.gradebook.tables import Kind
from autograder.notebook.read import read
from tests.gradebook.made import record, source

Make = Callable[..., Course]
BEFORE = {"ada": 10.0, "bob": 4.0, "eve": 7.0, "mia": 0.0, "zoe": 7.0}
AFTER = {"ada": 10.0, "bob": 6.0, "eve": 3.0, "mia": 0.0, "zoe": 9.0}


@pytest.fixture
def course(tmp_path) -> Course:
    return create_course(tmp_path / "course")


@pytest.fixture
def fed(book: Gradebook, course: Course) -> Gradebook:
    """A class graded by the suite `one`, in which zoe was given 8 points by a person."""
    start_term(book, course.policy)
    for student, points in BEFORE.items():
        handed = source(student, f"x = '{student}'")
        Feed(book, "softmax").keep(handed, record(handed, points))
    given = Decision(Kind.OVERRIDE, "zoe", "softmax", "softmax", points=Decimal(8))
    decide(book, tasks_of(course, course.policy), given, author="ta", reason="she showed me")
    return book


def regraded(book: Gradebook, points: dict[str, float | None]) -> Regraded:
    """What grading by the suite `two` leaves."""
    ledger = Regraded(book, "softmax")
    sources, unkept = sources_of(book, "softmax")
    assert unkept == []
    of = {read(source(student, f"x = '{student}'")).digest: student for student in points}
    for each in sources:
        ledger.keep(each, record(each, points[of[read(each).digest]], suite="two"))
    return ledger


def found(book: Gradebook, course: Course, ledger: Regraded) -> Difference:
    with book.reading() as connection:
        return difference(connection, course, "softmax", ledger.keys, at=now())


def points_of(book: Gradebook, course: Course) -> dict[str, str]:
    with book.reading() as connection:
        policy = policy_in_force(connection, course)
        scores = scores_of_all(connection, tasks_of(course, policy), policy, now=now())
    return {student: str(each["softmax"].points) for student, each in scores.items()}


def let(book: Gradebook, course: Course, what: Difference, who=None, *, never_lower=False, reason="a wrong test"):
    with book.writing() as connection:
        return accept(
            connection, course, "softmax", what, who=who, never_lower=never_lower, author="prof", reason=reason
        )


STANDS = {"ada": "10.00", "bob": "4.00", "eve": "7.00", "mia": "0.00", "zoe": "8.00"}


def test_difference_is_of_those_affected_with_the_check(fed: Gradebook, course: Course) -> None:
    what = found(fed, course, regraded(fed, AFTER))
    told = {
        change.student: (change.direction, str(change.before.points), str(change.after.points))
        for change in what.changes
    }
    assert told == {
        "bob": ("rises", "4.00", "6.00"),
        "eve": ("falls", "7.00", "3.00"),
        "zoe": ("stands", "8.00", "8.00"),
    }
    (bob, _, zoe) = what.changes
    assert [(c.question, c.check, c.points) for c in bob.checks] == [("softmax", "probabilities", 2.0)]
    assert zoe.checks
    assert points_of(fed, course) == STANDS  # looking changes nothing


@pytest.mark.parametrize(
    ("who", "never_lower", "changed"),
    [
        (None, False, {"bob": "6.00", "eve": "3.00"}),
        (None, True, {"bob": "6.00"}),
        (["eve"], False, {"eve": "3.00"}),
        (["bob", "eve"], True, {"bob": "6.00"}),
    ],
)
def test_accepted_is_what_was_asked_for_and_overrides_stand(
    fed: Gradebook, course: Course, who: list[str] | None, never_lower: bool, changed: dict[str, str]
) -> None:
    what = found(fed, course, regraded(fed, AFTER))
    _, kept = let(fed, course, what, who, never_lower=never_lower)
    assert points_of(fed, course) == STANDS | changed
    assert kept == (["eve"] if never_lower else [])
    with fed.reading() as connection:
        history = [event for event in events(connection) if event.what in ("grading", "regrade")]
    assert [event.text for event in history if event.what == "regrade"] == [
        "regrade 1 accepted" + (", nobody lower" if never_lower else "")
    ]
    assert sum("graded: 4 points" in event.text for event in history if event.student == "bob") == 1  # it stays


def test_what_was_accepted_is_no_difference_any_more_and_can_be_taken_back(fed: Gradebook, course: Course) -> None:
    ledger = regraded(fed, AFTER)
    let(fed, course, found(fed, course, ledger))
    assert found(fed, course, ledger).changes == ()
    back = found(fed, course, regraded_by_the_first_suite(fed))
    assert {change.student for change in back.changes} == {"bob", "eve", "zoe"}
    let(fed, course, back)
    assert points_of(fed, course) == STANDS


def regraded_by_the_first_suite(book: Gradebook) -> Regraded:
    ledger = Regraded(book, "softmax")
    of = {read(source(student, f"x = '{student}'")).digest: student for student in BEFORE}
    for each in sources_of(book, "softmax")[0]:
        known = ledger.known(record(each, BEFORE[of[read(each).digest]]).key)
        assert known is not None  # it was graded by this suite once, and is not again
        ledger.keep(each, known)
    return ledger


def test_a_fault_of_ours_changes_nobodys_grade(fed: Gradebook, course: Course) -> None:
    ledger = regraded(fed, {**AFTER, "eve": None})
    assert len(ledger.failed) == 1
    assert {change.student for change in found(fed, course, ledger).changes} == {"bob", "zoe"}


def test_whoever_was_not_graded_is_graded_by_a_regrade(book: Gradebook, course: Course) -> None:
    handed = source("ada", "x = 'ada'")
    Feed(book, "softmax").keep(handed, record(handed, None))
    assert points_of(book, course) == {"ada": "None"}
    what = found(book, course, regraded(book, {"ada": 5.0}))
    assert [(change.direction, str(change.after.points)) for change in what.changes] == [("changes", "5.00")]
    let(book, course, what, never_lower=True)
    assert points_of(book, course) == {"ada": "5.00"}


def with_policy(course: Course, text: str) -> Course:
    path = course.dir / "course.toml"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    return load_course(course.dir)


def test_another_policy_is_a_difference_too_and_holds_when_it_is_accepted(fed: Gradebook, course: Course) -> None:
    changed = with_policy(course, "\n[policy]\ndecimals = 0\n")
    what = found(fed, changed, Regraded(fed, "softmax"))
    assert what.policy
    assert points_of(fed, changed) == STANDS
    for keys in ({"who": ["bob"]}, {"never_lower": True}):
        with pytest.raises(CourseError, match="policy"):
            let(fed, changed, what, **keys)
    let(fed, changed, what)
    assert points_of(fed, changed)["bob"] == "4"
    assert not found(fed, changed, Regraded(fed, "softmax")).policy


def test_accepting_needs_a_reason_and_students_that_change(fed: Gradebook, course: Course) -> None:
    what = found(fed, course, regraded(fed, AFTER))
    with pytest.raises(CourseError, match="reason"):
        let(fed, course, what, reason="")
    with pytest.raises(CourseError, match="did you mean 'bob'"):
        let(fed, course, what, ["bobb"])
    assert points_of(fed, course) == STANDS
