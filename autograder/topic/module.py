"""How does a lecturer declare a class that is made of torch: a module, or an optimiser?

What is written is a function without arguments that returns the class. It is called when the class is needed, so
that reading a course does not import PyTorch. An alternative is such a function, too.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.topic.declare import Topic
from autograder.topic.parts import DEVICE, Block, Names, TopicError
from autograder.topic.rule import FIRST, LATER

Factory = Callable[[], Any]
OUT, GRADIENTS, DX, PARAMETERS = "out", "gradients", "dx", "parameters"


def torch_module(*, lecture: str, inputs: tuple[str, ...], buffers: bool = False) -> Callable[[Factory], "Made"]:
    """Declare a `torch.nn.Module`. A case gives its `inputs` by name, what its constructor needs, by name too, and
    `training`; weights and the upstream gradient are drawn.

    Judged are the output, the gradients of all parameters, those of the inputs, and the parameters' shapes.
    buffers: what the module keeps beside its parameters, as running means, is judged as well.
    """

    def declare(factory: Factory) -> Made:
        blocks = [Block(OUT, "value"), Block(GRADIENTS, "value"), Block(DX, "value"), Block(PARAMETERS, "value")]
        if buffers:
            blocks.append(Block("buffers", "value"))
        blocks = [block if block.name == OUT else _behind(block) for block in blocks]
        return _made("module", factory, lecture, tuple(blocks), inputs)

    return declare


def optimizer(*, lecture: str) -> Callable[[Factory], "Made"]:
    """Declare a subclass of `torch.optim.Optimizer`.

    A case gives `w`, a list of parameters; `dw`, a list with, for each step, a gradient a parameter, or None;
    what its constructor needs, by name; and `groups`, where it shall be given parameter groups.
    """

    def declare(factory: Factory) -> Made:
        blocks = (Block(FIRST, "trajectory"), Block(LATER, "trajectory", weight=2.0))
        return _made("optimizer", factory, lecture, blocks, ("w", "dw"))

    return declare


@dataclass(eq=False)
class Made(Topic):
    """A Topic whose classes are made when they are needed. inputs: what goes through the class, by name."""

    inputs: tuple[str, ...] = ()

    def as_defined(self, written: Names) -> Names:
        """Factories, as something that is called as the class is."""
        return {name: made_later(factory) for name, factory in written.items()}

    def options(self, given: dict[str, Any]) -> dict[str, Any]:
        """Of a case's inputs, those that the constructor is given."""
        return {name: value for name, value in given.items() if name not in (*self.inputs, *_OURS)}


_OURS = ("training", "weights", "dout", "groups", DEVICE)


def made_later(factory: Callable[[], Any]) -> Callable[..., Any]:
    """What makes the class at the first call, and then an object of it with each."""
    made = functools.cache(factory)

    @functools.wraps(factory)
    def build(*arguments: Any, **keywords: Any) -> Any:
        return made()(*arguments, **keywords)

    return build


def _made(kind: str, factory: Factory, lecture: str, blocks: tuple[Block, ...], inputs: tuple[str, ...]) -> Made:
    name = factory.__name__
    if inspect.signature(factory).parameters:
        raise TopicError(f"{name}: write a function without arguments that returns the class")
    returns = tuple(block.name for block in blocks)
    return Made(kind, name, lecture, {name: made_later(factory)}, blocks, returns, inputs=inputs)


def _behind(block: Block) -> Block:
    """Who knows what a module is made of, or that no gradient is zero, has not computed anything yet."""
    return Block(block.name, block.kind, requires=OUT, weight=block.weight)
