"""Did the LMS take what was sent?

"Import succeeded" is no proof. The LMS's next export is read as a roster is, and compared with the sidecar
cell by cell: those that were sent, and those that were not and had a grade before.
"""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from autograder.course.errors import CourseError
from autograder.exchange import xlsx
from autograder.exchange.formats import Book, choose
from autograder.exchange.model import Column, folded, number
from autograder.exchange.rosters import read_roster
from autograder.exchange.sidecar import read_sidecar

# LMSs show two decimals of what they keep; half of the second one is rounding, not a change.
_ROUNDING = Decimal("0.005")


@dataclass(frozen=True)
class Verified:
    """differences: (student, what was sent or stood there, what stands there now). right: cells that agree."""

    column: str
    right: int
    differences: tuple[tuple[str, str, str], ...]


def verify(sent_path: Path, export_path: Path, *, encoding: str = "") -> Verified:
    """Compare a sent file with the LMS's export made after the import."""
    sent = read_sidecar(sent_path)
    lms = "" if sent.format == "xlsx" else sent.format
    _, book = read_roster(export_path, lms=lms, id_column=sent.id_column, encoding=encoding)
    column = _same_column(book, sent.column, sent.column_id, export_path, sent.format)
    now: dict[str, list[str]] = {}
    for student in book.roster:
        identity = folded(getattr(student, sent.key))
        now.setdefault(identity, []).append(book.cell(student, column).strip())
    if not any(now):
        raise CourseError(f"{export_path} does not say each student's {sent.key}, by which the grades were sent")
    right, differences = 0, []
    for what in (sent.sent, sent.kept):
        for identity, cell in what.items():
            cells = now.get(folded(identity), [])
            if len(cells) == 1 and _equal(cell, cells[0]):
                right += 1
            else:
                differences.append((identity, cell, " and ".join(cells) if cells else "no such student"))
    return Verified(column.title, right, tuple(differences))


def _same_column(book: Book, header: str, id_: str, path: Path, lms: str) -> Column:
    if lms == "xlsx":
        return xlsx.column_named(book, header, path)
    if id_:  # an assignment may have been renamed since
        found = [column for column in book.columns if column.id == id_]
        if found:
            return found[0]
    return choose(book.columns, header, str(path))


def _equal(before: str, now: str) -> bool:
    old, new = number(before), number(now)
    if old is not None and new is not None:
        return abs(old - new) <= _ROUNDING
    return before.strip().upper() == now.strip().upper()
