"""Blackboard Learn: the Grade Center's "work offline" file, comma or tab.

Rules from Blackboard's help and files that others have published. The words in brackets are in the
language of whoever exported; the number after the bar is not.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from autograder.course.errors import CourseError
from autograder.exchange.formats import Book, decimal_text
from autograder.exchange.model import Column, Filled, Roster, Student, Trouble, both_orders, number
from autograder.exchange.tables import Table, column_of

NAME = "blackboard"
SUFFIXES = (".csv", ".xls", ".txt")  # .xls is what Blackboard calls its table of tabs
_ID = re.compile(r"\|\s*(\d+)\s*$")
_MAXIMUM = re.compile(r"\[[^\[\]]*?(\d+(?:[.,]\d+)?)[^\[\]]*\]\s*\|")
_USERNAME = ("Username", "User Name", "Nombre de usuario", "Nom d'utilisateur", "Benutzername", "用户名")
_IDENTITY = ("Last Name", "First Name", *_USERNAME, "Student ID")


def recognises(table: Table) -> bool:
    return any(_ID.search(cell) for cell in table.header) and column_of(table.header, *_USERNAME) is not None


def read(table: Table, id_column: str = "") -> Book:
    header = table.header
    key = column_of(header, *((id_column,) if id_column else _USERNAME))
    if key is None:
        raise CourseError(
            f"no column {id_column or 'Username'!r} in this file: Blackboard knows students by their user name; "
            "name its column with --id-column"
        )
    students = []
    for row in range(1, len(table.rows)):
        first, last = (table.cell(row, column_of(header, name)) for name in ("First Name", "Last Name"))
        sis_id = table.cell(row, column_of(header, "Student ID")).strip()
        names = both_orders(first, last)
        students.append(Student(row, login=table.cell(row, key).strip(), sis_id=sis_id, names=names))
    columns = tuple(_column(index, cell) for index, cell in enumerate(header) if _ID.search(cell))
    return Book(table, Roster(tuple(students)), columns, key)


def troubles(book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
    return [
        Trouble("identity", each.student.shown(), "has no user name, without which Blackboard knows nobody")
        for each in filled
        if not each.student.login
    ]


def write(book: Book, column: Column, filled: Sequence[Filled]) -> Table:
    table = book.table
    places = {book.key, *(column_of(table.header, name) for name in _IDENTITY)}
    kept = sorted(place for place in places if place is not None)
    rows = [tuple(table.cell(0, index) for index in (*kept, column.index))]
    rows += [(*(table.cell(each.student.row, index) for index in kept), each.cell) for each in filled]
    return Table(tuple(rows), table.form)


def excused() -> str:
    return ""


def written(points: Decimal, book: Book) -> str:
    return decimal_text(points)


def _column(index: int, header: str) -> Column:
    found = _ID.search(header)
    assert found
    most = _MAXIMUM.search(header)
    maximum = number(most[1]) if most else None
    title = re.sub(r"\s*(?:\[[^\[\]]*\])?\s*\|\s*\d+\s*$", "", header).strip("\ufeff ")
    return Column(index, header, title, found[1], maximum or None)  # a maximum of 0 is that of a sum
