"""How is each kind of topic asked? One small file a kind; a new kind touches nothing else.

`observe` is a generator: it yields asks, receives answers, and returns for each block what came back
or how it failed. `complete` adds what a kind draws for itself, such as a layer's upstream gradient.
"""

import numpy as np

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import class_, function, layer, module, optimizer, rule, sampler
from autograder.topic.kinds.observed import Failure, Observation, Observed, arguments, call
from autograder.topic.parts import TopicError
from autograder.values.asking import Ask

__all__ = ["Failure", "Observation", "Observed", "arguments", "call", "complete", "observe", "whole"]

_KINDS = {
    "function": function,
    "trainer": function,
    "layer": layer,
    "class": class_,
    "sampler": sampler,
    "rule": rule,
    "module": module,
    "optimizer": optimizer,
}


def observe(topic: Topic, case: Case) -> Observation:
    """Ask what `case` needs; the result maps each block to what came back or a Failure."""
    observation: Observation = _KINDS[topic.kind].observe(topic, case)
    return observation


def whole(topic: Topic, case: Case) -> Ask:
    """One ask for all that a case computes; TopicError where a kind has none, as its parts are asked apart."""
    asking = getattr(_KINDS[topic.kind], "whole", None)
    if asking is None:
        raise TopicError(
            f"{topic.name}: what a {topic.kind} costs cannot be measured; only a function or a layer's can"
        )
    ask: Ask = asking(topic, case)
    return ask


def complete(topic: Topic, case: Case, rng: np.random.Generator) -> Case:
    """The case with whatever its kind draws for itself."""
    adding = getattr(_KINDS[topic.kind], "complete", None)
    completed: Case = adding(topic, case, rng) if adding else case
    return completed
