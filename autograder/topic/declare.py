"""How does a lecturer declare a topic?

`@topic` for a function or a class, `layer` for a forward with its backward; further kinds are declared in files of
their own, as `@trainer` and `@sampler`. What comes back is a Topic: callable as the reference itself, and the place
to hang cases, alternatives, misconceptions and properties on. A class is declared by a call,
`value = topic(...)(Value)`, so that `Value` stays the class.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from autograder.topic.edits import defined_names, edited, rebuild, source_of
from autograder.topic.parts import (
    DEVICE,
    Block,
    CaseMaker,
    Exam,
    Harmless,
    InputsMaker,
    Misconception,
    Names,
    Property,
    PropertyCheck,
    TopicError,
    Training,
    must_be_names,
)
from autograder.topic.worked import Worked


@dataclass(eq=False)
class Topic:
    """A lecture topic: its reference and everything that is known about right and wrong answers."""

    kind: str  # one of `topic.kinds`, such as "function"
    name: str
    lecture: str
    reference: Names
    blocks: tuple[Block, ...]
    returns: tuple[str, ...]
    pure: bool = False
    case_maker: CaseMaker | None = None
    alternatives: list[Names] = field(default_factory=list)
    misconceptions: list[Misconception] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    harmless_edits: list[Harmless] = field(default_factory=list)
    training: Training | None = None
    exam: Exam | None = None
    device_training: Training | None = None  # the larger ones, for a GPU
    device_exam: Exam | None = None
    examples: list[Worked] = field(default_factory=list)
    opaque: tuple[str, ...] = ()  # of `returns`, what is the student's own and stays in the worker
    cost_draw: InputsMaker | None = None  # inputs on which it matters how a result is computed
    slow_ones: dict[str, Names] = field(default_factory=dict)
    bulky_ones: dict[str, Names] = field(default_factory=dict)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.main(*arguments, **keywords)

    @property
    def main(self) -> Callable[..., Any]:
        """The function or class itself; of a layer, its forward."""
        main: Callable[..., Any] = next(iter(self.reference.values()))
        return main

    @property
    def is_class(self) -> bool:
        """Whether students define a class, which is built before it is given anything."""
        return self.kind in ("class", "module", "optimizer")

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return tuple(inspect.signature(self.main).parameters)

    @property
    def takes_device(self) -> bool:
        """Whether it can be asked to compute on a GPU: a module, or what has a parameter `device`."""
        return self.kind == "module" or DEVICE in self.parameters

    @property
    def is_larger_on_device(self) -> bool:
        """Whether it declares a run or an exam that is for a GPU alone."""
        return self.device_training is not None or self.device_exam is not None

    def on_device(self) -> "Topic":
        """The topic as it is asked on a GPU: with the larger run and exam, where it declares such."""
        training, exam = self.device_training or self.training, self.device_exam or self.exam
        return replace(self, training=training, exam=exam)

    def block(self, name: str) -> Block:
        return next(block for block in self.blocks if block.name == name)

    # What hangs on a topic: each of these is a decorator.

    def cases(self, maker: CaseMaker) -> CaseMaker:
        """Declare how inputs are drawn: a generator of `case(...)`, given a seeded generator."""
        self.case_maker = maker
        return maker

    def alternative(self, implementation: Callable[..., Any]) -> Callable[..., Any]:
        """Declare an independent right implementation.

        For a function, update rule, trainer or sampler it is the function. For a layer it is a function without
        arguments that returns (forward, backward); for a class, one that returns the class.
        """
        self.alternatives.append(self._named(implementation))
        return implementation

    def misconception(self, name: str, /, *edits: tuple[str, str], hint: str, equivalent_to: str = "") -> None:
        """Declare a misconception as token edits (old, new) of the reference's code.

        equivalent_to: the name of another misconception that no case can tell apart from this one.
        """
        definitions = tuple(self.reference.values())
        source = edited("\n\n".join(source_of(definition) for definition in definitions), edits)
        rebuilt = rebuild(source, defined_names(definitions))
        names = self.as_defined({student_name: rebuilt[student_name] for student_name in self.reference})
        self._add(Misconception(name, hint, names, edits, equivalent_to))

    def wrong(
        self, name: str, /, *, hint: str, equivalent_to: str = ""
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a misconception as a whole implementation, in the form `alternative` takes."""

        def declare(implementation: Callable[..., Any]) -> Callable[..., Any]:
            self._add(Misconception(name, hint, self._named(implementation), (), equivalent_to))
            return implementation

        return declare

    def harmless(self, *edits: tuple[str, str], because: str) -> None:
        """Declare that each of these edits of the reference is no mistake, so that `compile --mutants` does not
        list the mutant again. They match as those of a misconception do."""
        source = "\n\n".join(source_of(definition) for definition in self.reference.values())
        for edit in edits:
            edited(source, (edit,))  # EditError where it does not match once
            self.harmless_edits.append(Harmless(edit, because))

    def costly(self, draw: InputsMaker) -> InputsMaker:
        """Declare how inputs are drawn on which cost is measured: {parameter: value}, given a seeded generator.

        Large enough for the reference to take some milliseconds of CPU time, or 8 MiB of memory, beside which the
        inputs are small; drawn anew for every call.
        """
        self.cost_draw = draw
        return draw

    def slow(self, name: str, /) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a right implementation that takes too much CPU time, in the form `alternative` takes."""
        return self._over("slow", name, self.slow_ones)

    def bulky(self, name: str, /) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a right implementation that takes too much memory, in the form `alternative` takes."""
        return self._over("bulky", name, self.bulky_ones)

    def _over(
        self, kind: str, name: str, known: dict[str, Names]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def declare(implementation: Callable[..., Any]) -> Callable[..., Any]:
            if name in known:
                raise TopicError(f"{self.name}: two {kind} implementations are called {name!r}")
            known[name] = self._named(implementation)
            return implementation

        return declare

    def property(self, name: str, /, *, share: float, hint: str = "") -> Callable[[PropertyCheck], PropertyCheck]:
        """Declare a law of the outputs, as a generator.

        It is given the inputs of a case, yields inputs to call the student's function with, receives
        {block: output} for each and returns whether the law holds.
        """

        def declare(check: PropertyCheck) -> PropertyCheck:
            self.properties.append(Property(name, check, share, hint))
            return check

        return declare

    def worked(self, name: str, /, *, lecture: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
        """Declare a worked example that students can run; see `topic.worked` for what its body may use."""

        def declare(check: Callable[[], None]) -> Callable[[], None]:
            self.examples.append(Worked(name, lecture, check))
            return check

        return declare

    def _add(self, misconception: Misconception) -> None:
        if any(known.name == misconception.name for known in self.misconceptions):
            raise TopicError(f"{self.name}: two misconceptions are called {misconception.name!r}")
        self.misconceptions.append(misconception)

    def as_defined(self, written: Names) -> Names:
        """What students define, made of what authors write: the same, for most kinds."""
        return written

    def _named(self, implementation: Callable[..., Any]) -> Names:
        if self.kind in ("function", "trainer", "sampler", "rule", "module", "optimizer"):
            return self.as_defined({next(iter(self.reference)): implementation})
        wanted = "the class" if self.is_class else "(forward, backward)"
        form = f"{self.name}: an implementation of a {self.kind} is a function without arguments that returns {wanted}"
        if inspect.isclass(implementation) or inspect.signature(implementation).parameters:
            raise TopicError(form)
        made = implementation()
        parts = made if isinstance(made, tuple) else (made,)
        if len(parts) != len(self.reference) or not all(callable(part) for part in parts):
            raise TopicError(form)
        return dict(zip(self.reference, parts, strict=True))


def topic(
    *,
    lecture: str,
    returns: tuple[str, ...],
    gradients: Mapping[str, tuple[str, str]] | tuple[str, ...] = (),
    pure: bool = False,
) -> Callable[[Callable[..., Any]], Topic]:
    """Declare a function or class as a topic.

    lecture: deck and slide title.
    returns: names of the outputs, in order; for a class, the keys that its cases' `build` return.
    gradients: which outputs are gradients: {gradient: (output, input)}; for a class, their names.
    pure: the function must leave its arguments as they were.
    """
    must_be_names("returns", returns)
    must_be_names("gradients", gradients)
    pairs = dict(gradients) if isinstance(gradients, Mapping) else dict.fromkeys(gradients, ("", ""))

    def declare(definition: Callable[..., Any]) -> Topic:
        kind = "class" if inspect.isclass(definition) else "function"
        blocks = tuple(
            Block(name, "gradient", *pairs[name]) if name in pairs else Block(name, "value") for name in returns
        )
        name = definition.__name__
        inputs = inspect.signature(definition).parameters
        for block in blocks:
            if kind == "class" or block.kind != "gradient":
                continue
            if block.of not in returns or block.wrt not in inputs:
                raise TopicError(
                    f"{name}: {block.name!r} must be the gradient of an output by an input, not of {block.of!r} by "
                    f"{block.wrt!r}; outputs: {', '.join(returns)}; inputs: {', '.join(inputs)}"
                )
        if set(pairs) - set(returns):
            raise TopicError(f"{name}: gradients names {sorted(set(pairs) - set(returns))}, not in returns")
        return Topic(kind, name, lecture, {name: definition}, blocks, returns, pure)

    return declare


def layer(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *,
    lecture: str,
    gradients: tuple[str, ...],
    pure: bool = False,
) -> Topic:
    """Declare `f_forward(...) -> (out, cache)` and `f_backward(dout, cache) -> gradients` as one topic.

    gradients: the inputs that backward returns gradients of, in its order.
    """
    must_be_names("gradients", gradients)
    unknown = set(gradients) - set(inspect.signature(forward).parameters)
    if unknown:
        raise TopicError(f"{forward.__name__}: gradients names {sorted(unknown)}, which are no inputs")
    blocks = (Block("out", "value"), *(Block(f"d{name}", "gradient", "out", name) for name in gradients))
    names = {forward.__name__: forward, backward.__name__: backward}
    return Topic("layer", forward.__name__.removesuffix("_forward"), lecture, names, blocks, ("out", "cache"), pure)


def axes_of(topic_: Topic) -> dict[str, str]:
    """The axes each input and output was annotated with, as `{"logits": "N C", ...}`; without, absent."""
    found: dict[str, str] = {}
    hints = typing.get_type_hints(topic_.main) if not topic_.is_class else {}
    result = hints.pop("return", None)
    parts = typing.get_args(result) if typing.get_origin(result) is tuple else (result,)
    for name, hint in [*hints.items(), *zip(topic_.returns, parts, strict=False)]:
        if hasattr(hint, "dim_str"):
            found[name] = hint.dim_str
    for block in topic_.blocks:
        if block.wrt in found:
            found.setdefault(block.name, found[block.wrt])
    return found
