"""How does the examiner run a submission in a jail?

server = await Server.start(environment)
session = await server.open(limits)
loaded = await session.load(cells, files, wanted)
question = await session.question(cpu_s=2.0)
answer = await question.ask(ask)
usage = await question.close()
await session.close()
await server.close()
"""

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import IO, Any

from autograder.sandbox import confine, environment, loading, seccomp, wire
from autograder.sandbox.connection import Connection, Gone
from autograder.sandbox.limits import (
    Cell,
    Environment,
    Limits,
    Loaded,
    Note,
    SandboxError,
    Usage,
)
from autograder.sandbox.question import Question

__all__ = [
    "Cell",
    "Environment",
    "Limits",
    "Loaded",
    "Note",
    "Question",
    "SandboxError",
    "Server",
    "Session",
    "Usage",
]


class _TooMuch(Exception):
    """The cells of a notebook are more than a control frame may hold."""


_SERVERS = {"namespaces": "autograder.sandbox.server", "container": "autograder.sandbox.server_user"}
_START_S = 120.0  # to import everything, on a slow disk


class Server:
    """The warm process of one environment.

    walls: what stands around student code on this machine, in words, by its name. One that begins with
    `none:` is missing, and says how to have it.
    """

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, walls: Mapping[str, str]) -> None:
        self._process = process
        self._control = control
        self.walls = walls

    @classmethod
    async def start(
        cls, environment_: Environment, *, isolation: str = "namespaces", closed: Sequence[str] = ()
    ) -> "Server":
        """Start and warm up. Raises SandboxError, which says what to do, where no jail can be made.

        isolation: `namespaces`, or `container` for a user of its own inside somebody's container.
        closed: for `container`, what student code must not be able to read.
        """
        if isolation not in _SERVERS:
            raise SandboxError(f"isolation {isolation!r} is not known here; use 'namespaces'")
        if not sys.platform.startswith("linux") or not confine.supported():
            raise SandboxError("isolation by namespaces needs Linux on x86_64 or aarch64")
        calls, said = seccomp.program(devices=environment_.accelerator is not None)
        settings = environment.settings(environment_)
        settings |= {"calls": calls.hex(), "server": _SERVERS[isolation], "closed": list(closed)}
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with tempfile.TemporaryFile() as errors:
            process = _spawn(theirs, settings, environment.variables(environment_), errors)
            theirs.close()
            ours.setblocking(False)
            try:
                async with asyncio.timeout(_START_S):
                    reply = await asyncio.get_running_loop().sock_recv(ours, 65536)
                failed = json.loads(reply)["failed"] if b"failed" in reply else "" if reply else _tail(errors)
            except TimeoutError:
                failed = f"no answer within {_START_S:.0f} s"
        if failed:
            ours.close()
            process.kill()
            process.wait()
            raise SandboxError(f"the server of environment {environment_.name!r} did not start: {failed}")
        return cls(process, ours, {"seccomp": said, **json.loads(reply)["walls"]})

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    async def open(self, limits: Limits) -> "Session":
        """A new jail. Raises SandboxError where it cannot be made."""
        return Session(self, limits, await self._connect(limits))

    async def _connect(self, limits: Limits) -> Connection:
        ours, theirs = socket.socketpair()
        named = {name: getattr(limits, name) for name in ("disk_mib", "memory_mib", "processes")}
        message = json.dumps(named).encode()
        try:
            socket.send_fds(self._control, [message], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise SandboxError("the server has ended; start another") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        return await Connection.over(ours)

    async def close(self) -> None:
        """End the server and every jail that still runs."""
        self._control.close()
        await asyncio.to_thread(self._process.wait)


class Session:
    """One submission in its jail."""

    def __init__(self, server: Server, limits: Limits, connection: Connection) -> None:
        self._server = server
        self._limits = limits
        self._connection: Connection | None = connection
        self._questions = 0
        self._question: Question | None = None

    async def load(
        self,
        cells: Sequence[Cell],
        files: Mapping[str, bytes],
        wanted: frozenset[str],
        skip: frozenset[int] = frozenset(),
    ) -> Loaded:
        """Run the cells. A cell that loops, exits or crashes is met again with its definitions alone.

        files: relative path -> content, put into the working directory.
        wanted: names the questions want. skip: cells known to loop or exit. Raises SandboxError where a
        jail could not be made.
        """
        policy = loading.Policy(self._limits, [(cell.number, cell.source) for cell in cells], skip)
        for name in files:
            _check_name(name)
        while not policy.over:
            if self._connection is None:
                # A fresh jail, not the old one tidied up: what a hostile cell left behind is not there.
                self._connection = await self._server._connect(self._limits)
            try:
                policy.note(*await self._load_once(policy, files, wanted))
            except _TooMuch:
                policy.too_much_code()
            except Gone:
                policy.lost()
            if not policy.loaded:
                await self.close()
        return policy.result(wanted)

    async def _load_once(
        self, policy: loading.Policy, files: Mapping[str, bytes], wanted: frozenset[str]
    ) -> tuple[dict[str, Any], bytes]:
        """One load; how it ended, in the warden's words, and the loader's report, which is untrusted."""
        connection = self._connection
        assert connection is not None
        message = {
            "op": "load",
            "cells": policy.cells,
            "files": list(files),
            "wanted": sorted(wanted),
            "skip": sorted(policy.skip),
            "limits": asdict(self._limits),
            "disk_mib": self._limits.disk_mib,
        }
        frames = [wire.control(message), *(wire.frame(wire.DATA, content) for content in files.values())]
        if len(frames[0]) > wire.MAX_CONTROL:
            raise _TooMuch
        connection.write(b"".join(frames))
        report = b""
        while True:
            channel, body = await connection.receive()
            if channel == wire.CONTROL:
                return wire.parsed(body), report
            report = body

    async def question(self, cpu_s: float, *, last: bool = False, alone: bool = False) -> Question:
        """Open a question with this CPU budget in seconds; a question still open ends.

        last: no other will follow, so the loaded process itself may answer, without a fork.
        alone: its process may start no other process and no thread and write no file, so that all it uses is its own.
        """
        if self._connection is None:
            raise SandboxError("this session has no loaded submission: load one first")
        if self._question:
            await self._question.close()
        self._questions += 1
        question = self._question = Question(self._connection, self._questions)
        self._connection.say(op="question", number=self._questions, cpu_s=cpu_s, last=last, alone=alone)
        return question

    async def close(self) -> None:
        """End the jail and everything in it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            await asyncio.sleep(0)  # asyncio closes the socket in the loop's next round, if there is one


def _spawn(
    control: socket.socket, settings: dict[str, Any], variables: dict[str, str], errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, *environment.INTERPRETER_OPTIONS, "-c", environment.BOOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env=variables,
        cwd="/",
        pass_fds=[control.fileno()],
        start_new_session=True,  # Ctrl-C is for the examiner, who then ends the rest in order
    )
    assert process.stdin is not None
    with process.stdin as stdin:
        stdin.write(json.dumps(settings | {"control": control.fileno()}).encode() + b"\n")
    return process


def _tail(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read()[-500:].decode(errors="replace").strip() or "it ended without a word"


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise SandboxError(f"the file {name!r} lies outside the submission's folder")
