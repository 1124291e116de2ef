"""How does a test that somebody else wrote run beside a student's code?

nbgrader's and otter's tests are Python that wants the student's own names, so they cannot be kept apart
from the student's code; see docs/coming-from-nbgrader.md for what follows from that. Here is what can be
done: the names are as they were at the test's place in the notebook, what the test uses of NumPy, torch
and the builtins is what it was before the notebook ran, and a test passes only by reaching its end.
"""

import ast
import contextlib
import doctest
import inspect
import io
import random
import sys
import threading
import traceback
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.sandbox import worker_cells, worker_shell
from autograder.sandbox.worker_output import Sink

BENCH = "<tests>"  # where an examiner's program finds the bench; no name that a cell could write
_PLACES = "<places>"
MAX_TEXT = 2000  # characters of what a failed test said
_MAX_BYTES = 64 * 2**20  # of the data that a place copies
# Whose modules are put back before a test: what tests compare by, and what they are written in.
_TRUSTED = "builtins math cmath random statistics functools itertools operator inspect doctest unittest".split()
_TORCH = """
torch torch.functional torch.nn torch.nn.functional torch.linalg torch.testing torch.testing._comparison torch.autograd
torch._tensor
""".split()
_CLASSES = ("unittest.case.TestCase", "torch.Tensor", "torch.nn.Module")
_START = 2_718_281_829  # a seed that no course asks for; the same each time, as the same work earns the same
_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_pristine: "Pristine | None" = None  # of the one warm process, taken before any student code runs


@dataclass(frozen=True)
class Pristine:
    """Modules and classes as they were: their names, and of functions the code behind them."""

    modules: dict[str, types.ModuleType]
    spaces: dict[str, dict[str, Any]]
    classes: list[tuple[type, dict[str, Any]]]
    code: list[tuple[types.FunctionType, types.CodeType, Any, Any]]

    def restore(self) -> None:
        """Put back whatever is another; what was added stays."""
        for name, module in self.modules.items():
            sys.modules[name] = module
            space = vars(module)
            for key, value in self.spaces[name].items():
                if space.get(key, _pristine) is not value:
                    space[key] = value
        for kind, space in self.classes:
            now = vars(kind)
            for key, value in space.items():
                if now.get(key, _pristine) is not value:
                    setattr(kind, key, value)
            for key in [key for key in now if key not in space]:
                delattr(kind, key)  # what was added to a class could stand before what it inherits
        for function, code, defaults, keywords in self.code:
            if function.__code__ is not code:
                function.__code__ = code
            if function.__defaults__ is not defaults:
                function.__defaults__ = defaults
            if function.__kwdefaults__ is not keywords:
                function.__kwdefaults__ = keywords

    def named(self, path: str) -> Any:
        """What `numpy.testing.assert_allclose` was; LookupError for what was not kept."""
        if path in self.modules:
            return self.modules[path]
        module, _, name = path.rpartition(".")
        return self.spaces[module][name]


def remember() -> None:
    """Keep what tests will rely on, in the warm process."""
    global _pristine
    names = [name for name in sys.modules if name in _TRUSTED or name in _TORCH or name.startswith("unittest.")]
    names += [name for name in sys.modules if name == "numpy" or name.startswith("numpy.")]
    modules = {name: sys.modules[name] for name in names if isinstance(sys.modules[name], types.ModuleType)}
    spaces = {name: dict(vars(module)) for name, module in modules.items()}
    kinds = [kind for kind in map(_found, _CLASSES) if isinstance(kind, type)]
    code = {}
    for name, space in spaces.items():
        if name.startswith(("numpy", "unittest", "torch")):
            for value in space.values():
                for function in (value, vars(type(value)).get("__wrapped__"), getattr(value, "_implementation", None)):
                    if isinstance(function, types.FunctionType):
                        code[id(function)] = function
    kept = [(each, each.__code__, each.__defaults__, each.__kwdefaults__) for each in code.values()]
    _pristine = Pristine(modules, spaces, [(kind, dict(vars(kind))) for kind in kinds], kept)


