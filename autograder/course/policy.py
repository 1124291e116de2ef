"""What may a course say in `[policy]` and `[gradebook]` of its `course.toml`?

Data only; what it means for points is in `gradebook/policy.py`, which is given a Policy and computes.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from autograder.course.strict import Amount, Identifier, Strict, Text

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=0, le=366)]
Url = Annotated[str, StringConstraints(pattern=r"^(sqlite|postgresql)(\+\w+)?://", max_length=500)]


class GradebookTable(Strict):
    """`[gradebook]`. url: of the database; a SQLite path is relative to the course's folder."""

    url: Url = "sqlite:///gradebook.db"


class Late(Strict):
    """`[policy.late]`: what handing in after the due date costs.

    A day that has begun counts. grace_minutes: later by no more than this is not late. free_days: late days
    of each student for the whole course, spent without asking, in the order of due dates. per_day: percent
    of the points earned that each other day costs. floor: percent of them that stay, however late.
    accept_days: what is later by more days does not count; without it everything does.
    """

    grace_minutes: int = Field(default=0, ge=0, le=24 * 60)
    free_days: Days = 0
    per_day: Percent = 0.0
    floor: Percent = 0.0
    accept_days: Days | None = None


class Group(Strict):
    """`[policy.groups.NAME]`: assignments that count together.

    weight: percent of the course's total. assignments: ids, of `assignments/` or of `[policy.by_hand]`.
    drop: how many of them, the worst of each student's, do not count. by_points: an assignment counts by
    its points; otherwise all count the same.
    """

    weight: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
    assignments: list[Identifier] = Field(min_length=1)
    drop: int = Field(default=0, ge=0)
    by_points: bool = False

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if len(set(self.assignments)) < len(self.assignments):
            raise ValueError("an assignment stands twice in the group")
        if self.drop >= len(self.assignments):
            raise ValueError("a group must keep at least one assignment that is not dropped")
        return self


class Policy(Strict):
    """`[policy]`.

    attempt: which one counts: the last, the best (late penalties taken off), or the one that was chosen,
    which without a choice is the last. decimals: of points and totals; halves go away from zero.
    by_hand: {id: most points} of what has no notebook: attendance, an exam on paper, a report.
    """

    attempt: Literal["last", "best", "chosen"] = "last"
    decimals: int = Field(default=2, ge=0, le=6)
    late: Late = Late()
    by_hand: dict[Identifier, Amount] = Field(default_factory=dict)
    groups: dict[Text, Group] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        named = [assignment for group in self.groups.values() for assignment in group.assignments]
        twice = sorted({each for each in named if named.count(each) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} stands in two groups")
        total = round(sum(group.weight for group in self.groups.values()), 9)
        if self.groups and total != 100:
            raise ValueError(f"the weights of the groups must add up to 100, not {total:g}")
        return self
