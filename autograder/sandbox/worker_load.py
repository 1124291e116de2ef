"""How do a notebook's cells become names?

In place and in order. What fails costs its own statement: the definitions after it still run, and a
definition that came before what it needs is tried again at the end.
"""

import __future__

import ast
import builtins
import inspect
import linecache
import os
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.sandbox import worker_cells, worker_shell
from autograder.sandbox.worker_answer import Forbidden
from autograder.sandbox.worker_names import Definitions
from autograder.sandbox.worker_output import Sink
from autograder.sandbox.worker_standins import StandIn

MAX_NOTES = 200
MAX_NOTE_TEXT = 500
_FUTURES = 0
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag


@dataclass(frozen=True)
class Recipe:
    """All that a load needs. skip: cells of which only definitions and constants run."""

    cells: Sequence[tuple[int, str]]
    wanted: frozenset[str]
    skip: frozenset[int]


class Loader:
    """Runs the cells of a recipe in a new `__main__`.

    names: its global names. notes: `[cell, kind, text, private]`. missing: see `limits.Loaded`.
    """

    def __init__(self, recipe: Recipe, say: Callable[[int], None]) -> None:
        self._recipe = recipe
        self._say = say
        self._process = os.getpid()
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._cell: int | None = None
        self._early: list[tuple[worker_cells.Cell, ast.stmt]] = []
        module = types.ModuleType("__main__")
        module.__dict__["__builtins__"] = builtins
        sys.modules["__main__"] = module
        self.names = module.__dict__
        self.notes: list[tuple[int | None, str, str, str]] = []
        self.missing: frozenset[str] = frozenset()
        self._definitions = Definitions(self.names, self._note)
        self._shell = worker_shell.Shell(self.names, lambda kind, text: self._note(self._cell, kind, text))
        worker_shell.furnish(self._shell)

    def load(self) -> None:
        """Run all cells; never raises for what they do."""
        for number, source in self._recipe.cells:
            self._say(number)
            self._cell = number
            self._load_cell(number, source)
            self._close_figures()
            if os.getpid() != self._process:
                os._exit(0)  # a copy that the cell made by os.fork must not go on loading
        self._cell = None
        self._retry()
        self._definitions.settle()
        self.missing = self._definitions.missing(self._recipe.wanted)

    def _note(self, cell: int | None, kind: str, text: str, private: str = "") -> None:
        note = (cell, kind, text[:MAX_NOTE_TEXT], private[:MAX_NOTE_TEXT])
        if len(self.notes) < MAX_NOTES and note not in self.notes:
            self.notes.append(note)

    def _load_cell(self, number: int, source: str) -> None:
        linecache.cache[f"<cell {number}>"] = (len(source), None, source.splitlines(True), f"<cell {number}>")
        try:
            cell = worker_cells.read(number, source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self._note_syntax(number, error)
            return
        if cell.magic:
            self._guarded(cell, lambda: self._shell.run_cell_magic(*cell.magic))  # type: ignore[misc]
            return
        statements = cell.statements
        if number in self._recipe.skip:
            for statement in statements:
                if worker_cells.is_definition(statement) or worker_cells.is_constant(statement):
                    self._run(cell, [statement])
        elif cell.capture:
            self._captured(cell)
        else:
            self._run(cell, statements)
        bound = set().union(*map(worker_cells.bound_names, statements))
        self._definitions.after(number, bound, worker_cells.stub_names(statements))

    def _captured(self, cell: worker_cells.Cell) -> None:
        """%%capture NAME: the cell's output is bound to the name."""
        usual = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = Sink(), Sink()
        self.names[cell.capture] = worker_shell.Captured(sys.stdout, sys.stderr)
        self._run(cell, cell.statements)
        sys.stdout, sys.stderr = usual

    def _run(self, cell: worker_cells.Cell, statements: list[ast.stmt]) -> None:
        """Run statements; after one that fails, only the definitions among those that follow."""
        while statements:
            failed = self._execute(cell, statements)
            if failed is None:
                return
            position, error = failed
            statement, statements = statements[position], statements[position + 1 :]
            if isinstance(error, ModuleNotFoundError) and isinstance(statement, worker_cells.IMPORTS):
                self._stand_in(cell.number, statement, error.name or "")
                continue
            if isinstance(error, Forbidden) and isinstance(statement, worker_cells.DEFINITIONS):
                self.names[statement.name] = StandIn(error.name or statement.name)
            if isinstance(error, NameError) and isinstance(statement, worker_cells.DEFINITIONS):
                self._early.append((cell, statement))
            self._note_raised(cell, error)
            statements = [later for later in statements if worker_cells.is_definition(later)]

    def _execute(self, cell: worker_cells.Cell, statements: list[ast.stmt]) -> tuple[int, BaseException] | None:
        """Run statements in one go; if one raises, its position and the exception."""
        try:
            module = ast.Module(body=statements, type_ignores=[])
            code = compile(module, cell.file, "exec", self._flags, dont_inherit=True)
            self._flags |= code.co_flags & _FUTURES
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self._note_syntax(cell.number, error)
            return None
        try:
            if code.co_flags & inspect.CO_COROUTINE:
                import asyncio

                asyncio.run(eval(code, self.names))
            else:
                exec(code, self.names)
        except BaseException as error:  # the worker's boundary: a cell may raise anything
            return _position(cell.file, statements, error), error
        return None

    def _guarded(self, cell: worker_cells.Cell, action: Callable[[], Any]) -> None:
        try:
            action()
        except BaseException as error:  # the worker's boundary
            self._note_raised(cell, error)

    def _stand_in(self, number: int, statement: ast.stmt, name: str) -> None:
        """Bind what an import of an absent module would have bound."""
        assert isinstance(statement, worker_cells.IMPORTS)
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                if alias.name != "*":
                    bound, path = alias.asname or alias.name, f"{statement.module}.{alias.name}"
                    self.names[bound] = StandIn(path)
            elif (bound := alias.asname or alias.name.split(".")[0]) not in self.names:
                self.names[bound] = StandIn(alias.name if alias.asname else bound)
        text = f"cell {number} imports {name}, which is not available for this question; using it is not allowed"
        self._note(number, "absent", text)

    def _retry(self) -> None:
        """Run definitions again that came before what they need, unless a later cell has them too."""
        waiting, progress = self._early, True
        while waiting and progress:
            again, self._early, progress = waiting, [], False
            waiting = []
            for cell, statement in again:
                assert isinstance(statement, worker_cells.DEFINITIONS)
                if self._definitions.defined_in(statement.name) > cell.number:
                    continue
                failed = self._execute(cell, [statement])
                if failed:
                    waiting.append((cell, statement))
                    continue
                progress = True
                self._definitions.after(cell.number, {statement.name}, worker_cells.stub_names([statement]))
                text = f"{statement.name} in cell {cell.number} needs names of later cells; it was defined at the end"
                self._note(cell.number, "retried", text)

    def _note_syntax(self, number: int, error: BaseException) -> None:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        self._note(
            number,
            "syntax",
            f"cell {number}{line}: {type(error).__name__}; the cell was left out",
            str(error),
        )

    def _note_raised(self, cell: worker_cells.Cell, error: BaseException) -> None:
        if isinstance(error, SystemExit):
            self._note(cell.number, "exit", f"cell {cell.number} called exit; its definitions were kept")
            return
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == cell.file]
        where = f", line {lines[0]}" if lines else ""
        text = f"cell {cell.number}{where}: {type(error).__name__}; what ran before it and its definitions were kept"
        try:
            private = str(error)
        except BaseException:  # a student's own exception class may fail to print itself
            private = ""
        self._note(cell.number, "raised", text, private)

    def _close_figures(self) -> None:
        """As a notebook does after each cell, so that plots do not pile up."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        try:
            if pyplot and pyplot.get_fignums():
                pyplot.close("all")
        except BaseException:  # the worker's boundary: the cell may have changed pyplot
            return


def _position(file: str, statements: list[ast.stmt], error: BaseException) -> int:
    """Which of the statements raised: the one at the line of the outermost frame."""
    trace = error.__traceback__
    while trace and not (trace.tb_frame.f_code.co_filename == file and trace.tb_frame.f_code.co_name == "<module>"):
        trace = trace.tb_next
    line = trace.tb_lineno if trace else 0
    position = 0
    for number, statement in enumerate(statements):
        decorators = getattr(statement, "decorator_list", [])
        if min([statement.lineno, *(decorator.lineno for decorator in decorators)]) <= line:
            position = number
    return position
