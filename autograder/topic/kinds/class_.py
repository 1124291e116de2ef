"""A class: a case's `build` is recorded once and played on the student's class as one program."""

import inspect
from collections.abc import Callable
from typing import Any

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Observation, failure
from autograder.topic.parts import TopicError
from autograder.values.asking import Ask, trace


def observe(topic: Topic, case: Case) -> Observation:
    if case.build is None:
        raise TopicError(f"{topic.name}: the case {case.name!r} of a class needs build=")
    build = case.build
    given = inspect.signature(build).parameters.values()
    if sum(each.default is each.empty and each.kind is not each.VAR_KEYWORD for each in given) != 1:
        raise TopicError(
            f"{topic.name}: the build of the case {case.name!r} takes the class alone; what it computes with is bound "
            "around it, by a function that draws and returns it"
        )
    answer = yield case.ask("build", lambda: _recorded(topic, case, build))
    if answer.returned:
        return dict(answer.value)
    return dict.fromkeys((block.name for block in topic.blocks), failure(answer, f"using {topic.name}"))


def _recorded(topic: Topic, case: Case, build: Callable[[Any], dict[str, Any]]) -> Ask:
    try:
        return trace(case.name, topic.name, build)
    except Exception as error:  # it is the lecturer's, and may raise anything; its author is told
        raise TopicError(
            f"{topic.name}: the build of the case {case.name!r} cannot be recorded: {type(error).__name__}: {error}"
        ) from error
