"""A torch module: built and run in the worker, with weights that were drawn for the reference's parameters."""

from typing import Any

import numpy as np

from autograder.sandbox.accelerator import PROCESSOR
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Failure, Observation, failure
from autograder.topic.module import DX, GRADIENTS, OUT, PARAMETERS, Made
from autograder.topic.parts import DEVICE
from autograder.values.asking import Answer, Ask, Program
from autograder.values.outcomes import Outcome

_TOOL = "torch: module"
_OF_A_RUN = {"out", "gradients", "inputs", "after"}
_UNFIT = "the parameters are not those that were asked for, by number or by shape, so it was not run"


def complete(topic: Topic, case: Case, rng: np.random.Generator) -> Case:
    """Draw weights for every parameter and buffer of the reference, and the upstream gradient."""
    assert isinstance(topic, Made)
    module = topic.main(**topic.options(case.inputs)).double()
    weights: dict[str, np.ndarray] = {}
    for name, parameter in module.named_parameters():
        fan_in = int(np.prod(parameter.shape[1:])) if parameter.ndim > 1 else 4
        weights[name] = rng.normal(size=tuple(parameter.shape)) / np.sqrt(fan_in)
    for name, buffer in module.named_buffers():
        if buffer.is_floating_point():
            weights[name] = rng.uniform(0.5, 2.0, size=tuple(buffer.shape))
    training = bool(case.inputs.get("training", True))
    shape = _run(topic, case.at(weights=weights, training=training))
    return case.at(weights=weights, training=training, dout=rng.normal(size=shape))


def _run(topic: Made, case: Case) -> tuple[int, ...]:
    """The shape of the reference's output."""
    from autograder.sandbox.worker_torch import run_module

    inputs = [case.inputs[name] for name in topic.inputs]
    shown = run_module(
        topic.main,
        topic.options(case.inputs),
        case.inputs["weights"],
        inputs,
        np.zeros(0),
        case.inputs["training"],
    )
    return tuple(shown["out"].shape)


def observe(topic: Topic, case: Case) -> Observation:
    assert isinstance(topic, Made)
    blocks = [block.name for block in topic.blocks]
    answer = yield case.ask("run", lambda: _program(topic, case))
    if not answer.returned:
        return dict.fromkeys(blocks, failure(answer, f"running {topic.name}"))
    shown: dict[str, Any] = answer.value["run"]
    if not _is_run(shown):
        return dict.fromkeys(blocks, failure(Answer("mismatch"), f"running {topic.name}"))
    if not shown["fits"]:
        unfit = Failure(Outcome.WRONG_SHAPE, _UNFIT, Answer("mismatch"))
        return dict.fromkeys(blocks, unfit) | {PARAMETERS: shown["parameters"]}
    inputs = shown["inputs"]
    found = {
        OUT: shown["out"],
        GRADIENTS: shown["gradients"],
        DX: inputs[0] if len(inputs) == 1 else inputs,
        PARAMETERS: shown["parameters"],
        "buffers": shown["after"],
    }
    return {name: found[name] for name in blocks}


def _is_run(shown: object) -> bool:
    """Whether this is what the tool returns: student code shares its process, and may have put another there."""
    if not isinstance(shown, dict) or PARAMETERS not in shown or not isinstance(shown.get("fits"), bool):
        return False
    return not shown["fits"] or (shown.keys() >= _OF_A_RUN and isinstance(shown["inputs"], list))


def _program(topic: Made, case: Case) -> Ask:
    program = Program()
    given = case.inputs
    run = program.call(
        program.get(_TOOL),
        program.get(topic.name),
        topic.options(given),
        given["weights"],
        [given[name] for name in topic.inputs],
        given["dout"],
        given["training"],
        given.get(DEVICE, PROCESSOR),
    )
    return program.ask(f"{case.name}/run", {"run": run})
