"""How does a misconception look in a student's notebook?

The wrong implementation is written out as plain source, with the helpers, imports and constants it needs, under the
names that the student must define. Such a cell, put after a solution, takes the place of what it defines.
"""

import ast
import builtins
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat

from autograder.topic import Topic
from autograder.topic.edits import edited, source_of
from autograder.topic.module import Made
from autograder.topic.parts import Misconception


def cell_of(topic: Topic, misconception: Misconception) -> str:
    """A code cell that defines what the topic asks for, wrong in this way, and no other name that matters."""
    if misconception.edits:
        definitions = list(topic.reference.values())
        source = edited("\n\n".join(source_of(definition) for definition in definitions), misconception.edits)
        parts = [plain(source)]
        needed, made = _Needed(set(topic.reference)), list(topic.reference)
        needed.see(ast.parse(parts[0]), vars(inspect.getmodule(definitions[0])))
    else:  # it may call the right one, so its own name is another
        needed, made = _Needed(set()), [f"wrong_{name}" for name in misconception.names]
        parts = [_renamed(each, name, needed) for name, each in zip(made, misconception.names.values(), strict=True)]
    if isinstance(topic, Made):  # what is written returns the class that students define
        made = [f"{name}()" for name in made]
    body = "\n\n".join(["import numpy as np", *needed.sources.values(), *parts, f"return {', '.join(made)}"])
    make = f"_make_{topic.name}"
    return f"def {make}():\n{textwrap.indent(body, '    ')}\n\n\n{', '.join(topic.reference)} = {make}()\n"


def notebook_with(solution: Path, cells: list[str], to: Path) -> None:
    """The instructor's notebook with further cells at its end, as a student's `.ipynb`."""
    import jupytext

    notebook = jupytext.reads(solution.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(notebook, to)


def plain(source: str) -> str:
    """Source without annotations, and without what decorates a definition: they name things of ours."""
    tree = ast.parse(source)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            statement.decorator_list = []
    return ast.unparse(_WithoutAnnotations().visit(tree))


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], self.visit(node.value), lineno=node.lineno)


class _Needed:
    """Collects the source of everything of a module that a piece of code uses."""

    def __init__(self, known: set[str]) -> None:
        self.sources: dict[str, str] = {}
        self._known = known | {"np"} | set(vars(builtins))

    def see(self, tree: ast.AST, module_names: dict[str, Any]) -> None:
        for name in _used(tree):
            if name in self._known or name not in module_names:
                continue
            self._known.add(name)
            value = module_names[name]
            if isinstance(value, types.ModuleType) and value.__name__.startswith("reference"):
                self._take_parts(name, value, tree)
            else:
                self._take(name, value, module_names)

    def _take_parts(self, name: str, module: types.ModuleType, tree: ast.AST) -> None:
        """Those of a module's names that are used, in something that looks like the module."""
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        used = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == name}
        for part in sorted(used - self._known):
            self._known.add(part)
            self._take(part, vars(module)[part], vars(module))
        parts = ", ".join(f"{part}={part}" for part in sorted(used))
        self.sources[name] = f"import types\n\n{name} = types.SimpleNamespace({parts})"

    def _take(self, name: str, value: Any, module_names: dict[str, Any]) -> None:
        if isinstance(value, Topic):
            value = value.reference.get(name, value.main)
        if isinstance(value, types.ModuleType):
            self.sources[name] = f"import {value.__name__} as {name}"
        elif isinstance(value, type | types.FunctionType) and value.__module__.startswith("reference"):
            self.sources[name] = _renamed(value, name, self)
        else:
            self.sources[name] = ""  # its place is before what comes next
            self._as_written(name, module_names)

    def _as_written(self, name: str, module_names: dict[str, Any]) -> None:
        """The import or the assignment that binds a name at the top of a module."""
        for statement in ast.parse(inspect.getsource(sys.modules[module_names["__name__"]])).body:
            if isinstance(statement, ast.ImportFrom):
                bound = {alias.asname or alias.name for alias in statement.names}
                if name in bound and str(statement.module).startswith("reference"):
                    continue
            elif isinstance(statement, ast.Assign):
                bound = {target.id for target in statement.targets if isinstance(target, ast.Name)}
            else:
                continue
            if name in bound:
                del self.sources[name]
                self.see(statement, module_names)
                self.sources[name] = ast.unparse(statement)


def _used(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id


def _renamed(implementation: Callable[..., Any], name: str, needed: _Needed) -> str:
    """The source of one function or class, under the name that the student must give it."""
    tree = ast.parse(plain(textwrap.dedent(inspect.getsource(implementation))))
    (definition,) = tree.body
    assert isinstance(definition, ast.FunctionDef | ast.ClassDef)
    own, definition.name = definition.name, name
    for node in ast.walk(tree):  # a class names itself
        if isinstance(node, ast.Name) and node.id == own and own != "_":
            node.id = name
    around = dict(vars(inspect.getmodule(implementation)))
    closure = inspect.getclosurevars(implementation).nonlocals if inspect.isfunction(implementation) else {}
    needed.see(tree, around | closure)
    return ast.unparse(tree)
