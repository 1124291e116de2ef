"""What do nbgrader's metadata say of a cell, and which cells are the instructor's?

The rules are nbgrader's own, of schema 1 to 3: a grade cell that is no solution is a test and locked; one
that is a solution too, and a task, are graded by a person.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograder.course.errors import CourseError
from autograder.exchange.nbgrader.course import Course
from autograder.exchange.nbgrader.settings import Settings
from autograder.notebook.cells import NotANotebook, blocks_of, kind_of, source_of
from autograder.notebook.files import Refused, read_file

_AUTOTEST = re.compile(r"^\s*#+\s*(HASHED )?AUTOTEST\b", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook. meta: what nbgrader keeps with it; {} for a cell that is none of its own."""

    kind: str
    source: str
    meta: dict[str, Any] = field(default_factory=dict)
    outputs: tuple[Any, ...] = ()

    @property
    def id(self) -> str:
        return str(self.meta.get("grade_id", ""))

    @property
    def grade(self) -> bool:
        return bool(self.meta.get("grade", False))

    @property
    def solution(self) -> bool:
        return bool(self.meta.get("solution", False))

    @property
    def task(self) -> bool:
        return bool(self.meta.get("task", False))

    @property
    def locked(self) -> bool:
        return bool(self.meta) and not self.solution and (self.grade or bool(self.meta.get("locked", False)))

    @property
    def points(self) -> float:
        return float(self.meta.get("points", 0.0))

    @property
    def is_test(self) -> bool:
        """Whether a machine grades it."""
        return self.grade and not self.solution and self.kind == "code"

    @property
    def is_manual(self) -> bool:
        return (self.grade and not self.is_test) or self.task

    def checksum(self) -> str:
        """nbgrader's own, by which it knows a cell that nobody touched."""
        parts = [self.source, self.kind, str(self.grade), str(self.solution), str(self.locked), self.id]
        parts += [str(self.points)] if self.grade else []
        return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Master:
    """One notebook of the instructor's.

    solved: its cells as they stand in source/. given: the same with solutions taken out, as nbgrader keeps
    them in its database: hidden tests are still there.
    """

    name: str
    kernel: dict[str, Any]
    solved: tuple[Cell, ...]
    given: tuple[Cell, ...]
    settings: Settings

    @property
    def own(self) -> dict[str, Cell]:
        """The cells that nbgrader knows, in order, by id."""
        return {cell.id: cell for cell in self.given if cell.grade or cell.solution or cell.locked or cell.task}

    @property
    def graded(self) -> dict[str, Cell]:
        return {name: cell for name, cell in self.own.items() if cell.grade or cell.task}

    def visible(self, source: str) -> str:
        """A test without its hidden regions."""
        begin = self.settings.text("ClearHiddenTests.begin_test_delimeter", "BEGIN HIDDEN TESTS")
        end = self.settings.text("ClearHiddenTests.end_test_delimeter", "END HIDDEN TESTS")
        return _without(source, begin, end, None)


def masters(course: Course, assignment: str) -> list[Master]:
    """The instructor's notebooks of an assignment. Raises CourseError for what nbgrader would refuse, too."""
    return [_master(path, course.settings) for path in sorted((course.step("source") / assignment).glob("*.ipynb"))]


def cells_of(contents: bytes) -> list[Cell]:
    """All cells of a notebook. Raises NotANotebook."""
    return [_cell(block) for block in blocks_of(contents)]


