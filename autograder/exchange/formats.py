"""Which formats are there, and which of them is a file?

A format is a module of this package: it recognises the LMS's own export, reads students and grade columns
from it, and gives the same table back with one column. What they share is here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from autograder.course.errors import CourseError, listed, nearest
from autograder.exchange.model import Column, Filled, Roster, Student, Trouble, folded
from autograder.exchange.tables import Table


@dataclass(frozen=True)
class Book:
    """An LMS's export as we read it. Students know their row, columns their place in a row.

    key: the place of the one column that identifies students, where somebody named it.
    """

    table: Table
    roster: Roster
    columns: tuple[Column, ...]
    key: int | None = None

    def cell(self, student: Student, column: Column) -> str:
        return self.table.cell(student.row, column.index)


class Format(Protocol):
    """What each format's module has."""

    NAME: str
    SUFFIXES: tuple[str, ...]  # that the LMS accepts for an upload; () for any

    def recognises(self, table: Table) -> bool:
        """Whether a table is this LMS's export."""

    def read(self, table: Table, id_column: str = "") -> Book:
        """Students and grade columns; CourseError where the table is not in this format.

        id_column: the header of the column that identifies students, where the format does not settle it.
        """

    def troubles(self, book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
        """What this LMS would refuse, drop or change without a word."""

    def write(self, book: Book, column: Column, filled: Sequence[Filled]) -> Table:
        """The table to be uploaded: identities as they came, the one column, the students of `filled` alone."""

    def excused(self) -> str:
        """The cell of an excused student; "" where the format has none, and the student is left out."""

    def written(self, points: Decimal, book: Book) -> str:
        """Points as a cell."""


def choose(columns: Sequence[Column], wanted: str, where: str) -> Column:
    """The column that is meant: by its header, its title or its id; the only one there is, where none is named."""
    open_ones = [column for column in columns if not column.closed]
    if not wanted:
        if len(open_ones) == 1:
            return open_ones[0]
        titles = listed(column.title for column in open_ones)
        raise CourseError(f"{where} has {len(open_ones)} grade columns, {titles}: name one with --assignment-column")
    for same in (
        lambda column: column.header == wanted,
        lambda column: folded(column.header) == folded(wanted) or folded(column.title) == folded(wanted),
        lambda column: bool(column.id) and column.id == wanted,
    ):
        found = [column for column in columns if same(column)]
        if len(found) > 1:
            headers = ", ".join(repr(column.header) for column in found)
            raise CourseError(f"{where} has {len(found)} columns called {wanted!r}, {headers}: name one by its header")
        if found and found[0].closed:
            raise CourseError(f"the column {found[0].header!r} takes no grades: {found[0].closed}")
        if found:
            return found[0]
    known = [column.title for column in open_ones]
    raise CourseError(f"{where} has no column {wanted!r}{nearest(wanted, known)}; it has {listed(known)}")


def decimal_text(points: Decimal) -> str:
    """A number without an exponent and without needless zeros."""
    text = f"{points:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
