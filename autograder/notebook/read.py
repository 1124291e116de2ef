"""How does a submission become code cells and files?

for source in find(["examples/class"]):
    submission = read(source)
"""

from collections.abc import Collection
from pathlib import Path

from autograder.notebook.answers import Answer, answers_of
from autograder.notebook.cells import NotANotebook, cells_of
from autograder.notebook.files import Listing, Refused, digest_of
from autograder.notebook.find import NOTEBOOK_SUFFIXES, Source, find, main_file, source_of, without_wrapper
from autograder.notebook.submission import Cell, Submission, Unreadable

__all__ = ["Answer", "Cell", "Source", "Submission", "Unreadable", "contents_of", "find", "read", "read_answers"]


def read(source: Source | Path | str) -> Submission:
    """Read one submission; Unreadable, and nothing else, whatever was handed in."""
    if not isinstance(source, Source):
        source = source_of(Path(source))
    suffix, contents, files = _opened(source)
    digest = digest_of([(suffix, contents), *sorted(files.items())])
    try:
        cells = cells_of(contents, suffix=suffix)
    except NotANotebook as refused:
        raise Unreadable(source.student, str(refused), digest) from refused
    return Submission(source.student, source.path, digest, cells, files)


def contents_of(source: Source) -> bytes:
    """The bytes of the notebook itself, for what other systems keep there beside its cells. Raises Unreadable."""
    return _opened(source)[1]


def read_answers(source: Source, questions: Collection[str]) -> dict[str, tuple[Answer, ...]]:
    """The cells in which hand-graded questions are answered, by the question's id; {} where nothing can be read."""
    try:
        suffix, contents, _ = _opened(source)
        return answers_of(contents, suffix=suffix, questions=questions)
    except (Unreadable, NotANotebook):
        return {}


def _opened(source: Source) -> tuple[str, bytes, dict[str, bytes]]:
    """Suffix and bytes of the notebook, and the other files."""
    try:
        listing = source.listing()
        if source.suffix in NOTEBOOK_SUFFIXES:
            (main,) = listing.names
        else:
            listing = without_wrapper(listing)
            main = _main(listing)
        files = listing.read_all()
    except Refused as refused:
        raise Unreadable(source.student, str(refused)) from refused
    contents = files.pop(main)
    return ".ipynb" if main.lower().endswith(".ipynb") else ".py", contents, files


def _main(listing: Listing) -> str:
    main = main_file(listing)
    if main is not None:
        return main
    top = [name for name in listing.names if "/" not in name]
    for kind, suffix in (("notebooks", ".ipynb"), ("scripts", ".py")):
        found = [name for name in top if name.lower().endswith(suffix)]
        if found:
            raise Refused(f"It holds {len(found)} {kind} ({', '.join(found[:4])}): hand in one, and its helpers.")
    raise Refused("It holds no notebook: hand in an .ipynb or .py file, at the top of the folder.")
