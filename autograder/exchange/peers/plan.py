"""What has to be known of a notebook, before it runs, so that each test finds what it would have found?

In a peer's kernel everything happens in one process and in order. Here cells are loaded first and tests
run in forks afterwards, so for each test is found out, from the text alone: the place at which it stood,
which data of that place later cells might change, and which earlier tests made names that it uses.
"""

import ast
import builtins
import re
import symtable
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.exchange.peers.model import Code, Group, Step
from autograder.sandbox import worker_cells

MARK = 1_000_000  # numbers of cells of ours begin here
_WORD = re.compile(r"[^\W\d]\w*")
_ASSIGNED = re.compile(r"^[ \t]*([^\W\d]\w*)[ \t]*=(?!=)", re.MULTILINE)
# IPython's own syntax, each with what it means for names. A line that begins further in may also go on with `%`.
_CAPTURE = re.compile(r"^%%capture(?:[ \t]+-[\w-]+)*[ \t]+([^\W\d]\w*).*$", re.MULTILINE)
_TIMED = re.compile(r"^([ \t]*)%time[ \t]+(?=\S)", re.MULTILINE)
_KEPT = re.compile(r"^([ \t]*(?:\w+[ \t]*,[ \t]*)*\w+[ \t]*=[ \t]*)[%!].*$", re.MULTILINE)
_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)
_HELP = re.compile(r"^([ \t]*)[\w.%]+\?{1,2}[ \t]*$", re.MULTILINE)
_START = '__import__("autograder.sandbox.worker_places", fromlist=["start"]).start()'
_TAKE = '__import__("autograder.sandbox.worker_places", fromlist=["take"]).take({}, globals(), {!r})'


@dataclass(frozen=True)
class Asked:
    """A group, and what its fork is told.

    place: where it stood. before: sources to be run ahead of it; shown: what students see of those.
    """

    group: Group
    place: int
    before: tuple[str, ...]
    shown: tuple[str, ...]
    tainted: bool  # it, or what runs ahead of it, has hidden parts


@dataclass(frozen=True)
class Plan:
    """cells: to be loaded, with marks at the places of tests. until: how many of them come before a place.

    aliases, own: see `Instructor`.
    """

    cells: tuple[Code, ...]
    until: Mapping[int, int]
    asked: tuple[Asked, ...]


@dataclass(frozen=True)
class Instructor:
    """What the instructor's own notebook says of names.

    aliases: what was imported under a name that means nothing else there. builtins: names of Python's own
    that the notebook leaves alone, so that a student who binds one has not answered anything by it.
    """

    aliases: dict[str, str] = field(default_factory=dict)
    builtins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, sources: Iterable[str]) -> "Instructor":
        imported: dict[str, str] = {}
        bound: set[str] = set()
        for source in sources:
            tree = _parsed(source)
            for statement in tree.body if tree else ():
                if isinstance(statement, ast.Import):
                    for alias in statement.names:
                        name = alias.asname or alias.name.partition(".")[0]
                        imported[name] = alias.name if alias.asname else name
                elif isinstance(statement, ast.ImportFrom):
                    if statement.module and not statement.level:
                        for alias in statement.names:
                            imported[alias.asname or alias.name] = f"{statement.module}.{alias.name}"
                else:
                    bound |= worker_cells.bound_names(statement)
        aliases = {name: path for name, path in imported.items() if name not in bound}
        ordinary = {name for name in vars(builtins) if not name.startswith("_")}
        return cls(aliases, frozenset(ordinary - bound - imported.keys()))

    def of_test(self, source: str) -> tuple[dict[str, str], list[str]]:
        """The aliases and the builtins that a test names."""
        named = set(_WORD.findall(source))
        return {name: path for name, path in self.aliases.items() if name in named}, sorted(self.builtins & named)


@dataclass
class _Facts:
    """What a source does with global names. calls: named only to be called."""

    binds: set[str] = field(default_factory=set)
    data: set[str] = field(default_factory=set)  # of these, bound to what is no function, class or module
    touches: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    defines: dict[str, set[str]] = field(default_factory=dict)  # what the bodies of its functions name

    @property
    def uses(self) -> set[str]:
        return self.touches | self.calls