def _found(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return vars(sys.modules[module]).get(name) if module in sys.modules else None


def start() -> None:
    """Set the generators to where no test looks for them: one of the seed 0 is not passed by those who set none."""
    random.seed(_START)
    np.random.seed(_START)
    torch = sys.modules.get("torch")
    if torch:
        torch.manual_seed(_START)


@dataclass(frozen=True)
class _Place:
    """A notebook's names between two of its cells, and the state of the generators."""

    names: dict[str, Any]
    random: Any
    numpy: Any
    torch: Any


def take(number: int, names: dict[str, Any], touched: Iterable[str]) -> None:
    """Keep the names as they are now, for the tests of this place.

    touched: names whose values later cells might change in place. Those of plain data are copied; where
    one is anything else, the place is not kept, and whoever asks is told so.
    """
    places = names.setdefault(_PLACES, {})
    kept = {name: value for name, value in names.items() if name != _PLACES}
    try:
        memo: dict[int, Any] = {}
        room = [_MAX_BYTES]
        kept |= {name: _copied(kept[name], memo, room) for name in touched if name in kept}
    except _NotPlain:
        places[number] = None
        return
    torch = sys.modules.get("torch")
    state = torch.get_rng_state() if torch else None
    places[number] = _Place(kept, random.getstate(), np.random.get_state(), state)


class _NotPlain(Exception):
    """No plain data, so that a copy might not be the same."""


def _copied(value: Any, memo: dict[int, Any], room: list[int]) -> Any:
    """A copy of plain data; two names of one list are two names of one copy."""
    kind = type(value)
    if kind in (int, float, complex, bool, str, bytes, type(None), range) or isinstance(
        value, types.FunctionType | types.BuiltinFunctionType | types.ModuleType | type | np.generic
    ):
        return value
    if id(value) in memo:
        return memo[id(value)]
    room[0] -= sys.getsizeof(value, 64)
    if room[0] < 0:
        raise _NotPlain
    if kind is np.ndarray and value.dtype != object and value.base is None:
        return memo.setdefault(id(value), value.copy())
    if kind is list or kind is set:
        made: Any = memo.setdefault(id(value), kind())
        fill = made.append if kind is list else made.add
        for item in value:
            fill(_copied(item, memo, room))
        return made
    if kind is tuple:
        return memo.setdefault(id(value), tuple(_copied(item, memo, room) for item in value))
    if kind is dict:
        made = memo.setdefault(id(value), {})
        for key, item in value.items():
            made[_copied(key, memo, room)] = _copied(item, memo, room)
        return made
    raise _NotPlain


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
            if not self._go_to(test["place"]):
                return {"outcome": "unsure"}
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
                return self._doctest(test["source"], test["file"])
            case _:
                return self._function(test)

    def _go_to(self, place: int | None) -> bool:
        """Make the names what they were at a place; False where that is not known for certain."""
        places = self._names.pop(_PLACES, {})
        if place is None:
            return True
        kept = places.get(place)
        if kept is None:
            return False
        self._names.clear()
        self._names.update(kept.names)
        self._names[BENCH] = self  # for the tests that follow in this fork
        random.setstate(kept.random)
        np.random.set_state(kept.numpy)
        if kept.torch is not None:
            sys.modules["torch"].set_rng_state(kept.torch)
        return True

    def _calm(self, test: dict[str, Any]) -> None:
        """Take away what could stand between a test and what it says."""
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)
        threading.setprofile(None)
        sys.stdout, sys.stderr = Sink(), Sink()
        if _pristine is None:
            return
        _pristine.restore()
        for name, path in test["aliases"].items():
            if name in self._names:
                with contextlib.suppress(LookupError):
                    self._names[name] = _pristine.named(path)
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

    def _doctest(self, source: str, file: str) -> dict[str, Any]:
        """Run the examples of a text; what they print must be what stands there."""
        examples = [e for e in doctest.DocTestParser().parse(source, file) if isinstance(e, doctest.Example)]
        if not examples:
            raise SyntaxError("a test without an example")
        said = io.StringIO()
        printed = _Printed()
        runner = doctest.DocTestRunner(_Checker(printed), verbose=False)
        runner._fakeout = printed  # type: ignore[attr-defined]
        whole = doctest.DocTest(examples, self._names, file, None, None, source)
        with contextlib.redirect_stderr(Sink()):  # a warning is no answer
            result = runner.run(whole, out=said.write, clear_globs=False)
        if result.failed or result.attempted != len(examples):
            raise _Unlike(said.getvalue()[:MAX_TEXT])
        return {}

    def _function(self, test: dict[str, Any]) -> dict[str, Any]:
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
        return {}


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


class _Unlike(AssertionError):
    """An example printed something else."""


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
    if isinstance(error, _Unlike):
        told |= {"type": "another output"}
    own = [frame for frame in frames if frame.filename.startswith("<cell ")]
    return told | ({"where": f"{own[-1].filename[1:-1]}, line {own[-1].lineno}"} if own else {})
