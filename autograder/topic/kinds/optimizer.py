"""A torch optimiser: stepped in the worker with gradients of ours; its own state stays there."""

import numpy as np

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Observation, failure
from autograder.topic.module import Made
from autograder.topic.rule import FIRST, LATER
from autograder.values.asking import Ask, Program

_TOOL = "torch: optimizer"


def observe(topic: Topic, case: Case) -> Observation:
    assert isinstance(topic, Made)
    answer = yield case.ask("steps", lambda: _program(topic, case))
    if not answer.returned:
        return dict.fromkeys((FIRST, LATER), failure(answer, f"stepping with {topic.name}"))
    path = answer.value["path"]
    later = [np.stack(each) for each in zip(*path[1:], strict=True)]  # T rows of P -> P of (T, ...)
    return {FIRST: path[0], LATER: later}


def _program(topic: Made, case: Case) -> Ask:
    program = Program()
    given = case.inputs
    path = program.call(
        program.get(_TOOL),
        program.get(topic.name),
        topic.options(given),
        given["w"],
        given["dw"],
        given.get("groups", []),
    )
    return program.ask(f"{case.name}/steps", {"path": path})
