"""What would change if everybody were graded again, and how does it come to hold?

Everything that was ever handed in is graded by the suite and in the world of today; what is known is not graded
again. The difference is looked at first. What is accepted is appended: the old records stay, and decisions of
people stand as they stood.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from autograder.course.errors import CourseError, listed, nearest
from autograder.course.load import Course
from autograder.gradebook.archive import unpacked
from autograder.gradebook.database import Gradebook, now
from autograder.gradebook.facts import Handin, handins, policy_in_force, scores_of_all, tasks_of
from autograder.gradebook.feed import keep_record, record_of
from autograder.gradebook.policy import Score
from autograder.gradebook.tables import gradings, policies, regrades, submissions
from autograder.grading.ledger import is_final
from autograder.grading.record import CheckRecord, Diagnosis, Record
from autograder.notebook.files import Listing
from autograder.notebook.find import Source


class Regraded:
    """A ledger that keeps records without giving them to anybody. Its students are digests of submissions.

    keys: of the record of each submission. failed: submissions that could not be graded, with the reason.
    """

    def __init__(self, book: Gradebook, assignment: str) -> None:
        self._book = book
        self._assignment = assignment
        self.keys: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    def known(self, key: str) -> Record | None:
        with self._book.reading() as connection:
            return record_of(connection, key)

    def keep(self, source: Source, record: Record) -> None:
        if not is_final(record):
            self.failed[record.submission] = record.notes[-1].text if record.notes else "no reason given"
            return
        with self._book.writing() as connection:
            keep_record(connection, self._assignment, record)
        self.keys[record.submission] = record.key


@dataclass(frozen=True)
class CheckChange:
    """A check that ends otherwise, in the attempt that counts now."""

    question: str
    check: str
    before: str
    after: str
    points: float  # more, or less


_Checks = dict[tuple[str, str], CheckRecord]  # by question and check


@dataclass(frozen=True)
class Change:
    """One student's score before and after. stands: what was graded changes, and a decision holds against it."""

    student: str
    assignment: str
    before: Score
    after: Score
    checks: tuple[CheckChange, ...]

    @property
    def direction(self) -> str:
        """`rises`, `falls`, `stands`, or `changes` where there was no number, or is none any more."""
        if self.before.points is None or self.after.points is None:
            return "stands" if self.before == self.after else "changes"
        if self.before.points == self.after.points:
            return "stands"
        return "rises" if self.before.points < self.after.points else "falls"


@dataclass(frozen=True)
class Difference:
    """changes: of everybody whose record or score changes. policy: whether course.toml has another one.

    renamed: students for whom nothing changes but what their mistakes are called.
    """

    changes: tuple[Change, ...]
    renamed: tuple[str, ...]
    policy: bool
    moved: Mapping[str, Sequence[tuple[int, str]]]  # student -> (row of the attempt, key of its new record)


def sources_of(book: Gradebook, assignment: str) -> tuple[list[Source], list[Handin]]:
    """Every submission once, read from the gradebook when its turn comes; and attempts of which no files were kept."""
    with book.reading() as connection:
        found = handins(connection, assignment)
        kept = set(connection.execute(select(submissions.c.digest)).scalars())
    digests = dict.fromkeys(each.submission for each in found if each.submission in kept)
    return [_source(book, digest) for digest in digests], [each for each in found if each.submission not in kept]


def difference(
    connection: Connection, course: Course, assignment: str, keys: Mapping[str, str], *, at: datetime
) -> Difference:
    """Who rises, who falls, and by which check.

    keys: of the new record of each submission.
    """
    moved: dict[str, list[tuple[int, str]]] = {}
    found = handins(connection, assignment)
    for each in found:
        key = keys.get(each.submission)
        if key is not None and key != each.record:
            moved.setdefault(each.student, []).append((each.id, key))
    policy, wanted = policy_in_force(connection, course), course.policy
    regraded = {attempt: key for pairs in moved.values() for attempt, key in pairs}
    before = scores_of_all(connection, tasks_of(course, policy), policy, now=at)
    after = scores_of_all(connection, tasks_of(course, wanted), wanted, now=at, regraded=regraded)
    changes, renamed = [], []
    for student, scores in after.items():
        for task, score in scores.items():
            earlier = before[student].get(task)
            if earlier is None or (earlier == score and not (task == assignment and student in moved)):
                continue
            checks: tuple[CheckChange, ...] = ()
            if task == assignment and student in moved:
                mine = [each for each in found if each.student == student]
                old, new = _compared(connection, mine, regraded, earlier, score)
                checks = _checks(old, new)
                if earlier == score and not checks:  # another suite, and the same verdicts
                    renamed += [student] if _diagnoses(old) != _diagnoses(new) else []
                    continue
            changes.append(Change(student, task, earlier, score, checks))
    return Difference(tuple(changes), tuple(renamed), policy != wanted, moved)


