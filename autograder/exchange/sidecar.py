"""What was sent, in a file beside it: hash, column, counts, and each student's cell.

`export --verify` compares it with what the LMS has made of it.
"""

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from autograder.course.errors import CourseError
from autograder.exchange.tables import write_whole

SUFFIX = ".sent.json"


class Sent(BaseModel):
    """sent: cells by the students' identity, `key`. kept: cells of those left out, as the roster had them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str
    file: str
    sha256: str
    roster_sha256: str
    key: str
    id_column: str
    column: str
    column_id: str
    maximum: str
    rounded_to: str
    counts: dict[str, int]
    sent: dict[str, str]
    kept: dict[str, str]


def sidecar_path(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


def write_sidecar(sent: Sent, path: Path) -> None:
    """path: of the file that is described."""
    contents = json.dumps(sent.model_dump(), ensure_ascii=False, indent=1) + "\n"
    write_whole(sidecar_path(path), contents.encode())


def read_sidecar(path: Path) -> Sent:
    """What was sent as the file `path`; CourseError where that cannot be known, or the file has changed since."""
    file = sidecar_path(path)
    try:
        sent = Sent.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise CourseError(f"{file} does not exist: it is written beside every export, keep the two together") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, ValidationError) as error:
        raise CourseError(f"{file} cannot be read: export again") from error
    if digest(path) != sent.sha256:
        raise CourseError(f"{path} is not the file that was written: it has been opened and saved since; export again")
    return sent


def digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
