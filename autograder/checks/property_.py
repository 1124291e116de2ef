"""Do the outputs obey a law their author declared?"""

from collections.abc import Generator

import numpy as np

from autograder.checks.plan import Check
from autograder.checks.together import Asking, together
from autograder.checks.verdict import CheckRun, Sheet, Verdict, failure_evidence, failure_message, passed
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import Failure, observe
from autograder.topic.parts import Property, TopicError
from autograder.values.compare import as_array
from autograder.values.outcomes import Outcome

_BAD_FORM = (ArithmeticError, LookupError, TypeError, ValueError)  # what numbers of a wrong form lead to


def run(sheet: Sheet, check: Check) -> CheckRun:
    """Runs on cases whose values were right: a law alone is too easy to satisfy."""
    topic = sheet.plan.topic
    law = next(declared for declared in topic.properties if declared.name == check.block)
    found = yield from together([_try(sheet, topic, law, sheet.plan.cases[name]) for name in check.cases])
    return next((verdict for verdict in found if verdict), None) or passed(check.cases[-1])


def _try(sheet: Sheet, topic: Topic, law: Property, case: Case) -> Asking[Verdict | None]:
    """The verdict where the law does not hold on a case."""
    trial = law.check(dict(case.inputs))
    said: object
    if not isinstance(trial, Generator):
        raise TopicError(_unanswered(topic, law, trial))
    try:
        inputs = next(trial)
        while True:
            if all(value is case.inputs.get(key) for key, value in inputs.items()):
                observed = sheet.seen[case.name]  # the case itself was asked already
            else:
                observed = yield from observe(topic, Case(f"{case.name}: {law.name}", {**case.inputs, **inputs}))
            outputs = {}
            for block, shown in observed.items():
                if isinstance(shown, Failure):
                    return Verdict(shown.outcome, case.name, failure_message(shown), failure_evidence(shown))
                try:
                    outputs[block] = as_array(shown)
                except TypeError as error:
                    return Verdict(Outcome.WRONG_TYPE, case.name, f"{block}: {error}")
            inputs = trial.send(outputs)
    except StopIteration as stop:
        said = stop.value
    except _BAD_FORM as error:
        said = error  # it cannot be computed on what came back: of its shape nothing is known there
    if isinstance(said, bool | np.bool_) and said:
        return None
    message = f"This does not hold for your function: {law.name}. {law.hint}".strip()
    # What a law says of odd outputs may be odd, too, and is no fault of its author's; of right ones the proof tells.
    evidence = "" if isinstance(said, bool | np.bool_) else _unanswered(topic, law, said)
    return Verdict(Outcome.BROKEN_PROPERTY, case.name, message, evidence)


def _unanswered(topic: Topic, law: Property, value: object) -> str:
    if isinstance(value, Exception):
        return f"{topic.name}: the property {law.name!r} raised {type(value).__name__}: {value}"
    return (
        f"{topic.name}: the property {law.name!r} returned a {type(value).__name__}; let it yield the inputs of each "
        "call and return True or False"
    )
