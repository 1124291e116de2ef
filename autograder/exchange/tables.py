"""What does a table from an LMS hold, and in which form is it given back?

Encoding, byte order mark, delimiter, line ends and quoting are kept: what reads the file next is the
program that wrote it, set to its school's locale.
"""

import codecs
import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.errors import CourseError

MAX_TABLE = 64 * 2**20  # bytes: a hundred times a gradebook of a thousand students
# The longest mark first: UTF-32 begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DELIMITERS = ",;\t:"  # the colon last
_LOOKED_AT = 50  # rows, to know the delimiter by


@dataclass(frozen=True)
class Form:
    """How a table is written down."""

    encoding: str = "utf-8"
    mark: bool = False
    delimiter: str = ","
    newline: str = "\n"
    quote_all: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first is the header. Rows may differ in length, `cell` does not mind."""

    rows: tuple[tuple[str, ...], ...]
    form: Form = Form()

    @property
    def header(self) -> tuple[str, ...]:
        return self.rows[0]

    def cell(self, row: int, column: int | None) -> str:
        """A cell, "" where the row is shorter or there is no such column."""
        if column is None or column >= len(self.rows[row]):
            return ""
        return self.rows[row][column]

    def encoded(self) -> bytes:
        """The table as the bytes of a file, in its form."""
        text = "".join(
            self.form.delimiter.join(_quoted(cell, self.form) for cell in row) + self.form.newline for row in self.rows
        )
        mark = next(mark for mark, encoding in _MARKS if encoding == self.form.encoding) if self.form.mark else b""
        try:
            return mark + text.encode(self.form.encoding)
        except UnicodeEncodeError as error:
            letter = text[error.start]
            raise CourseError(
                f"{letter!r} cannot be written in {self.form.encoding}, the roster's encoding: "
                "export the roster as UTF-8 from the LMS"
            ) from error


def read_table(source: Path | bytes, *, encoding: str = "") -> Table:
    """A table of text: comma, semicolon, tab or colon between cells. CourseError for anything else."""
    name = str(source) if isinstance(source, Path) else "the table"
    contents = _contents(source) if isinstance(source, Path) else source
    what = kind_of(contents)
    if what:
        raise CourseError(f"{name} is {what}, where a table of text is needed")
    text, encoding, mark = _decoded(contents, name, encoding)
    if "\0" in text:
        raise CourseError(f"{name} is no table of text in {encoding}: name its encoding with --encoding")
    delimiter = _delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise CourseError(f"{name} is no table that can be read: {error}; export it again, unopened") from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise CourseError(f"{name} holds no row: export it again")
    newline = "\r\n" if "\r\n" in text else "\r" if "\n" not in text and "\r" in text else "\n"
    form = Form(encoding, mark, delimiter, newline)
    every = Form(encoding, mark, delimiter, newline, quote_all=True)
    quoted = delimiter.join(_quoted(cell, every) for cell in rows[0])
    return Table(tuple(map(tuple, rows)), every if text.lstrip("\r\n").startswith(quoted) else form)


def write_whole(path: Path, contents: bytes) -> None:
    """Write a file at once: a reader never sees half of it."""
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_bytes(contents)
        os.replace(partial, path)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}") from error


def kind_of(contents: bytes) -> str:
    """What a file is that is no text; LMSs give names like .xls and .csv to several things. "" for text."""
    if contents.startswith(b"\xd0\xcf\x11\xe0"):
        return "an old Excel file (.xls); open it, save it as .xlsx and name that"
    if contents.startswith(b"PK"):
        return "an Excel file (.xlsx)"
    if contents.lstrip()[:1] == b"<":
        return "a web page that calls itself a table; open it in a spreadsheet and save it as .xlsx"
    return ""


def column_of(header: Sequence[str], *names: str) -> int | None:
    """The first column with one of these names, case and a byte order mark left out."""
    wanted = {name.casefold() for name in names}
    return next((index for index, cell in enumerate(header) if cell.strip("\ufeff ").casefold() in wanted), None)


def calm(text: str) -> str:
    """Free text that no spreadsheet runs as a formula. For comments only: never for identities or grades.

    The space before it makes a spreadsheet take it as text, and LMSs trim it off again. An apostrophe
    would stay.
    """
    return f" {text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _contents(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            contents = file.read(MAX_TABLE + 1)
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    if len(contents) > MAX_TABLE:
        raise CourseError(f"{path} is larger than {MAX_TABLE // 2**20} MiB, no gradebook")
    return contents


def _decoded(contents: bytes, name: str, encoding: str) -> tuple[str, str, bool]:
    """Text, encoding and whether a mark stood before it."""
    for mark, marked in _MARKS:
        if contents.startswith(mark):
            contents, encoding, found = contents[len(mark) :], marked, True
            break
    else:
        found = False
        encoding = encoding or _guessed(contents)
    try:
        if encoding:
            return contents.decode(encoding), codecs.lookup(encoding).name, found
    except LookupError as error:
        raise CourseError(f"there is no encoding {encoding!r}: name one like utf-8, gb18030 or cp1252") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{name} is not written in {encoding}: name another --encoding") from error
    raise CourseError(f"{name} is not UTF-8, and does not say what it is: name its encoding with --encoding")


def _guessed(contents: bytes) -> str:
    """UTF-8, UTF-16 without its mark, or Chinese where nearly all of it is in the first, common set; else ""."""
    if contents[:200].count(0) * 3 > len(contents[:200]):
        return "utf-16-le" if contents[1:2] == b"\0" else "utf-16-be"
    try:
        contents.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        chinese = [letter for letter in contents.decode("gb18030") if ord(letter) > 127]
    except UnicodeDecodeError:
        return ""
    # Western text has an accent beside a plain letter, which is no pair of the common set.
    common = sum(_in_gb2312(letter) for letter in chinese)
    return "gb18030" if common * 10 >= len(chinese) * 7 else ""


def _in_gb2312(letter: str) -> bool:
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _delimiter(text: str) -> str:
    """What divides the first rows into equally many cells, the most; colons only where nothing else does.

    Counting is not enough: in a table of semicolons a title may hold more commas and colons than that.
    """
    widths = {each: _widths(text, each) for each in _DELIMITERS}
    even = {each: found[0] for each, found in widths.items() if len(set(found)) == 1 and found[0] > 1}
    best = max((each for each in even if each != ":"), key=lambda each: even[each], default="")
    if best:
        return best
    most = max(_DELIMITERS, key=lambda each: widths[each][0] if widths[each] and each != ":" else 0)
    return most if widths[most] and widths[most][0] > 1 else ":" if ":" in even else ","


def _widths(text: str, delimiter: str) -> list[int]:
    """How many cells each of the first rows has, so divided; [] where quotes do not fit."""
    found: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if any(cell.strip() for cell in row):
                found.append(len(row))
            if len(found) == _LOOKED_AT:
                break
    except csv.Error:
        return []
    return found


def _quoted(cell: str, form: Form) -> str:
    needed = form.quote_all or any(letter in cell for letter in (form.delimiter, '"', "\n", "\r"))
    return '"' + cell.replace('"', '""') + '"' if needed else cell
