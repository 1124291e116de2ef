"""What may stand in `course.toml` and `assignment.toml`?

Data only. A key that is not here is an error that names the nearest one that is, so that a typing
mistake never silently loosens a limit.
"""

import typing
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from autograder.course.policy import GradebookTable, Policy
from autograder.course.strict import Amount, DottedPath, Identifier, Seconds, Strict, Text, Weight

__all__ = ["AssignmentFile", "CourseFile", "Limits", "Question", "Strict", "valid_keys"]

Factor = Annotated[float, Field(gt=1, le=1e6)]


class EnvironmentTable(Strict):
    """`[environments.NAME]`: the libraries that a question's notebook may import."""

    packages: list[Text]


class CourseFile(Strict):
    """`course.toml`. gradebook: the course keeps one if there is such a table, even an empty one."""

    title: Text
    key: Text = "course.key"
    environments: dict[Identifier, EnvironmentTable] = Field(min_length=1)
    policy: Policy = Policy()
    gradebook: GradebookTable | None = None


class Question(Strict):
    """One graded item, `[[questions]]`: about a topic, or with `manual = true` graded by a person.

    title: what people read above it; without, its id.
    topic: the name of a topic of `reference/`; its names are what the student must define.
    manual: a written answer or a plot, which has no topic. prompt: what it asks for, for the page of
    whoever grades it.
    cpu_s: CPU seconds that all checks of the question may use together.
    memory_mib: MiB of memory that answering may use.
    device: `cuda` asks it on a GPU, where there is one on which it was measured; elsewhere on the processor.
    weights: {block or check: weight} where it differs from 1; shares of the question's points.
    scoring: `weights`, where each check earns its part, or `worst`, where all earn what the worst of them does.
    groups: lists of blocks and checks; each list earns what the worst of it does.
    cost_factor, memory_factor: how many times the reference's CPU time, and memory, a right answer may take; without,
    it is not looked at.
    uses: earlier questions whose functions this one may call. Where an answer to one of them is wrong, and this one
    loses points, it is put once more with right functions in their place, and the better result counts.
    forbidden: what its environment has and this question does not allow, as dotted paths.
    """

    id: Identifier
    topic: Text = ""
    points: Amount
    title: Text = ""
    manual: bool = False
    prompt: Text = ""
    environment: str = "numpy"
    cpu_s: Seconds = 4.0
    memory_mib: int = Field(default=2048, ge=128, le=2**20)
    device: Literal["cpu", "cuda"] = "cpu"
    weights: dict[str, Weight] = Field(default_factory=dict)
    scoring: Literal["weights", "worst"] = "weights"
    groups: list[Annotated[list[Text], Field(min_length=2)]] = Field(default_factory=list)
    cost_factor: Factor | None = None
    memory_factor: Factor | None = None
    uses: list[Identifier] = Field(default_factory=list)
    forbidden: list[DottedPath] = Field(default_factory=list)


class Limits(Strict):
    """`[limits]`: what loading a notebook may cost, before any question is asked.

    cell_cpu_s: CPU seconds of one cell; a cell that needs more is dropped, loading goes on without it.
    load_cpu_s: CPU seconds of all cells together.
    """

    cell_cpu_s: Seconds = 5.0
    load_cpu_s: Seconds = 15.0


class AssignmentFile(Strict):
    """`assignment.toml`."""

    title: Text
    due: AwareDatetime | None = None
    questions: list[Question] = Field(min_length=1)
    limits: Limits = Limits()


def valid_keys(model: type[BaseModel], place: tuple[int | str, ...]) -> frozenset[str]:
    """The keys that may stand at a place of a document of this model, such as ("questions", 3)."""
    kind: Any = model
    for step in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(step)].annotation
        else:  # into a list by position, or into a table by key
            kind = typing.get_args(kind)[-1]
        if type(None) in typing.get_args(kind):  # a table that may be left out
            kind = typing.get_args(kind)[0]
    return frozenset(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else frozenset()
