"""How is a training loop declared, which is judged by short runs and by where a long one ends?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.sandbox.accelerator import CUDA, PROCESSOR
from autograder.topic.declare import Topic
from autograder.topic.parts import Block, Exam, TopicError, Training, must_be_names


def trainer(
    *, lecture: str, returns: tuple[str, ...], convergence: float = 1.0
) -> Callable[[Callable[..., Any]], "Trainer"]:
    """Declare a training loop that returns trained parameters; `.loss` and `.training` say how to judge it.

    Its cases are short runs, compared with the reference step for step. convergence: the weight of the
    long run, where each output of a short run weighs 1.
    """

    must_be_names("returns", returns)

    def declare(train: Callable[..., Any]) -> Trainer:
        blocks = tuple(Block(name, "value") for name in returns)
        return Trainer("trainer", train.__name__, lecture, {train.__name__: train}, blocks, returns, weight=convergence)

    return declare


@dataclass(eq=False)
class Trainer(Topic):
    """A Topic that is also judged by where a long run ends."""

    weight: float = 1.0

    def converges(
        self, *, loss: Callable[[dict[str, Any], Any], float], device: str = PROCESSOR
    ) -> Callable[[Callable[[np.random.Generator], dict[str, Any]]], Callable[..., Any]]:
        """Declare how the long run's inputs are drawn.

        loss: given the inputs and what the student returned, the loss in nats. The reference computes
        it, so a claimed history is never believed. It may raise on values of the wrong form.
        device: "cuda" for the larger run, which takes the place of the other where there is a GPU.
        """

        def declare(draw: Callable[[np.random.Generator], dict[str, Any]]) -> Callable[..., Any]:
            training = Training(draw, loss, self.weight)
            if self._is_larger(device):
                self.device_training = training
            else:
                self.training = training
            return draw

        return declare

    def generalizes(
        self,
        *,
        accuracy: Callable[[dict[str, Any], Any], float],
        chance: float,
        weight: float = 1.0,
        device: str = PROCESSOR,
    ) -> Callable[[Callable[[np.random.Generator], dict[str, Any]]], Callable[..., Any]]:
        """Declare how an exam's inputs are drawn, together with hidden examples under names of their own.

        accuracy: given all that was drawn and what the student returned, the fraction of hidden examples
        that it gets right. Parameters come back, or predictions for inputs that went in; labels never go
        in. chance: the accuracy of a constant answer. weight: as for blocks. device: "cuda" for the larger exam,
        which takes the place of the other where there is a GPU.
        """

        def declare(draw: Callable[[np.random.Generator], dict[str, Any]]) -> Callable[..., Any]:
            exam = Exam(draw, accuracy, chance, weight)
            if self._is_larger(device):
                self.device_exam = exam
            else:
                self.exam = exam
            return draw

        return declare

    def _is_larger(self, device: str) -> bool:
        """Whether something is declared for a GPU. TopicError where that cannot be asked for."""
        if device not in (PROCESSOR, CUDA):
            raise TopicError(f"{self.name}: device must be {PROCESSOR!r} or {CUDA!r}, not {device!r}")
        if device == CUDA and not self.takes_device:
            raise TopicError(f"{self.name} is declared for a GPU: give the function a parameter `device`")
        return device == CUDA
