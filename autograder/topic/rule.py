"""How does a lecturer declare an update rule, a step of an optimiser?

`rule(w, dw, state, ...) -> (w, state)`, or with a third of its inputs a function, `rule(w, grad, state, ...)`,
where the gradient is needed elsewhere than at w. The state is the student's own: None before the first step,
then whatever the step before returned. It never leaves the jail, so that its form is free.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.topic.declare import Topic
from autograder.topic.parts import Block, TopicError

FIRST, LATER, ARGUMENTS = "first_step", "trajectory", "arguments"
GIVEN = (("w", "dw", "state"), ("w", "grad", "state"))  # the first three parameters


def update_rule(*, lecture: str, steps: int = 6) -> Callable[[Callable[..., Any]], "Rule"]:
    """Declare an update rule. A case gives `w`, the rule's further arguments, and `dw`, which holds one gradient
    a step along its first axis, or `grad`, a bound function of the parameters.

    steps: how many are made with a `grad`.
    """

    def declare(step: Callable[..., Any]) -> Rule:
        if tuple(inspect.signature(step).parameters)[:3] not in GIVEN:
            raise TopicError(f"{step.__name__}: an update rule begins with w, dw, state or with w, grad, state")
        blocks = (
            Block(FIRST, "trajectory"),
            Block(LATER, "trajectory", weight=2.0),
            Block(ARGUMENTS, "trajectory", requires=LATER, weight=0.5),
        )
        names = {step.__name__: step}
        return Rule("rule", step.__name__, lecture, names, blocks, ("w", "state"), opaque=("state",), steps=steps)

    return declare


@dataclass(eq=False)
class Rule(Topic):
    """A Topic whose steps are followed: the first one, all later ones, and what becomes of the caller's arrays."""

    steps: int = 6

    @property
    def by_function(self) -> bool:
        """Whether the rule is given the gradient as a function."""
        return self.parameters[1] == "grad"
