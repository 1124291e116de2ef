"""What is checked in one question, and what is each check worth?

The plan is data about one draw of hidden inputs: cases, expectations, checks. It is made by the
compiler and read by the checks; it holds everything that must never reach student code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.parts import Misconception
from autograder.values.compare import Expectation

COST, MEMORY = COSTS = "cost", "memory"  # checks of what a right answer costs, in CPU time and in memory


@dataclass(frozen=True)
class Check:
    """One check of a question.

    kind: `value`, `gradient`, `property`, `convergence`, `accuracy`, `law`,
    `distribution`, `trajectory`, `cost` or `memory`. block: the output it judges, or the name of the property. cases:
    the cases it looks at, in order. requires: the id of a check that must have passed for this one to count.
    group: checks of one group earn the part that the worst of them has earned; "" for one that stands by itself.
    """

    id: str
    kind: str
    block: str
    cases: tuple[str, ...]
    points: float
    requires: str = ""
    group: str = ""


@dataclass(frozen=True)
class Bar:
    """How far a long training run must come.

    log_loss: natural logarithm of the largest loss in nats that passes: mean of the reference's over
    `seeds` runs plus four standard deviations. shapes: of what the run must return.
    """

    log_loss: float
    mean: float
    deviation: float
    seeds: int
    shapes: dict[str, dict[str | int, tuple[int, ...]]]


@dataclass(frozen=True)
class Mark:
    """Between which accuracies on hidden examples a trainer's points grow.

    nothing: chance, or, where that is more, the most that any untrained start reached. everything: where
    all points are earned: on the scale of the logit, mean of the reference's over `seeds` exams minus
    four standard deviations. mean, deviation: of the logit. shapes: of what training must return.
    """

    nothing: float
    everything: float
    mean: float
    deviation: float
    seeds: int
    shapes: dict[str, dict[str | int, tuple[int, ...]]]


@dataclass(frozen=True)
class Cost:
    """What a right answer may cost.

    factor: in times of the reference's on the same inputs. seed: of those inputs.
    """

    factor: float
    seed: int


@dataclass(frozen=True)
class Plan:
    """One draw of one question.

    adopted: misconceptions that students' code shows and a lecturer named, beside those that the topic declares.
    wrong: what each misconception shows, {misconception: {case: {block: value, or a Failure}}}.
    pairs: what two of them at once show, where that is neither's own.
    runs: the inputs of the long runs and the exams of a trainer, two for each check; the second is used
    when the first misses the bar.
    draws: how many draws of a sampler each case looks at.
    costs: what a right answer may cost, by the check that looks at it.
    """

    question: str
    topic: Topic
    cases: dict[str, Case]
    expectations: dict[str, dict[str, Expectation]]
    checks: tuple[Check, ...]
    bar: Bar | None = None
    mark: Mark | None = None
    runs: tuple[Case, ...] = ()
    draws: int = 0
    costs: Mapping[str, Cost] = field(default_factory=dict)
    adopted: tuple[Misconception, ...] = ()
    wrong: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    pairs: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)

    def without(self, *kinds: str) -> "Plan":
        """The plan without checks of these kinds."""
        return replace(self, checks=tuple(check for check in self.checks if check.kind not in kinds))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """All that are known, declared and adopted."""
        return (*self.topic.misconceptions, *self.adopted)

    @property
    def points(self) -> float:
        return round(sum(check.points for check in self.checks), 2)
