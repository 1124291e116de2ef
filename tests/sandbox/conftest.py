"""A jail to test against, one warm server an environment for the whole run."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from autograder.sandbox.limits import Environment, Limits, Loaded, SandboxError, Usage
from autograder.sandbox.session import Question, Server, Session
from autograder.values.asking import Answer, Ask, Program

NUMPY = Environment("numpy", ("numpy", "scipy", "pandas", "matplotlib", "tqdm", "ipython"))
TORCH = Environment("torch", (*NUMPY.packages, "torch"))
QUICK = Limits(cell_cpu_s=0.5, load_cpu_s=1.5, memory_mib=256, disk_mib=16, processes=24)


@dataclass(frozen=True)
class Cell:
    number: int
    source: str


def cells(*sources: str) -> list[Cell]:
    return [Cell(number, source) for number, source in enumerate(sources, 1)]


def call(name: str, *arguments: Any, callables: dict[int, Callable[..., Any]] | None = None) -> Ask:
    """The ask for `name(*arguments)`."""
    program = Program()
    result = program.call(program.get(name), *arguments)
    return program.ask(name, result, callables=callables)


@dataclass
class Jail:
    """A server, driven from ordinary code."""

    server: Server
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    open_sessions: list[Session] = field(default_factory=list)

    def load(
        self,
        *sources: str,
        wanted: frozenset[str] = frozenset({"f"}),
        files: dict[str, bytes] | None = None,
        limits: Limits = QUICK,
        skip: frozenset[int] = frozenset(),
    ) -> "Loading":
        session = self.run(self.server.open(limits))
        self.open_sessions.append(session)
        return Loading(self, session, self.run(session.load(cells(*sources), files or {}, wanted, skip)))


@dataclass
class Loading:
    """A loaded submission."""

    jail: Jail
    session: Session
    loaded: Loaded

    def question(self, cpu_s: float = 0.5) -> Question:
        return self.jail.run(self.session.question(cpu_s))

    def ask(self, *asks: Ask, cpu_s: float = 0.5) -> Answer:
        """The answer to the last of the asks, in one question."""
        return self.ask_and_close(*asks, cpu_s=cpu_s)[0]

    def ask_and_close(self, *asks: Ask, cpu_s: float = 0.5) -> tuple[Answer, Usage]:
        question = self.question(cpu_s)
        answers = [self.jail.run(question.ask(ask)) for ask in asks]
        return answers[-1], self.jail.run(question.close())

    def result(self, name: str = "f", *arguments: Any) -> Any:
        """What `name(*arguments)` returns, which it must."""
        answer = self.ask(call(name, *arguments))
        assert answer.returned, answer
        return answer.value

    @property
    def kinds(self) -> list[str]:
        return [note.kind for note in self.loaded.notes]

    def close(self) -> None:
        self.jail.run(self.session.close())


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    with asyncio.Runner() as runner:
        yield runner.run


def _server(run: Callable[[Coroutine[Any, Any, Any]], Any], environment: Environment) -> Iterator[Server]:
    try:
        server = run(Server.start(environment))
    except SandboxError as error:
        if "refuses" in str(error):
            pytest.skip(str(error))
        raise
    yield server
    run(server.close())


@pytest.fixture(scope="session")
def numpy_server(run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Iterator[Server]:
    yield from _server(run, NUMPY)


@pytest.fixture(scope="session")
def torch_server(run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Iterator[Server]:
    yield from _server(run, TORCH)


@pytest.fixture
def jail(numpy_server: Server, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Iterator[Jail]:
    jail = Jail(numpy_server, run)
    yield jail
    for session in jail.open_sessions:
        run(session.close())


@pytest.fixture
def torch_jail(torch_server: Server, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Iterator[Jail]:
    jail = Jail(torch_server, run)
    yield jail
    for session in jail.open_sessions:
        run(session.close())
