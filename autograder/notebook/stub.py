"""What is left of an instructor's cell when students get it?

Solution regions become `raise NotImplementedError(...)`, docstrings tell every shape that the contract
knows, and a cell that needs an answer says in one line that it is still open.
"""

import ast
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograder.notebook.manifest import NO_ANSWER
from autograder.sandbox.worker_cells import bound_names

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class SourceError(ValueError):
    """A cell of the instructor's source that cannot be released; the message says what to change."""


def has_solution(source: str) -> bool:
    return BEGIN in source or END in source


def stubbed(source: str, contract: Mapping[str, Callable[..., Any]]) -> str:
    """A cell without its solution regions, its docstrings completed by the contract.

    contract: the references by the name that students define.
    """
    return _documented(_without_solutions(source), contract)


def defined_in(source: str) -> set[str]:
    """The functions and classes that a cell defines at its top level."""
    return {node.name for node in _parsed(source).body if isinstance(node, _DEFINITIONS)}


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise SourceError(f"line {error.lineno} of a cell that begins {_first(source)!r}: {error.msg}") from error


def _first(source: str) -> str:
    """How people know a cell: its first line of code."""
    return next((line for line in source.splitlines() if line.strip()), "")[:60]


# Solution regions


def _without_solutions(source: str) -> str:
    tree = _parsed(source)
    kept: list[str] = []
    begun = 0
    for number, line in enumerate(source.splitlines(), 1):
        marker = line.strip()
        if marker in (BEGIN, END) and (marker == BEGIN) == bool(begun):
            raise SourceError(f"the cell that begins {_first(source)!r}: {marker} on its line {number} has no partner")
        if marker == BEGIN:
            begun = number
            name = _enclosing(tree, number)
            stub = f'raise NotImplementedError("{name} is still to be written")' if name else NO_ANSWER["code"]
            kept.append(line[: len(line) - len(line.lstrip())] + stub)
        elif marker == END:
            begun = 0
        elif not begun:
            kept.append(line)
    if begun:
        raise SourceError(f"the cell that begins {_first(source)!r}: {BEGIN} on its line {begun} has no partner")
    text = "\n".join(kept)
    _parsed(text)  # a region that took a whole suite away leaves no Python
    return text


def _enclosing(tree: ast.Module, line: int) -> str:
    """The function around a line, `Value.backward`; "" where there is none."""
    words: list[str] = []
    inside: list[ast.stmt] = tree.body
    in_function = False
    while True:
        around = [node for node in inside if isinstance(node, _DEFINITIONS)]
        around = [node for node in around if node.lineno <= line <= (node.end_lineno or node.lineno)]
        if not around:
            return ".".join(words) if in_function else ""
        words.append(around[0].name)
        in_function = not isinstance(around[0], ast.ClassDef)
        inside = around[0].body


# Docstrings


def shapes_of(function: Callable[..., Any]) -> dict[str, str]:
    """The shapes of a reference's inputs in words, `{"x": "(N, D)", "b": "a number"}`, as annotated."""
    hints = typing.get_type_hints(function)
    return {
        name: _in_words(hints[name].dim_str)
        for name in inspect.signature(function).parameters
        if hasattr(hints.get(name), "dim_str")
    }


def _in_words(axes: str) -> str:
    words = axes.split()
    if any(word.startswith(("*", "...", "_")) for word in words):
        return "any shape"
    if len(words) < 2:
        return f"({words[0]},)" if words else "a number"
    return f"({', '.join(words)})"


def _documented(source: str, contract: Mapping[str, Callable[..., Any]]) -> str:
    """Tell, in the docstring of each function of the contract, the shapes that it does not tell yet."""
    lines = source.splitlines()
    for node in reversed(_parsed(source).body):
        if not isinstance(node, ast.FunctionDef) or node.name not in contract:
            continue
        reference = contract[node.name]
        _must_agree(node, reference)
        said = ast.get_docstring(node) or ""
        new = [f"{name}: {shape}" for name, shape in shapes_of(reference).items() if not _tells(said, name)]
        if new:
            _put_docstring(lines, node, "\n\n".join(filter(None, [said, "\n".join(new)])))
    return "\n".join(lines)


def _tells(docstring: str, name: str) -> bool:
    """Whether a docstring has `name: ...`, or the name in a list of several before a colon."""
    return re.search(rf"\b{re.escape(name)}\b(?:(?:,| and) \w+)*:", docstring) is not None


def _must_agree(node: ast.FunctionDef, reference: Callable[..., Any]) -> None:
    """The instructor's parameters are what students see, the reference's are what they are called with."""
    taken = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    wanted = list(inspect.signature(reference).parameters)
    if taken != wanted:
        raise SourceError(
            f"{node.name} takes ({', '.join(taken)}) here and ({', '.join(wanted)}) in its reference: "
            "make them the same"
        )


def _put_docstring(lines: list[str], node: ast.FunctionDef, text: str) -> None:
    first = node.body[0]
    indent = " " * first.col_offset
    said = [f'{indent}{"r" if chr(92) in text else ""}"""{text.splitlines()[0]}']
    said += [f"{indent}{line}".rstrip() for line in text.splitlines()[1:]]
    said = [*said, f'{indent}"""'] if len(said) > 1 else [f'{said[0]}"""']
    start = first.lineno - 1
    has_one = ast.get_docstring(node) is not None
    lines[start : first.end_lineno if has_one else start] = said


# Cells that show what an answer does


def guarded(source: str, open_names: set[str]) -> str:
    """A cell that may run while questions are open: it says so where it needs one of `open_names`.

    What it binds then, or defines in terms of them, is added to `open_names`.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        if set(re.findall(r"\w+", source)) & open_names:
            raise SourceError(
                f"the cell that begins {_first(source)!r} calls what students write, and is not plain Python "
                f"({error.msg}): put magics into a cell of their own"
            ) from error
        return source
    first: ast.stmt | None = None
    for statement in tree.body:
        needs = bool(_loaded(statement) & open_names)
        if first is None and needs and not isinstance(statement, _DEFINITIONS):
            first = statement
        if first or needs:  # defining a function needs nothing, calling it does
            open_names |= bound_names(statement)
    if first is None:
        return source
    lines = source.splitlines()
    start = first.lineno - 1
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    inside = set(_string_lines(ast.walk(tree)))
    moved = (
        line if number in inside or not line.strip() else f"    {line}"
        for number, line in enumerate(lines[start:], start + 1)
    )
    return "\n".join([*lines[:start], "with once_written():", *moved])


def _loaded(statement: ast.stmt) -> set[str]:
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


def _string_lines(nodes: Iterable[ast.AST]) -> Iterable[int]:
    """The lines that begin inside a string: they stay where they are."""
    for node in nodes:
        text = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        )
        if text:
            assert isinstance(node, ast.expr)
            yield from range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
