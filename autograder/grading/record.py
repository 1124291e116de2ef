"""What is kept of one grading?

A record is all that a gradebook, a page or a complaint needs. Two gradings of the same submission under
the same suite give the same record, `measured` left out.
"""

import functools
import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from autograder.values.outcomes import Outcome, State


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Diagnosis(_Part):
    """Which misconception an answer shows.

    parts: the names of both, where it shows two at once. is_shape: it shows none that is known, and what
    is said is said of the numbers alone, such as a lost sign.
    """

    name: str
    hint: str
    parts: tuple[str, ...] = ()
    is_shape: bool = False

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """The names of those that it is made of."""
        return self.parts or (self.name,)


class CheckRecord(_Part):
    """How one check ended. `message` is for the student; `evidence` for teaching assistants only."""

    id: str
    kind: str
    case: str
    outcome: Outcome
    points: float
    max_points: float
    message: str = ""
    evidence: str = ""
    diagnosis: Diagnosis | None = None


class Difference(_Part):
    """Two blocks that a public example held against each other, flat, with the shape of both."""

    line: int
    shape: tuple[int, ...]
    actual: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    within: float


class Curve(_Part):
    """The loss of a public training run after some epochs, in nats, beside what the reference reaches."""

    epochs: tuple[int, ...]
    loss: tuple[float | None, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class ExampleRecord(_Part):
    """How a worked example ended on the student's code. It is public, so its text and numbers are too.

    line: of the example, counted from 1, at which it ended; 0 where it passed.
    """

    name: str
    outcome: Outcome
    line: int = 0
    message: str = ""
    difference: Difference | None = None


class QuestionRecord(_Part):
    """One question; `points` is None where it could not be graded.

    replaced: questions whose functions, which were wrong, were right ones of ours when this one was put.
    device: what its code could compute on: the name of a GPU, or `cpu`.
    examples, curve: what public examples and a public run show, looked at where points were lost.
    """

    id: str
    points: float | None
    max_points: float
    checks: tuple[CheckRecord, ...]
    replaced: tuple[str, ...] = ()
    device: str = "cpu"
    examples: tuple[ExampleRecord, ...] = ()
    curve: Curve | None = None


class ManualRecord(_Part):
    """A part that a person grades. It has no points here, and is in no sum."""

    id: str
    max_points: float
    state: Literal["pending_manual"] = "pending_manual"
    points: None = None


class Note(_Part):
    """Something that happened while the notebook was read or loaded. `private` is not for students."""

    cell: int | None
    kind: str
    text: str
    private: str = ""


class Measured(_Part):
    """What it cost: outside the identity of a record.

    cost_ratios, memory_ratios: by question, CPU time and memory of a right answer in times of the reference's, where
    that is graded.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mib: float = 0.0
    cost_ratios: dict[str, float] = {}
    memory_ratios: dict[str, float] = {}


class Record(_Part):
    """One submission's grading. `points` is None unless the state is `graded`.

    points, max_points: of the questions that are graded here. manual: those that a person grades.
    image: the digest of the container image in which student code ran, where it ran in one.
    """

    key: str
    student: str
    submission: str
    suite: str
    isolation: str
    image: str = ""
    device: str
    state: State
    points: float | None
    max_points: float
    questions: tuple[QuestionRecord, ...] = ()
    manual: tuple[ManualRecord, ...] = ()
    notes: tuple[Note, ...] = ()
    measured: Measured = Measured()

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def key_of(submission: str, suite: str, environments: str, isolation: str, device: str) -> str:
    """The name of a grading: what was graded, by which suite, in which world."""
    return hashlib.sha256("\n".join([submission, suite, environments, isolation, device]).encode()).hexdigest()


def digest_of_grading(limits: Any) -> str:
    """A part of a key for what neither submission nor suite says: limits, and our code between the two.

    Without it, a record made before a fault of ours was mended would be taken for one made after.
    """
    return hashlib.sha256(f"{_code()}{json.dumps(limits, sort_keys=True)}".encode()).hexdigest()[:16]


@functools.cache
def _code() -> str:
    hashed = hashlib.sha256()
    for package in ("grading", "notebook", "sandbox"):
        for source in sorted(Path(str(files("autograder") / package)).rglob("*.py")):
            hashed.update(source.read_bytes())
    return hashed.hexdigest()
