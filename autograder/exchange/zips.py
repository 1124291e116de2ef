"""What does an LMS's download hold, by the names that the LMS gives to files and folders?"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from autograder.exchange import nbgrader_folder
from autograder.exchange.model import Roster
from autograder.exchange.parts import Part
from autograder.notebook.files import Listing, Refused, of_folder, of_zip
from autograder.notebook.find import SUFFIXES

# name_LATE_user_attachment_file; where names are hidden, anon_letters. Older versions write it all small.
_CANVAS_ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<name>anon_[0-9A-Za-z]+)_(?P<file>\d+)_(?P<rest>.+)", re.I | re.S)
_CANVAS_NO_FILE = re.compile(r".*_\w+_(?:text|link)\.html", re.I | re.S)
# Full name_participant_assignsubmission_file_: a folder each, or the beginning of each file's name.
_MOODLE = re.compile(r"(?P<name>[^_]+)_(?:(?P<id>\d+)_)?assignsubmission_(?P<kind>[a-z]+)(?:_(?P<rest>.*))?", re.S)
# Assignment_login_attempt_time_file, with a text file of each attempt's own that names the login.
_BLACKBOARD = re.compile(r"(?P<head>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<rest>.+)|(?P<info>\.txt))", re.S)
_BLACKBOARD_NAME = re.compile(r"\ufeff?[^:：\n]+[:：][^\n]*\((?P<login>[^()\n]+)\)\s*(?:\n|$)")
_COPY = re.compile(r"(?P<stem>[^\W\d]\w*)-\d+\.py")


def parts_of(path: Path, assignment: str, roster: Roster | None) -> list[Part] | None:
    """The submissions of an LMS's download; None where a path is none, and `find` says what it is."""
    try:
        if path.is_dir():
            packed = of_folder(path)
        elif path.suffix.lower() == ".zip" and path.is_file():
            packed = of_zip(path)
        else:
            return None
    except (Refused, OSError):
        return None
    for listing in _levels(packed):
        found = nbgrader_folder.parts(listing, assignment) if assignment else None
        if found := found or _moodle(listing) or _blackboard(listing) or _canvas(listing, roster):
            return found
    return None


def _levels(listing: Listing) -> Iterator[Listing]:
    """The files, and below each folder that stands alone: it may be a wrapper, or the only student's."""
    yield listing
    for _ in range(8):  # deeper than anybody packs; a bound, because an archive may claim any depth
        tops = {name.partition("/")[0] for name in listing.names}
        if len(tops) != 1 or tops & set(listing.names):
            return
        listing = listing.below(tops.pop())
        yield listing


def _canvas(listing: Listing, roster: Roster | None) -> list[Part] | None:
    if any("/" in name for name in listing.names):
        return None
    groups: dict[str, Part] = {}
    for name in listing.names:
        named = _canvas_named(name, roster)
        if not named:
            if PurePosixPath(name).suffix.lower() in SUFFIXES:
                return None  # something that Canvas did not name: then this is some other folder
            if _CANVAS_NO_FILE.fullmatch(name):
                groups.setdefault(name, Part(name, "canvas", listing))
            continue
        part = groups.get(named.who, Part(named.who, "canvas", listing, late=False))
        files = {**part.files, _free(named.rest, part.files, named.file): name}
        groups[named.who] = replace(part, files=files, late=bool(part.late or named.late))
    if not any(part.files for part in groups.values()):
        return None
    if len(groups) == 1 and not (roster and any(roster.with_alias(who) for who in groups)):
        (alone,) = groups  # one file by itself may as well be called lab_2_3_final
        if not re.search(r"_\d{3,}(?:_|$)", alone) and not alone.startswith("anon_"):
            return None
    return [replace(part, files=_first_names(part.files)) for part in groups.values()]


@dataclass(frozen=True)
class _CanvasName:
    who: str
    file: str
    rest: str
    late: bool


def _canvas_named(name: str, roster: Roster | None) -> _CanvasName | None:
    """A file's name in its parts: user and file are the first two numbers between underscores, as Canvas has it.

    A student may be called smith_2, or doejane_987 to pass for somebody. So with a roster the user is the
    number that comes with just that user's name before it; where two do, nobody is named. What follows
    the numbers is the student's to choose, and has no name of anybody's just before it.
    """
    hidden = _CANVAS_ANONYMOUS.fullmatch(name)
    if hidden:
        return _CanvasName(hidden["name"], hidden["file"], hidden["rest"], bool(hidden["late"]))
    found = []
    for numbers in re.finditer(r"_(?P<user>\d+)(?=_(?P<file>\d+)_(?P<rest>.+))", name, re.DOTALL):
        head = name[: numbers.start()]
        late = head.casefold().endswith("_late")
        head = head[: -len("_late")] if late else head
        found.append(_CanvasName(f"{head}_{numbers['user']}", numbers["file"], numbers["rest"], late))
    known = [each for each in found if roster and roster.with_alias(each.who)]
    if len(known) > 1:
        return replace(known[0], who=name)
    return known[0] if known else found[0] if found else None


def _moodle(listing: Listing) -> list[Part] | None:
    groups: dict[str, Part] = {}
    for name in listing.names:
        top, _, below = name.partition("/")
        found = _MOODLE.fullmatch(top)
        if not found:
            return None
        who = f"{found['name']}_{found['id']}" if found["id"] else found["name"]
        part = groups.get(who, Part(who, "moodle", listing))
        if found["kind"] == "file":
            part = replace(part, files={**part.files, below or found["rest"] or top: name})
        groups[who] = part
    return list(groups.values()) or None


def _blackboard(listing: Listing) -> list[Part] | None:
    groups: dict[tuple[str, str], Part] = {}
    for name in listing.names:
        found = _BLACKBOARD.fullmatch(name)
        if not found or "/" in name:
            return None
        key = (found["head"], found["time"])
        part = groups.get(key, Part(found["head"], "blackboard", listing, submitted=found["time"]))
        if found["rest"]:
            part = replace(part, files={**part.files, found["rest"]: name})
        elif login := _login_in(listing, name, found["head"]):
            part = replace(part, login=login)
        groups[key] = part
    return list(groups.values()) or None


def _login_in(listing: Listing, name: str, head: str) -> str:
    """The login in Blackboard's own text file, where it is what the file's name ends in."""
    try:
        found = _BLACKBOARD_NAME.match(listing.read(name)[:4096].decode("utf-8", "replace"))
    except Refused:
        return ""
    return found["login"] if found and head.endswith(f"_{found['login']}") else ""


def _free(name: str, taken: Iterable[str], number: str) -> str:
    path = PurePosixPath(name)
    return f"{path.stem}-{number}{path.suffix}" if name in taken else name


def _first_names(files: Mapping[str, str]) -> dict[str, str]:
    """Helper modules under the name they were written as.

    Canvas calls the second upload of utils.py `utils-1.py`, which no notebook can import.
    """
    renamed = {}
    for name, inner in files.items():
        found = _COPY.fullmatch(name)
        first = f"{found['stem']}.py" if found and len(files) > 1 else name
        renamed[name if first in files or first in renamed else first] = inner
    return renamed
