"""What is kept of one grading?

A record is all that a gradebook, a page or a complaint needs. Two gradings of the same submission under
the same suite give the same record, `measured` left out.
"""

import hashlib
from typing import Any

from pydantic import BaseModel, ConfigDict

from autograder.values.outcomes import Outcome, State


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Diagnosis(_Part):
    """Which misconception an answer shows."""

    name: str
    hint: str


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


class QuestionRecord(_Part):
    """One question; `points` is None where it could not be graded."""

    id: str
    points: float | None
    max_points: float
    checks: tuple[CheckRecord, ...]


class Note(_Part):
    """Something that happened while the notebook was read or loaded. `private` is not for students."""

    cell: int | None
    kind: str
    text: str
    private: str = ""


class Measured(_Part):
    """What it cost: outside the identity of a record."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mib: float = 0.0


class Record(_Part):
    """One submission's grading. `points` is None unless the state is `graded`."""

    key: str
    student: str
    submission: str
    suite: str
    isolation: str
    device: str
    state: State
    points: float | None
    max_points: float
    questions: tuple[QuestionRecord, ...] = ()
    notes: tuple[Note, ...] = ()
    measured: Measured = Measured()

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def key_of(submission: str, suite: str, environments: str, isolation: str, device: str) -> str:
    """The name of a grading: what was graded, by which suite, in which world."""
    return hashlib.sha256("\n".join([submission, suite, environments, isolation, device]).encode()).hexdigest()
