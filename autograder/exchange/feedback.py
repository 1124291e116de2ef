"""How do feedback pages get back to the students through the LMS?

Moodle takes a zip with a folder for each participant. Canvas takes the zip of the submissions back, each
file under its own name; it shows the student that name too, so what lies there has to be what its ending
says.
"""

import html
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath

from autograder.course.errors import CourseError
from autograder.exchange.formats import Book
from autograder.exchange.gradescope import public_lines
from autograder.exchange.moodle import shown_name
from autograder.exchange.results import Held, read_held, read_records
from autograder.grading.record import Record
from autograder.report.filenames import page_names
from autograder.values.outcomes import State

SUBMISSIONS = "submissions.json"
_PAGE = "feedback.html"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same zip from the same pages


@dataclass(frozen=True)
class Packed:
    """contents: the zip. students: how many have feedback in it. left_out: who has none, and why."""

    contents: bytes
    students: int
    left_out: tuple[tuple[str, str], ...]


def moodle_zip(folder: Path, worksheet: Book | None = None) -> Packed:
    """For "Upload multiple feedback files in a zip".

    folder: the --out of `autograder grade`. worksheet: the assignment's grading worksheet, which knows
        participants by number; without it, the download that was graded does.
    """
    records, pages = _graded(folder)
    if worksheet:
        folders = _by_worksheet(records, worksheet)
    else:
        folders = {name: PurePosixPath(files[0]).parts[0] for name, files in _submitted(folder, "moodle").items()}
        folders = {name: _as_folder(top) for name, top in folders.items()}
    entries, left_out = {}, []
    for record in records:
        page = pages.get(record.student)
        if page is None:
            left_out.append((record.student, str(record.state)))
        elif record.student not in folders:
            left_out.append((record.student, "no participant is known by this name"))
        else:
            entries[f"{folders[record.student]}/{_PAGE}"] = page
    return _packed(entries, left_out)


def canvas_zip(folder: Path) -> Packed:
    """For "Re-Upload Submissions": one file for each student, under a name that it came with."""
    records, pages = _graded(folder)
    files, held = _submitted(folder, "canvas"), read_held(folder)
    entries, left_out = {}, []
    for record in records:
        page = pages.get(record.student)
        if page is None:
            left_out.append((record.student, str(record.state)))
        elif record.student not in files:
            left_out.append((record.student, "was in no download of Canvas"))
        else:
            name = _best(files[record.student])
            lines = public_text(record, held.get(record.student))
            entries[name] = _as_its_suffix(PurePosixPath(name).suffix.lower(), page, lines)
    return _packed(entries, left_out)


def public_text(record: Record, held: Held | None = None) -> list[str]:
    """Feedback in lines: what the page says of each question, without its pictures.

    held: what holds by the gradebook, where the pages were made from one: its points and comments stand here too.
    """
    given = held.questions if held else {}
    comments = held.comments if held else ()

    def said(question: str) -> list[str]:
        return [text for on, text in comments if on == question]

    lines = [f"{_points(record.points)} of {record.max_points:g} points"]
    if held:
        score = held.score
        has_number = score.points is not None
        lines = [f"{score.points} of {score.maximum} points" if has_number else score.state.replace("_", " ")]
    lines += said("")
    for question in record.questions:
        points = given.get(question.id, question.points)
        lines += ["", f"{question.id}: {_points(points)} of {question.max_points:g}", *said(question.id)]
        lines += public_lines(question)
    lines += [""] if record.manual else []
    for part in record.manual:
        points = given.get(part.id)
        told = "graded by a person" if points is None else f"{_points(points)} of {part.max_points:g}, by a person"
        lines += [f"{part.id}: {told}", *said(part.id)]
    return lines + [note.text for note in record.notes if record.state != State.GRADED]


def _graded(folder: Path) -> tuple[tuple[Record, ...], dict[str, bytes]]:
    """Records, and the pages of those that are a student's business: not of a fault of ours."""
    records = read_records(folder)
    names = page_names(record.student for record in records)
    pages = {}
    for record in records:
        if record.state != State.NOT_GRADED:
            path = folder / "feedback" / names[record.student]
            try:
                pages[record.student] = path.read_bytes()
            except OSError as error:
                raise CourseError(f"{path} cannot be read: name the --out folder of `autograder grade`") from error
    return records, pages


def _submitted(folder: Path, lms: str) -> dict[str, tuple[str, ...]]:
    """Which files of a download each student's submission was, as `grade` has written down."""
    path = folder / SUBMISSIONS
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {each["student"]: tuple(each["files"]) for each in entries if each["lms"] == lms and each["files"]}
    except FileNotFoundError as error:
        raise CourseError(
            f"{path} does not exist: grade the zip that {lms.title()} gives, whose names its feedback needs"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path} cannot be read: grade again") from error


def _by_worksheet(records: Sequence[Record], worksheet: Book) -> dict[str, str]:
    folders = {}
    for record in records:
        found = [student for student in worksheet.roster.find(record.student) if student.participant]
        if len(found) == 1:
            name = shown_name(found[0].name) or "Participant"
            folders[record.student] = f"{name}_{found[0].participant}_assignsubmission_file_"
    return folders


def _as_folder(top: str) -> str:
    """Moodle's folder of a student, from it or from the name of a file that begins with it."""
    head, found, _ = top.partition("_assignsubmission_")
    if not found:
        raise CourseError(f"{top} is no name of Moodle's: grade the zip that Moodle gives")
    return f"{head}_assignsubmission_file_"


def _best(files: Sequence[str]) -> str:
    """The file that feedback goes by: the notebook where there is one."""
    order = {".ipynb": 0, ".py": 1, ".zip": 2}
    return min(files, key=lambda name: (order.get(PurePosixPath(name).suffix.lower(), 3), name))


def _as_its_suffix(suffix: str, page: bytes, lines: Sequence[str]) -> bytes:
    if suffix == ".ipynb":
        escaped = [html.escape(line, quote=False) for line in lines]
        cell = {
            "cell_type": "markdown",
            "id": "feedback",
            "metadata": {},
            "source": "# Feedback\n\n" + "  \n".join(escaped),
        }
        document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        return json.dumps(document, ensure_ascii=False).encode()
    if suffix == ".zip":
        return _packed({_PAGE: page}, []).contents
    return "".join(f"# {part}\n" for line in lines for part in line.split("\n")).encode()


def _points(points: float | Decimal | None) -> str:
    return "–" if points is None else f"{float(points):g}"


def _packed(entries: Mapping[str, bytes], left_out: Sequence[tuple[str, str]]) -> Packed:
    if not entries:
        why = "; ".join(f"{name}: {reason}" for name, reason in left_out[:5]) or "there are no results"
        raise CourseError(f"there is no feedback to be packed: {why}")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in sorted(entries.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), contents, zipfile.ZIP_DEFLATED)
    return Packed(file.getvalue(), len(entries), tuple(left_out))
