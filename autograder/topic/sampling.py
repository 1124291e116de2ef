"""How is a function declared that draws for itself, and is judged by what its draws have in common?"""

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from autograder.topic.declare import Topic
from autograder.topic.parts import DRAWS, GENERATOR, RNG, Block, Distribution, Law, TopicError, must_be_names


def sampler(
    *, lecture: str, returns: tuple[str, ...], structured: bool = False
) -> Callable[[Callable[..., Any]], "Sampler"]:
    """Declare a function that draws from the generator it is given as `rng`.

    Right programs draw differently, so it is judged by its laws and distributions, and by whether the
    generator alone decides. Annotate an output `list[...]` where it is a list of arrays.
    structured: draws that obey the laws are worth something even where nothing is left to chance, as are
    batches of an order that was not shuffled. A mask of zeros is not.
    """

    must_be_names("returns", returns)

    def declare(draw: Callable[..., Any]) -> Sampler:
        if RNG not in inspect.signature(draw).parameters:
            raise TopicError(f"{draw.__name__}: a sampler needs a parameter {RNG!r}, the generator that it draws from")
        blocks = (Block(DRAWS, "law"), Block(GENERATOR, "law", requires=DRAWS))
        names = {draw.__name__: draw}
        return Sampler("sampler", draw.__name__, lecture, names, blocks, returns, structured=structured)

    return declare


@dataclass(eq=False)
class Sampler(Topic):
    """A Topic that is judged by what its draws have in common."""

    structured: bool = False
    laws: list[Law] = field(default_factory=list)
    distributions: list[Distribution] = field(default_factory=list)

    def law(self, name: str, /, *, hint: str = "") -> Callable[[Callable[..., bool]], Callable[..., bool]]:
        """Declare a law of every draw: given the inputs and one draw, whether it holds.

        A draw is an array or a list of arrays; with several outputs, a tuple of them. The laws are looked
        at in order and the first that is broken is named, so each may rely on those before. Numbers of a
        wrong form may raise.
        """

        def declare(holds: Callable[..., bool]) -> Callable[..., bool]:
            self.laws.append(Law(name, holds, hint))
            return holds

        return declare

    def distribution(self, name: str, /, *, hint: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare how often things happen: given the inputs and many independent draws, (hits, trials, probability).

        The three broadcast to any number of counts, which must depend on the inputs alone. Where the law
        is right, each hit must come with its probability, independently of the other trials of its count;
        counts may depend on each other. It is asked only of draws that obey every law.
        """

        def declare(counts: Callable[..., Any]) -> Callable[..., Any]:
            self.distributions.append(Distribution(name, counts, hint))
            self.blocks = (*self.blocks, Block(name, "distribution", requires=DRAWS))
            return counts

        return declare

    @cached_property
    def lists(self) -> tuple[bool, ...]:
        """Which of the outputs are lists of arrays."""
        result = typing.get_type_hints(self.main).get("return")
        parts = typing.get_args(result) if typing.get_origin(result) is tuple else (result,)
        return tuple(typing.get_origin(part) is list for part in parts)
