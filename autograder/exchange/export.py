"""How does a list of scores become a file that an LMS takes, or a list of reasons why not?

Everything is looked at before anything is written: an LMS says "import succeeded" of files that have
deleted grades. Students without a number are left out, because a blank cell deletes as well.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from autograder.course.errors import CourseError, listed
from autograder.exchange import xlsx
from autograder.exchange.formats import Book, Format, choose, decimal_text
from autograder.exchange.model import (
    Column,
    Filled,
    GradeState,
    Matched,
    Refused,
    Roster,
    Score,
    Student,
    Trouble,
    folded,
    match,
)
from autograder.exchange.rosters import FORMATS, read_roster
from autograder.exchange.sidecar import Sent, write_sidecar
from autograder.exchange.tables import write_whole

LMS = ("canvas", "moodle", "blackboard", "brightspace", "sakai")


@dataclass(frozen=True)
class Wish:
    """What the caller wants of an export.

    column: title, header or id of the grade column; "" for the only one there is.
    step: points are rounded to a multiple of it, halves up.
    rescale: points are scaled from our maximum to the LMS's, where they differ.
    leave_out: students of the results that are left out on purpose.
    """

    column: str = ""
    id_column: str = ""
    encoding: str = ""
    step: Decimal = Decimal("0.01")
    rescale: bool = False
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exported:
    """What was written. left_out: students without a number, by the state that explains it."""

    path: Path
    column: Column
    filled: tuple[Filled, ...]
    left_out: tuple[tuple[str, GradeState], ...]

    def counts(self) -> dict[str, int]:
        return {"sent": len(self.filled), **Counter(str(state) for _, state in self.left_out)}


def export_lms(lms: str, scores: Sequence[Score], roster_path: Path, out: Path, wish: Wish) -> Exported:
    """Write the file for one LMS and the sidecar beside it; Refused with every reason where it will not do."""
    layout = FORMATS[lms]
    _must_be_suffix(out, layout)
    _must_be_another(out, roster_path)
    _, book = read_roster(roster_path, lms=lms, id_column=wish.id_column, encoding=wish.encoding)
    column = _column(layout, book, wish, roster_path)
    matched = _matched(scores, book.roster, wish.leave_out)
    filled, found = _filled(layout, book, column, matched, wish)
    found = [*matched.troubles, *_double_keys(book.roster), *found, *layout.troubles(book, column, filled)]
    left_out = _without_number(matched, layout)
    _must_do(found, filled, left_out)
    table = layout.write(book, column, filled)
    exported = Exported(out, column, filled, left_out)
    _write(lms, table.encoded(), exported, book, roster_path, wish)
    return exported


def export_xlsx(scores: Sequence[Score], template: Path, out: Path, wish: Wish) -> Exported:
    """Fill one column of the teacher's own workbook."""
    if out.suffix.lower() != ".xlsx":
        raise CourseError(f"--out {out}: a workbook's name ends in .xlsx")
    _must_be_another(out, template)
    _, book = read_roster(template, id_column=wish.id_column)
    book = replace(book, roster=Roster(tuple(student for student in book.roster if student.sis_id)))
    column = xlsx.column_named(book, wish.column, template)
    matched = _matched(scores, book.roster, wish.leave_out)
    filled, found = _filled(FORMATS["plain"], book, column, matched, wish)
    found = [*matched.troubles, *_double_keys(book.roster), *found, *xlsx.troubles(template, book, column, filled)]
    left_out = _without_number(matched, FORMATS["plain"])
    _must_do(found, filled, left_out)
    exported = Exported(out, column, filled, left_out)
    _write("xlsx", xlsx.fill(template, book, column, filled), exported, book, template, wish)
    return exported


def people_xlsx(scores: Sequence[Score], roster: Roster | None, out: Path, wish: Wish) -> int:
    """A workbook for people to open, with every student and state; returns how many rows it has."""
    if out.suffix.lower() != ".xlsx":
        raise CourseError(f"--out {out}: a workbook's name ends in .xlsx")
    fields = ("name", "login", "sis_id", "email", "section")
    rows: list[list[str | Decimal | None]] = []
    for student, score in pairs_of(scores, roster, wish.leave_out):
        known = [getattr(student, each) if student else "" for each in fields]
        points = rounded(score.points, wish.step) if score and score.points is not None else None
        state = (score.state if score else GradeState.MISSING).replace("_", " ")
        maximum = score.maximum if score else None
        rows.append([score.student if score else "", *known, state, points, maximum])
    header = ("student", *fields, "state", wish.column or "points", "max_points")
    write_whole(out, xlsx.for_people(header, rows))
    return len(rows)


def pairs_of(
    scores: Sequence[Score], roster: Roster | None, leave_out: Collection[str] = ()
) -> list[tuple[Student | None, Score | None]]:
    """Students beside their scores, for tables in which nobody is left out; Refused where some do not match."""
    if roster is None:
        doubles = [name for name, count in Counter(score.student for score in scores).items() if count > 1]
        if doubles:
            raise Refused(Trouble("duplicate", name, "has several results") for name in doubles)
        return [(None, score) for score in scores if score.student not in leave_out]
    matched = _matched(scores, roster, leave_out)
    if matched.troubles:
        raise Refused(matched.troubles)
    by_row = {student.row: score for student, score in matched.pairs}
    return [(student, by_row.get(student.row)) for student in roster]


