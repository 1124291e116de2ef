"""Who handed in which files of a download, and which attempt is it?

An LMS packs a class into one zip and writes the student into the name of each file or folder. Those
prefixes are the LMS's; what follows is the student's and decides nothing. A name that the roster does not
settle is listed, never guessed: the submission is still graded, under the name it came with.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from autograder.course.errors import CourseError, listed
from autograder.exchange.model import Roster, Student
from autograder.exchange.parts import Part
from autograder.exchange.zips import parts_of
from autograder.notebook.files import Listing, of_zip, shown
from autograder.notebook.find import NOTEBOOK_SUFFIXES, SUFFIXES, Source, find, student_of


@dataclass(frozen=True)
class Handed:
    """One submission of one student.

    key: what the student is called in the results: by the roster where it knows them, else `name`.
    name: what the download calls them. student: None where the roster does not know the name, or there is none.
    attempt: counted from 1 where the download holds several. late: None where the LMS does not say.
    submitted: the time as the LMS writes it, "" where it does not.
    files: as the download calls them; an LMS takes feedback back under these names.
    """

    key: str
    name: str
    student: Student | None
    lms: str
    source: Source
    files: tuple[str, ...]
    attempt: int | None = None
    late: bool | None = None
    submitted: str = ""


@dataclass(frozen=True)
class Download:
    """handed: the last attempt of each. earlier: attempts before it. unknown: names that no student matches.

    passed_over: entries of a download that hold nothing to be graded.
    """

    handed: tuple[Handed, ...]
    earlier: tuple[Handed, ...] = ()
    unknown: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


def read_downloads(paths: Sequence[Path], *, assignment: str = "", roster: Roster | None = None) -> Download:
    """Every submission that the paths mean, each with its student where the roster settles it.

    Raises CourseError as `find` does, and where two submissions of one kind have the same student.
    assignment: its id, for nbgrader's folders. Without a roster, downloads are known all the same.
    """
    found: list[Handed] = []
    passed_over: list[str] = []
    others: list[Path] = []
    for path in {os.path.realpath(path): path for path in reversed(paths)}.values():
        parts = parts_of(path, assignment, roster)
        if parts is None:
            others.append(path)
            continue
        passed_over += [part.name for part in parts if not part.files]
        found += [_handed(path, part) for part in parts if part.files]
    if others:
        found += [_plain(source) for source in find(reversed(others))]
    if not found:
        raise CourseError(f"no file to be graded in {listed(map(str, paths))}: only {listed(passed_over)}")
    known = [_known(each, roster) for each in found] if roster else found
    latest, earlier = _attempts(known)
    _refuse_doubles(latest)
    unknown = tuple(each.name for each in latest if roster and not each.student)
    return Download(tuple(sorted(latest, key=lambda each: each.key)), earlier, unknown, tuple(passed_over))


def as_json(download: Download) -> list[dict[str, object]]:
    """What is kept beside the results: which files each student's submission was."""
    return [
        {
            "student": each.key,
            "name": each.name,
            "matched": each.student is not None,
            "lms": each.lms,
            "attempt": each.attempt,
            "late": each.late,
            "submitted": each.submitted,
            "files": list(each.files),
        }
        for each in download.handed
    ]


def _handed(path: Path, part: Part) -> Handed:
    name = part.login or part.name
    key = student_of(name)
    place = f"{shown(str(path))}/{part.name}"
    files = tuple(sorted(part.files.values()))
    source = _source(key, place, part)
    return Handed(key, name, None, part.lms, source, files, None, part.late, part.submitted)


def _source(key: str, place: str, part: Part) -> Source:
    """The files of one student as one submission."""
    files = part.files
    listing = Listing(tuple(sorted(files)), lambda name: part.listing.read(files[name]))
    gradable = [name for name in files if PurePosixPath(name).suffix.lower() in SUFFIXES]
    if len(gradable) == 1 and (len(files) == 1 or gradable[0].lower().endswith(".zip")):
        suffix = PurePosixPath(gradable[0]).suffix.lower()
        if suffix in NOTEBOOK_SUFFIXES:
            return Source(key, f"{place}: {gradable[0]}", suffix, lambda: listing)
        return Source(key, f"{place}: {gradable[0]}", suffix, partial(_nested, listing, gradable[0]))
    return Source(key, place, "", lambda: listing)


def _nested(listing: Listing, name: str) -> Listing:
    return of_zip(listing.read(name))


def _plain(source: Source) -> Handed:
    return Handed(source.student, source.student, None, "", source, (source.path,))


def _known(each: Handed, roster: Roster) -> Handed:
    student = _student(each, roster)
    if student is None:
        return each
    key = student_of(getattr(student, roster.key_field))
    return replace(each, key=key, student=student, source=replace(each.source, student=key))


def _student(each: Handed, roster: Roster) -> Student | None:
    """The one student that a submission is of; None where there is none, or no telling which."""
    if each.lms == "canvas":
        found = roster.with_alias(each.name)
    elif each.lms == "moodle":
        found = _moodle_students(each.name, roster)
    elif each.lms == "blackboard":
        found = roster.with_login(each.name) or _blackboard_students(each.name, roster)
    else:
        found = roster.find(each.name)
    return found[0] if len(found) == 1 else None


def _moodle_students(name: str, roster: Roster) -> tuple[Student, ...]:
    """By the participant's number where the roster is a grading worksheet, else by the name in full."""
    text, _, number = name.rpartition("_")
    if not (text and number.isdecimal()):
        return roster.named(name)
    if any(student.participant for student in roster):
        return tuple(student for student in roster if student.participant == number)
    return roster.named(text)


def _blackboard_students(head: str, roster: Roster) -> tuple[Student, ...]:
    """By every login that the name may end in: `HW_1_jane_doe` may be of jane_doe or of doe."""
    ends = [head[place + 1 :] for place, letter in enumerate(head) if letter == "_"]
    return tuple(student for end in ends if end for student in roster.with_login(end))


def _attempts(found: Sequence[Handed]) -> tuple[list[Handed], tuple[Handed, ...]]:
    """The last attempt of each student, and those before; only Blackboard packs several."""
    groups: dict[str, list[Handed]] = {}
    rest = []
    for each in found:
        if each.lms == "blackboard":
            groups.setdefault(each.key, []).append(each)
        else:
            rest.append(each)
    earlier: list[Handed] = []
    for group in groups.values():
        ordered = sorted(group, key=lambda each: each.submitted)
        numbered = [replace(each, attempt=number) for number, each in enumerate(ordered, 1)]
        earlier += numbered[:-1]
        rest.append(numbered[-1])
    return rest, tuple(earlier)


def _refuse_doubles(handed: Iterable[Handed]) -> None:
    seen: dict[str, Handed] = {}
    for each in handed:
        other = seen.setdefault(each.key, each)
        if other is not each:
            raise CourseError(
                f"two submissions are of {each.key!r}, {other.source.path} and {each.source.path}: "
                "rename or leave out one"
            )
