"""Which submissions do the paths on a command line mean?

A path is a submission (a notebook, a script, a folder or a zip that holds one notebook with its helper
files) or a collection of submissions (a folder or a zip). Everything in a collection is one submission
each, so one level is looked into and no more.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from autograder.course.errors import CourseError
from autograder.notebook.files import Listing, Refused, ignored, of_folder, of_zip, read_file, shown, stays_within

NOTEBOOK_SUFFIXES = frozenset({".ipynb", ".py"})
SUFFIXES = NOTEBOOK_SUFFIXES | {".zip"}
_IMPORT = re.compile(rb"\b(?:import|from)\s+\.?(\w+)")


@dataclass(frozen=True)
class Source:
    """Where one submission lies; reading it is left for later, and for `read`.

    student: the name of the file, without its suffix, or of the folder.
    path: the place in words: a path, or an archive's path with the path in it.
    suffix: ".ipynb", ".py", ".zip", or "" for a folder.
    listing: the submission's files; raises Refused where they cannot be listed. Of a single file, that.
    """

    student: str
    path: str
    suffix: str
    listing: Callable[[], Listing]


def find(paths: Iterable[Path | str]) -> list[Source]:
    """Every submission that the paths mean, sorted by student.

    Files of other kinds (README.md, expected.toml), hidden ones and `__MACOSX` in a collection are passed
    over. CourseError for a path that does not exist or holds no submission, and where two submissions
    have the same student.
    """
    places: dict[str, Path] = {}
    for path in map(Path, paths):
        places.setdefault(os.path.realpath(path), path)  # the same path given twice is meant once
    found = [source for path in places.values() for source in _meant(path)]
    _refuse_namesakes(found)
    return sorted(found, key=lambda source: source.student)


def source_of(path: Path) -> Source:
    """One path as one submission, whatever it holds."""
    if path.is_dir():
        return Source(student_of(path.resolve().name), shown(str(path)), "", partial(of_folder, path))
    suffix = path.suffix.lower()
    student = student_of(path.stem)
    if suffix == ".zip":
        return Source(student, shown(str(path)), suffix, partial(of_zip, path))
    single = Listing((shown(path.name),), lambda _: read_file(path))
    return Source(student, shown(str(path)), suffix, lambda: single)


def main_file(listing: Listing) -> str | None:
    """The one notebook or script of a submission's files; None when there is none, or no telling which.

    The notebook on the top level, or the script there that no other one imports.
    """
    notebooks, scripts = _top(listing, ".ipynb"), _top(listing, ".py")
    if len(notebooks) == 1:
        return notebooks[0]
    if notebooks:
        return None
    if len(scripts) > 1:
        helpers = {name for script in scripts for name in _imported(listing, script, scripts) if name != script}
        scripts = [script for script in scripts if script not in helpers]
    return scripts[0] if len(scripts) == 1 else None


def without_wrapper(listing: Listing) -> Listing:
    """The files of a submission or collection, below folders that hold nothing but one folder, as packed."""
    for _ in range(8):  # deeper than anybody packs; a bound, because an archive may claim any depth
        tops = {name.partition("/")[0] for name in listing.names}
        if len(tops) != 1 or tops & set(listing.names):
            break
        listing = listing.below(tops.pop())
    return listing


def student_of(name: str) -> str:
    """A file's name as a student's: one form for letters that can be written in two."""
    return unicodedata.normalize("NFC", shown(name)).strip() or "unnamed"


def _meant(path: Path) -> Iterator[Source]:
    """The submissions that one path of the command line means."""
    suffix = path.suffix.lower()
    if not _exists(path):
        raise CourseError(f"{path} does not exist: name a notebook, or a folder or zip of submissions")
    if path.is_dir():
        entries = [source_of(path)] if _is_one_folder(path) else list(_entries_of_folder(path))
    elif suffix == ".zip":
        entries = list(_in_archive(path))
    elif suffix in NOTEBOOK_SUFFIXES:
        entries = [source_of(path)]
    else:
        raise CourseError(f"{path} is no submission: name a file that ends in .ipynb, .py or .zip, or a folder")
    if not entries:
        raise CourseError(f"{path} holds no submission: no .ipynb, .py or .zip file, and no folder with one")
    yield from entries


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's, a folder that may not be entered
        return False


def _is_one_folder(folder: Path) -> bool:
    try:
        return _is_one_submission(of_folder(folder), {link.name for link in folder.iterdir() if _leads_out(link)})
    except (Refused, OSError):  # one entry that cannot be listed says nothing about the others
        return False


def _in_archive(path: Path) -> Iterator[Source]:
    try:
        listing = without_wrapper(of_zip(path))
    except Refused as refused:
        raise CourseError(f"{path}: {refused}") from refused
    if _is_one_submission(listing):
        yield source_of(path)
    else:
        yield from _entries(listing, path)


def _is_one_submission(listing: Listing, unlisted: Iterable[str] = ()) -> bool:
    """Whether files are one student's. A collection's files do not import each other.

    unlisted: names on the top level that a listing leaves out because they are links out of it.
    """
    main = main_file(listing)
    if main is None:
        return False
    others = (_candidates(listing) | {name for name in unlisted if Path(name).suffix.lower() in SUFFIXES}) - {main}
    return not others or bool(_imported(listing, main, others))


def _entries_of_folder(folder: Path) -> Iterator[Source]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise CourseError(f"{folder} cannot be read: {error.strerror}; name a folder that you may read") from error
    for entry in entries:
        name = entry.name
        if ignored(name) or not (entry.suffix.lower() in SUFFIXES or entry.is_dir()):
            continue
        if _leads_out(entry):
            yield Source(student_of(entry.stem), shown(str(entry)), "", _refuse_link)
        else:
            yield source_of(entry)


def _entries(listing: Listing, archive: Path) -> Iterator[Source]:
    """The submissions in an archive of them."""
    for name in sorted({name.partition("/")[0] for name in listing.names}):
        place, suffix = f"{shown(str(archive))}/{name}", PurePosixPath(name).suffix.lower()
        stem = student_of(PurePosixPath(name).stem)
        if name not in listing.names:
            yield Source(student_of(name), place, "", partial(listing.below, name))
        elif suffix == ".zip":
            yield Source(stem, place, suffix, partial(_nested, listing, name))
        elif suffix in NOTEBOOK_SUFFIXES:
            yield Source(stem, place, suffix, partial(Listing, (name,), listing.read))


def _nested(listing: Listing, name: str) -> Listing:
    return of_zip(listing.read(name))


def _leads_out(entry: Path) -> bool:
    return entry.is_symlink() and not stays_within(entry, entry.parent.resolve())


def _refuse_link() -> Listing:
    raise Refused("It is a link that leads out of the submissions, or nowhere: hand in the file itself.")


def _top(listing: Listing, suffix: str) -> list[str]:
    return [name for name in listing.names if "/" not in name and name.lower().endswith(suffix)]


def _candidates(listing: Listing) -> set[str]:
    """Top-level names that could be submissions if this were a collection."""
    single = {name for name in listing.names if "/" not in name and PurePosixPath(name).suffix.lower() in SUFFIXES}
    nested = (name for name in listing.names if "/" in name and PurePosixPath(name).suffix.lower() in SUFFIXES)
    return single | {name.partition("/")[0] for name in nested}


def _imported(listing: Listing, name: str, among: Iterable[str]) -> set[str]:
    """Which of these names a file seems to import, as modules or packages."""
    try:
        contents = listing.read(name)
    except Refused:  # said when it is read as a submission
        return set()
    words = {word.decode("utf-8", "replace") for word in _IMPORT.findall(contents)}
    return {other for other in among if PurePosixPath(other).stem in words}


def _refuse_namesakes(found: Iterable[Source]) -> None:
    seen: dict[str, str] = {}
    for source in found:
        if source.student in seen:
            raise CourseError(
                f"two submissions are called {source.student!r}, {seen[source.student]} and {source.path}: "
                "a student is the file's or folder's name, rename or leave out one"
            )
        seen[source.student] = source.path
