"""Does what we send arrive, in every LMS, whatever its students are called, and nothing else change?"""

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.exchange.export import Wish, export_lms
from autograder.exchange.model import GradeState, Score
from autograder.exchange.verify import verify
from tests.exchange.lms import Blackboard, Brightspace, Canvas, Lms, Moodle, Person, Sakai

pytestmark = pytest.mark.slow  # seconds each: jails, servers or thousands of draws

SYSTEMS: dict[str, type[Lms]] = {
    "canvas": Canvas, "moodle": Moodle, "blackboard": Blackboard, "brightspace": Brightspace, "sakai": Sakai,
}  # fmt: skip
NASTY = (
    "Doe", "O'Neil, Jr.", 'Jane "JJ"', "two\nlines", "=1+1", "+1", "-2", "@SUM(A1)", "\\", 'x\\"y', "C:\\", "０１２",
    "李雷", "Zoë", "👩‍🎓", " spaced", "<b>", ";", "a;b,c", "#1", "''",
)  # fmt: skip
FORMS: tuple[dict[str, Any], ...] = (
    {},
    {"mark": True},
    {"delimiter": ";"},
    {"delimiter": "\t", "encoding": "utf-16-le", "mark": True},
    {"delimiter": ";", "mark": True},
)


def names() -> st.SearchStrategy[str]:
    """Names that have hurt, and any others that an LMS would store."""
    letters = st.characters(exclude_categories=["Cs", "Cc"])
    return st.sampled_from(NASTY) | st.text(letters, min_size=1, max_size=8)


@st.composite
def classes(draw: st.DrawFn) -> list[Person]:
    people = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        person = Person(1000 + number, f"user{number}", f"00{number}", draw(names()), draw(names()))
        person.grades = draw(st.dictionaries(st.sampled_from(["HW1", "HW2: other, one"]), st.just("7.00")))
        people.append(person)
    return people


def form_of(lms: str, form: dict[str, Any]) -> dict[str, Any]:
    """Canvas writes UTF-8 with commas or semicolons, and no tabs."""
    return {} if lms == "canvas" and form.get("encoding") else form


@pytest.mark.parametrize("lms", SYSTEMS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=classes(), data=st.data(), form=st.sampled_from(FORMS))
def test_export_arrives_whole_and_changes_nothing_else(
    lms: str, people: list[Person], data: st.DataObject, form: dict[str, Any], tmp_path: Path
) -> None:
    system = SYSTEMS[lms](people, {"HW1": 100, "HW2: other, one": 100}, **form_of(lms, form))
    points = {
        person.login: data.draw(st.none() | st.decimals(0, 100, places=data.draw(st.integers(0, 3))))
        for person in people
    }
    points[people[0].login] = Decimal("91.5")  # somebody has a grade, or there is no file
    first_lines = [person.first + person.last for person in people]
    if system.delimiter == ";" and lms == "canvas" and all("\n" in name for name in first_lines):
        return  # refused, and tested as that
    before = copy.deepcopy(people)
    roster, sent, after = (tmp_path / name for name in ("roster.csv", "sent.csv", "after.csv"))
    roster.write_bytes(system.export())
    export_lms(lms, scores_of(system, points), roster, sent, Wish(column="HW1"))
    assert sent.read_bytes().startswith("\ufeff".encode(system.encoding)) == system.mark
    system.upload(sent.read_bytes())
    for was, now in zip(before, people, strict=True):
        due = points[now.login]
        expected = was.grades if due is None else {**was.grades, "HW1": f"{half_up(due):.2f}"}
        assert now.grades == expected
    after.write_bytes(system.export())
    assert verify(sent, after).differences == ()
    changed = data.draw(st.sampled_from(people))
    changed.grades["HW1"] = "3.14" if changed.grades.get("HW1") != "3.14" else "2.71"
    after.write_bytes(system.export())
    told = verify(sent, after).differences
    was_known = points[changed.login] is not None or "HW1" in before[people.index(changed)].grades
    assert len(told) == was_known


def scores_of(system: Lms, points: dict[str, Decimal | None]) -> list[Score]:
    """By login, and by address where Moodle's export has no login."""
    names = {person.login: person.email if isinstance(system, Moodle) else person.login for person in system.people}
    return [
        Score(names[login], due, Decimal(100), GradeState.UNGRADED if due is None else GradeState.GRADED)
        for login, due in points.items()
    ]


def half_up(points: Decimal) -> Decimal:
    """An independent way of rounding: in whole hundredths."""
    return Decimal(int(points * 100 + Decimal("0.5"))) / 100


@given(names=st.lists(names(), min_size=1, max_size=4), feedback=st.lists(names(), min_size=4, max_size=4))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_moodle_feedback_survives_the_backslash(names: list[str], feedback: list[str], tmp_path: Path) -> None:
    people = [Person(number, f"u{number}", f"00{number}", name, "Doe") for number, name in enumerate(names)]
    system = Moodle(people, {"HW1": 100})
    roster, sent = tmp_path / "roster.csv", tmp_path / "sent.csv"
    roster.write_bytes(system.export())
    said = {person.number: text.strip() or "none" for person, text in zip(people, feedback, strict=False)}
    scores = [Score(f"00{n}", Decimal(50 + n), Decimal(100), comment=text) for n, text in said.items()]
    export_lms("moodle", scores, roster, sent, Wish())
    system.upload(sent.read_bytes())
    assert {person.number: person.grades["HW1"] for person in people} == {n: f"{50 + n}.00" for n in said}
    arrived = {number: text.replace('\\ "', '\\"').rstrip() for number, text in system.feedback.items()}
    assert arrived == {number: text.replace('\\ "', '\\"').rstrip() for number, text in said.items()}


def test_moodle_without_our_cure_would_lose_a_row() -> None:
    """The story: feedback that ended in a backslash took the next student's row along, and Moodle said success."""
    people = [Person(1, "a", "001", "A", "A"), Person(2, "b", "002", "B", "B")]
    raw = 'ID number,Assignment: HW1 (Real),f\n001,15,"use C:\\dir\\"\n002,17,"plain, text"\n'
    with pytest.raises(AssertionError):
        Moodle(people, {"HW1": 100}).upload(raw.encode())
