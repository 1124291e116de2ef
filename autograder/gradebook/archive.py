"""How is a submission kept, so that it can be graded again as it was?"""

import io
import zipfile

from autograder.course.errors import CourseError
from autograder.notebook.files import Refused, of_zip
from autograder.notebook.find import NOTEBOOK_SUFFIXES, Source, without_wrapper
from autograder.notebook.read import Unreadable, read

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files, the same bytes


def packed(source: Source, digest: str) -> tuple[str, bytes] | None:
    """Suffix and archive of a submission; None where its files cannot be listed, or are no longer those graded.

    digest: of what was graded. Whatever is kept is read back first: it must give the same.
    """
    try:
        listing = source.listing()
        single = source.suffix in NOTEBOOK_SUFFIXES
        files = listing.read_all() if single else without_wrapper(listing).read_all()
    except Refused:
        return None
    suffix = source.suffix if single else ""
    if single:  # what it is called is the LMS's affair, and may be a name that no archive takes
        files = {f"submission{suffix}": contents for contents in files.values()}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), contents, zipfile.ZIP_DEFLATED)
    archived = data.getvalue()
    return (suffix, archived) if _digest(unpacked("", suffix, archived)) == digest else None


def unpacked(student: str, suffix: str, archive: bytes) -> Source:
    """The submission in the gradebook, as `read` takes it."""
    try:
        listing = of_zip(archive)
    except Refused as refused:
        raise CourseError(f"the submission of {student} in the gradebook is damaged: {refused}") from refused
    return Source(student, f"gradebook: {student}", suffix, lambda: listing)


def _digest(source: Source) -> str:
    try:
        return read(source).digest
    except Unreadable as error:
        return error.digest
