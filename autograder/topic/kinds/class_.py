"""A class: a case's `build` is recorded once and played on the student's class as one program."""

from autograder.topic.case import Case
from autograder.topic.declare import Topic, TopicError
from autograder.topic.kinds.observed import Observation, failure
from autograder.values.asking import trace


def observe(topic: Topic, case: Case) -> Observation:
    if case.build is None:
        raise TopicError(f"{topic.name}: the case {case.name!r} of a class needs build=")
    build = case.build
    answer = yield case.ask("build", lambda: trace(case.name, topic.name, build))
    if answer.returned:
        return dict(answer.value)
    return dict.fromkeys((block.name for block in topic.blocks), failure(answer, f"using {topic.name}"))
