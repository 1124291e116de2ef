"""How does student code run in a container, and what does the engine take from it?

One warm server an environment, in a container without network, capabilities, a writable file or our
files. It makes namespaces inside as it does on a host, so that a submission costs what it costs there.
Where the engine refuses that, each submission gets a container of its own, which takes seconds.

The container reaches us by one socket in a folder that is mounted into it, and is handed connections
over that; so the engine must run on this machine.
"""

import asyncio
import itertools
import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from autograder.sandbox import seccomp
from autograder.sandbox.connection import Connection
from autograder.sandbox.docker_container import Container, Options, Refused
from autograder.sandbox.docker_engine import client, digest
from autograder.sandbox.limits import Environment, Limits, SandboxError
from autograder.sandbox.server_contained import SERVER, WARDEN
from autograder.sandbox.session import Server

if TYPE_CHECKING:
    import subprocess

    from docker import DockerClient


_USUAL = Options()
_USER = 10001
_FIRST_USER, _USERS = 20_000, 20_000  # of containers for one submission: the kernel counts processes by user
_WARM_MIB = 1024  # what the libraries take before a submission has anything


class DockerServer(Server):
    """The server of one environment, in containers.

    facts: what the image holds: versions by distribution, and the environment's modules. digest: the
    image's.
    """

    def __init__(self, engine: "DockerClient", options: Options, environment: Environment, image: str) -> None:
        self._engine = engine
        self._options = options
        self._environment = environment
        self._warm: Container | None = None
        self._cold: set[Container] = set()
        self._users = itertools.cycle(range(_FIRST_USER, _FIRST_USER + _USERS))
        self.digest = image
        self.facts: Mapping[str, Any] = {}

    @classmethod
    async def open_engine(cls, environment: Environment, options: Options = _USUAL) -> "DockerServer":
        """Start. Raises SandboxError, which says what to do."""
        engine = await asyncio.to_thread(client)
        started = cls(engine, options, environment, await asyncio.to_thread(digest, engine, options.image))
        try:
            await started._begin()
        except BaseException:
            await started.close()
            raise
        return started

    async def _begin(self) -> None:
        _, filtering = seccomp.program(devices=bool(self._options.gpus))
        walls = {"docker": "one container for all submissions, each in namespaces of its own"}
        refused = await self._begin_nested() if self._options.nested else "not asked for"
        if refused:
            walls["docker"] = f"one container a submission, which takes seconds (namespaces inside: {refused})"
            await self._begin_single()
        self.walls = {**walls, "seccomp": filtering, **self.facts.get("walls", {})}

    async def _begin_nested(self) -> str:
        """Start the warm server; why not, where the engine or kernel refuses namespaces inside."""
        container = Container(self._engine, self._options)
        try:
            await container.start(
                self._environment, SERVER, _USER, memory_mib=_machine_mib() * 4 // 5, processes=16_384
            )
        except Refused as refused:
            self.facts = container.facts
            if not container.facts:
                raise SandboxError(str(refused)) from refused  # of the environment, not of the walls
            return str(refused)
        assert container.control is not None
        self.facts = container.facts
        super().__init__(cast("subprocess.Popen[bytes]", container), container.control, {})
        self._warm = container
        try:
            (await super()._connect(Limits(disk_mib=1))).close()
        except SandboxError as refused:
            self._warm = None
            await container.remove()
            return str(refused)
        return ""

    async def _begin_single(self) -> None:
        """See once that a submission's own container works; its facts say what to hide from submissions."""
        connection = await self._connect(Limits(disk_mib=16))
        connection.close()

    async def _connect(self, limits: Limits) -> Connection:
        if self._warm is not None:
            return await super()._connect(limits)
        if not self.facts:
            await self._ask_for_facts()
        container = Container(self._engine, self._options)
        hidden = tuple(self.facts["hidden"])
        self._cold.add(container)
        await container.start(
            self._environment,
            WARDEN,
            next(self._users),
            memory_mib=limits.memory_mib + _WARM_MIB,
            disk_mib=limits.disk_mib,
            processes=limits.processes + 8,
            hidden=hidden,
        )
        assert container.control is not None
        assert container.ended is not None
        container.ended.add_done_callback(lambda _: self._cold.discard(container))
        ours, theirs = socket.socketpair()
        with theirs, container.control:
            socket.send_fds(container.control, [b"{}"], [theirs.fileno()])
        ours.setblocking(False)
        return await Connection.over(ours)

    async def _ask_for_facts(self) -> None:
        container = Container(self._engine, self._options)
        try:
            await container.start(
                self._environment, WARDEN, next(self._users), memory_mib=2 * _WARM_MIB, disk_mib=16, processes=64
            )
        except Refused as refused:
            raise SandboxError(str(refused)) from refused
        self.facts = container.facts
        await container.remove()

    @property
    def pid(self) -> int:
        """Of the server, on this machine; 0 where each submission has a container of its own."""
        return self._warm.pid if self._warm else 0

    async def close(self) -> None:
        """End every container of this server."""
        containers = [*self._cold, *([self._warm] if self._warm else [])]
        await asyncio.gather(*(container.remove() for container in containers))
        await asyncio.to_thread(self._engine.close)


def _machine_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
