"""Which few things does every LMS know: students, grade columns, scores?

A roster is what the LMS itself has written. What we give back carries its identities as they came, so
nothing here rewrites one; `plain` and `folded` are for comparing only.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from autograder.course.errors import CourseError

# Identities in the order in which one is chosen for people to read; each must tell all students apart.
KEYS = ("login", "sis_id", "email", "lms_id", "participant")


@dataclass(frozen=True)
class Student:
    """One row of a roster. Fields are blank where the LMS does not say.

    row: of the table that the roster was read from, so that the row can be given back.
    participant: Moodle's number of a student in one assignment; downloads and feedback go by it.
    names: every form of the name that the LMS may show.
    aliases: what a download calls the student where nobody had a roster.
    """

    row: int
    login: str = ""
    sis_id: str = ""
    lms_id: str = ""
    email: str = ""
    participant: str = ""
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    section: str = ""

    @property
    def name(self) -> str:
        return self.names[0] if self.names else ""

    def shown(self) -> str:
        """The student in a list for people."""
        known = next((value for key in KEYS if (value := getattr(self, key))), "")
        return f"{self.name} ({known})" if self.name and known else self.name or known or f"row {self.row + 1}"


@dataclass(frozen=True)
class Roster:
    """The students of a course, in the order of the file they came from."""

    students: tuple[Student, ...]

    def __iter__(self) -> Iterator[Student]:
        return iter(self.students)

    def __len__(self) -> int:
        return len(self.students)

    @functools.cached_property
    def key_field(self) -> str:
        """The first identity that every student has and no two share; CourseError where there is none."""
        for key in KEYS:
            values = [folded(getattr(student, key)) for student in self.students]
            if all(values) and len(set(values)) == len(values):
                return key
        raise CourseError(
            "the roster has no column that tells its students apart: login, SIS or student id, email and LMS id "
            "are each blank or double for somebody; export it again with one of them"
        )

    def find(self, name: str) -> tuple[Student, ...]:
        """The students that a name means: those with such an identity, else those of that full name.

        More than one: it is not known which. Logins and addresses ignore case, as LMSs do; ids do not.
        """
        exact, loose, names = self._index
        found = {student.row: student for student in (*exact.get(plain(name), ()), *loose.get(folded(name), ()))}
        return tuple(found.values()) or tuple(names.get(folded(name), ()))

    def named(self, name: str) -> tuple[Student, ...]:
        """The students of a full name."""
        return tuple(self._index[2].get(folded(name), ()))

    def with_login(self, login: str) -> tuple[Student, ...]:
        return tuple(
            student for student in self._index[1].get(folded(login), ()) if folded(login) == folded(student.login)
        )

    def with_alias(self, alias: str) -> tuple[Student, ...]:
        return tuple(student for student in self._index[0].get(plain(alias), ()) if plain(alias) in student.aliases)

    @functools.cached_property
    def _index(self) -> tuple[dict[str, list[Student]], ...]:
        """Students by what is compared exactly, by what ignores case, and by names."""
        exact: dict[str, list[Student]] = {}
        loose: dict[str, list[Student]] = {}
        names: dict[str, list[Student]] = {}
        for student in self.students:
            ids = (student.sis_id, student.lms_id, student.participant, *student.aliases)
            for index, values in (
                (exact, {plain(each) for each in ids}),
                (loose, {folded(student.login), folded(student.email)}),
                (names, {folded(each) for each in student.names}),
            ):
                for value in values - {""}:
                    index.setdefault(value, []).append(student)
        return exact, loose, names


class GradeState(StrEnum):
    """What is known of a student's grade. Only the first is a number."""

    GRADED = "graded"
    PENDING_MANUAL = "pending_manual"
    EXCUSED = "excused"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNGRADED = "ungraded"


@dataclass(frozen=True)
class Score:
    """What one student gets for one assignment, before anything is rounded.

    student: as results name them; who that is in the LMS, a roster says.
    points: None unless the state is `graded`, so that nothing ungraded can become a number.
    comment: free text for the student; written only where a format has a place for it.
    """

    student: str
    points: Decimal | None
    maximum: Decimal
    state: GradeState = GradeState.GRADED
    comment: str = ""

    def __post_init__(self) -> None:
        if (self.points is None) == (self.state is GradeState.GRADED):
            raise ValueError(f"{self.student!r} is {self.state} with points {self.points}")


@dataclass(frozen=True)
class Column:
    """A grade column of the LMS. maximum: None where the file does not say. closed: why it takes no grades."""

    index: int
    header: str
    title: str
    id: str = ""
    maximum: Decimal | None = None
    closed: str = ""


@dataclass(frozen=True)
class Filled:
    """One student's cell as it is sent."""

    student: Student
    cell: str
    comment: str = ""


@dataclass(frozen=True)
class Trouble:
    """One reason why a file is refused."""

    kind: str
    who: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.who}: {self.why}"


class Refused(CourseError):
    """A file that is not written, with every reason at once."""

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.troubles = tuple(troubles)
        super().__init__(self.troubles)

    def __str__(self) -> str:
        count = len(self.troubles)
        return "\n  ".join([f"nothing was written, {count} to be put right first:", *map(str, self.troubles)])


@dataclass(frozen=True)
class Matched:
    """Scores beside the students they belong to, and those without one."""

    pairs: tuple[tuple[Student, Score], ...]
    troubles: tuple[Trouble, ...]
    absent: tuple[Student, ...]


def match(scores: Iterable[Score], roster: Roster) -> Matched:
    """Each score's student. Unknown, ambiguous and double ones are troubles; nobody is guessed."""
    by_student: dict[int, list[tuple[Student, Score]]] = {}
    troubles = []
    for score in scores:
        found = roster.find(score.student)
        if not found:
            troubles.append(Trouble("unmatched", score.student, "is in the results and not in the roster"))
        elif len(found) > 1:
            who = ", ".join(student.shown() for student in found)
            troubles.append(Trouble("ambiguous", score.student, f"may be any of {who}"))
        else:
            by_student.setdefault(found[0].row, []).append((found[0], score))
    for (student, _), *others in (pairs for pairs in by_student.values() if len(pairs) > 1):
        names = ", ".join(repr(score.student) for _, score in by_student[student.row])
        troubles.append(Trouble("duplicate", student.shown(), f"has {len(others) + 1} results, {names}"))
    pairs = tuple(pairs[0] for pairs in by_student.values() if len(pairs) == 1)
    absent = tuple(student for student in roster if student.row not in by_student)
    return Matched(tuple(sorted(pairs, key=lambda pair: pair[0].row)), tuple(troubles), absent)


def plain(text: str) -> str:
    """For comparing: one form for letters that can be written in two, no space around. Digits stay as they are."""
    return unicodedata.normalize("NFC", text).strip()


def folded(text: str) -> str:
    """`plain`, with case and the width of spaces left out."""
    return re.sub(r"\s+", " ", plain(text)).casefold()


def number(text: str) -> Decimal | None:
    """A cell as a number, a single comma or point the decimal one; None where it is none."""
    found = re.fullmatch(r"([-+]?)(\d*)(?:[.,](\d*))?", text.strip(), re.ASCII)
    if not found or not (found[2] or found[3]):
        return None
    return Decimal(f"{found[1]}{found[2] or 0}.{found[3] or 0}")


def both_orders(first: str, last: str) -> tuple[str, ...]:
    """A name as LMSs put it together, the Chinese way too."""
    first, last = first.strip(), last.strip()
    if not first or not last:
        return (first or last,) if first or last else ()
    return (f"{first} {last}", f"{last} {first}", f"{last}{first}", f"{last}, {first}")