def rounded(points: Decimal, step: Decimal) -> Decimal:
    """To the nearest multiple of `step`, halves away from zero: 84.5 is 85, which Python's round() does not say."""
    return (points / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def _matched(scores: Sequence[Score], roster: Roster, leave_out: Collection[str]) -> Matched:
    names = {folded(score.student) for score in scores}
    unknown = [name for name in leave_out if folded(name) not in names]
    if unknown:
        raise CourseError(f"--leave-out {unknown[0]!r} is nobody in the results")
    left = {folded(name) for name in leave_out}
    return match((score for score in scores if folded(score.student) not in left), roster)


def _filled(
    layout: Format, book: Book, column: Column, matched: Matched, wish: Wish
) -> tuple[tuple[Filled, ...], list[Trouble]]:
    filled, found = [], []
    for student, score in matched.pairs:
        if score.points is None:
            if score.state is GradeState.EXCUSED and layout.excused():
                filled.append(Filled(student, layout.excused(), score.comment))
            continue
        points, trouble = _points(student, score, score.points, column, wish)
        if trouble:
            found.append(trouble)
        else:
            filled.append(Filled(student, layout.written(points, book), score.comment))
    return tuple(filled), found


def _points(
    student: Student, score: Score, points: Decimal, column: Column, wish: Wish
) -> tuple[Decimal, Trouble | None]:
    if not points.is_finite() or not score.maximum.is_finite():
        return points, Trouble("number", student.shown(), f"has {points} of {score.maximum}")
    maximum = score.maximum
    if column.maximum is not None and column.maximum != maximum:
        if not wish.rescale or not maximum:
            why = f"the LMS counts it out of {decimal_text(column.maximum)}, we graded out of {decimal_text(maximum)}"
            return points, Trouble("maximum", column.title, f"{why}; --rescale scales every grade")
        points, maximum = points * column.maximum / maximum, column.maximum
    points = rounded(points, wish.step)
    if points < 0:
        return points, Trouble("negative", student.shown(), f"has {decimal_text(points)}")
    if points > maximum:
        why = f"has {decimal_text(points)}, over the maximum of {decimal_text(maximum)}"
        return points, Trouble("over maximum", student.shown(), why)
    return points, None


def _without_number(matched: Matched, layout: Format) -> tuple[tuple[str, GradeState], ...]:
    left = [
        (student.shown(), score.state)
        for student, score in matched.pairs
        if score.points is None and not (score.state is GradeState.EXCUSED and layout.excused())
    ]
    return (*left, *((student.shown(), GradeState.MISSING) for student in matched.absent))


def _double_keys(roster: Roster) -> list[Trouble]:
    """Identities that two rows share: of those the LMS would take either."""
    found = []
    for name in ("login", "sis_id", "lms_id", "participant"):
        seen: dict[str, Student] = {}
        for student in roster:
            value = folded(getattr(student, name))
            if value and value in seen:
                why = f"has the {name} {value!r} of row {seen[value].row + 1} too, {seen[value].shown()}"
                found.append(Trouble("duplicate", student.shown(), f"row {student.row + 1} {why}"))
            seen.setdefault(value, student)
    return found


def _must_do(found: Iterable[Trouble], filled: Sequence[Filled], left_out: Sequence[tuple[str, GradeState]]) -> None:
    troubles = tuple(dict.fromkeys(found))  # what is wrong with the column is said once
    if troubles:
        raise Refused(troubles)
    if not filled:
        counts = Counter(str(state).replace("_", " ") for _, state in left_out)
        why = ", ".join(f"{count} {state}" for state, count in counts.items()) or "there are no results"
        raise CourseError(f"nobody has a grade to be sent: {why}")


def _column(layout: Format, book: Book, wish: Wish, path: Path) -> Column:
    """The grade column. Where the file has none, which Moodle's may not, the name that was given."""
    if layout.NAME == "moodle" and not book.columns:
        if not wish.column:
            raise CourseError(f"{path} has no grade column: say with --assignment-column what the new one is called")
        return Column(len(book.table.header), wish.column, wish.column)
    return choose(book.columns, wish.column, str(path))


def _must_be_another(out: Path, roster: Path) -> None:
    if out.resolve() == roster.resolve():
        raise CourseError("--out is the roster itself: name another file, and keep the LMS's as it is")


def _must_be_suffix(out: Path, layout: Format) -> None:
    if layout.SUFFIXES and out.suffix.lower() not in layout.SUFFIXES:
        raise CourseError(f"--out {out}: {layout.NAME} takes names that end in {listed(layout.SUFFIXES)}")


def _write(lms: str, contents: bytes, exported: Exported, book: Book, roster_path: Path, wish: Wish) -> None:
    key = book.roster.key_field
    rows = {each.student.row for each in exported.filled}
    others = [student for student in book.roster if student.row not in rows]
    kept = {getattr(student, key): book.cell(student, exported.column).strip() for student in others}
    sent = Sent(
        format=lms,
        file=exported.path.name,
        sha256=hashlib.sha256(contents).hexdigest(),
        roster_sha256=hashlib.sha256(roster_path.read_bytes()).hexdigest(),
        key=key,
        id_column=wish.id_column,
        column=exported.column.header,
        column_id=exported.column.id,
        maximum=decimal_text(exported.column.maximum) if exported.column.maximum is not None else "",
        rounded_to=decimal_text(wish.step),
        counts=exported.counts(),
        sent={getattr(each.student, key): each.cell for each in exported.filled},
        kept={identity: cell for identity, cell in kept.items() if cell},
    )
    write_whole(exported.path, contents)
    write_sidecar(sent, exported.path)
