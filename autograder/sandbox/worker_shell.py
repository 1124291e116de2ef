"""What of a notebook's own world, beside Python, does a cell find here?

`get_ipython()` with its magics, `display`, `input`, `exit`. What would touch the world outside does
nothing and leaves a note.
"""

import builtins
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.sandbox.worker_output import Sink

# Magics that change how a notebook looks or reloads, and need no note when they do nothing.
_QUIET = frozenset("matplotlib config load_ext autoreload timeit time capture pylab precision".split())


class Captured:
    """What %%capture binds."""

    def __init__(self, stdout: Sink, stderr: Sink) -> None:
        self._stdout, self._stderr = stdout, stderr

    @property
    def stdout(self) -> str:
        return self._stdout.text()

    @property
    def stderr(self) -> str:
        return self._stderr.text()

    def __str__(self) -> str:
        return self.stdout

    def show(self) -> None:
        """Print what was captured."""
        sys.stdout.write(self.stdout)

    __call__ = show


class Shell:
    """What `get_ipython()` returns."""

    def __init__(self, names: dict[str, Any], note: Callable[[str, str], None]) -> None:
        self.user_ns = names
        self._note = note

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """`%name line`."""
        if name == "time" and line.strip():
            return self._run(line)
        if name not in _QUIET:
            self._note("magic", f"%{name} does nothing here")
        return None

    def magic(self, command: str) -> Any:
        """The old form of run_line_magic: name and line in one."""
        name, _, line = command.lstrip("%").partition(" ")
        return self.run_line_magic(name, line)

    def run_cell_magic(self, name: str, line: str, body: str) -> Any:
        """`%%name line` and a body."""
        if name in ("time", "timeit", "capture"):
            return self._run(body)
        if name in ("writefile", "file"):
            return self._write(line, body)
        self._note("magic", f"%%{name} does nothing here")
        return None

    def system(self, command: str) -> None:
        """`!command`."""
        self._note("magic", f"!{command.split(' ')[0]} does nothing here")

    def getoutput(self, command: str, *_: Any, **__: Any) -> list[str]:
        """`x = !command`."""
        self.system(command)
        return []

    def run_cell(self, source: str, *_: Any, **__: Any) -> Any:
        return self._run(source)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None

    def _run(self, source: str) -> Any:
        try:
            code = compile(source, "<magic>", "eval")
        except SyntaxError:
            code = compile(source, "<magic>", "exec")
        return eval(code, self.user_ns)

    def _write(self, line: str, body: str) -> None:
        words = line.split()
        if not words:
            return
        with Path(words[-1]).open("a" if "-a" in words[:-1] else "w") as file:
            file.write(body)


def furnish(shell: Shell) -> None:
    """Put the shell, `display`, `input` and `exit` where cells and libraries look for them."""

    def get_ipython() -> Shell:
        return shell

    def display(*_: Any, **__: Any) -> None:
        """Show nothing."""

    def input(prompt: object = "") -> str:
        raise EOFError("input() has nobody to ask: this notebook is run without a person at the keyboard")

    def exit(status: Any = None) -> None:
        raise SystemExit(status)

    everywhere = {"get_ipython": get_ipython, "display": display, "input": input, "exit": exit, "quit": exit}
    for name, value in everywhere.items():
        setattr(builtins, name, value)
    for module in ("IPython", "IPython.core.getipython"):
        loaded = sys.modules.get(module)
        if isinstance(loaded, types.ModuleType):
            loaded.get_ipython = get_ipython  # type: ignore[attr-defined]
