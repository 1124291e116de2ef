"""An update rule: several steps, one after the other, as one program; its state is handed on inside the jail.

A step may work in place, and what it returned is looked at before the next one begins. Whether the arrays
that the caller gave were left as they were is a block of its own.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Failure, Observation, Observed, arguments, failure, lifted, unchanged
from autograder.topic.rule import ARGUMENTS, FIRST, LATER, Rule
from autograder.values.asking import Answer, Ask, Program
from autograder.values.codec import Register
from autograder.values.compare import as_array
from autograder.values.outcomes import Outcome


def complete(topic: Topic, case: Case, rng: np.random.Generator) -> Case:
    """Before the first step there is no state."""
    return case.at(state=None)


def observe(topic: Topic, case: Case) -> Observation:
    assert isinstance(topic, Rule)
    request = case.ask("steps", lambda: _program(topic, case))
    answer = yield request
    if not answer.returned:
        blocks = (FIRST, LATER) if case.edge else (FIRST, LATER, ARGUMENTS)
        return dict.fromkeys(blocks, _failed(topic, request, answer))
    seen, given = answer.value["seen"], [np.asarray(case.inputs["w"]), *_gradients(topic, case)]
    observed: Observed = {FIRST: seen[0], LATER: _stacked(seen[1:])}
    if case.edge:
        return observed
    kept = [unchanged(before, after) for before, after in zip(given, answer.value["given"], strict=True)]
    kept[0] = kept[0] and all(map(_equal, seen[:-1], answer.value["handed"]))
    whole = [kept[0]] if topic.by_function else [kept[0], all(kept[1:])]
    return {**observed, ARGUMENTS: np.array(whole)}


def _gradients(topic: Rule, case: Case) -> list[np.ndarray]:
    return [] if topic.by_function else [np.asarray(gradient) for gradient in case.inputs["dw"]]


def _program(topic: Rule, case: Case) -> Ask:
    program = Program()
    step = program.get(topic.name)
    plain, callables = lifted(arguments(topic.parameters, case.inputs))
    further = list(plain.values())[3:]
    w: Register = program.value(np.asarray(plain["w"]))
    gradients = [program.value(each) for each in _gradients(topic, case)]
    given, seen, state = [w, *gradients], [], plain["state"]
    handed = []  # what a step returned and the next one was given: it belongs to the caller, too
    for gradient in gradients or [plain["grad"]] * topic.steps:
        w, state = program.unpack(program.call(step, w, gradient, state, *further), 2)
        seen.append(program.operate("pos", w))  # a copy, which a later step cannot reach
        handed.append(w)
    return program.ask(f"{case.name}/steps", {"seen": seen, "given": given, "handed": handed[:-1]}, callables=callables)


def _equal(before: Any, after: Any) -> bool:
    try:
        return np.array_equal(as_array(before), as_array(after), equal_nan=True)
    except TypeError:
        return True  # no numbers, which is told where they are held against what is right


def _failed(topic: Rule, request: Ask, answer: Answer) -> Failure:
    doing = f"calling {topic.name} step after step"
    if answer.status == "raised" and answer.step is not None and request.steps[answer.step][0] == "operate":
        mismatch = Answer("mismatch", step=answer.step, detail={"got": "something that is no number"})
        return Failure(Outcome.WRONG_TYPE, doing, mismatch)
    return failure(answer, doing)


def _stacked(seen: Sequence[Any]) -> Any:
    """All steps as one array (T, ...); the first one of another form than the others where there is one."""
    try:
        arrays = [as_array(each) for each in seen]
    except TypeError:
        return next(each for each in seen if not isinstance(each, np.ndarray))
    odd = next((array for array in arrays if array.shape != arrays[0].shape), None)
    return np.stack(arrays) if odd is None else odd
