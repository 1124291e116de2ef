"""What does the text of a cell say, before any of it runs?

Turns notebook syntax into Python, and tells definitions and constants from the rest.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_CELL_MAGIC = re.compile(r"%%(\w+)[ \t]*(.*)")
_TIMED_LINE = re.compile(r"^([ \t]*)%time[ \t]+(?=\S)", re.MULTILINE)
_BODY_RUNS = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})
_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)


@dataclass
class Cell:
    """A cell, read.

    file: the file name under which it is compiled.
    magic: a cell magic that is done instead of the body: its name, its line and the body.
    capture: the name to which %%capture binds what was printed.
    """

    number: int
    source: str
    file: str
    statements: list[ast.stmt] = field(default_factory=list)
    magic: tuple[str, str, str] | None = None
    capture: str = ""


def read(number: int, source: str) -> Cell:
    """Parse a cell. Raises SyntaxError, or ValueError for text that no Python can hold."""
    cell = Cell(number, source, f"<cell {number}>")
    text = _without_cell_magic(cell, source)
    if cell.magic:
        return cell
    try:
        tree = compile(text, cell.file, "exec", _FLAGS, dont_inherit=True)
    except SyntaxError:
        plain = _translated(text)
        if plain == text:
            raise
        tree = compile(plain, cell.file, "exec", _FLAGS, dont_inherit=True)
    cell.statements = list(tree.body)
    return cell


def _without_cell_magic(cell: Cell, source: str) -> str:
    """The body of a magic that runs it, at the same line numbers; other cell magics are set aside."""
    text = source
    while True:
        head = text.lstrip()
        found = _CELL_MAGIC.match(head)
        if not found:
            return text
        name, line = found.group(1), found.group(2).strip()
        skipped = text[: len(text) - len(head)].count("\n")
        body = head[found.end() :]
        if name not in _BODY_RUNS:
            cell.magic = (name, line, body.removeprefix("\n"))
            return ""
        if name == "capture" and line.split():
            cell.capture = next((word for word in line.split() if word.isidentifier()), "")
        text = "\n" * skipped + body


def _translated(source: str) -> str:
    """Python for a cell with IPython's own syntax; the same text where IPython is absent."""
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ModuleNotFoundError:
        return source
    translated: str = TransformerManager().transform_cell(_TIMED_LINE.sub(r"\1", source))
    return translated


def is_constant(statement: ast.stmt) -> bool:
    """Whether a statement only binds names to literals."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if not all(isinstance(target, ast.Name | ast.Tuple) for target in targets):
        return False
    try:
        ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def is_definition(statement: ast.stmt) -> bool:
    """Whether a statement is an import, a def or a class."""
    return isinstance(statement, DEFINITIONS + IMPORTS)


def bound_names(statement: ast.stmt) -> set[str]:
    """The global names that a top-level statement binds."""
    names: set[str] = set()
    for node in _module_level([statement]):
        if isinstance(node, DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.split(".")[0])
        elif isinstance(node, ast.Global):
            names.update(node.names)
    return names


def stub_names(statements: list[ast.stmt]) -> dict[str, bool]:
    """For each function or class that the statements define, whether its last definition is the stub."""
    return {node.name: is_stub(node) for node in _module_level(statements) if isinstance(node, DEFINITIONS)}


def _module_level(statements: list[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes that run in the module's own scope, in order; of functions, `global` lines too."""
    for statement in statements:
        stack: list[ast.AST] = [statement]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Global))
            elif not isinstance(node, ast.ClassDef | ast.Lambda | ast.comprehension):
                stack.extend(reversed(list(ast.iter_child_nodes(node))))


def is_stub(node: ast.AST) -> bool:
    """Whether a function does nothing yet, or a class has no method that does."""
    if isinstance(node, ast.ClassDef):
        methods = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
        rest = [part for part in node.body if part not in methods]
        return all(is_stub(method) for method in methods) and all(_says_nothing(part) for part in rest)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and all(map(_says_nothing, node.body))


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Return):
        return statement.value is None or (isinstance(statement.value, ast.Constant) and statement.value.value is None)
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return False
