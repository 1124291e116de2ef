"""Does a student read which limit was reached, in words of ours and no others?"""

import pytest

from autograder.checks.verdict import failure_message
from autograder.topic.kinds import Failure
from autograder.values.asking import Answer
from autograder.values.outcomes import Outcome


@pytest.mark.parametrize(
    ("outcome", "limit", "said"),
    [
        (Outcome.RAISED, "processes", "It reached the limit on processes and threads at a time."),
        (Outcome.RAISED, "output", "It reached the limit on the size of what it returns."),
        (Outcome.CRASHED, "file_mib", "It reached the limit on the size of one file."),
        (Outcome.TIMED_OUT, "cpu_s", "It reached the limit on CPU time."),
        (Outcome.TIMED_OUT, "wall_s", "It reached the limit on time on the clock."),
    ],
)
def test_limit_is_named(outcome: Outcome, limit: str, said: str) -> None:
    answer = Answer(str(outcome), detail={"limit": limit, "type": "OSError"})
    assert failure_message(Failure(outcome, "softmax(logits)", answer)).endswith(f". {said}")


@pytest.mark.parametrize("limit", ["0.1234567", "", None, ["cpu_s"], {"cpu_s": 1}])
def test_what_student_code_calls_a_limit_is_not_passed_on(limit: object) -> None:
    answer = Answer("raised", detail={"limit": limit, "type": "OSError"})
    assert failure_message(Failure(Outcome.RAISED, "softmax(logits)", answer)) == "softmax(logits) raised OSError."