def plan(steps: Sequence[Step], in_order: Collection[str] = ()) -> Plan:
    """What to load and what to ask, for one student's notebook. in_order: tests that need all earlier ones first."""
    facts = [_facts_of(step) for step in steps]
    wanted_later = _wanted_later(steps, facts)
    cells = [Code(MARK * 9, _START)]
    asked: list[Asked] = []
    until: dict[int, int] = {}
    makers: dict[str, int] = {}  # a name: the position of the group that made it last
    before: dict[int, tuple[int, ...]] = {}
    data: set[str] = set()
    place = -1
    for position, step in enumerate(steps):
        own = facts[position]
        if isinstance(step, Code):
            cells.append(step)
            for name in own.binds:
                makers.pop(name, None)
            data = (data - own.binds) | own.data
            continue
        if not (position and isinstance(steps[position - 1], Group)) or place < 0:
            place += 1
            needed = _closed(set().union(*(facts[p].uses for p in _run_of(steps, position))), facts[:position])
            changed = _touched_later(steps, facts, position)
            touched = sorted(needed & changed & data)
            until[place] = len(cells)
            cells.append(Code(MARK + place, _TAKE.format(place, touched)))
        first = {makers[name] for name in own.uses if name in makers}
        if any(test.id in in_order for test in step.tests):
            first = {p for p in range(position) if isinstance(steps[p], Group)}
        before[position] = tuple(sorted(first | {p for each in first for p in before[each]}))
        earlier = [test for p in before[position] for test in _tests(steps[p])]
        sources, shown = tuple(test.source for test in earlier), tuple(test.visible for test in earlier)
        tainted = step.has_hidden or any(_group(steps[p]).has_hidden for p in before[position])
        asked.append(Asked(step, place, sources, shown, tainted))
        makers |= dict.fromkeys(own.binds, position)
        if own.binds & wanted_later[position]:
            # Later cells use what this test imports or defines; what students see of it is no secret.
            cells += [Code(MARK * 2 + position, test.visible) for test in step.tests if test.mode == "cell"]
    return Plan(tuple(cells), until, tuple(asked))


def _run_of(steps: Sequence[Step], position: int) -> Iterable[int]:
    while position < len(steps) and isinstance(steps[position], Group):
        yield position
        position += 1


def _wanted_later(steps: Sequence[Step], facts: Sequence[_Facts]) -> list[set[str]]:
    """For each step the names that cells after it use, tests left out."""
    later: list[set[str]] = [set()] * len(steps)
    names: set[str] = set()
    for position in range(len(steps) - 1, -1, -1):
        later[position] = names
        if isinstance(steps[position], Code):
            names = names | facts[position].uses | set().union(*facts[position].defines.values())
    return later


def _touched_later(steps: Sequence[Step], facts: Sequence[_Facts], position: int) -> set[str]:
    cells = [facts[p] for p in range(position, len(steps)) if isinstance(steps[p], Code)]
    named = set().union(*(each.touches for each in cells)) if cells else set()
    called = set().union(*(each.calls for each in cells)) if cells else set()
    return named | (_closed(named | called, facts) - called)


def _closed(names: set[str], facts: Sequence[_Facts]) -> set[str]:
    """The names, and those that the functions among them name, and so on."""
    bodies: dict[str, set[str]] = {}
    for each in facts:
        for name, body in each.defines.items():
            bodies[name] = bodies.get(name, set()) | body
    found, waiting = set(names), list(names)
    while waiting:
        more = bodies.get(waiting.pop(), set()) - found
        found |= more
        waiting += more
    return found


def _tests(step: Step) -> Sequence:  # type: ignore[type-arg]
    return _group(step).tests


def _group(step: Step) -> Group:
    assert isinstance(step, Group)
    return step


def _facts_of(step: Step) -> _Facts:
    if isinstance(step, Code):
        return _facts(step.source)
    whole = _Facts()
    for test in step.tests:
        one = _facts(test.source) if test.mode == "cell" else _unread(test.source)
        whole.binds |= one.binds
        whole.data |= one.data
        whole.touches |= one.touches
        whole.calls |= one.calls
    return whole


def _parsed(source: str) -> ast.Module | None:
    named = _KEPT.sub(r"\1None", _TIMED.sub(r"\1", _CAPTURE.sub(r"\1 = None", source)))
    named = _HELP.sub(r"\1pass", named)
    for text in (source, _MAGIC.sub(r"\1pass", named), _MAGIC.sub(lambda line: "" if line[1] else "pass", named)):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _unread(source: str) -> _Facts:
    """Of a text that is no Python here: any word may be a name that it uses."""
    words = set(_WORD.findall(source))
    return _Facts(touches=words, calls=words)


def _facts(source: str) -> _Facts:
    tree = _parsed(source)
    if tree is None:
        facts = _unread(source)
        facts.binds = facts.data = set(_ASSIGNED.findall(source))  # IPython may know what we do not
        return facts
    facts = _Facts()
    for statement in tree.body:
        bound = worker_cells.bound_names(statement)
        facts.binds |= bound
        if isinstance(statement, worker_cells.DEFINITIONS):
            inner = _Facts()
            _walk(statement, inner)
            own = _global_names(statement)
            inner.touches &= own
            inner.calls &= own
            facts.defines[statement.name] = facts.defines.get(statement.name, set()) | inner.uses
            # A decorator, a default or a class body runs at once; to take all for running is on the safe side.
            if isinstance(statement, ast.ClassDef) or statement.decorator_list:
                facts.touches |= inner.touches
                facts.calls |= inner.calls
        else:
            if not isinstance(statement, worker_cells.IMPORTS):
                facts.data |= bound
            _walk(statement, facts)
    return facts


def _global_names(statement: ast.stmt) -> set[str]:
    """The names in a function or class that are none of its own variables."""
    waiting = [symtable.symtable(ast.unparse(statement), "<cell>", "exec")]
    names: set[str] = set()
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        names |= {
            symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() or table.get_type() == "module"
        }
    return names


def _walk(tree: ast.AST, facts: _Facts) -> None:
    functions = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            functions.add(id(node.func))
            facts.calls.add(node.func.id)
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            facts.touches.add(node.target.id)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in functions:
            facts.touches.add(node.id)
