"""D2L Brightspace: the grades' CSV of "Export" and "Import".

Rules from D2L's knowledge base (3538) and files that others have published.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from autograder.course.errors import CourseError
from autograder.exchange.formats import Book, decimal_text
from autograder.exchange.model import Column, Filled, Roster, Student, Trouble, both_orders, number
from autograder.exchange.tables import Table, column_of

NAME = "brightspace"
SUFFIXES = (".csv", ".tsv", ".txt")
_END = "End-of-Line Indicator"
_KEYS = ("OrgDefinedId", "Username")
_GRADE = re.compile(r"(.*) Points Grade(?:\s*<([^<>]*)>)?\s*", re.DOTALL)
_MAXIMUM = re.compile(r"MaxPoints:\s*(\d+(?:[.,]\d+)?)")


def recognises(table: Table) -> bool:
    return column_of(table.header, _END) is not None and column_of(table.header, *_KEYS) is not None


def read(table: Table, id_column: str = "") -> Book:
    if not recognises(table):
        raise CourseError(
            "this is no grade file of Brightspace: it has OrgDefinedId or Username, and ends in "
            "End-of-Line Indicator; export it again (Grades > Export, with points grade)"
        )
    header = table.header
    students = []
    for row in range(1, len(table.rows)):

        def cell(name: str, row: int = row) -> str:
            return table.cell(row, column_of(header, name)).strip().removeprefix("#")

        students.append(
            Student(
                row,
                login=cell("Username"),
                sis_id=cell("OrgDefinedId"),
                email=cell("Email"),
                names=both_orders(cell("First Name"), cell("Last Name")),
            )
        )
    columns = (_column(index, cell) for index, cell in enumerate(header))
    return Book(table, Roster(tuple(students)), tuple(column for column in columns if column))


def troubles(book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
    return [
        Trouble("identity", each.student.shown(), "has neither OrgDefinedId nor Username")
        for each in filled
        if not (each.student.login or each.student.sis_id)
    ]


def write(book: Book, column: Column, filled: Sequence[Filled]) -> Table:
    table = book.table
    kept = [place for name in _KEYS if (place := column_of(table.header, name)) is not None]
    end = table.header[column_of(table.header, _END) or 0]
    rows = [(*(table.cell(0, index) for index in kept), column.header, end)]
    rows += [(*(table.cell(each.student.row, index) for index in kept), each.cell, "#") for each in filled]
    return Table(tuple(rows), table.form)


def excused() -> str:
    return ""


def written(points: Decimal, book: Book) -> str:
    return decimal_text(points)


def _column(index: int, header: str) -> Column | None:
    found = _GRADE.fullmatch(header)
    if not found:
        return None
    title = found[1].strip("\ufeff ")
    most = _MAXIMUM.search(found[2] or "")
    closed = "its name ends in Points Grade, at which Brightspace would cut it; rename it there"
    return Column(
        index, header, title, maximum=number(most[1]) if most else None, closed=closed * title.endswith("Points Grade")
    )
