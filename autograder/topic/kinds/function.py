"""A function, or a trainer: one call, one or several outputs."""

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Failure, Observation, arguments, call, failure
from autograder.values import codec
from autograder.values.asking import Ask
from autograder.values.outcomes import Outcome


def observe(topic: Topic, case: Case) -> Observation:
    inputs = arguments(topic.parameters, case.inputs)
    answer = yield case.ask("call", lambda: call(case.name, topic.name, inputs, topic.returns, pure=topic.pure))
    if not answer.returned:
        failed = failure(answer, f"calling {topic.name}")
        return dict.fromkeys(topic.returns, failed)
    observed = dict(answer.value)
    after = observed.pop("arguments", None)
    if after is not None and not unchanged(list(inputs.values()), after):
        changed = Failure(Outcome.BROKEN_PROPERTY, f"{topic.name} must leave its arguments as they were", answer)
        return dict.fromkeys(topic.returns, changed)
    return observed


def whole(topic: Topic, case: Case) -> Ask:
    """One ask for all outputs."""
    return call(case.name, topic.name, arguments(topic.parameters, case.inputs), topic.returns)


def unchanged(before: object, after: object) -> bool:
    """Whether arguments came back as they were sent."""
    try:
        return codec.encode(before) == codec.encode(after)
    except codec.CodecError:
        return False
