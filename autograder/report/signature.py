"""Which wrong answers that nobody has named are the same wrong answer?

Everybody is asked the same hidden inputs, so the same mistake ends the same checks in the same way, at the
same entry, with the same number, up to rounding. That is the signature; who shares it can be helped by one
comment, and a signature that many share wants to be made a misconception.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.checks.conduct import BEHIND
from autograder.grading.record import CheckRecord, QuestionRecord
from autograder.report.wording import block_of
from autograder.values.outcomes import Outcome

_NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?|-?\d+e[+-]?\d+")
_ALLOWED = re.compile(r", allowed [^,;]+")  # of the answer's floating type, not of the mistake
_PLACE = re.compile(r", where: <cell .*", re.DOTALL)  # in the student's own code
_MOST_CHARACTERS = 120
# Right; not a wrong answer; a fault of ours; says by itself what is wrong; right for a forward that is wrong.
_LEFT_OUT = frozenset({Outcome.PASSED, Outcome.MISSING, Outcome.NOT_GRADED, Outcome.FORBIDDEN, Outcome.CARRIED})
_OF_THE_ANSWER = frozenset({"value", "gradient", "trajectory"})  # kinds of checks that a misconception explains


@dataclass(frozen=True)
class Ended:
    """How one check of a group ended. signature: the evidence with numbers of three digits."""

    block: str
    case: str
    outcome: Outcome
    signature: str


@dataclass(frozen=True)
class Unexplained:
    """Wrong answers of one kind of check to one question, that nothing explains."""

    question: str
    kind: str
    ends: frozenset[Ended]


def unexplained(question: QuestionRecord) -> Iterator[Unexplained]:
    """The groups to which an answer belongs, one a kind of check.

    What waits for other checks is left out, and, where a mistake was recognised, so are laws and trainings
    that fail with it.
    """
    recognised = any(check.diagnosis for check in question.checks)
    kinds: dict[str, set[Ended]] = {}
    for check in question.checks:
        if check.outcome in _LEFT_OUT or check.diagnosis or check.message == BEHIND:
            continue
        if recognised and check.kind not in _OF_THE_ANSWER:
            continue
        ended = Ended(block_of(check), check.case, check.outcome, signature_of(check))
        kinds.setdefault(check.kind, set()).add(ended)
    for kind, ends in kinds.items():
        yield Unexplained(question.id, kind, frozenset(ends))


def signature_of(check: CheckRecord) -> str:
    """The evidence without what differs between students who made the same mistake; "" where there is none."""
    text = _ALLOWED.sub("", _PLACE.sub("", check.evidence))
    return _NUMBER.sub(_rounded, text)[:_MOST_CHARACTERS]


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.3g}"
