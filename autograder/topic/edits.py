"""How is a misconception applied to the code of a reference?

An edit replaces a sequence of tokens. Comments, docstrings and layout are left out of the match, and
each edit must match exactly once, so a misconception cannot silently stop applying.
"""

import ast
import functools
import hashlib
import inspect
import io
import linecache
import textwrap
import tokenize
from collections.abc import Callable
from typing import Any

_LAYOUT = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


class EditError(ValueError):
    """An edit does not match the reference's code exactly once."""


@functools.cache
def source_of(definition: Any) -> str:
    """The source of a function or class as its author wrote it, without decorators and docstrings."""
    text = textwrap.dedent(inspect.getsource(definition))
    (statement,) = ast.parse(text).body
    if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
        raise EditError(f"{definition!r} is not defined by def or class")
    lines = text.splitlines()
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines[docstring.lineno - 1] = " " * docstring.col_offset + "pass"
            for number in range(docstring.lineno, docstring.end_lineno or docstring.lineno):
                lines[number] = ""
    return "\n".join(lines[statement.lineno - 1 :]) + "\n"


def edited(source: str, edits: tuple[tuple[str, str], ...]) -> str:
    """Apply each (old, new) to `source`; EditError unless each old matches exactly once."""
    for edit in edits:
        if isinstance(edit, str) or len(edit) != 2:
            raise EditError(f"an edit is a pair (old, new), not {edit!r}")
        old, new = edit
        wanted = _texts(old)
        tokens = _tokens(source)
        texts = [text for text, _, _ in tokens]
        places = [i for i in range(len(texts) - len(wanted) + 1) if texts[i : i + len(wanted)] == wanted]
        if len(places) != 1 or not wanted:
            code = "\n".join(line for line in source.splitlines() if line.strip())  # a docstring was left out
            raise EditError(f"the edit {old!r} -> {new!r} matches {len(places)} times, not once, in:\n{code}")
        start = tokens[places[0]][1]
        end = tokens[places[0] + len(wanted) - 1][2]
        source = source[:start] + new + source[end:]
    return source


def unique_edit(source: str, start: int, end: int, new: str) -> tuple[str, str]:
    """The edit (old, new) that puts `new` in the place of `source[start:end]`, with as many whole lines around it
    as it takes to match once."""
    first, last = source.rfind("\n", 0, start) + 1, source.find("\n", end)
    last = len(source) if last < 0 else last
    while True:
        old = source[first:last].strip()
        edit = old, (source[first:start] + new + source[end:last]).strip()
        wanted, texts = _texts(old), _texts(source)
        places = sum(texts[i : i + len(wanted)] == wanted for i in range(len(texts)))
        if places <= 1 or (first == 0 and last == len(source)):
            return edit
        first = source.rfind("\n", 0, max(first - 1, 0)) + 1
        if first == 0:
            last = source.find("\n", last + 1)
            last = len(source) if last < 0 else last


def tokens_of(source: str) -> list[str]:
    """The tokens of a source, without comments and layout."""
    return _texts(source)


def rebuild(source: str, module_names: dict[str, Any]) -> dict[str, Any]:
    """Execute edited definitions beside the names of the module they come from; all names result.

    Their source can be looked up, as that of other functions can.
    """
    names = dict(module_names)
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    file = f"<misconception {digest}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        code = compile(source, file, "exec")
    except SyntaxError as error:
        raise EditError(
            f"the edit makes no Python of the reference: {error.msg}, in line {error.lineno} of:\n{source}"
        ) from error
    exec(code, names)
    return names


def defined_names(definitions: tuple[Callable[..., Any], ...]) -> dict[str, Any]:
    """The global names that the definitions see."""
    names: dict[str, Any] = {}
    for definition in definitions:
        names.update(vars(inspect.getmodule(definition)))
    return names


def _texts(code: str) -> list[str]:
    return [text for text, _, _ in _tokens(code)]


@functools.lru_cache(maxsize=64)  # a topic's misconceptions are edits of one and the same source
def _tokens(code: str) -> list[tuple[str, int, int]]:
    starts = [0]
    for line in code.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[tuple[str, int, int]] = []
    reader = tokenize.generate_tokens(io.StringIO(code).readline)
    while True:
        try:
            token = next(reader)
        except (StopIteration, tokenize.TokenError, IndentationError):
            return found  # a fragment may end inside brackets
        if token.type not in _LAYOUT and token.string:
            begin = starts[token.start[0] - 1] + token.start[1]
            found.append((token.string, begin, begin + len(token.string)))
