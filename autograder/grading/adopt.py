"""How does a student's mistake that nobody has named become a misconception?

What the question needs is cut out of the notebook, and put to the question in a jail beside the whole of it. What shows
the same, and nothing that is known, is written down with its name for the lecturer to read; `compile` does the rest.
"""

from dataclasses import dataclass
from pathlib import Path

from autograder.checks.plan import Plan
from autograder.checks.resemblance import resembles
from autograder.course.adopted import load_adopted, place_of, text_of
from autograder.course.errors import CourseError
from autograder.course.references import load_topics
from autograder.notebook.cut import cut
from autograder.notebook.submission import Submission
from autograder.suite.adopted import Code, Place, as_code, show_codes
from autograder.suite.prove import faults_of_adopted
from autograder.suite.store import Suite
from autograder.topic.kinds import Observed
from autograder.values.outcomes import Outcome


@dataclass(frozen=True)
class Written:
    """A mistake that was adopted. path: its file. failed: the checks in which it dies."""

    path: Path
    topic: str
    source: str
    failed: tuple[str, ...]


def adopt(place: Place, suite: Suite, submission: Submission, name: str, hint: str) -> Written:
    """Write the file of a mistake. CourseError where it would be no misconception, and then nothing is written."""
    (plan,) = (plan for plan in suite.plans if plan.question == place.question.id)
    topics = load_topics(place.course)
    path = place_of(place.course, plan.topic, name, load_adopted(place.course, topics).get(plan.topic.name, ()))
    source = cut(submission, tuple(plan.topic.reference))
    whole, part = show_codes(place, plan, [Code(submission.cells, submission.files), as_code(source)])
    where = f"{submission.student}, {place.question.id}"
    if whole.result is None:
        raise CourseError(f"{where}: the notebook {whole.refused}, so there is no mistake to adopt")
    if part.refused or part.result is None:
        raise CourseError(f"{where}: what was cut out of the notebook {part.refused}; so it cannot be adopted")
    if (case := _first_difference(plan, whole.result.sheet.seen, part.result.sheet.seen)) is not None:
        raise CourseError(
            f"{where}: what was cut out of the notebook shows something else than the whole, on the case {case!r}: "
            f"something beside the definitions matters; write {path} by hand, as docs/authoring.md says"
        )
    for fault in faults_of_adopted(plan, name, part.result):
        raise CourseError(f"{where}: {fault}; nothing was adopted")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of(name, hint, source), encoding="utf-8")
    verdicts = part.result.verdicts
    failed = tuple(check for check in verdicts if verdicts[check].outcome != Outcome.PASSED)
    return Written(path, plan.topic.name, source, failed)


def _first_difference(plan: Plan, whole: dict[str, Observed], part: dict[str, Observed]) -> str | None:
    """The first case on which the two do not show the same."""
    for case, expected in plan.expectations.items():
        for block, expectation in expected.items():
            if not resembles(part[case].get(block), whole[case].get(block), expectation, block):
                return case
    return None
