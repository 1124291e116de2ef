"""What does a released notebook say about itself?

Its metadata hold all that `autograder check` needs on a student's machine: the names that each question
wants, where it is asked, and its public checks. Nothing in it is secret.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

KEY = "autograder"  # in the metadata of a notebook, and of its cells
FORMAT = 1
# What stands in a cell where a person's answer is expected, by the kind of cell.
NO_ANSWER = {"markdown": "*Your answer here.*", "code": "# Your code here"}


def grade_id(question_id: str) -> str:
    """A question's id in the letters that nbgrader allows."""
    return question_id.replace(".", "_")


class NoManifest(ValueError):
    """A notebook that does not say, or not in a form known here, what it was released as; why, in words."""


@dataclass(frozen=True)
class Asked:
    """One question.

    names: what the student must define; none for a part that a person grades.
    check: the source of its public checks, which calls `check` and `close`; "" where it has none.
    """

    id: str
    points: float
    names: tuple[str, ...] = ()
    environment: str = ""
    check: str = ""
    manual: bool = False


@dataclass(frozen=True)
class Manifest:
    """An assignment as it was released.

    environments: names of packages by the environment's name. cell_cpu_s, load_cpu_s: as in
    `assignment.toml`. files: what is handed out beside the notebook, by its path.
    """

    assignment: str
    title: str
    environments: Mapping[str, tuple[str, ...]]
    cell_cpu_s: float
    load_cpu_s: float
    questions: tuple[Asked, ...]
    files: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {"format": FORMAT, **document}


def manifest_of(contents: bytes) -> Manifest:
    """Read what the bytes of a notebook file say. Raises NoManifest, and nothing else."""
    try:
        document = json.loads(contents)
    except (ValueError, RecursionError):
        document = None
    try:
        told = document["metadata"][KEY]
    except (KeyError, TypeError, IndexError):
        raise NoManifest("it does not say which assignment it is") from None
    if isinstance(told, dict) and told.get("format") != FORMAT:
        raise NoManifest("it was released by another version of autograder")
    try:
        return _read(told)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoManifest("what it says about its assignment is damaged") from None


def _read(told: Any) -> Manifest:
    files = tuple(map(str, told.get("files", ())))
    if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in files):
        raise ValueError(files)  # a notebook from elsewhere could name any file of the reader's
    questions = tuple(
        Asked(
            id=str(question["id"]),
            points=float(question["points"]),
            names=tuple(map(str, question["names"])),
            environment=str(question["environment"]),
            check=str(question["check"]),
            manual=bool(question["manual"]),
        )
        for question in told["questions"]
    )
    return Manifest(
        assignment=str(told["assignment"]),
        title=str(told["title"]),
        environments={str(name): tuple(map(str, packages)) for name, packages in told["environments"].items()},
        cell_cpu_s=float(told["cell_cpu_s"]),
        load_cpu_s=float(told["load_cpu_s"]),
        questions=questions,
        files=files,
    )
