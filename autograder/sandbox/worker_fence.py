"""How is part of a library forbidden to one question, while the rest of it is there?

By a fence, not by a wall: student code shares a process with it, and who wants to climb over it can. A
library that is not in the environment cannot be had; this here keeps honest people on the path, and makes
what is forbidden show. Two looks: at the text of what the question's names reach, so that a use on a path
that no case takes is found and its line told; and at run time, where whatever holds the forbidden thing
holds a stand-in instead.
"""

import ast
import importlib
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograder.sandbox import worker_cells
from autograder.sandbox.worker_answer import CELL_FILE, Forbidden
from autograder.sandbox.worker_standins import StandIn

FENCE = "<fence>"  # where an examiner's program finds it; no name that a cell could write
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_ABSENT = object()


class Fence:
    """Forbids in one process; called again it forbids something else instead.

    names: the student's global names. cells: number and source of each.
    """

    def __init__(self, names: dict[str, Any], cells: Sequence[tuple[int, str]]) -> None:
        self._names = names
        self._cells = cells
        self._replaced: list[tuple[Any, str, Any]] = []  # owner, key, what was there

    def __call__(self, forbidden: Sequence[str], wanted: Sequence[str]) -> None:
        """Forbid these dotted paths. Raises Forbidden where the text of a wanted name reaches one of them."""
        while self._replaced:
            _put(*self._replaced.pop())
        things = {path: thing for path in forbidden if (thing := found(path)) is not _ABSENT}
        if things:
            self._read(things, wanted)
            self._replace(things)

    # By the text

    def _read(self, things: Mapping[str, Any], wanted: Sequence[str]) -> None:
        trees = self._trees()
        seen: set[int] = set()
        waiting = [self._names[name] for name in wanted if name in self._names]
        while waiting:
            value = waiting.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            for path, thing in things.items():
                if value is thing:
                    raise Forbidden(f"{path} is not allowed for this question", name=path)
            try:
                for code in _codes(value):
                    for node in _nodes(trees.get(code.co_filename), code):
                        self._read_one(node, code, things)
                    waiting += [self._names[name] for name in _global_names(code) if name in self._names]
            except Forbidden:
                raise
            except Exception:
                continue  # an object of the student's that cannot be looked at: of it alone, run time will tell

    def _trees(self) -> dict[str, list[ast.stmt]]:
        trees = {}
        for number, source in self._cells:
            try:
                cell = worker_cells.read(number, source)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue  # nothing of it was defined
            trees[cell.file] = cell.statements
        return trees

    def _read_one(self, node: ast.AST, code: types.CodeType, things: Mapping[str, Any]) -> None:
        """Look through one function for a way to a forbidden thing that its text spells out."""
        # A local variable hides a global one of its name; what is missed by that, run time will tell.
        local = dict.fromkeys(_local_names(code), _ABSENT) | dict(_imported(node))
        for part in ast.walk(node):
            value = self._value(part, local)
            for path, thing in things.items():
                if value is thing:
                    line = getattr(part, "lineno", code.co_firstlineno)
                    raise _at(Forbidden(f"{path} is not allowed for this question", name=path), code.co_filename, line)

    def _value(self, node: ast.AST, local: Mapping[str, Any]) -> Any:
        """What a name, or attributes of modules and classes, stand for; nothing of the student's is run."""
        if isinstance(node, ast.Name):
            return local.get(node.id, self._names.get(node.id, _ABSENT))
        if isinstance(node, ast.Attribute):
            return _attribute(self._value(node.value, local), node.attr)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            match node.args:
                case [of, ast.Constant(value=str(name)), *_]:
                    return _attribute(self._value(of, local), name)
        return _ABSENT

    # At run time

    def _replace(self, things: Mapping[str, Any]) -> None:
        for path, thing in things.items():
            owner_path, _, attribute = path.rpartition(".")
            self._set(found(owner_path), attribute, StandIn(path))
            top = path.partition(".")[0]
            for name, module in list(sys.modules.items()):
                if name.partition(".")[0] == top and isinstance(module, types.ModuleType):
                    self._set_all(vars(module), module, path, thing)
            self._set_all(self._names, self._names, path, thing)

    def _set_all(self, space: Mapping[str, Any], owner: Any, path: str, thing: Any) -> None:
        for key in [key for key, value in list(space.items()) if value is thing]:
            self._set(owner, key, StandIn(path))

    def _set(self, owner: Any, key: str, value: Any) -> None:
        before = owner.get(key, _ABSENT) if isinstance(owner, dict) else vars(owner).get(key, _ABSENT)
        try:
            _put(owner, key, value)
        except (AttributeError, TypeError):
            return  # a class written in C cannot be changed: its text is looked at, and that is all
        self._replaced.append((owner, key, before))


