"""A function, or a trainer: one call, one or several outputs."""

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Observation, arguments, call, failure, spoiled
from autograder.values.asking import Ask


def observe(topic: Topic, case: Case) -> Observation:
    inputs = arguments(topic.parameters, case.inputs)
    watched = tuple(inputs) if topic.pure else ()
    answer = yield case.ask("call", lambda: call(case.name, topic.name, inputs, topic.returns, watched=watched))
    if not answer.returned:
        failed = failure(answer, f"calling {topic.name}")
        return dict.fromkeys(topic.returns, failed)
    changed = spoiled(topic.name, inputs, watched, answer) if watched else None
    if changed is not None:
        return dict.fromkeys(topic.returns, changed)
    return {name: answer.value[name] for name in topic.returns}


def whole(topic: Topic, case: Case) -> Ask:
    """One ask for all outputs."""
    return call(case.name, topic.name, arguments(topic.parameters, case.inputs), topic.returns)
