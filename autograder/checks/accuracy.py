"""How often is a trained model right on examples that it has not seen?

Points grow with the accuracy from what guessing brings to what the reference reaches. The labels never
leave our side. An exam that earns less than everything is repeated once with other data, and the better
one counts.
"""

from typing import Any

from autograder.checks.plan import Check, Mark
from autograder.checks.together import together
from autograder.checks.trained import Trained, runs_of, trained
from autograder.checks.verdict import CheckRun, Sheet, Verdict, passed
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import Observed, observe
from autograder.topic.parts import Exam
from autograder.values.outcomes import Outcome

_MESSAGE = "Training ends, but on examples it has not seen its result is right less often than it should be."


def run(sheet: Sheet, check: Check) -> CheckRun:
    topic, mark = sheet.plan.topic, sheet.plan.mark
    if mark is None or topic.exam is None:
        raise ValueError(f"{sheet.plan.question}: accuracy without a calibrated mark")
    best: Verdict | None = None
    for case in runs_of(sheet.plan, check):
        (observed,) = yield from together([observe(topic, case)])
        verdict = _judge(topic, topic.exam, mark, case, observed)
        if best is None or verdict.outcome == Outcome.PASSED or verdict.fraction > best.fraction:
            best = verdict
        if best.outcome != Outcome.BELOW_BAR:
            break
    assert best is not None  # a check has two exams
    return best


def untrained(topic: Topic, inputs: dict[str, Any]) -> Any:
    """What a trainer returns that does nothing: the inputs of the names that it returns; None without."""
    if not set(topic.returns) <= set(topic.parameters):
        return None
    outputs = tuple(inputs[name] for name in topic.returns)
    return outputs[0] if len(outputs) == 1 else outputs


def _judge(topic: Topic, exam: Exam, mark: Mark, case: Case, observed: Observed) -> Verdict:
    returned = trained(topic, mark.shapes, case, observed)
    if not isinstance(returned, Trained):
        return returned
    reached = exam.accuracy(case.inputs, returned.outputs)
    if reached >= mark.everything:
        return passed(case)
    start = untrained(topic, case.inputs)
    nothing = mark.nothing if start is None else max(mark.nothing, exam.accuracy(case.inputs, start))
    earned = max(0.0, (reached - nothing) / (mark.everything - nothing)) if nothing < mark.everything else 0.0
    evidence = f"accuracy {reached:.4g}, nothing up to {nothing:.4g}, everything from {mark.everything:.4g}"
    return Verdict(Outcome.BELOW_BAR, case.name, _MESSAGE, evidence, earned)
