"""A layer: forward keeps its cache in the worker, backward gets it back with an upstream gradient."""

import numpy as np

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Observation, arguments, call, failure


def complete(topic: Topic, case: Case, rng: np.random.Generator) -> Case:
    """Draw the upstream gradient: random, never ones, which hide half of the wrong backward passes."""
    if "dout" in case.inputs:
        return case
    out, _ = topic.main(*arguments(topic.parameters, case.inputs).values())
    return case.at(dout=rng.normal(size=np.shape(out)))


def observe(topic: Topic, case: Case) -> Observation:
    forward, backward = topic.reference
    gradients = tuple(block.name for block in topic.blocks if block.kind == "gradient")
    inputs = arguments(topic.parameters, case.inputs)
    answer = yield case.ask(
        "forward", lambda: call(f"{case.name}/forward", forward, inputs, ("out", "cache"), keep="cache")
    )
    if not answer.returned:
        return dict.fromkeys(("out", *gradients), failure(answer, f"calling {forward}"))
    observed = {"out": answer.value["out"]}
    back = {"dout": case.inputs["dout"], "cache": answer.value["cache"]}
    answer = yield call(f"{case.name}/backward", backward, back, gradients)
    if answer.returned:
        return {**observed, **answer.value}
    return observed | dict.fromkeys(gradients, failure(answer, f"calling {backward}"))
