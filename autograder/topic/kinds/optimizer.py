"""A torch optimiser: stepped in the worker with gradients of ours; its own state stays there."""

import numpy as np

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Observation, failure
from autograder.topic.module import Made
from autograder.topic.rule import FIRST, LATER
from autograder.values.asking import Answer, Ask, Program

_TOOL = "torch: optimizer"


def observe(topic: Topic, case: Case) -> Observation:
    assert isinstance(topic, Made)
    answer = yield case.ask("steps", lambda: _program(topic, case))
    if not answer.returned:
        return dict.fromkeys((FIRST, LATER), failure(answer, f"stepping with {topic.name}"))
    path = answer.value["path"]
    if not _is_path(path, steps=len(case.inputs["dw"]), parameters=len(case.inputs["w"])):
        return dict.fromkeys((FIRST, LATER), failure(Answer("mismatch"), f"stepping with {topic.name}"))
    later = [_stacked(each) for each in zip(*path[1:], strict=True)]  # T rows of P -> P of (T, ...)
    return {FIRST: path[0], LATER: later}


def _is_path(path: object, *, steps: int, parameters: int) -> bool:
    """Whether this is what the tool returns: student code shares its process, and may have put another there."""
    return (
        isinstance(path, list)
        and len(path) == steps
        and all(isinstance(row, list) and len(row) == parameters for row in path)
        and all(isinstance(each, np.ndarray) for row in path for each in row)
    )


def _stacked(steps: tuple[np.ndarray, ...]) -> np.ndarray:
    """All steps of one parameter; the first of another shape than the others where there is one."""
    odd = next((step for step in steps if step.shape != steps[0].shape), None)
    return np.stack(steps) if odd is None else odd


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
