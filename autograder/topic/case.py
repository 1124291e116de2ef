"""What is one drawn input of a topic?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograder.values.asking import Ask


class Bound:
    """A function with some arguments filled in, which a case passes to the student as a callable.

    The student's worker receives a stub without source: each call is computed by the examiner.
    """

    def __init__(self, function: Callable[..., Any], arguments: dict[str, Any]) -> None:
        self.function = function
        self.arguments = arguments

    def __call__(self, *positional: Any, **keywords: Any) -> Any:
        return self.function(*positional, **keywords, **self.arguments)


def bind(function: Callable[..., Any], /, **arguments: Any) -> Bound:
    """`function` with keyword arguments filled in, to be passed as an input of a case."""
    return Bound(function, arguments)


@dataclass(frozen=True)
class Case:
    """One drawn input.

    edge: the share of each block's points that this case decides by itself, or 0 for a core case. The
    core cases of a block earn the rest together, and an edge earns only where the core passed.
    draws: for a sampler: how many draws are looked at.
    build: for class topics: what is done with the class, returning {block: value}.
    finite: whether right answers hold finite numbers only; where not, their infinities and NaN are asked for.
    asks: the asks already made for this case, so that each is built and encoded once for all students.
    """

    name: str
    inputs: dict[str, Any] = field(default_factory=dict)
    edge: float = 0.0
    build: Callable[[Any], dict[str, Any]] | None = None
    draws: int = 0
    finite: bool = True
    asks: dict[str, Ask] = field(default_factory=dict, compare=False, repr=False)

    def ask(self, key: str, make: Callable[[], Ask]) -> Ask:
        """The ask called `key`, made at its first use."""
        if key not in self.asks:
            self.asks[key] = make()
        return self.asks[key]

    def at(self, **inputs: Any) -> "Case":
        """The same case with other inputs."""
        return Case(self.name, {**self.inputs, **inputs}, self.edge, self.build, self.draws, self.finite)


def case(
    name: str,
    /,
    *,
    edge: float = 0.0,
    build: Callable[[Any], dict[str, Any]] | None = None,
    finite: bool = True,
    **inputs: Any,
) -> Case:
    """A case called `name` with these inputs, by the parameter names of the reference.

    finite: say False where an infinity or NaN is the right answer.
    """
    return Case(name, inputs, edge, build, finite=finite)
