"""Sakai: the Gradebook's CSV of "Export" and "Import".

Rules from Sakai's ImportGradesHelper.java and ExportPanel.java. Columns 0 and 1 are known by place.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from autograder.course.errors import CourseError
from autograder.exchange.formats import Book, decimal_text
from autograder.exchange.model import Column, Filled, Roster, Student, Trouble, both_orders, number
from autograder.exchange.tables import Table, calm

NAME = "sakai"
SUFFIXES = (".csv",)
_ITEM = re.compile(r"([^\[]+)(?:\[(\d+(?:[.,]\d\d?)?)\])?\s*")


def recognises(table: Table) -> bool:
    header = [cell.strip("\ufeff ").casefold() for cell in table.header]
    return header[:2] == ["student id", "student name"] and len(header) > 2


def read(table: Table, id_column: str = "") -> Book:
    header = table.header
    if len(header) < 3:
        raise CourseError("this is no gradebook of Sakai: its columns are Student ID, Student Name and the items")
    students = []
    for row in range(1, len(table.rows)):
        name = table.cell(row, 1).strip()
        last, comma, first = name.partition(",")
        names = (name, *both_orders(first, last)) if comma else (name,)
        students.append(Student(row, login=table.cell(row, 0).strip(), names=tuple(each for each in names if each)))
    columns = []
    for index in range(2, len(header)):
        title = header[index].strip()
        if title and not title.startswith(("*", "#")):
            found = _ITEM.fullmatch(title)
            closed = "" if found else "its title holds a [ that is no maximum, which Sakai refuses; rename it there"
            most = number(found[2]) if found and found[2] else None
            name = found[1].strip() if found else title
            columns.append(Column(index, header[index], name, maximum=most, closed=closed))
    return Book(table, Roster(tuple(students)), tuple(columns))


def troubles(book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
    found = [
        Trouble("identity", each.student.shown(), "has no Student ID, by which Sakai knows students")
        for each in filled
        if not each.student.login
    ]
    found += [
        Trouble("identity", each.student.shown(), "has a backslash in the Student ID, which Sakai's reader drops")
        for each in filled
        if "\\" in each.student.login
    ]
    if book.table.header.count(column.header) > 1:
        found.append(Trouble("column", column.header, "is there twice, which Sakai refuses"))
    return found


def write(book: Book, column: Column, filled: Sequence[Filled]) -> Table:
    table = book.table
    comments = any(each.comment for each in filled)
    rows = [(*table.header[:2], column.header, *([f"* {column.title}"] if comments else []))]
    for each in filled:
        comment = [_unescaped(calm(each.comment))] if comments else []
        name = table.cell(each.student.row, 1)
        rows.append((table.cell(each.student.row, 0), _unescaped(name), each.cell, *comment))
    return Table(tuple(rows), table.form)


def excused() -> str:
    return ""


def written(points: Decimal, book: Book) -> str:
    """With a decimal comma where semicolons divide: there Sakai is set to such a language."""
    text = decimal_text(points)
    return text.replace(".", ",") if book.table.form.delimiter == ";" else text


def _unescaped(text: str) -> str:
    """A cell that no backslash opens or closes: Sakai's CSV reader takes `\\"` for a quote, which costs a row.

    Sakai does not use the name, it goes by the id; so a space in it loses nothing.
    """
    return re.sub(r'\\(?="|$)', r"\\ ", text)
