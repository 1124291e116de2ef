"""What happened, in the order in which it did?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from autograder.gradebook.policy import Standing
from autograder.gradebook.tables import Kind, attempts, decisions, gradings, policies, records, regrades


@dataclass(frozen=True)
class Event:
    """One thing that happened. number: of a decision, by which it can be withdrawn."""

    at: datetime
    what: str
    student: str
    assignment: str
    text: str
    author: str = ""
    reason: str = ""
    number: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "at": self.at.isoformat(timespec="seconds")}


def events(connection: Connection, *, student: str = "", assignment: str = "") -> list[Event]:
    """The history, of one student or one assignment where that is asked for."""
    found = [*_attempts(connection), *_gradings(connection), *_decisions(connection)]
    if not student:
        found += [*_regrades(connection), *_policies(connection)]
    wanted = [
        event
        for event in found
        if (not student or event.student == student) and (not assignment or event.assignment == assignment)
    ]
    return sorted(wanted, key=lambda event: event.at)


def said_of(row: Any) -> str:
    """A decision in words."""
    where = f" {row.question}" if row.question else ""
    which = f" of attempt {row.attempt}" if row.attempt is not None else ""
    match row.kind:
        case Kind.OVERRIDE | Kind.MANUAL:
            return f"{row.kind}{where}: {row.points.normalize():f} points{which}"
        case Kind.EXTEND:
            return f"extend: due {row.moment.isoformat(timespec='minutes')}"
        case Kind.SUBMITTED:
            return f"submitted{which}: {row.moment.isoformat(timespec='minutes')}"
        case Kind.CHOOSE:
            return f"choose: attempt {row.attempt}"
        case Kind.COMMENT:
            return f"comment{where}: {row.text}"
        case Kind.WITHDRAW:
            return f"withdraw: decision {row.withdraws}"
        case _:
            return str(row.kind)


def _attempts(connection: Connection) -> list[Event]:
    return [
        Event(row.at, "attempt", row.student, row.assignment, f"attempt {row.number}: {row.place}")
        for row in connection.execute(select(attempts))
    ]


def _gradings(connection: Connection) -> list[Event]:
    query = (
        select(gradings, attempts.c.student, attempts.c.assignment, attempts.c.number, records.c.state)
        .add_columns(records.c.suite, records.c.points)
        .join(attempts, attempts.c.id == gradings.c.attempt)
        .join(records, records.c.key == gradings.c.record)
    )
    found = []
    for row in connection.execute(query):
        points = sum(each for each in row.points.values() if each is not None)
        result = f"{points:g} points" if row.state == Standing.GRADED else row.state
        how = f"regrade {row.regrade}" if row.regrade else "graded"
        text = f"attempt {row.number}, {how}: {result}, suite {row.suite[:12]}"
        found.append(Event(row.at, "grading", row.student, row.assignment, text))
    return found


def _decisions(connection: Connection) -> list[Event]:
    return [
        Event(row.at, "decision", row.student, row.assignment, said_of(row), row.author, row.reason, row.id)
        for row in connection.execute(select(decisions))
    ]


def _regrades(connection: Connection) -> list[Event]:
    return [
        Event(
            row.at,
            "regrade",
            "",
            row.assignment,
            f"regrade {row.id} accepted" + (", nobody lower" if row.never_lower else ""),
            row.author,
            row.reason,
        )
        for row in connection.execute(select(regrades))
    ]


def _policies(connection: Connection) -> list[Event]:
    return [
        Event(row.at, "policy", "", "", f"policy {row.id} adopted", row.author, row.reason)
        for row in connection.execute(select(policies))
    ]
