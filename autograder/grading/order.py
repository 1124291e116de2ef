"""In which order is a class graded?

What may run until its limit comes first. Met last, an endless loop would keep one core busy while the
others have nothing left to do.
"""

import re
from collections.abc import Sequence

from autograder.notebook.files import Refused
from autograder.notebook.find import NOTEBOOK_SUFFIXES, Source, main_file

# A loop that only a `break` could end. A guess: it decides when, never how, a submission is graded.
_ENDLESS = re.compile(rb"\bwhile\s*\(?\s*(?:True|1)\b")


def longest_first(found: Sequence[Source]) -> list[Source]:
    """The submissions, those that look as if they might loop before the others."""
    return sorted(found, key=lambda source: not _may_loop(source))


def _may_loop(source: Source) -> bool:
    if source.suffix and source.suffix not in NOTEBOOK_SUFFIXES:
        return False  # an archive is unpacked once, when its turn comes
    try:
        listing = source.listing()
        main = main_file(listing) or ""
        return main in listing.names and _ENDLESS.search(listing.read(main)) is not None
    except (Refused, OSError):
        return False  # told to the student when it is read
