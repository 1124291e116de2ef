"""Moodle: a CSV for "Grades > Import > CSV file", made from Moodle's own export or grading worksheet.

Rules observed on a Moodle 4.3 and read in its source. Its importer asks which column means what, so the
file holds one identity, the grade, and feedback where there is any: a blank cell would delete a grade, and
a name that ends in a backslash would take its neighbour along.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from autograder.course.errors import CourseError
from autograder.exchange.formats import Book, decimal_text
from autograder.exchange.model import Column, Filled, Roster, Student, Trouble, both_orders, folded, number
from autograder.exchange.tables import Table, calm, column_of

NAME = "moodle"
SUFFIXES = (".csv", ".txt")
_KEYS = (("Username", "login"), ("ID number", "sis_id"), ("Email address", "email"))
_REAL = re.compile(r"(?:Assignment: )?(.*) \(Real\)", re.DOTALL)
_KNOWN = (
    "First name", "Last name", "Full name", "Identifier", "Institution", "Department", "Status", "Maximum Grade",
    "Grade can be changed", "Last modified (submission)", "Last modified (grade)", "Feedback comments",
    "Last downloaded from this course", "Groups", "City/town", "Country", "Last access to course", "Roles",
)  # fmt: skip
_TRAP = re.compile(r'\\(?="|$)')  # a backslash at which PHP's reader of CSV goes astray
_OTHER = ("(Feedback)", "(Percentage)", "(Letter)")


def recognises(table: Table) -> bool:
    header = table.header
    keys = any(column_of(header, name) is not None for name, _ in _KEYS)
    return keys and any(column_of(header, name) is not None for name in ("First name", "Full name", "Identifier"))


def read(table: Table, id_column: str = "") -> Book:
    header = table.header
    key = column_of(header, id_column) if id_column else None
    if id_column and key is None:
        raise CourseError(f"this file has no column {id_column!r} to know students by")
    if key is None and all(column_of(header, name) is None for name, _ in _KEYS):
        raise CourseError(
            "this file has none of Username, ID number and Email address: name the column by which Moodle knows "
            "students with --id-column"
        )
    students = tuple(_student(table, row, key) for row in range(1, len(table.rows)))
    return Book(table, Roster(students), _columns(table, key), key)


def troubles(book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
    found = []
    key = _key(book, filled)
    if key is None:
        return [Trouble("identity", "the roster", "has no identity that all of these students have")]
    seen: dict[str, Student] = {}
    for each in filled:
        value = book.table.cell(each.student.row, key)
        bad = sorted({letter for letter in value if not letter.isprintable()} | set(_TRAP.findall(value)))
        if not value.strip():
            found.append(Trouble("identity", each.student.shown(), f"has no {book.table.header[key]!r}"))
        if bad:
            why = f"has {', '.join(map(ascii, bad))} in {book.table.header[key]!r}, which Moodle refuses or mangles"
            found.append(Trouble("identity", each.student.shown(), why))
        if folded(value) in seen:
            why = f"shares {value!r} with {seen[folded(value)].shown()}, and the last row would win"
            found.append(Trouble("duplicate", each.student.shown(), why))
        seen[folded(value)] = each.student
    return found


def write(book: Book, column: Column, filled: Sequence[Filled]) -> Table:
    table, key = book.table, _key(book, filled)
    comments = any(each.comment for each in filled)
    if comments and not all(each.comment for each in filled):
        missing = next(each.student.shown() for each in filled if not each.comment)
        raise CourseError(
            f"{missing} has a grade and no feedback, and Moodle would erase what is there: export with feedback "
            "for everybody, or for nobody"
        )
    rows = [(table.cell(0, key), column.header, *([f"{column.title} feedback"] if comments else []))]
    for each in filled:
        comment = [_unescaped(calm(each.comment))] if comments else []
        rows.append((table.cell(each.student.row, key), each.cell, *comment))
    return Table(tuple(rows), table.form)


def excused() -> str:
    return ""


def written(points: Decimal, book: Book) -> str:
    return decimal_text(points)


def shown_name(name: str) -> str:
    """A full name as Moodle writes it before the names of downloaded files."""
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f&<>\"`|':\\/*?#%]", "", name.replace("_", " "))).strip()


def _student(table: Table, row: int, key: int | None) -> Student:
    header = table.header

    def cell(name: str) -> str:
        return table.cell(row, column_of(header, name)).strip()

    own = table.cell(row, key).strip()  # blank where no column was named
    full = cell("Full name")
    names = tuple(dict.fromkeys((*((full,) if full else ()), *both_orders(cell("First name"), cell("Last name")))))
    participant = "".join(re.findall(r"(\d+)$", cell("Identifier")))
    files = {shown_name(name) for name in names} if participant else set()
    return Student(
        row,
        login=cell("Username"),
        sis_id=cell("ID number"),
        lms_id=own if key is not None and folded(header[key]) not in {folded(name) for name, _ in _KEYS} else "",
        email=cell("Email address"),
        participant=participant,
        names=tuple(dict.fromkeys((*names, *(shown_name(name) for name in names)))),
        aliases=tuple(sorted(f"{name}_{participant}" for name in files)),
    )


def _columns(table: Table, key: int | None) -> tuple[Column, ...]:
    header = table.header
    real = [(index, found) for index, cell in enumerate(header) if (found := _REAL.fullmatch(cell.strip("\ufeff ")))]
    if real:
        return tuple(
            Column(index, header[index], found[1], closed="Moodle adds it up" * _is_total(found[1]))
            for index, found in real
        )
    known = {column_of(header, name) for name in (*_KNOWN, *(name for name, _ in _KEYS))} | {key}
    rest = [i for i, cell in enumerate(header) if i not in known and cell.strip() and not cell.endswith(_OTHER)]
    most = table.cell(1, column_of(header, "Maximum Grade")) if len(table.rows) > 1 else ""
    return tuple(Column(index, header[index], header[index].strip(), maximum=number(most)) for index in rest)


def _is_total(title: str) -> bool:
    return title == "Course total" or title.endswith(" total")


def _key(book: Book, filled: Sequence[Filled]) -> int | None:
    """The one identity column: the user name, else the id number, else the address, that everybody has."""
    if book.key is not None:
        return book.key
    header = book.table.header
    places = [place for name, _ in _KEYS if (place := column_of(header, name)) is not None]
    rows = [each.student.row for each in filled]
    return next((place for place in places if all(book.table.cell(row, place).strip() for row in rows)), None)


def _unescaped(text: str) -> str:
    """Feedback without Moodle's backslash trap: a backslash at the end or before a quote takes the next rows along.

    A space goes between; at the end Moodle trims it off again.
    """
    return _TRAP.sub(r"\\ ", text)
