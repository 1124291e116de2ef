"""How does the examiner talk with one warden?

The warden is ours and its control messages are trusted. Data bodies were written by student code.
"""

import asyncio
import socket
from typing import Any

from autograder.sandbox import wire
from autograder.sandbox.limits import SandboxError


class Gone(Exception):
    """The warden's end is closed."""


class Connection:
    """Frames to and from one warden."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, ours: socket.socket) -> "Connection":
        """Take over a socket whose other end was handed to a warden. Raises SandboxError."""
        connection = cls(*await asyncio.open_connection(sock=ours))
        try:
            message = await connection.message()
        except Gone as error:
            connection.close()
            raise SandboxError(
                "a jail could not be set up: the kernel refuses more namespaces, or too many jails run at once"
            ) from error
        if message["event"] != "ready":
            connection.close()
            raise SandboxError(f"a jail could not be set up: {message.get('text', '')}")
        return connection

    async def say(self, **message: Any) -> None:
        """Send a control message. Raises Gone."""
        await self.send(wire.control(message))

    def write(self, frames: bytes) -> None:
        """Send finished frames without waiting until they are taken. A closed end shows at the next read."""
        self._writer.write(frames)

    async def send(self, frames: bytes) -> None:
        """Send finished frames. Raises Gone."""
        try:
            self._writer.write(frames)
            await self._writer.drain()
        except ConnectionError as error:
            raise Gone from error

    async def receive(self) -> tuple[int, bytes]:
        """The next frame: channel and body. Raises Gone."""
        try:
            length, channel = wire.HEAD.unpack(await self._reader.readexactly(wire.HEAD.size))
            if length > wire.MAX_BODY:
                raise Gone
            return channel, await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Gone from error

    async def message(self) -> dict[str, Any]:
        """The next control message; data in between is left aside. Raises Gone."""
        while True:
            channel, body = await self.receive()
            if channel == wire.CONTROL:
                return wire.parsed(body)

    def close(self) -> None:
        """Let go: the warden ends, and with it everything in its namespaces."""
        self._writer.close()