def accept(
    connection: Connection,
    course: Course,
    assignment: str,
    found: Difference,
    *,
    who: Collection[str] | None,
    never_lower: bool,
    author: str,
    reason: str,
) -> tuple[int, list[str]]:
    """Let the new records of these students hold; of all with None. Its number, and who keeps the old ones.

    never_lower: students whose score would fall, or be lost, keep what they have.
    """
    if not author.strip() or not reason.strip():
        raise CourseError("accepting a regrade needs an author and a reason: give --author and --reason")
    if found.policy and (who is not None or never_lower):
        raise CourseError(
            "the policy in course.toml has changed too, and holds for everybody: `--accept all` without --never-lower, "
            "or put the policy back and accept it on its own later"
        )
    _must_be_moved(found, who)
    worse = {c.student for c in found.changes if c.direction == "falls" or _is_lost(c)} if never_lower else set()
    made = connection.execute(
        insert(regrades)
        .values(assignment=assignment, author=author, reason=reason, never_lower=never_lower, at=now())
        .returning(regrades.c.id)
    )
    number = int(made.scalar_one())
    for student, pairs in found.moved.items():
        if student in worse or (who is not None and student not in who):
            continue
        for attempt, key in pairs:
            connection.execute(insert(gradings).values(attempt=attempt, record=key, regrade=number, at=now()))
    if found.policy:
        document = course.policy.model_dump(mode="json")
        connection.execute(insert(policies).values(document=document, author=author, reason=reason, at=now()))
    return number, sorted(worse)


def _must_be_moved(found: Difference, who: Collection[str] | None) -> None:
    for student in who or ():
        if student not in found.moved:
            raise CourseError(
                f"nothing changes for a student {student!r}{nearest(student, found.moved)}; "
                f"there are: {listed(found.moved)}"
            )


def _is_lost(change: Change) -> bool:
    return change.before.points is not None and change.after.points is None


def _source(book: Gradebook, digest: str) -> Source:
    with book.reading() as connection:
        suffix = connection.execute(select(submissions.c.suffix).where(submissions.c.digest == digest)).scalar_one()

    def listing() -> Listing:
        with book.reading() as connection:
            row = connection.execute(select(submissions.c.archive).where(submissions.c.digest == digest)).one()
        return unpacked(digest, suffix, row.archive).listing()

    return Source(digest, f"gradebook: {digest[:12]}", suffix, listing)


def _compared(
    connection: Connection, mine: Sequence[Handin], regraded: Mapping[int, str], before: Score, after: Score
) -> tuple[_Checks, _Checks]:
    """The checks of the attempt that counts, as they ended and end now; of two where another attempt counts now."""
    rows = {each.number: each for each in mine}
    old = rows.get(before.attempt or 0) or mine[-1]
    new = rows.get(after.attempt or 0) or mine[-1]
    return _by_check(connection, old.record), _by_check(connection, regraded.get(new.id, new.record))


def _checks(earlier: _Checks, later: _Checks) -> tuple[CheckChange, ...]:
    """Those that end otherwise."""
    found = []
    for where in dict.fromkeys([*earlier, *later]):
        one, other = earlier.get(where), later.get(where)
        words = [str(each.outcome).replace("_", " ") if each else "no such check" for each in (one, other)]
        points = round((other.points if other else 0) - (one.points if one else 0), 2)
        if words[0] != words[1] or points:
            found.append(CheckChange(where[0], where[1], words[0], words[1], points))
    return tuple(found)


def _diagnoses(checks: _Checks) -> dict[tuple[str, str], Diagnosis]:
    return {where: check.diagnosis for where, check in checks.items() if check.diagnosis}


def _by_check(connection: Connection, key: str | None) -> _Checks:
    record = record_of(connection, key) if key else None
    if record is None:
        return {}
    return {(question.id, check.id): check for question in record.questions for check in question.checks}
