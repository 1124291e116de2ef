"""How does a reference run where neither this package nor its course is?

In a jail of its own, to be measured beside a student's answer, a reference is cells like any other notebook's. So
its source is cut out of its module, together with what it uses of that module and of others of the course.
"""

import ast
import functools
import inspect
import types
from typing import Any

from autograder.topic.declare import Topic
from autograder.topic.edits import source_of
from autograder.topic.parts import Names, TopicError

_HEAD = "from __future__ import annotations  # their names are not here"
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


@functools.cache
def standalone(topic: Topic) -> str:
    """Source that defines a topic's reference and needs only what its environment has.

    TopicError where it uses something of its module that cannot be written down: an array, an object.
    """
    return _Cut(topic).source()


def executed(topic: Topic) -> Names:
    """What `standalone` defines, in this process."""
    names: Names = {}
    exec(compile(standalone(topic), f"<reference of {topic.name}>", "exec"), names)
    return names


def must_be_lendable(topic: Topic) -> None:
    """TopicError where the functions of a topic cannot stand in for a student's."""
    if topic.kind not in ("function", "layer"):
        raise TopicError(f"{topic.name} is a {topic.kind}: `uses` can name questions about a function or a layer only")
    executed(topic)


class _Cut:
    """Definitions that are being collected, each by the name under which it is used."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._top = topic.main.__module__.partition(".")[0]  # of the course's own modules, which are in no jail
        self._known: Names = {}
        self._parts: list[str] = []

    def source(self) -> str:
        for name, definition in self._topic.reference.items():
            self._add(name, definition)
        return "\n".join([_HEAD, *self._parts])

    def _add(self, name: str, value: Any, imported: str = "") -> None:
        """Add what is called `name`. imported: the statement that brings it from a library, if one does."""
        value = value.main if isinstance(value, Topic) else value
        if name in self._known:
            if self._known[name] is not value:
                raise self._error(f"two things of its course are called {name!r}; give one of them another name")
            return
        self._known[name] = value
        if imported:
            self._parts.append(imported)
        elif isinstance(value, types.FunctionType | type) and value.__name__ == name:
            self._define(name, value)
        elif isinstance(value, types.FunctionType | type):
            self._add(value.__name__, value)
            self._parts.append(f"{name} = {value.__name__}")
        elif _is_plain(value):
            self._parts.append(f"{name} = {value!r}")
        else:
            raise self._error(f"it uses {name!r}, a {type(value).__name__}; make that a function or a number")

    def _define(self, name: str, definition: Any) -> None:
        """A function or class of the course, after everything that it uses."""
        source = source_of(definition)
        if getattr(definition, "__closure__", None):
            raise self._error(f"{name} uses variables of the function around it; define it at the top of its module")
        module = inspect.getmodule(definition)
        imports = _imports(module, self._top)
        for used in sorted(_names(source)):
            if used in vars(module) and used != name:
                self._add(used, vars(module)[used], imports.get(used, ""))
        self._parts.append(source)

    def _error(self, why: str) -> TopicError:
        return TopicError(f"{self._topic.name} cannot be run in a jail of its own, which its cost needs: {why}")


def _imports(module: Any, top: str) -> dict[str, str]:
    """The statements of a module that import from libraries, by the name that each binds."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            source = node.module or "" if isinstance(node, ast.ImportFrom) else alias.name
            if not getattr(node, "level", 0) and source.partition(".")[0] not in (top, "autograder"):
                one = ast.ImportFrom(source, [alias], 0) if isinstance(node, ast.ImportFrom) else ast.Import([alias])
                found[alias.asname or alias.name.partition(".")[0]] = ast.unparse(one)
    return found


def _names(source: str) -> set[str]:
    """The global names that code may read when it runs; what only annotations name is left out."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    return type(value) in _PLAIN