def found(path: str) -> Any:
    """What a dotted path stands for, or the mark of nothing."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            value = _attribute(value, part)
        return value
    return _ABSENT


def is_found(path: str) -> bool:
    """Whether there is such a thing in this process."""
    return found(path) is not _ABSENT


def _put(owner: Any, key: str, value: Any) -> None:
    if isinstance(owner, dict):
        if value is _ABSENT:
            owner.pop(key, None)
        else:
            owner[key] = value
    elif value is _ABSENT:
        delattr(owner, key)
    else:
        setattr(owner, key, value)


def _attribute(of: Any, name: str) -> Any:
    """An attribute of a module or a class; nothing else is asked, as it might run a student's code."""
    if isinstance(of, types.ModuleType):
        return vars(of).get(name, _ABSENT)
    if isinstance(of, type):
        return next((vars(kind)[name] for kind in of.__mro__ if name in vars(kind)), _ABSENT)
    return _ABSENT


def _codes(value: Any) -> list[types.CodeType]:
    """The code of a function or of a class's methods, as far as cells wrote it."""
    if isinstance(value, types.MethodType | staticmethod | classmethod):
        value = value.__func__
    if isinstance(value, property):
        return [code for part in (value.fget, value.fset) for code in _codes(part)]
    if isinstance(value, types.FunctionType):
        inner = getattr(value, "__wrapped__", None)
        cells = [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
        codes = [code for each in (inner, *cells) if each is not value for code in _codes(each)]
        return [value.__code__, *codes] if value.__code__.co_filename.startswith(CELL_FILE) else codes
    if isinstance(value, type) and value.__module__ == "__main__":
        kinds = [kind for kind in value.__mro__ if kind.__module__ == "__main__"]
        return [
            code
            for kind in kinds
            for part in vars(kind).values()
            if not isinstance(part, type)
            for code in _codes(part)
        ]
    return []


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _global_names(code: types.CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*map(_global_names, inner))


def _local_names(code: types.CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return {*code.co_varnames, *code.co_cellvars}.union(*map(_local_names, inner))


def _nodes(statements: Sequence[ast.stmt] | None, code: types.CodeType) -> Iterator[ast.AST]:
    """The functions of a cell that have this code: those that begin on its line."""
    for statement in statements or ():
        for node in ast.walk(statement):
            if isinstance(node, _FUNCTIONS):
                decorators = getattr(node, "decorator_list", [])
                first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
                if first == code.co_firstlineno and getattr(node, "name", "<lambda>") == code.co_name:
                    yield node


def _imported(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What imports inside a function bind, where it is loaded already."""
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            for alias in part.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or name, sys.modules.get(name, _ABSENT)
        elif isinstance(part, ast.ImportFrom) and part.module:
            for alias in part.names:
                inside = _attribute(sys.modules.get(part.module), alias.name)
                whole = sys.modules.get(f"{part.module}.{alias.name}", _ABSENT)
                yield alias.asname or alias.name, whole if inside is _ABSENT else inside


def _at(error: Forbidden, file: str, line: int) -> Forbidden:
    """The error, as if it had been raised at a line of a cell: that is where the reader shall look."""
    code = compile("\n" * (line - 1) + "raise error", file, "exec")
    try:
        exec(code, {"error": error})
    except Forbidden as raised:
        return raised
    return error