def _master(path: Path, settings: Settings) -> Master:
    try:
        contents = read_file(path)
        solved = cells_of(contents)
    except (Refused, NotANotebook) as error:
        raise CourseError(f"{path}: {error}") from error
    kernel = json.loads(contents).get("metadata", {}).get("kernelspec", {})
    language = str(kernel.get("language", "python"))
    if language != "python":
        raise CourseError(f"{path} is in {language}; only Python is graded here")
    ids: set[str] = set()
    for cell in solved:
        if not (cell.grade or cell.solution or cell.locked or cell.task):
            continue
        where = f"{path}, cell {cell.id!r}"
        if not cell.id or cell.id in ids:
            raise CourseError(f"{where}: every cell of nbgrader's needs an id of its own; give it one in Jupyter")
        ids.add(cell.id)
        if (cell.grade or cell.task) and "points" not in cell.meta:
            raise CourseError(f"{where}: a graded cell has points; give it some in Jupyter, or 0")
        if cell.is_test and _AUTOTEST.search(cell.source):
            raise CourseError(
                f"{where}: AUTOTEST makes its tests by running the solution; run `nbgrader generate_assignment "
                "--source_with_tests` and grade with the notebook that it writes into source_with_tests/ as source"
            )
    given = tuple(_given(cell, settings) for cell in solved)
    return Master(path.stem, kernel, tuple(solved), given, settings)


def _given(cell: Cell, settings: Settings) -> Cell:
    """A cell without its solution, and with its checksum."""
    if not cell.meta:
        return cell
    code, text = _stubs(settings)
    stub = code if cell.kind == "code" else text
    begin = settings.text("ClearSolutions.begin_solution_delimeter", "BEGIN SOLUTION")
    end = settings.text("ClearSolutions.end_solution_delimeter", "END SOLUTION")
    source = _without(cell.source, begin, end, stub)
    if cell.solution and begin not in cell.source:
        source = stub
    given = replace(cell, source=source)
    return replace(given, meta={**cell.meta, "checksum": given.checksum()})


def _stubs(settings: Settings) -> tuple[str, str]:
    code = settings.values.get("ClearSolutions.code_stub", {})
    code = code.get("python") if isinstance(code, dict) else code
    usual = "# YOUR CODE HERE\nraise NotImplementedError()"
    return str(code or usual), settings.text("ClearSolutions.text_stub", "YOUR ANSWER HERE")


def _without(source: str, begin: str, end: str, stub: str | None) -> str:
    """The lines outside of regions; each region becomes the stub, as far in as its first line."""
    kept: list[str] = []
    inside = False
    for line in source.split("\n"):
        if begin in line:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + each for each in stub.split("\n")] if stub is not None else []
        elif end in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def _cell(block: dict[str, Any]) -> Cell:
    meta = block.get("metadata")
    own = meta.get("nbgrader") if isinstance(meta, dict) else None
    outputs = block.get("outputs")
    return Cell(
        kind_of(block),
        source_of(block),
        own if isinstance(own, dict) and own.get("grade_id") else {},
        tuple(outputs) if isinstance(outputs, list) else (),
    )


def restored(cells: Iterable[Cell], master: Master) -> Iterator[Cell]:
    """A student's cells with the instructor's put back, by nbgrader's rules.

    Of cells with the same id the last counts. Locked cells and tests get the instructor's text, every cell
    of nbgrader's the instructor's metadata and kind. A graded cell that is missing comes after the one
    that it follows in the source, a missing task at the end.
    """
    own = master.own
    seen: set[str] = set()
    kept: list[Cell] = []
    for cell in reversed(list(cells)):
        known = own.get(cell.id)
        if known is None or cell.id in seen:
            kept.append(replace(cell, meta={}))
            continue
        seen.add(cell.id)
        source = known.source if known.locked else cell.source
        kept.append(Cell(known.kind, source, known.meta, cell.outputs if known.kind == cell.kind else ()))
    kept.reverse()
    before = ""
    for name, known in own.items():
        if name in seen or known.task or not known.grade:
            before = name if name in seen else before
            continue
        place = next((number for number, cell in enumerate(kept, 1) if cell.id == before and before), 0)
        kept.insert(place, _absent(known))
        seen.add(name)
        before = name
    yield from kept
    yield from (_absent(cell) for name, cell in own.items() if cell.task and name not in seen)


def _absent(cell: Cell) -> Cell:
    """A graded cell for a notebook that has lost it. An answer that is gone is no untouched one."""
    if cell.locked:
        return cell
    said = f"This cell (id: {cell.id}) was missing from what was handed in."
    return replace(cell, source=f"# {said}" if cell.kind == "code" else said, outputs=())
