"""How does the caller of a command learn of a mistake that is theirs to mend?"""

import difflib
from collections.abc import Iterable


class CourseError(Exception):
    """The caller's mistake: one sentence with what is wrong, where, and what to do. The CLI exits 2."""


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known word nearest to `word`, or nothing when none is near."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def listed(words: Iterable[str], *, most: int = 12) -> str:
    """Words in order, with commas; `none` for none."""
    found = sorted(words)
    rest = [f"and {len(found) - most} more"] if len(found) > most else []
    return ", ".join(found[:most] + rest) or "none"
