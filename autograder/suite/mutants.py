"""Which small slips can be made in a reference, whether or not anybody thought of them?

Each mutant is the reference with one place changed: an operator, a sign, a constant, an axis, a comparison, a
dropped term. It is an edit of the text, so that it can be shown, declared harmless, or adopted as a misconception.
The mutation testers that exist (mutmut, Cosmic Ray) change files and run a test command; they know neither axes
nor `keepdims`, and none of them puts a mutant through checks in this process.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.topic.declare import Topic
from autograder.topic.edits import source_of, tokens_of, unique_edit

_SWAPPED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.MatMult: ("@", "*"),
    ast.Pow: ("**", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
}
_COMPARED: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
}
_NAMES = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "argmin": "argmax",
    "maximum": "minimum",
    "minimum": "maximum",
    "zeros": "ones",
    "zeros_like": "ones_like",
    "ones": "zeros",
    "ones_like": "zeros_like",
    "sin": "cos",
    "cos": "sin",
}
_AXES = {0: "1", 1: "0", -1: "0", 2: "1"}
_ATOMS = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Constant)


@dataclass(frozen=True)
class Mutant:
    """kind: what was changed, in words. edit: (old, new), as a misconception is declared. source: all of it."""

    kind: str
    edit: tuple[str, str]
    source: str


def reference_source(topic: Topic) -> str:
    """The text that edits of a topic's reference are made of."""
    return "\n\n".join(source_of(definition) for definition in topic.reference.values())


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of the source, each once; none that Python cannot read or reads as the original."""
    tree = ast.parse(source)
    seen = {ast.dump(tree)}
    places = _Places(source)
    for node in _own(tree):
        for kind, start, end, new in places.changes(node):
            mutated = source[:start] + new + source[end:]
            try:
                form = ast.dump(ast.parse(mutated))
            except SyntaxError:
                continue
            if form not in seen:
                seen.add(form)
                yield Mutant(kind, unique_edit(source, start, end, new), mutated)


def same_tokens(one: str, other: str) -> bool:
    """Whether two sources differ in layout alone."""
    return tokens_of(one) == tokens_of(other)


def _own(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute: no annotations, no decorators, nothing that is only said in an exception."""
    yield tree
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list", "exc", "msg"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.keyword) and child.arg == "strict":
                continue  # of zip: it guards against wrong inputs, and gives no answer
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from _own(child)


Change = tuple[str, int, int, str]  # kind, and what stands from where to where instead


class _Places:
    """Where the nodes of one source stand in its text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def changes(self, node: ast.AST) -> Iterator[Change]:
        match node:
            case ast.BinOp():
                yield from self._operators(node)
            case ast.UnaryOp(op=ast.USub() | ast.Not()):
                yield (
                    "sign" if isinstance(node.op, ast.USub) else "condition",
                    *self._span(node),
                    self._text(node.operand),
                )
            case ast.Compare(ops=[operator]) if type(operator) in _COMPARED:
                old, others = _COMPARED[type(operator)]
                for new in others:
                    yield from self._between(node.left, node.comparators[0], old, new, "comparison")
            case ast.BoolOp(values=[first, second, *_]):
                old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
                yield from self._between(first, second, old, new, "condition")
            case ast.AugAssign():
                yield from self._updates(node)
            case ast.Expr(value=ast.Call()) | ast.Continue() | ast.Break():
                yield "statement left out", *self._span(node), "pass"
            case ast.keyword(arg="axis" | "dim", value=value):
                yield from self._axis(value)
            case ast.keyword(arg="keepdims" | "keepdim"):
                yield "keepdims", *self._span(node.value), "False"
            case ast.Constant() if type(node.value) in (int, float, bool):
                yield from self._constants(node)
            case ast.Attribute(attr="T"):
                yield "transpose left out", *self._span(node), self._text(node.value)
            case ast.Call(func=ast.Attribute(attr=name) as called) if name in _NAMES:
                _, end = self._span(called)
                yield "function", end - len(name), end, _NAMES[name]
            case ast.Call(func=ast.Name(id=name) as called) if name in _NAMES and name not in ("sum", "mean"):
                yield "function", *self._span(called), _NAMES[name]

    def _operators(self, node: ast.BinOp) -> Iterator[Change]:
        if type(node.op) not in _SWAPPED:
            return
        old, new = _SWAPPED[type(node.op)]
        yield from self._between(node.left, node.right, old, new, "operator")
        start, end = self._span(node)
        if isinstance(node.op, ast.Add | ast.Sub):
            yield "term left out", start, end, self._text(node.left)
            sign = "-" if isinstance(node.op, ast.Sub) else ""
            yield "term left out", start, end, sign + self._text(node.right)
        elif isinstance(node.op, ast.Mult | ast.Div | ast.Pow):
            yield "factor left out", start, end, self._text(node.left)
        if isinstance(node.op, ast.Mult):
            yield "factor left out", start, end, self._text(node.right)

    def _updates(self, node: ast.AugAssign) -> Iterator[Change]:
        if type(node.op) in _SWAPPED:
            old, new = _SWAPPED[type(node.op)]
            yield from self._between(node.target, node.value, f"{old}=", f"{new}=", "operator")
            yield from self._between(node.target, node.value, f"{old}=", "=", "operator")
        yield "statement left out", *self._span(node), "pass"

    def _axis(self, value: ast.expr) -> Iterator[Change]:
        number = ast.literal_eval(value) if isinstance(value, ast.Constant | ast.UnaryOp) else None
        if isinstance(number, int) and not isinstance(number, bool):
            start, end = self._span(value)
            yield "axis", start, end, _AXES.get(number, "0")
            yield "axis", start, end, "None"

    def _constants(self, node: ast.Constant) -> Iterator[Change]:
        start, end = self._span(node)
        if isinstance(node.value, bool):
            yield "constant", start, end, str(not node.value)
        elif isinstance(node.value, int):
            yield "constant", start, end, str(node.value + 1)
            if node.value:
                yield "constant", start, end, str(node.value - 1)
        elif isinstance(node.value, float):
            yield "constant", start, end, repr(node.value * 2 if node.value else 1.0)

    def _between(self, left: ast.expr, right: ast.expr, old: str, new: str, kind: str) -> Iterator[Change]:
        """The operator that stands between two operands, which may be in parentheses."""
        end, start = self._span(left)[1], self._span(right)[0]
        at = self._source.find(old, end, start)
        if at >= 0:
            yield kind, at, at + len(old), new

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        text = self._source[start:end]
        return text if isinstance(node, _ATOMS) else f"({text})"

    def _span(self, node: ast.AST) -> tuple[int, int]:
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())
