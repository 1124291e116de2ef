"""Under which file name does a student's page lie?

A student is called what their file was called, which may be anything: a path, a name of Windows' own,
two names that differ in case alone. The page's name stays readable where it can, and where it cannot it
ends in a hash of the student's, so that it is the same on every machine and in every run.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

_UNSAFE = re.compile(r'[\\/:*?"<>|%#&;\'`$\s]+')
_MOST_BYTES = 120  # of UTF-8: far below any file system's 255, with room for an ending
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|index)(?:\..*)?", re.IGNORECASE)


def page_names(students: Iterable[str]) -> dict[str, str]:
    """`{student: file name}`, no two of which are the same on any file system."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for student in sorted(set(students)):
        stem = _readable(student)
        if stem != student.replace(" ", "_") or stem.casefold() in taken:
            stem = f"{stem}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:8]}"
        taken.add(stem.casefold())
        names[student] = f"{stem}.html"
    return names


def _readable(student: str) -> str:
    plain = unicodedata.normalize("NFC", student)
    plain = "".join(" " if unicodedata.category(character).startswith("C") else character for character in plain)
    stem = _UNSAFE.sub("_", plain).strip("._-~")
    stem = stem.encode()[:_MOST_BYTES].decode("utf-8", "ignore")
    return f"_{stem}" if not stem or _RESERVED.fullmatch(stem) else stem
