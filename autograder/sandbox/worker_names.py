"""Which definition of a name counts, when a notebook defines it more than once?

The last one whose cell ran and which is not the stub. A later rebinding to something that cannot be
called is undone.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.sandbox.worker_standins import StandIn


@dataclass
class _Best:
    value: Any
    cell: int
    stub: bool


class Definitions:
    """Follows the callable values of global names through the cells."""

    def __init__(self, names: dict[str, Any], note: Callable[[int | None, str, str], None]) -> None:
        self._names = names
        self._note = note
        self._best: dict[str, _Best] = {}
        self._seen: dict[str, Any] = {}  # what each name was bound to when it was last looked at

    def after(self, cell: int, bound: set[str], stubs: dict[str, bool]) -> None:
        """Take note of what a cell bound. stubs: its functions and classes, and which are the stub."""
        for name in bound:
            value = self._names.get(name)
            if not callable(value) or isinstance(value, types.ModuleType):
                continue
            best = self._best.get(name)
            if (best and best.value is value) or self._seen.get(name) is value:
                continue  # a cell that failed before it bound the name left what was there
            self._seen[name] = value
            stub = stubs.get(name, False) and not isinstance(value, StandIn)
            if best is None or best.stub or not stub:
                self._best[name] = _Best(value, cell, stub)

    def defined_in(self, name: str) -> int:
        """The number of the cell whose definition counts so far, or -1."""
        best = self._best.get(name)
        return best.cell if best else -1

    def settle(self) -> None:
        """Put back every definition that something lesser replaced."""
        for name, best in self._best.items():
            present = self._names.get(name)
            if present is best.value:
                continue
            self._names[name] = best.value
            if callable(present):
                text = f"{name}: the unfinished version did not replace the one of cell {best.cell}"
                self._note(best.cell, "stub", text)
            else:
                text = f"{name} was later bound to something that cannot be called"
                self._note(best.cell, "rebound", f"{text}; the definition of cell {best.cell} counts")

    def missing(self, wanted: frozenset[str]) -> frozenset[str]:
        """The wanted names that are not defined, or still the stub."""
        absent = {name for name in wanted if name not in self._names}
        return frozenset(absent | {name for name in wanted if name in self._best and self._best[name].stub})
