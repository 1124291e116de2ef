"""What is a submission, once it has been read?"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """A code cell. `number` counts the code cells of the notebook from 1, empty ones too."""

    number: int
    source: str


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    student: the name of the file, without its suffix, or of the folder.
    path: where it was found, to be shown to people.
    digest: SHA-256, in hex, over the notebook's bytes and the names and bytes of the other files. It
        does not depend on what the student, the notebook or the folder are called.
    files: the other files by their path in the folder, with `/`: relative, without `..`, and no path is
        both a file and a folder. Empty when a single file was handed in.
    """

    student: str
    path: str
    digest: str
    cells: tuple[Cell, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


class Unreadable(Exception):
    """A submission that cannot be read; `sentence` tells the student why and what to do.

    digest: as a Submission has it, where its files could be read at all, else "".
    """

    def __init__(self, student: str, sentence: str, digest: str = "") -> None:
        super().__init__(student, sentence, digest)
        self.student = student
        self.sentence = sentence
        self.digest = digest

    def __str__(self) -> str:
        return f"{self.student}: {self.sentence}"
