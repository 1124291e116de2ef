"""How does a test that somebody else wrote run beside a student's code?

nbgrader's and otter's tests are Python that wants the student's own names, so they cannot be kept apart
from the student's code; see docs/coming-from-nbgrader.md for what follows from that. Here is what can be
done: the names are as they were at the test's place in the notebook, what the test uses of NumPy, torch
and the builtins is what it was before the notebook ran, and a test passes only by reaching its end.
"""

import ast
import contextlib
import inspect
import sys
import threading
import traceback
import types
from typing import Any

import numpy as np

from autograder.sandbox import worker_cells, worker_doctests, worker_places, worker_pristine, worker_shell
from autograder.sandbox.worker_doctests import MAX_TEXT
from autograder.sandbox.worker_output import Sink

BENCH = "<tests>"  # where an examiner's program finds the bench; no name that a cell could write
_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Bench:
    """Runs tests on one notebook's names, in the fork that answers. names: its global names."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._prepared = False

    def run(self, test: dict[str, Any]) -> dict[str, Any]:
        """Run one test; what came of it.

        test: `place` (a number, or None for the names as they are now), `mode` (cell, doctest or function),
        `source`, `function` (which of the file's, for that mode), `aliases` (name: what the instructor
        imported under it), `builtins` (names of builtins that the instructor does not define), `before`
        (sources of earlier tests whose names this one uses), `file` (a file name for tracebacks).
        """
        if not self._prepared:
            if not worker_places.go_to(test["place"], self._names):
                return {"outcome": "unsure"}
            self._names[BENCH] = self  # for the tests that follow in this fork
            self._prepared = True
            self._calm(test)
            for source in test["before"]:
                with contextlib.suppress(BaseException):  # as a cell that fails in a notebook: what ran has run
                    self._cell(source, "<before>")
        self._calm(test)
        try:
            return {"outcome": "passed", **self._run(test)}
        except BaseException as error:  # the worker's boundary: a test may end in anything
            return _told(error, test["file"])

    def _run(self, test: dict[str, Any]) -> dict[str, Any]:
        match test["mode"]:
            case "cell":
                return _value(self._cell(test["source"], test["file"]))
            case "doctest":
                worker_doctests.run(test["source"], self._names, test["file"])
            case _:
                self._function(test)
        return {}

    def _calm(self, test: dict[str, Any]) -> None:
        """Take away what could stand between a test and what it says."""
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)
        threading.setprofile(None)
        sys.stdout, sys.stderr = Sink(), Sink()
        pristine = worker_pristine.kept()
        if pristine is None:
            return
        pristine.restore()
        for name, path in test["aliases"].items():
            if name in self._names:
                with contextlib.suppress(LookupError):
                    self._names[name] = pristine.named(path)
        for name in test["builtins"]:
            self._names.pop(name, None)

    def _cell(self, source: str, file: str) -> Any:
        """Run a cell to its end; the value of the expression it ends in, if it does."""
        cell = worker_cells.read(0, source)
        if cell.magic:
            raise SyntaxError(f"a test cannot be a cell of %%{cell.magic[0]} here")
        if cell.capture:
            sys.stdout, sys.stderr = Sink(), Sink()
            self._names[cell.capture] = worker_shell.Captured(sys.stdout, sys.stderr)
        statements, shown = list(cell.statements), None
        if statements and isinstance(statements[-1], ast.Expr) and not source.rstrip().endswith(";"):
            shown = ast.Expression(statements.pop().value)  # type: ignore[attr-defined]
        self._execute(compile(ast.Module(statements, []), file, "exec", _FLAGS, dont_inherit=True))
        return None if shown is None else self._execute(compile(shown, file, "eval", _FLAGS, dont_inherit=True))

    def _execute(self, code: types.CodeType) -> Any:
        made = eval(code, self._names)
        if code.co_flags & inspect.CO_COROUTINE:
            import asyncio

            return asyncio.run(made)
        return made

    def _function(self, test: dict[str, Any]) -> None:
        """Call one function of a test file with the names that it asks for."""
        space: dict[str, Any] = {"__name__": "<test file>"}
        found: list[Any] = []

        def test_case(*_: Any, **__: Any) -> Any:
            def found_one(function: Any) -> Any:
                found.append(function)
                return function

            return found_one

        holder = types.ModuleType("otter.test_files")
        holder.test_case = test_case  # type: ignore[attr-defined]
        otter = types.ModuleType("otter")
        otter.test_files = holder  # type: ignore[attr-defined]
        usual = {name: sys.modules.get(name) for name in ("otter", "otter.test_files")}
        sys.modules |= {"otter": otter, "otter.test_files": holder}
        try:
            exec(compile(test["source"], test["file"], "exec", dont_inherit=True), space)
        finally:
            for name, module in usual.items():
                if module is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = module
        function = found[test["function"]]
        wanted = inspect.signature(function).parameters
        function(**{name: self._names if name == "env" else self._names.get(name) for name in wanted})


def _value(shown: Any) -> dict[str, Any]:
    """What a cell's last value says of points: a number, or that it is false; anything else says nothing."""
    if shown is False or (type(shown) is np.bool_ and not shown):
        return {"outcome": "false"}
    if type(shown) in (int, float) or isinstance(shown, np.integer | np.floating):
        return {"value": float(shown)}
    torch = sys.modules.get("torch")
    if type(shown) is np.ndarray or (torch and type(shown) is torch.Tensor):
        return _value(shown.item()) if shown.ndim == 0 else {}
    return {}


def _told(error: BaseException, file: str) -> dict[str, Any]:
    try:
        text = str(error)[:MAX_TEXT]
    except BaseException:  # a student's own exception class may fail to print itself
        text = ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if frame.filename == file]
    told = {"outcome": "raised", "type": type(error).__name__[:100], "text": text, "line": lines[-1] if lines else 0}
    if isinstance(error, worker_doctests.Unlike):
        told |= {"type": "another output"}
    own = [frame for frame in frames if frame.filename.startswith("<cell ")]
    return told | ({"where": f"{own[-1].filename[1:-1]}, line {own[-1].lineno}"} if own else {})
