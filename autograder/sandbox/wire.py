"""What does a frame look like, on its way between examiner, warden and worker?

`u32 length | u8 channel | body`. Control bodies are small JSON documents of trusted senders. A data
body between examiner and question is `16-byte nonce | u8 kind | payload`.
"""

import json
import socket
import struct
from typing import Any

CONTROL = 0
DATA = 1

ASK = 0
ANSWER = 1
CALL = 2
RESULT = 3

NONCE = 16  # bytes
HEAD = struct.Struct(">IB")
MAX_CONTROL = 8 * 2**20  # bytes of a control body: a notebook's cells are the largest
MAX_BODY = 64 * 2**20 + 64  # bytes of a data body: the codec's largest payload, nonce and kind
MAX_REPORT = 2**20  # bytes of what a loader may report


class Closed(Exception):
    """The other end is gone."""


class Malformed(Exception):
    """The other end sent what is no frame."""


def frame(channel: int, *parts: bytes) -> bytes:
    """One frame, of the parts joined."""
    return b"".join((HEAD.pack(sum(map(len, parts)), channel), *parts))


def control(message: dict[str, Any]) -> bytes:
    """A control frame."""
    return frame(CONTROL, json.dumps(message).encode())


def parsed(body: bytes) -> dict[str, Any]:
    """The message of a control body."""
    message: dict[str, Any] = json.loads(body)
    return message


def send(peer: socket.socket, channel: int, *parts: bytes) -> None:
    """Send one frame on a blocking socket. Raises Closed."""
    try:
        peer.sendall(frame(channel, *parts))
    except OSError as error:
        raise Closed from error


def receive(peer: socket.socket) -> tuple[int, bytes]:
    """Receive one frame on a blocking socket. Raises Closed or Malformed."""
    incoming = Incoming(peer, MAX_BODY)
    while True:
        done = incoming.read()
        if done is not None:
            return done


class Incoming:
    """Puts one frame together from what arrives, never reading beyond its end.

    read: a blocking peer is waited for; of a non-blocking one what is there is taken, and None says
    that the frame is not complete yet.
    """

    def __init__(self, peer: socket.socket, limit: int) -> None:
        self._peer = peer
        self._limit = limit
        self._start()

    def _start(self) -> None:
        self._channel: int | None = None
        self._buffer = bytearray(HEAD.size)
        self._filled = 0

    def read(self) -> tuple[int, bytes] | None:
        """The frame's channel and body, or None. Raises Closed or Malformed."""
        while True:
            while self._filled < len(self._buffer):
                try:
                    count = self._peer.recv_into(memoryview(self._buffer)[self._filled :])
                except (BlockingIOError, InterruptedError):
                    return None
                except OSError as error:
                    raise Closed from error
                if not count:
                    raise Closed
                self._filled += count
            if self._channel is not None:
                channel, body = self._channel, bytes(self._buffer)
                self._start()
                return channel, body
            length, self._channel = HEAD.unpack(self._buffer)
            if length > self._limit or self._channel not in (CONTROL, DATA):
                raise Malformed(f"a frame of {length} bytes on channel {self._channel}")
            self._buffer, self._filled = bytearray(length), 0
