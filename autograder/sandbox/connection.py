"""How does the examiner talk with one warden?

The warden is ours and its control messages are trusted. Data bodies were written by student code.
"""

import asyncio
import socket
from collections import deque
from typing import Any

from autograder.sandbox import wire
from autograder.sandbox.limits import SandboxError


class Gone(Exception):
    """The warden's end is closed."""


_ENOUGH = 2**20  # bytes that may wait to be taken before no more are read


class Connection(asyncio.Protocol):
    """Frames to and from one warden."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._closed = False
        self._partial = bytearray()
        self._frames: deque[tuple[int, bytes]] = deque()
        self._waiting = 0  # bytes of these
        self._reader: asyncio.Future[None] | None = None

    @classmethod
    async def over(cls, ours: socket.socket) -> "Connection":
        """Take over a socket whose other end was handed to a warden. Raises SandboxError."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, sock=ours)
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

    def say(self, **message: Any) -> None:
        """Send a control message without waiting until it is taken. A closed end shows at the next read."""
        self.write(wire.control(message))

    def write(self, frames: bytes) -> None:
        """Send finished frames, likewise."""
        if self._transport is not None:
            self._transport.write(frames)

    async def receive(self) -> tuple[int, bytes]:
        """The next frame: channel and body. Raises Gone."""
        while not self._frames:
            if self._closed or self._transport is None:
                raise Gone
            self._transport.resume_reading()
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        channel, body = self._frames.popleft()
        self._waiting -= len(body)
        return channel, body

    async def message(self) -> dict[str, Any]:
        """The next control message; data in between is left aside. Raises Gone."""
        while True:
            channel, body = await self.receive()
            if channel == wire.CONTROL:
                return wire.parsed(body)

    def close(self) -> None:
        """Let go: the warden ends, and with it everything in its namespaces."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        partial, start = self._partial, 0
        partial += data
        while len(partial) - start >= wire.HEAD.size:
            length, channel = wire.HEAD.unpack_from(partial, start)
            body = start + wire.HEAD.size
            if length > wire.MAX_BODY:
                return self.close()
            if len(partial) < body + length:
                break
            self._frames.append((channel, bytes(memoryview(partial)[body : body + length])))
            self._waiting += length
            start = body + length
        if start:
            del partial[:start]
            self._wake()
        if self._waiting > _ENOUGH and self._transport is not None:
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
