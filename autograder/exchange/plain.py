"""A list of students that is no LMS's: any table with a header that says which column is what."""

from collections.abc import Sequence
from decimal import Decimal

from autograder.course.errors import CourseError, listed
from autograder.exchange.formats import Book, decimal_text
from autograder.exchange.model import Column, Filled, Roster, Student, Trouble, both_orders
from autograder.exchange.tables import Table, column_of

NAME = "plain"
SUFFIXES: tuple[str, ...] = ()
_HEADERS = {
    "login": ("login", "username", "user name", "student", "netid", "账号", "用户名"),
    "sis_id": ("student id", "student_id", "id", "sid", "sis_id", "student number", "学号"),
    "email": ("email", "e-mail", "mail", "email address", "邮箱", "电子邮箱"),
    "name": ("name", "full name", "student name", "姓名"),
    "section": ("section", "sections", "class", "group", "班级", "教学班"),
}
_PARTS = (("first name", "first_name", "名"), ("last name", "last_name", "surname", "姓"))


def recognises(table: Table) -> bool:
    header = table.header
    return any(column_of(header, *_HEADERS[each]) is not None for each in ("login", "sis_id", "email"))


def read(table: Table, id_column: str = "") -> Book:
    """id_column: the student ids' column, where its header is none that we know."""
    header = table.header
    places = {each: column_of(header, *names) for each, names in _HEADERS.items()}
    if id_column:
        places["sis_id"] = column_of(header, id_column)
        if places["sis_id"] is None:
            raise CourseError(f"there is no column {id_column!r}; there are {listed(header)}")
    if all(places[each] is None for each in ("login", "sis_id", "email")):
        raise CourseError(f"no column of {listed(header)} is known to identify students: name one with --id-column")
    first, last = (column_of(header, *names) for names in _PARTS)
    students = []
    for row in range(1, len(table.rows)):
        cells = {each: table.cell(row, place).strip() for each, place in places.items()}
        name = cells.pop("name")
        names = (*((name,) if name else ()), *both_orders(table.cell(row, first), table.cell(row, last)))
        if names or any(cells[each] for each in ("login", "sis_id", "email")):  # a sheet has blank rows
            students.append(
                Student(
                    row, cells["login"], cells["sis_id"], email=cells["email"], names=names, section=cells["section"]
                )
            )
    known = {*places.values(), first, last}
    rest = [(index, cell) for index, cell in enumerate(header) if index not in known and cell.strip()]
    columns = tuple(Column(index, cell, cell.strip()) for index, cell in rest)
    return Book(table, Roster(tuple(students)), columns, places["sis_id"])


def troubles(book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
    return []


def write(book: Book, column: Column, filled: Sequence[Filled]) -> Table:
    """Everything but the other grade columns, with the one."""
    table = book.table
    others = {each.index for each in book.columns}
    kept = [index for index in range(len(table.header)) if index not in others]
    rows = [(*(table.cell(0, index) for index in kept), column.header)]
    rows += [(*(table.cell(each.student.row, index) for index in kept), each.cell) for each in filled]
    return Table(tuple(rows), table.form)


def excused() -> str:
    return ""


def written(points: Decimal, book: Book) -> str:
    return decimal_text(points)
