"""Canvas: the gradebook's CSV, exported and imported by the same page.

Rules from instructure/canvas-lms (lib/gradebook_importer.rb, lib/gradebook_exporter.rb).
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

from autograder.course.errors import CourseError
from autograder.exchange.formats import Book, decimal_text
from autograder.exchange.model import Column, Filled, Roster, Student, Trouble, both_orders, number, plain
from autograder.exchange.tables import Table, column_of

NAME = "canvas"
SUFFIXES = (".csv",)
_IDENTITY = (
    "Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account",
    "Section",
)  # fmt: skip
_POINTS = "Points Possible"
_READ_ONLY = "(read only)"
_WITH_ID = re.compile(r"(.*)\s\((\d+)\)", re.DOTALL)
# Canvas takes a header that contains one of these anywhere for a total, and drops it without a word.
_TOTALS = re.compile(r"(?:current|final) (?:score|points|grade)|override (?:score|grade|status)", re.IGNORECASE)
_NOT_ASSIGNED = "N/A"
_WORD = re.compile(r"[\d\u203f\u2040_]")


def recognises(table: Table) -> bool:
    header = table.header
    first = header[0].strip("\ufeff ")
    return (
        len(header) > 3
        and ("Student" in first or first in {"LastName", "FirstName"})
        and column_of(header, "ID") in {1, 2}
        and column_of(header, "Section") is not None
    )


def read(table: Table, id_column: str = "") -> Book:
    if not recognises(table):
        raise CourseError(
            "this is no gradebook of Canvas: its header begins with Student, ID and goes on to Section; "
            "export it again (Grades > Export > Export Entire Gradebook)"
        )
    header = table.header
    points_row = _points_row(table)
    students = []
    for row in range(1 if points_row is None else points_row + 1, len(table.rows)):
        students.append(_student(table, row))
    columns = []
    named = {column_of(header, name) for name in _IDENTITY}
    for index in range((column_of(header, "Section") or 0) + 1, len(header)):
        if index not in named and header[index].strip():
            columns.append(_column(table, index, points_row))
    return Book(table, Roster(tuple(students)), tuple(columns))


def troubles(book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
    header = book.table.header
    found = [
        Trouble("unassigned", each.student.shown(), "is not assigned this in Canvas, which would ignore the grade")
        for each in filled
        if book.cell(each.student, column).strip().upper() == _NOT_ASSIGNED
    ]
    if header.count(column.header) > 1:
        found.append(Trouble("column", column.header, "is there twice, and Canvas would fill the first"))
    first = next((each for each in _ordered(book, filled) if book.table.form.delimiter == ";"), None)
    if first and any("\n" in cell or "\r" in cell for cell in _row(book, first, column)):
        why = "has a line break, by which Canvas would misread the semicolons; export with commas"
        found.append(Trouble("line break", first.student.shown(), why))
    return found


def write(book: Book, column: Column, filled: Sequence[Filled]) -> Table:
    table = book.table
    kept = _kept(table)
    rows = [tuple(table.cell(0, index) for index in (*kept, column.index))]
    points_row = _points_row(table)
    if points_row is not None:  # as it came: other points would change the assignment's
        rows.append(tuple(table.cell(points_row, index) for index in (*kept, column.index)))
    rows += [_row(book, each, column) for each in _ordered(book, filled)]
    return Table(tuple(rows), table.form)


def excused() -> str:
    return "EX"


def written(points: Decimal, book: Book) -> str:
    return decimal_text(points)


def file_stem(name: str) -> str:
    """A sortable name as Canvas writes it before the names of downloaded files: letters, digits and underscores."""
    kept = (letter for letter in name if unicodedata.category(letter)[0] in "LM" or _WORD.fullmatch(letter))
    return "".join(kept).lower()


def _points_row(table: Table) -> int | None:
    """Where the maxima stand. A row "Manual Posting" may come before it, and need not be given back."""
    return next((row for row in range(1, min(4, len(table.rows))) if _POINTS in table.cell(row, 0)), None)


def _student(table: Table, row: int) -> Student:
    def cell(name: str) -> str:
        return table.cell(row, column_of(table.header, name)).strip()

    shown = re.sub(r'^="(.*)"$', r"\1", cell("Student"))  # Canvas writes a name that begins with = so
    last, comma, first = shown.partition(",")
    names = (shown, *both_orders(first, last)) if comma else (shown, *both_orders(cell("FirstName"), cell("LastName")))
    number_ = cell("ID")
    stems = {file_stem(shown), *(file_stem(name) for name in names)}
    return Student(
        row,
        login=cell("SIS Login ID"),
        sis_id=cell("SIS User ID"),
        lms_id=number_,
        names=tuple(dict.fromkeys(name for name in names if name)),
        aliases=tuple(sorted(plain(f"{stem}_{number_}") for stem in stems if stem and number_)),
        section=cell("Section"),
    )


def _column(table: Table, index: int, points_row: int | None) -> Column:
    header = table.header[index].strip()
    found = _WITH_ID.fullmatch(header)
    points = "" if points_row is None else table.cell(points_row, index).strip()
    closed = ""
    if _TOTALS.search(header):
        closed = "Canvas takes every header with these words for a total and drops it; rename the assignment there"
    elif points == _READ_ONLY:
        closed = "Canvas marks it (read only)"
    elif not found:
        closed = "it has no (id), so Canvas would make a new assignment; export the gradebook again"
    title, id_ = (found[1], found[2]) if found else (header, "")
    return Column(index, table.header[index], title, id_, number(points), closed)


def _kept(table: Table) -> list[int]:
    """Identity columns alone: notes and other custom columns may be stale."""
    places = {column_of(table.header, name) for name in _IDENTITY}
    return sorted(place for place in places if place is not None)


def _row(book: Book, each: Filled, column: Column) -> tuple[str, ...]:
    return (*(book.table.cell(each.student.row, index) for index in _kept(book.table)), each.cell)


def _ordered(book: Book, filled: Sequence[Filled]) -> list[Filled]:
    """Rows with line breaks last where semicolons divide: Canvas guesses them from the first three lines."""
    if book.table.form.delimiter != ";":
        return list(filled)
    return sorted(
        filled, key=lambda each: any("\n" in cell or "\r" in cell for cell in book.table.rows[each.student.row])
    )
