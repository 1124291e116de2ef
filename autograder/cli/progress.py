"""How is somebody kept informed while a command works?

On a terminal one line is written over and over; elsewhere, a CI log say, a line every few seconds.
Always on stderr: stdout belongs to results.
"""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

EVERY_S = 5.0  # between two lines of a log
_CLEARED = "\r\x1b[K"


class Progress:
    """A context manager; `show` says where the work is."""

    def __init__(
        self,
        *,
        stream: TextIO | None = None,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._every_s = every_s
        self._clock = clock
        self._began = clock()
        self._next = self._began
        self._pending = ""

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Make room for something else; in a log, say what was not said yet."""
        if self._terminal:
            self._write(_CLEARED)
        elif self._pending:
            self._write(f"{self._pending}\n")
            self._pending = ""

    def show(self, text: str) -> None:
        """Say where the work is; in a log, only when the last line is a few seconds old."""
        if self._terminal:
            self._write(f"{_CLEARED}{text[:100]}")
        elif self._clock() >= self._next:
            self._next = self._clock() + self._every_s
            self._pending = ""
            self._write(f"{text}\n")
        else:
            self._pending = text

    def count(self, done: int, total: int, what: str, *, known: int = 0) -> None:
        """`12/40 graded, 24 a minute, about 70 s left`; the estimate once there is something to tell it from.

        known: how many of those done took no time, because they had been done before.
        """
        text = f"{done}/{total} {what}"
        worked, taken_s = done - known, self._clock() - self._began
        if worked > 0 and done < total and taken_s > 0:
            rate = worked / taken_s
            text += f", {rate:.1f} a second" if rate >= 1 else f", {60 * rate:.0f} a minute"
            text += f", about {(total - done) / rate:.0f} s left"
        self.show(text)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
