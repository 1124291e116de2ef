"""How did one check end, and what has the question shown so far?"""

from collections.abc import Iterable
from dataclasses import dataclass

from autograder.checks import words
from autograder.checks.plan import Plan
from autograder.checks.together import Batching, together
from autograder.topic.case import Case
from autograder.topic.kinds import Failure, Observed, observe
from autograder.values.compare import Comparison, compare
from autograder.values.outcomes import EARNING, Outcome


@dataclass(frozen=True)
class Verdict:
    """How one check ended.

    case: the case that decided. message: for the student. evidence: for the teaching assistant.
    earned: the part of the points that an outcome which may earn has earned.
    measured: of a check that measures: what differs from run to run and is no part of a verdict.
    """

    outcome: Outcome
    case: str
    message: str = ""
    evidence: str = ""
    earned: float = 0.0
    measured: float | None = None

    @property
    def fraction(self) -> float:
        """The part of the check's points: nothing, unless the outcome is one that may earn."""
        return self.earned if self.outcome in EARNING else 0.0


CheckRun = Batching[Verdict]


class Sheet:
    """What student code has shown on the cases of one question; each case is asked once."""

    def __init__(self, plan: Plan, seen: dict[str, Observed] | None = None) -> None:
        self.plan = plan
        self.seen: dict[str, Observed] = dict(seen or {})

    def observe(self, names: Iterable[str]) -> Batching[None]:
        """Ask all of these cases that were not asked yet, at once."""
        new = [name for name in dict.fromkeys(names) if name not in self.seen]
        shown = yield from together([observe(self.plan.topic, self.plan.cases[name]) for name in new])
        self.seen.update(zip(new, shown, strict=True))

    def compare(self, name: str, block: str) -> Comparison:
        """Hold one block of an observed case against what is expected of it."""
        seen = self.seen[name]
        if block not in seen:
            return Comparison(Outcome.WRONG_TYPE, f"{block} did not come back.")
        shown = seen[block]
        if isinstance(shown, Failure):
            return Comparison(shown.outcome, failure_message(shown), failure_evidence(shown))
        return compare(actual=shown, expected=self.plan.expectations[name][block], what=block)

    def compare_all(self, cases: tuple[str, ...], block: str) -> Batching[list[Comparison]]:
        """Observe and compare every case."""
        yield from self.observe(cases)
        return [self.compare(name, block) for name in cases]


def first_failure(cases: tuple[str, ...], found: list[Comparison]) -> Verdict | None:
    """The verdict of the first case that is not right, or None."""
    for name, comparison in zip(cases, found, strict=True):
        if comparison.outcome != Outcome.PASSED:
            return Verdict(comparison.outcome, name, comparison.message, comparison.evidence)
    return None


def passed(case: Case | str) -> Verdict:
    return Verdict(Outcome.PASSED, case if isinstance(case, str) else case.name, earned=1.0)


def failure_message(failure: Failure) -> str:
    """What a student reads: the kind of the exception and their own line, never its text."""
    detail = failure.answer.detail
    where = words.place(detail)
    match failure.outcome:
        case Outcome.RAISED:
            return f"{failure.doing} raised {words.kind_of_exception(detail)}{where}.{words.limit(detail)}"
        case Outcome.MISSING:
            return f"{failure.doing}: not defined, or still the stub."
        case Outcome.FORBIDDEN:
            return f"{failure.doing} used {words.library(detail)}, which this question does not allow{where}."
        case Outcome.WRONG_TYPE:
            return f"{failure.doing} returned {words.returned(detail)}, not what was agreed."
        case Outcome.TIMED_OUT:
            return f"{failure.doing} did not end within the question's time.{words.limit(detail)}"
        case Outcome.OUT_OF_MEMORY:
            return f"{failure.doing} needed more memory than there is."
        case Outcome.CRASHED:
            return f"{failure.doing} ended the Python process.{words.limit(detail)}"
        case Outcome.NOT_GRADED:
            return "This could not be graded; the fault is ours, and it will be graded again."
        case _:
            return f"{failure.doing}."


def failure_evidence(failure: Failure) -> str:
    """What a teaching assistant reads beside it; no measurement, which would differ from run to run."""
    return ", ".join(f"{key}: {value}" for key, value in failure.answer.detail.items() if key != "used" and value)
