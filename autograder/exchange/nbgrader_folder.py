"""nbgrader's `submitted/`: a folder a student, in it a folder an assignment, in it `timestamp.txt`."""

from autograder.exchange.parts import Part
from autograder.notebook.files import Listing, Refused

_TIME = "timestamp.txt"


def parts(listing: Listing, assignment: str) -> list[Part] | None:
    """The submissions of one assignment; None where the folders are not nbgrader's.

    They are where nothing lies beside the students' folders, nothing in one of them but folders, and
    somebody has this assignment. One student alone without nbgrader's time may as well be somebody's zip.
    """
    paths = [name.split("/") for name in listing.names]
    if any(len(path) < 3 for path in paths):
        return None
    if len({path[0] for path in paths}) < 2 and not any(path[2:] == [_TIME] for path in paths):
        return None
    found: dict[str, dict[str, str]] = {}
    for path, name in zip(paths, listing.names, strict=True):
        if path[1] == assignment:
            found.setdefault(path[0], {})["/".join(path[2:])] = name
    return [_part(student, files, listing) for student, files in sorted(found.items())] or None


def _part(student: str, files: dict[str, str], listing: Listing) -> Part:
    submitted = ""
    if _TIME in files:  # nbgrader's own file, and no part of what was handed in
        try:
            submitted = listing.read(files.pop(_TIME))[:100].decode("utf-8", "replace").strip()
        except Refused:
            submitted = ""
    return Part(student, "nbgrader", listing, files, submitted=submitted)
