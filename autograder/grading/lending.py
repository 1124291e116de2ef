"""Whose function does a later question call, where the student's own earlier answer was wrong?

A right one: under the names of the earlier question stand stubs, whose calls the reference answers in a jail of its
own. What a layer's forward keeps for its backward stays in that jail, and the student's code gets a word for it.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from autograder.grading.metering import Reference
from autograder.sandbox.isolation import Fork
from autograder.sandbox.limits import SandboxError
from autograder.sandbox.replies import TooManyCalls
from autograder.sandbox.worker_answer import PUT
from autograder.topic.declare import Topic
from autograder.values.asking import Answer, Ask, Program
from autograder.values.codec import Handle, Stub

PATIENCE = 5.0  # seconds on the wall that calls may take together, for a CPU second of the question
_FIRST = 1_000_000  # number of the first stub; a case's own callables are counted from 0
_BUILTIN = {kind.__name__: kind for kind in (TypeError, ValueError, IndexError, KeyError, ZeroDivisionError)}


class Lender:
    """Answers for the functions of some topics, during one question.

    references: of each topic, its jail. cpu_s: CPU seconds that all calls of one topic's functions may take together.
    """

    def __init__(self, references: Sequence[tuple[Topic, Reference]], cpu_s: float) -> None:
        self._cpu_s = cpu_s
        self._lent = [_Lent(topic, reference, cpu_s) for topic, reference in references]
        served = [(name, lent) for lent in self._lent for name in lent.topic.reference]
        self._names = {name: Stub(_FIRST + number) for number, (name, _) in enumerate(served)}
        self._callables: Mapping[int, Callable[..., Awaitable[Any]]] = {
            _FIRST + number: partial(lent.call, name) for number, (name, lent) in enumerate(served)
        }

    def put(self) -> Ask:
        """What to ask first in every process of the question: it puts the stubs in their places."""
        program = Program()
        return program.ask(PUT, program.call(program.get(PUT), dict(self._names)))

    def with_calls(self, ask: Ask) -> Ask:
        """The ask, during which the stubs can be called."""
        return replace(ask, callables={**ask.callables, **self._callables})

    async def close(self) -> None:
        for lent in self._lent:
            await lent.close()


class _Lent:
    """One topic's functions."""

    def __init__(self, topic: Topic, reference: Reference, cpu_s: float) -> None:
        self.topic = topic
        self._reference = reference
        self._cpu_s = cpu_s
        self._left_s = PATIENCE * cpu_s  # while a call is answered, nobody's clock runs
        self._fork: Fork | None = None
        self._kept: dict[str, Handle] = {}  # by the word that stands for it

    async def call(self, name: str, *positional: Any, **keywords: Any) -> Any:
        """What the reference returns. Raises as it does, which is the student's error: the arguments are theirs.

        TooManyCalls where calls have taken too long, as those of a loop that never ends.
        """
        if self._left_s < 0:
            raise TooManyCalls(f"calls of {name} took more than {PATIENCE * self._cpu_s:g} s together")
        began = time.monotonic()
        try:
            return await self._called(name, positional, keywords)
        finally:
            self._left_s -= time.monotonic() - began

    async def _called(self, name: str, positional: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if self._fork is None:
            session = await self._reference.session()
            if session is None:
                raise SandboxError(f"the reference of {self.topic.name} cannot be loaded in its jail")
            self._fork = await session.question(self._cpu_s)
        program = Program()
        arguments = {key: self._value(value) for key, value in keywords.items()}
        result = program.call(program.get(name), *map(self._value, positional), **arguments)
        outputs = self._outputs(name)
        parts = program.unpack(result, len(outputs)) if len(outputs) > 1 else [result]
        kept = tuple(part for output, part in zip(outputs, parts, strict=True) if self._is_kept(output))
        answer = await self._fork.ask(program.ask(name, parts, keep=kept))
        if not answer.returned:
            raise _error(name, answer)
        values = tuple(self._word(name, value) if isinstance(value, Handle) else value for value in answer.value)
        return values if len(values) > 1 else values[0]

    def _outputs(self, name: str) -> tuple[str, ...]:
        if self.topic.kind == "layer" and name != next(iter(self.topic.reference)):
            return tuple(block.name for block in self.topic.blocks if block.kind == "gradient")
        return self.topic.returns

    def _is_kept(self, output: str) -> bool:
        return output in self.topic.opaque or (self.topic.kind == "layer" and output == "cache")

    def _word(self, name: str, handle: Handle) -> str:
        word = f"<{len(self._kept) + 1} of {name}>"
        self._kept[word] = handle
        return word

    def _value(self, argument: Any) -> Any:
        return self._kept.get(argument, argument) if isinstance(argument, str) else argument

    async def close(self) -> None:
        if self._fork is not None:
            await self._fork.close()
        await self._reference.close()


def _error(name: str, answer: Answer) -> Exception:
    """What a call of the student's raises where the reference did not return."""
    if answer.status == "not_graded":
        return SandboxError(f"the jail of {name} ended")
    if answer.status == "raised":
        kind = _BUILTIN.get(str(answer.detail.get("type")), RuntimeError)
        return kind(f"{name}: {answer.detail.get('text', '')}")
    return RuntimeError(f"{name} did not return: {answer.status.replace('_', ' ')}")
