"""How do the examples of a doctest run, and what counts as what they print?"""

import contextlib
import doctest
import io
import sys
from typing import Any

from autograder.sandbox.worker_output import Sink

MAX_TEXT = 2000  # characters of what a failed test said


class Unlike(AssertionError):
    """An example printed something else."""


def run(source: str, names: dict[str, Any], file: str) -> None:
    """Run the examples of a text; what they print must be what stands there. Raises Unlike."""
    examples = [e for e in doctest.DocTestParser().parse(source, file) if isinstance(e, doctest.Example)]
    if not examples:
        raise SyntaxError("a test without an example")
    said = io.StringIO()
    printed = _Printed()
    runner = doctest.DocTestRunner(_Checker(printed), verbose=False)
    runner._fakeout = printed  # type: ignore[attr-defined]
    whole = doctest.DocTest(examples, names, file, None, None, source)
    with contextlib.redirect_stderr(Sink()):  # a warning is no answer
        result = runner.run(whole, out=said.write, clear_globs=False)
    if result.failed or result.attempted != len(examples):
        raise Unlike(said.getvalue()[:MAX_TEXT])


class _Printed(io.StringIO):
    """What an example prints, and apart from it what the test itself does: a student's function that says
    what it is doing has not given another answer."""

    def __init__(self) -> None:
        super().__init__()
        self._own: list[str] = []
        self.kept = ""

    def write(self, text: str) -> int:
        frame = sys._getframe(1)
        while frame is not None and not frame.f_code.co_filename.startswith(("<cell ", "<doctest ")):
            frame = frame.f_back  # type: ignore[assignment]
        if frame is None or frame.f_code.co_filename.startswith("<doctest "):
            self._own.append(text)
        return super().write(text)

    def getvalue(self) -> str:
        return _ended(super().getvalue())

    def truncate(self, size: int | None = None) -> int:
        self.kept = _ended("".join(self._own))
        self._own.clear()
        self.seek(size or 0)
        return super().truncate()


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


class _Checker(doctest.OutputChecker):
    def __init__(self, printed: _Printed) -> None:
        self._printed = printed

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        # doctest empties the stream before it asks: what the test itself printed is `kept` by then.
        return super().check_output(want, got, optionflags) or super().check_output(
            want, self._printed.kept, optionflags
        )
