"""Which tables does a gradebook have?

What happened is appended and never changed: a database refuses UPDATE and DELETE on all tables but
`students`, which is a copy of the roster. The latest row of a kind stands; the others are the history.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as ISO 8601 in UTC: SQLite has no type for it, and text sorts as time does."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Exact(TypeDecorator[Decimal]):
    """A decimal number as its digits: SQLite would keep a float."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Kind(StrEnum):
    """What a person can decide."""

    OVERRIDE = "override"  # points in place of what was graded, of a question or of the whole assignment
    MANUAL = "manual"  # points of a part that a person grades, in one attempt
    EXCUSE = "excuse"  # the assignment does not count for this student
    EXTEND = "extend"  # another due date
    CHOOSE = "choose"  # the attempt that counts
    SUBMITTED = "submitted"  # when an attempt was handed in
    COMMENT = "comment"  # a text for the student
    WITHDRAW = "withdraw"  # an earlier decision does not hold


METADATA = MetaData()


def _at() -> Column[datetime]:
    return Column("at", Moment, nullable=False)


students = Table(
    "students",
    METADATA,
    Column("student", Text, primary_key=True),
    Column("name", Text, nullable=False, default=""),
    _at(),
)

# What was handed in, byte for byte, once however many handed it in: needed to grade it again.
submissions = Table(
    "submissions",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("suffix", String(16), nullable=False),
    Column("archive", LargeBinary, nullable=False),
)

attempts = Table(
    "attempts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("assignment", String(64), nullable=False),
    Column("student", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("submission", String(64), nullable=False),
    Column("place", Text, nullable=False),
    Column("submitted", Moment),
    Column("late", Boolean),  # as the LMS marked it; NULL where it does not say
    _at(),
    UniqueConstraint("assignment", "student", "number"),
)

# One a key, without the student: the same submission under the same suite is graded once.
records = Table(
    "records",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("assignment", String(64), nullable=False),
    Column("suite", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("points", JSON, nullable=False),  # {question: points}: scores need no more
    Column("document", JSON, nullable=False),
    _at(),
)

regrades = Table(
    "regrades",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("assignment", String(64), nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("never_lower", Boolean, nullable=False),
    _at(),
)

# Which record an attempt's score comes from: the latest row.
gradings = Table(
    "gradings",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("attempt", Integer, ForeignKey("attempts.id"), nullable=False, index=True),
    Column("record", String(64), ForeignKey("records.key"), nullable=False),
    Column("regrade", Integer, ForeignKey("regrades.id")),
    _at(),
)

policies = Table(
    "policies",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _at(),
)

decisions = Table(
    "decisions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("student", Text, nullable=False, index=True),
    Column("assignment", String(64), nullable=False),
    Column("question", String(64), nullable=False, default=""),  # "" for the whole assignment
    Column("attempt", Integer),  # its number
    Column("points", Exact),
    Column("moment", Moment),
    Column("text", Text, nullable=False, default=""),
    Column("withdraws", Integer, ForeignKey("decisions.id")),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _at(),
)

APPEND_ONLY = ("submissions", "attempts", "records", "regrades", "gradings", "policies", "decisions")
