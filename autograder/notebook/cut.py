"""Which part of a notebook defines what one question asks for?

The last definition of each name, as at loading, and of all that it uses: helpers, imports, constants. Only the text is
looked at, so this is a guess: whoever uses it puts it to the test in a jail, beside the whole notebook.
"""

import ast
import builtins
import symtable
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

from autograder.course.errors import CourseError
from autograder.notebook.submission import Submission
from autograder.sandbox.worker_cells import DEFINITIONS, IMPORTS, bound_names, is_stub, read

_BUILTINS = frozenset(vars(builtins))


def cut(submission: Submission, wanted: Collection[str]) -> str:
    """Source that defines the wanted names, without comments and docstrings, which may say whose it is.

    CourseError where it needs a file of the submission, or nests too deeply to be taken apart.
    """
    own = {PurePosixPath(name).parts[0].removesuffix(".py") for name in submission.files}
    try:
        chosen = _Cut(list(_statements(submission))).choose(wanted)
        foreign = [module for statement in chosen for module in _modules(statement) if module in own]
        source = "\n\n".join(ast.unparse(_silent(statement)) for statement in chosen) + "\n"
    except (RecursionError, MemoryError) as error:
        raise CourseError("the code nests too deeply to be taken apart: write the file by hand") from error
    if foreign:
        raise CourseError(
            f"the code imports {foreign[0]!r}, a file of the submission, and what is adopted is one file: put both "
            "into one notebook, and name that with --submission"
        )
    return source


class _Cut:
    """The top-level statements of a notebook, of which some are chosen, by their place."""

    def __init__(self, statements: Sequence[ast.stmt]) -> None:
        self._statements = statements
        self._binding: dict[str, list[int]] = {}
        self._changing: dict[str, list[int]] = {}  # what is inside it
        for place, statement in enumerate(statements):
            for name in bound_names(statement):
                self._binding.setdefault(name, []).append(place)
            for name in _changed(statement):
                self._changing.setdefault(name, []).append(place)

    def choose(self, wanted: Collection[str]) -> list[ast.stmt]:
        places = {place for place, statement in enumerate(self._statements) if _is_future(statement)}
        known: set[str] = set()
        waiting = list(wanted)
        while waiting:
            name = waiting.pop()
            if name not in known:
                known.add(name)
                new = set(self._places_of(name)) - places
                places |= new
                waiting += (used for place in new for used in _used(self._statements[place]))
        in_order = sorted((self._statements[place] for place in sorted(places)), key=lambda each: not _is_future(each))
        return [_narrowed(statement, known) for statement in in_order]

    def _places_of(self, name: str) -> list[int]:
        """The statements that make a name what it is in the end."""
        binding = self._binding.get(name) or ([] if name in _BUILTINS else self._binding.get("*", []))
        finished = [place for place in binding if _finishes(self._statements[place], name)]
        if finished:  # what comes later counts where it wraps the function, and not where it calls it
            last = finished[-1]
            binding = [last, *(place for place in binding if place > last and self._wraps(place, name))]
        return [*binding, *(place for place in self._changing.get(name, []) if binding and place > binding[0])]

    def _wraps(self, place: int, name: str) -> bool:
        statement = self._statements[place]
        if isinstance(statement, DEFINITIONS):
            return False  # the stub once more
        value = statement.value if isinstance(statement, ast.Assign) else None
        return not (isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == name)


def _statements(submission: Submission) -> Iterator[ast.stmt]:
    """Those of all cells that can be read, in order."""
    for cell in submission.cells:
        try:
            yield from read(cell.number, cell.source).statements
        except (SyntaxError, ValueError):  # left out at loading, too
            continue


def _finishes(statement: ast.stmt, name: str) -> bool:
    """Whether it defines a function or class of that name, and not the stub."""
    return isinstance(statement, DEFINITIONS) and statement.name == name and not is_stub(statement)


def _changed(statement: ast.stmt) -> Iterator[str]:
    """The names in which an assignment sets an attribute or an entry: `Value.__add__ = add`."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    for target in targets:
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
            if isinstance(target, ast.Name):
                yield target.id


def _used(statement: ast.stmt) -> set[str]:
    """The global names that a statement uses when it runs, or when what it defines is called."""
    try:
        table = symtable.symtable(ast.unparse(statement), "<cell>", "exec")
    except SyntaxError:  # `await` outside a function
        return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return set(_globals(table))


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _globals(inner)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _narrowed(statement: ast.stmt, known: Collection[str]) -> ast.stmt:
    """An import without what nobody needs."""
    if not isinstance(statement, IMPORTS) or _is_future(statement):
        return statement
    names = [a for a in statement.names if a.name == "*" or (a.asname or a.name.partition(".")[0]) in known]
    if isinstance(statement, ast.Import):
        return ast.Import(names)
    return ast.ImportFrom(statement.module, names, statement.level)


def _modules(statement: ast.stmt) -> Iterator[str]:
    """The top-level modules that a statement imports, wherever in it."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def _silent(statement: ast.stmt) -> ast.stmt:
    """The statement without docstrings."""
    for node in ast.walk(statement):
        if isinstance(node, DEFINITIONS) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return statement
