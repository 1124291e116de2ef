"""Where does what a notebook prints go? Nowhere, at no cost, whatever its length."""

import io
from typing import Any

KEPT = 64 * 1024  # characters that a sink remembers, for %%capture


class Sink(io.TextIOBase):
    """A text stream that keeps the beginning of what is written and counts the rest."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._room = KEPT

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._room > 0:
            self._parts.append(text[: self._room])
            self._room -= len(text)
        return len(text)

    def text(self) -> str:
        """The first characters that were written."""
        return "".join(self._parts)

    @property
    def buffer(self) -> "BytesSink":
        return BytesSink()


class BytesSink(io.RawIOBase):
    """A binary stream that keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data)
