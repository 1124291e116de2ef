"""How does the examiner ask, and what does it make of what comes back?

Nothing that student code does raises here: it becomes the status of an answer.
"""

import itertools
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from autograder.sandbox import wire
from autograder.sandbox.connection import Connection, Gone
from autograder.sandbox.limits import Usage
from autograder.sandbox.replies import Callables, TooManyCalls, payload_of, read_answer
from autograder.values.asking import Answer, Ask
from autograder.values.codec import CodecError

_OUT_OF_TURN = {"text": "spoke out of turn"}


class Question:
    """One question to a loaded submission, answered in a process of its own.

    Handles live as long as this. After an answer that is `timed_out`, `crashed` or `not_graded` every
    further ask has the same answer: open another question with the budget that is left.
    """

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number
        self._ended: Answer | None = None
        self._usage: Usage | None = None

    @property
    def ended(self) -> bool:
        """Whether its process is gone, so that no other answer can come of it."""
        return self._ended is not None

    async def ask(self, ask: Ask) -> Answer:
        """Ask, compute the calls of the ask's callables, and return what came back."""
        return (await self.ask_all([ask]))[0]

    async def ask_all(self, asks: Sequence[Ask]) -> list[Answer]:
        """Ask several, at once where none calls back; their answers, up to the one at which it ended."""
        answers: list[Answer] = []
        while len(answers) < len(asks):
            if self._ended:
                return answers or [self._ended]
            rest = asks[len(answers) :]
            silent = list(itertools.takewhile(lambda ask: not ask.callables, rest))
            answers += await self._exchange(silent or rest[:1])
        return answers

    async def _exchange(self, asks: Sequence[Ask]) -> list[Answer]:
        """Send asks, and read until each is answered or the question has ended; at least one answer."""
        nonces = [secrets.token_bytes(wire.NONCE) for _ in asks]
        answers: list[Answer] = []
        callables = Callables({})
        try:
            # All at once: while the worker computes one answer, its next ask waits at its door.
            self._connection.write(
                b"".join(
                    wire.frame(wire.DATA, nonce, bytes([wire.ASK]), payload_of(ask))
                    for nonce, ask in zip(nonces, asks, strict=True)
                )
            )
            for nonce, ask in zip(nonces, asks, strict=True):
                callables = Callables(ask.callables)
                payload = await self._answer_to(nonce, callables)
                if payload is None:
                    break
                answers.append(read_answer(ask, payload, callables.calls))
        except CodecError as error:
            await self._cut(Answer("crashed", detail=_OUT_OF_TURN | {"got": str(error)}, calls=callables.calls))
        except TooManyCalls as error:
            await self._cut(Answer("crashed", detail={"text": str(error)}, calls=callables.calls))
        except Gone:
            self._lose(callables.calls)
        return [*answers, self._ended] if self._ended else answers

    async def _answer_to(self, nonce: bytes, callables: Callables) -> bytes | None:
        """The answer's payload, with the calls before it computed; None where the question ended instead."""
        while True:
            channel, body = await self._connection.receive()
            if channel == wire.CONTROL:
                if self._note_end(body, callables.calls):
                    return None
                continue
            kind, payload = body[wire.NONCE : wire.NONCE + 1], body[wire.NONCE + 1 :]
            if body[: wire.NONCE] != nonce:
                raise CodecError("another nonce")
            if kind == bytes([wire.ANSWER]):
                return payload
            if kind != bytes([wire.CALL]):
                raise CodecError("an unknown kind of frame")
            result = await callables.answer_when_ready(payload)
            self._connection.write(wire.frame(wire.DATA, nonce, bytes([wire.RESULT]), result))

    async def close(self) -> Usage:
        """End the question's process and everything it started; what it used."""
        try:
            if self._usage is None:
                self._connection.say(op="close", number=self._number)
            while self._usage is None:
                channel, body = await self._connection.receive()
                if channel == wire.CONTROL:
                    self._note_end(body, {})
        except Gone:
            self._lose({})
        self._ended = self._ended or Answer("crashed", detail={"text": "the question is closed"})
        return self._usage or Usage()

    def _note_end(self, body: bytes, calls: Mapping[int, Any]) -> bool:
        """Whether a control message says that this question ended."""
        message = wire.parsed(body)
        if message.get("event") != "ended" or message["number"] != self._number:
            return False
        self._usage = Usage(*message["usage"])
        if message["status"] != "closed":
            self._ended = Answer(message["status"], detail=message["detail"], calls=calls)
        return True

    async def _cut(self, answer: Answer) -> None:
        self._ended = answer
        await self.close()
        self._ended = answer

    def _lose(self, calls: Mapping[int, Any]) -> None:
        """The warden is gone: student code cannot end it, so that is ours."""
        self._ended = Answer("not_graded", detail={"text": "the jail ended"}, calls=calls)
        self._usage = self._usage or Usage()
