"""A workbook: the teacher's own template, filled; or a new one for people to open.

Of the grade systems of Chinese universities no template is public, so none is built in: the one column of
the teacher's file is filled, and nothing else in it is touched. A text that begins with `=` stays a text.
"""

import datetime
import io
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from autograder.course.errors import CourseError, listed, nearest
from autograder.exchange.formats import Book
from autograder.exchange.model import Column, Filled, Trouble
from autograder.exchange.tables import MAX_TABLE, Table, column_of, kind_of

NAME = "xlsx"
ID_HEADERS = ("学号", "Student ID", "Student Number", "SID")
_HEADER_ROWS = 40  # a title, the course, the teacher and the term stand above the header
_MAX_UNPACKED = 512 * 2**20  # bytes: a workbook is a zip, and could be a bomb
_ILLEGAL = frozenset(map(chr, [*range(9), 11, 12, *range(14, 32)]))


def is_workbook(path: Path) -> bool:
    """Whether a file is an .xlsx, whatever it is called; CourseError where it is a thing that only looks like one."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    if start.startswith(b"PK"):
        return True
    what = kind_of(start)
    if what:
        raise CourseError(f"{path} is {what}")
    return False


def id_header(table: Table) -> str:
    """The header of the student ids in a table from a sheet."""
    place = column_of(table.header, *ID_HEADERS)
    return "" if place is None else table.header[place]


def read_sheet(path: Path, id_column: str = "") -> tuple[Table, tuple[str, int]]:
    """The header and the rows below it as text, with the sheet's name and the header's row, counted from 0.

    Rows keep their distance from the header, blank ones too, so that row i of the table is i below it.
    """
    book = _opened(path)
    found = []
    wanted = {id_column.casefold()} if id_column else {name.casefold() for name in ID_HEADERS}
    for sheet in book.worksheets:
        for row in sheet.iter_rows(max_row=_HEADER_ROWS):
            if any(_text(cell).strip().casefold() in wanted for cell in row):
                found.append((sheet, row[0].row))
                break
    if len(found) != 1:
        sheets = listed(sheet.title for sheet, _ in found)
        where = f"{len(found)} sheets, {sheets}" if found else f"no sheet's first {_HEADER_ROWS} rows"
        raise CourseError(
            f"{path}: a column {id_column or ' or '.join(ID_HEADERS)} is in {where}: "
            "keep one such sheet, or name the column of the student ids with --id-column"
        )
    sheet, first = found[0]
    rows = [tuple(_text(cell) for cell in row) for row in sheet.iter_rows(min_row=first)]
    return Table(tuple(rows)), (sheet.title, first)


def fill(path: Path, book: Book, column: Column, filled: Sequence[Filled]) -> bytes:
    """The workbook with the students' cells of one column as numbers; everything else as it was."""
    workbook = _opened(path)
    _, (title, first) = read_sheet(path, book.table.header[book.key] if book.key is not None else "")
    sheet = workbook[title]
    for each in filled:
        cell = sheet.cell(row=first + each.student.row, column=column.index + 1)
        cell.value = float(each.cell) if "." in each.cell else int(each.cell)
    return _saved(workbook)


def troubles(path: Path, book: Book, column: Column, filled: Sequence[Filled]) -> list[Trouble]:
    """Cells that cannot be filled: computed ones, and parts of a merged cell."""
    workbook = _opened(path)
    _, (title, first) = read_sheet(path, book.table.header[book.key] if book.key is not None else "")
    found = []
    for each in filled:
        cell = workbook[title].cell(row=first + each.student.row, column=column.index + 1)
        if type(cell).__name__ == "MergedCell":
            found.append(Trouble("cell", each.student.shown(), f"{cell.coordinate} is part of a merged cell"))
        elif cell.data_type == "f":
            found.append(Trouble("cell", each.student.shown(), f"{cell.coordinate} holds a formula, which computes it"))
    return found


def column_named(book: Book, wanted: str, path: Path) -> Column:
    """The column to be filled. It has to be named: a template has several."""
    titles = [column.title for column in book.columns]
    if not wanted:
        raise CourseError(f"{path} has the columns {listed(titles)}: name the one to fill with --assignment-column")
    found = [column for column in book.columns if column.title == wanted.strip()]
    if len(found) != 1:
        raise CourseError(f"{path} has {len(found)} columns {wanted!r}{nearest(wanted, titles)}: {listed(titles)}")
    return found[0]


def for_people(header: Sequence[str], rows: Sequence[Sequence[str | Decimal | None]]) -> bytes:
    """A new workbook whose texts are texts and whose numbers are numbers, whatever a student is called."""
    from openpyxl import Workbook

    workbook = Workbook()
    sheet = workbook.active
    for place, values in enumerate([header, *rows], 1):
        for index, value in enumerate(values, 1):
            cell = sheet.cell(row=place, column=index)
            if isinstance(value, str):
                cell.value = "".join("\ufffd" if letter in _ILLEGAL else letter for letter in value)
                cell.data_type = "s"  # openpyxl would make a formula of what begins with =
                cell.number_format = "@"
            elif value is not None:
                cell.value = value
    sheet.freeze_panes = "A2"
    return _saved(workbook)


def _opened(path: Path) -> Any:
    from openpyxl import load_workbook  # a third of a second, which only workbooks cost
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        if path.stat().st_size > MAX_TABLE:
            raise CourseError(f"{path} is larger than {MAX_TABLE // 2**20} MiB, no gradebook")
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_UNPACKED:
                raise CourseError(f"{path} unpacks to more than {_MAX_UNPACKED // 2**20} MiB, no gradebook")
        return load_workbook(io.BytesIO(path.read_bytes()))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise CourseError(f"{path} is no workbook that can be read: open it, save it as .xlsx and try again") from error


def _saved(workbook: Any) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def _text(cell: Any) -> str:
    """A cell as it is meant: an id that became a number is written without `.0`, with the zeros its format shows."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool | datetime.datetime | datetime.date):
        return str(value)
    if isinstance(value, int | float):
        text = str(int(value)) if float(value).is_integer() else repr(value)
        shown = cell.number_format
        return text.zfill(len(shown)) if shown and set(shown) == {"0"} else text
    return str(value)
