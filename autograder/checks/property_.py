"""Do the outputs obey a law their author declared?"""

from autograder.checks.plan import Check
from autograder.checks.verdict import CheckRun, Sheet, Verdict, failure_evidence, failure_message, passed
from autograder.topic.case import Case
from autograder.topic.kinds import Failure, observe
from autograder.values.compare import as_array
from autograder.values.outcomes import Outcome


def run(sheet: Sheet, check: Check) -> CheckRun:
    """Runs on cases whose values were right: a law alone is too easy to satisfy."""
    topic = sheet.plan.topic
    law = next(declared for declared in topic.properties if declared.name == check.block)
    for name in check.cases:
        given = sheet.plan.cases[name].inputs
        trial = law.check(dict(given))
        try:
            inputs = next(trial)
            while True:
                observed = yield from observe(topic, Case(f"{name}: {law.name}", {**given, **inputs}))
                outputs = {}
                for block, shown in observed.items():
                    if isinstance(shown, Failure):
                        message = failure_message(shown)
                        return Verdict(shown.outcome, name, message, failure_evidence(shown))
                    try:
                        outputs[block] = as_array(shown)
                    except TypeError as error:
                        return Verdict(Outcome.WRONG_TYPE, name, f"{block}: {error}")
                inputs = trial.send(outputs)
        except StopIteration as stop:
            if stop.value is not True:
                message = f"This does not hold for your function: {law.name}. {law.hint}".strip()
                return Verdict(Outcome.BROKEN_PROPERTY, name, message)
    return passed(check.cases[-1])
