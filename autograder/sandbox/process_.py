"""How is student code run without a jail, while somebody develops a course?

In an ordinary process that may do whatever the person may do who started it: nothing stops it from
reading, changing or sending anything of theirs. It answers as the jail does, by the clock on the wall,
and it runs on systems that have no namespaces. Never for grades.
"""

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autograder.sandbox.alone import Alone
from autograder.sandbox.environment import module_names
from autograder.sandbox.limits import Cell, Environment, Limits, Loaded, Usage
from autograder.values.asking import Answer, Ask

_ENDS = frozenset(["timed_out", "crashed", "not_graded"])  # answers after which the process is gone


class ProcessServer:
    """Stands where a jail's server would; nothing is warm, each submission starts a process."""

    walls: Mapping[str, str] = {"process": "none: student code may do all that you may; use namespaces or docker"}

    def __init__(self, modules: frozenset[str]) -> None:
        self._modules = modules

    @classmethod
    async def start(cls, environment: Environment) -> "ProcessServer":
        """Raises SandboxError where a package of the environment is not installed."""
        return cls(module_names(environment))

    async def open(self, limits: Limits) -> "ProcessSession":
        return ProcessSession(Alone(limits, self._modules))

    async def close(self) -> None:
        """Nothing is kept between submissions."""


class ProcessSession:
    """One submission in its process; questions are asked one after the other."""

    def __init__(self, alone: Alone) -> None:
        self._alone = alone
        self._turn = asyncio.Lock()

    async def load(
        self,
        cells: Sequence[Cell],
        files: Mapping[str, bytes],
        wanted: frozenset[str],
        skip: frozenset[int] = frozenset(),
    ) -> Loaded:
        """Run the cells. skip: cells of which only definitions are worth running; here they are found anew."""
        async with self._turn:
            return await asyncio.to_thread(self._alone.load, cells, files, wanted)

    async def question(self, cpu_s: float, *, last: bool = False, alone: bool = False) -> "ProcessQuestion":
        return ProcessQuestion(self._alone, self._turn, cpu_s)

    async def close(self) -> None:
        async with self._turn:
            await asyncio.to_thread(self._alone.close)


class ProcessQuestion:
    """One question to the loaded process; see `question.Question` for what its methods promise."""

    def __init__(self, alone: Alone, turn: asyncio.Lock, cpu_s: float) -> None:
        self._alone = alone
        self._turn = turn
        self._cpu_s = cpu_s
        self._wall_s = 0.0
        self._ended: Answer | None = None

    @property
    def ended(self) -> bool:
        return self._ended is not None

    async def ask(self, ask: Ask) -> Answer:
        return (await self.ask_all([ask]))[0]

    async def ask_all(self, asks: Sequence[Ask]) -> list[Answer]:
        answers: list[Answer] = []
        for ask in asks:
            if self._ended:
                break
            async with self._turn:
                began = time.monotonic()
                answer = await asyncio.to_thread(self._alone.ask, _for_a_thread(ask), cpu_s=self._cpu_s)
                self._wall_s += time.monotonic() - began
            if answer.status in _ENDS:
                self._ended = answer
            answers.append(answer)
        return answers or ([self._ended] if self._ended else [])

    async def close(self) -> Usage:
        """What it used: from outside an ordinary process only the wall is seen, so it stands for CPU too."""
        self._ended = self._ended or Answer("crashed", detail={"text": "the question is closed"})
        return Usage(cpu_s=self._wall_s, wall_s=self._wall_s)


def _for_a_thread(ask: Ask) -> Ask:
    """The ask, with functions that a thread can call and that wait in this loop."""
    if not any(map(_waits, ask.callables.values())):
        return ask
    loop = asyncio.get_running_loop()

    def plain(function: Callable[..., Any]) -> Callable[..., Any]:
        if not _waits(function):
            return function
        return lambda *given, **named: asyncio.run_coroutine_threadsafe(function(*given, **named), loop).result()

    return replace(ask, callables={number: plain(function) for number, function in ask.callables.items()})


def _waits(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(getattr(function, "func", function))
