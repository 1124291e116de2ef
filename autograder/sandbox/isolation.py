"""Which kinds of isolation are there, and how does an environment start in one of them?"""

import asyncio
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from autograder.sandbox.accelerator import Accelerator
from autograder.sandbox.environment import module_names, plain
from autograder.sandbox.limits import Cell, Environment, Limits, Loaded, SandboxError, Usage

if TYPE_CHECKING:
    from autograder.values.asking import Answer, Ask

NAMESPACES, DOCKER, PROCESS = "namespaces", "docker", "process"
KINDS = (NAMESPACES, DOCKER, PROCESS)  # what a person may ask for
CONTAINER = "container"  # a user of its own in somebody's container: where that refuses namespaces


@dataclass(frozen=True)
class Isolation:
    """How student code is kept apart. image, runtime: of `docker`, where they are not the usual ones.

    closed: of `container`, the folders that student code must not be able to read. accelerator: a GPU for the questions
    that ask for one. must_compute_there: refuse where these were not measured on it, instead of asking the processor.
    """

    kind: str = NAMESPACES
    image: str = ""
    runtime: str = ""
    closed: tuple[str, ...] = ()
    accelerator: Accelerator | None = None
    must_compute_there: bool = False


USUAL = Isolation()


class Fork(Protocol):
    """One question being asked; see `question.Question`."""

    @property
    def ended(self) -> bool: ...

    async def ask(self, ask: "Ask") -> "Answer": ...

    async def ask_all(self, asks: Sequence["Ask"]) -> list["Answer"]: ...

    async def close(self) -> Usage: ...


class Session(Protocol):
    """One submission; see `session.Session`."""

    async def load(
        self,
        cells: Sequence[Cell],
        files: Mapping[str, bytes],
        wanted: frozenset[str],
        skip: frozenset[int] = frozenset(),
    ) -> Loaded: ...

    async def question(self, cpu_s: float, *, last: bool = False, alone: bool = False) -> Fork: ...

    async def close(self) -> None: ...


class Server(Protocol):
    """What starts submissions of one environment; see `session.Server`."""

    walls: Mapping[str, str]

    async def open(self, limits: Limits) -> Session: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Started:
    """An environment that is ready.

    versions: of `python`, and of what else is there, by distribution. modules: what can be imported
    beside the standard library. image: the digest of the image it runs in; "" where there is none.
    """

    server: Server
    versions: Mapping[str, str]
    modules: frozenset[str]
    image: str = ""


async def start(environment: Environment, isolation: Isolation) -> Started:
    """Start an environment's server. Raises SandboxError, which says what to do."""
    if isolation.kind == DOCKER:
        from autograder.sandbox.docker_ import DockerServer
        from autograder.sandbox.docker_container import Options
        from autograder.sandbox.docker_engine import IMAGE

        gpus = 1 if environment.accelerator else 0
        server = await DockerServer.open_engine(
            environment, Options(isolation.image or IMAGE, runtime=isolation.runtime, gpus=gpus)
        )
        held = server.facts["versions"]
        versions = {"python": held["python"], **{name: held[plain(name)] for name in environment.packages}}
        return Started(server, versions, frozenset(server.facts["modules"]), server.digest)
    modules = module_names(environment)
    versions = {"python": platform.python_version(), **{name: version(name) for name in environment.packages}}
    if isolation.kind == PROCESS:
        from autograder.sandbox.process_ import ProcessServer

        return Started(await ProcessServer.start(environment), versions, modules)
    if isolation.kind in (NAMESPACES, CONTAINER):
        try:
            from autograder.sandbox import session
        except ImportError as error:  # of a module that only Linux has
            raise SandboxError(
                f"isolation by namespaces needs Linux ({error}); use --isolation docker, or a Linux machine"
            ) from error
        warm = await session.Server.start(environment, isolation=isolation.kind, closed=isolation.closed)
        return Started(warm, versions, modules)
    raise SandboxError(f"isolation {isolation.kind!r} is not known here; use {', '.join(map(repr, KINDS))}")


async def start_all(environments: Sequence[Environment], isolation: Isolation) -> list[Started]:
    """Start several at once; where one cannot, none is left running."""
    tasks = [asyncio.create_task(start(each, isolation)) for each in environments]
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [end for end in ended if isinstance(end, BaseException)]
    started = [end for end in ended if isinstance(end, Started)]
    if failed:
        await asyncio.gather(*(each.server.close() for each in started))
        raise failed[0]
    return started
