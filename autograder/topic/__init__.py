"""What a course's `reference/` imports: how to declare a lecture topic.

from autograder.topic import (
    Array, Float, Int, Opaque, bind, case, close, layer, optimizer, sampler, topic, torch_module, trainer, update_rule
)
"""

from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from autograder.topic.case import Bound, Case, bind, case
from autograder.topic.declare import Topic, layer, topic
from autograder.topic.module import optimizer, torch_module
from autograder.topic.parts import TopicError
from autograder.topic.public import close
from autograder.topic.rule import update_rule
from autograder.topic.sampling import sampler
from autograder.topic.training import trainer


class Opaque:
    """Annotates an output that is the student's own, a cache or a state: it stays in the worker."""


__all__ = [
    "Array",
    "Bool",
    "Bound",
    "Case",
    "Float",
    "Int",
    "Opaque",
    "Topic",
    "TopicError",
    "bind",
    "case",
    "close",
    "layer",
    "optimizer",
    "sampler",
    "topic",
    "torch_module",
    "trainer",
    "update_rule",
]
