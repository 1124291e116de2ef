"""Which LMS is a roster from, and who is in it?"""

from pathlib import Path

from autograder.course.errors import CourseError, listed
from autograder.exchange import blackboard, brightspace, canvas, gradescope, moodle, plain, sakai, xlsx
from autograder.exchange.formats import Book, Format
from autograder.exchange.tables import read_table

# In the order in which they are tried: from what only one LMS writes to what any table has.
FORMATS: dict[str, Format] = {
    each.NAME: each for each in (canvas, brightspace, blackboard, sakai, moodle, gradescope, plain)
}


def read_roster(path: Path, *, lms: str = "", id_column: str = "", encoding: str = "") -> tuple[str, Book]:
    """The name of the format, and the export as a Book.

    lms: the format that it has to be in; otherwise the first one that recognises it. Workbooks (.xlsx)
        are read as a table of what their one sheet with identities holds.
    """
    if xlsx.is_workbook(path):
        table, _ = xlsx.read_sheet(path, id_column)
        return plain.NAME, plain.read(table, id_column or xlsx.id_header(table))
    table = read_table(path, encoding=encoding)
    if lms:
        try:
            return lms, FORMATS[lms].read(table, id_column)
        except CourseError as error:
            raise CourseError(f"{path}: {error}") from error
    for name, each in FORMATS.items():
        if each.recognises(table):
            return name, each.read(table, id_column)
    if id_column:
        return plain.NAME, plain.read(table, id_column)
    raise CourseError(
        f"{path} is no roster that is known: its columns are {listed(table.header)}. Give the LMS's own export of "
        "the gradebook, or name the column of the student ids with --id-column"
    )
