"""What does the gradebook know, in the form in which scores are computed from it?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from autograder.course.load import Course, assignment_ids, load_assignment
from autograder.course.policy import Policy
from autograder.gradebook.policy import WHOLE, Attempt, Score, Standing, Task, Work, decimal_of, scores_of
from autograder.gradebook.tables import Kind, attempts, decisions, gradings, policies, records, students

Works = dict[str, dict[str, Work]]  # by student, by assignment


@dataclass(frozen=True)
class Handin:
    """A row of `attempts`, with the key of the record it stands by; None where it has none."""

    id: int
    student: str
    assignment: str
    number: int
    submission: str
    record: str | None


def tasks_of(course: Course, policy: Policy) -> list[Task]:
    """What the course asks for: its assignments, then what is graded by hand."""
    tasks = []
    for each in assignment_ids(course):
        assignment = load_assignment(course, each)
        questions = {question.id: decimal_of(question.points) for question in assignment.questions}
        manual = {question.id: decimal_of(question.points) for question in assignment.manual}
        tasks.append(Task(each, questions, manual, assignment.due))
    for each, most in policy.by_hand.items():
        tasks.append(Task(each, {}, {WHOLE: decimal_of(most)}, by_hand=True))
    return tasks


def policy_in_force(connection: Connection, course: Course) -> Policy:
    """The policy that was adopted last; the course's own where none was yet."""
    latest = select(policies.c.document).order_by(policies.c.id.desc()).limit(1)
    document = connection.execute(latest).scalar()
    return course.policy if document is None else Policy.model_validate(document)


def students_of(connection: Connection) -> dict[str, str]:
    """Everybody, {student: name}, sorted."""
    rows = connection.execute(select(students.c.student, students.c.name))
    return dict(sorted((row.student, row.name) for row in rows))


def handins(connection: Connection, assignment: str = "", student: str = "") -> list[Handin]:
    """What was handed in, by student and number."""
    latest = select(gradings.c.attempt, func.max(gradings.c.id).label("id")).group_by(gradings.c.attempt).subquery()
    query = (
        select(attempts, gradings.c.record)
        .outerjoin(latest, latest.c.attempt == attempts.c.id)
        .outerjoin(gradings, gradings.c.id == latest.c.id)
        .order_by(attempts.c.student, attempts.c.assignment, attempts.c.number)
    )
    if assignment:
        query = query.where(attempts.c.assignment == assignment)
    if student:
        query = query.where(attempts.c.student == student)
    return [
        Handin(row.id, row.student, row.assignment, row.number, row.submission, row.record)
        for row in connection.execute(query)
    ]


def standing_decisions(connection: Connection, student: str = "") -> list[Any]:
    """The decisions that hold, in order: neither withdrawn, nor replaced by a later one of the same kind."""
    query = select(decisions).order_by(decisions.c.id)
    if student:
        query = query.where(decisions.c.student == student)
    rows = connection.execute(query).all()
    withdrawn = {row.withdraws for row in rows if row.withdraws is not None}
    latest: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        if row.id in withdrawn or row.kind == Kind.WITHDRAW:
            continue
        of_attempt = row.attempt if row.kind in (Kind.MANUAL, Kind.SUBMITTED) else None
        comment = row.id if row.kind == Kind.COMMENT else None  # comments stand beside each other
        latest[row.student, row.assignment, row.question, row.kind, of_attempt, comment] = row
    return sorted(latest.values(), key=lambda row: int(row.id))


def comments_of(connection: Connection, assignment: str) -> dict[str, str]:
    """What students are told about an assignment, {student: text}, a line a comment."""
    found: dict[str, list[str]] = {}
    for row in standing_decisions(connection):
        if row.kind == Kind.COMMENT and row.assignment == assignment:
            found.setdefault(row.student, []).append(f"{row.question}: {row.text}" if row.question else row.text)
    return {student: "\n".join(lines) for student, lines in found.items()}


def works_of(connection: Connection, *, student: str = "", regraded: Mapping[int, str] | None = None) -> Works:
    """All that is known of everybody, or of one student.

    regraded: keys of records in place of those that stand, by the number of the attempt's row.
    """
    found: dict[tuple[str, str], _Gathered] = {}
    points = _points(connection)
    times = {row.id: row for row in connection.execute(select(attempts.c.id, attempts.c.submitted, attempts.c.late))}
    for each in handins(connection, student=student):
        key = (regraded or {}).get(each.id, each.record)
        state, given = points[key] if key else (Standing.UNGRADED, {})
        row = times[each.id]
        attempt = Attempt(each.number, state, given, submitted=row.submitted, late=row.late)
        found.setdefault((each.student, each.assignment), _Gathered()).attempts[each.number] = attempt
    for row in standing_decisions(connection, student):
        found.setdefault((row.student, row.assignment), _Gathered()).take(row)
    works: Works = {}
    for (who, assignment), gathered in found.items():
        works.setdefault(who, {})[assignment] = gathered.work()
    return works


def scores_of_all(
    connection: Connection,
    tasks: Sequence[Task],
    policy: Policy,
    *,
    now: datetime,
    student: str = "",
    regraded: Mapping[int, str] | None = None,
) -> dict[str, dict[str, Score]]:
    """The scores of everybody on the roster, or of one student, by assignment."""
    works = works_of(connection, student=student, regraded=regraded)
    everybody: Iterable[str] = [student] if student else students_of(connection)
    return {each: scores_of(tasks, works.get(each, {}), policy, now=now) for each in everybody}


@dataclass
class _Gathered:
    """What is being put together of one student and one assignment."""

    attempts: dict[int, Attempt] = field(default_factory=dict)
    overrides: dict[str, Decimal] = field(default_factory=dict)
    manual: dict[int, dict[str, Decimal]] = field(default_factory=dict)
    by_hand: Decimal | None = None
    excused: bool = False
    due: datetime | None = None
    chosen: int | None = None

    def take(self, row: Any) -> None:
        match row.kind:
            case Kind.OVERRIDE:
                self.overrides[row.question] = row.points
            case Kind.MANUAL if row.attempt is None:
                self.by_hand = row.points
            case Kind.MANUAL:
                self.manual.setdefault(row.attempt, {})[row.question] = row.points
            case Kind.EXCUSE:
                self.excused = True
            case Kind.EXTEND:
                self.due = row.moment
            case Kind.CHOOSE:
                self.chosen = row.attempt
            case Kind.SUBMITTED if row.attempt in self.attempts:
                self.attempts[row.attempt] = replace(self.attempts[row.attempt], submitted=row.moment)

    def work(self) -> Work:
        whole = [
            replace(attempt, manual=self.manual.get(number, {})) for number, attempt in sorted(self.attempts.items())
        ]
        return Work(whole, self.overrides, self.by_hand, self.excused, self.due, self.chosen)


def _points(connection: Connection) -> dict[str, tuple[Standing, dict[str, Decimal]]]:
    rows = connection.execute(select(records.c.key, records.c.state, records.c.points))
    return {
        row.key: (
            Standing(row.state),
            {question: decimal_of(points) for question, points in row.points.items() if points is not None},
        )
        for row in rows
    }
