"""How is a class in an nbgrader course graded?

reads what was handed in, puts the instructor's cells back, runs every notebook and its tests in a jail,
and says for each graded cell how many points it earned, or that a person has to look at it.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.course.errors import CourseError, listed
from autograder.exchange.nbgrader.cells import Cell, Master, cells_of, masters, restored
from autograder.exchange.nbgrader.course import Course, Submitted
from autograder.exchange.peers.jail import FAULT, Bounds, run
from autograder.exchange.peers.model import Code, Group, Result, Step, Test
from autograder.exchange.peers.plan import Instructor, plan
from autograder.exchange.peers.worlds import Worlds
from autograder.notebook.cells import NotANotebook
from autograder.notebook.files import Refused

OVERLAP = 2  # submissions in flight for each job, as in grading.batch
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Mark:
    """What one graded cell earned; points are None where a person, or another run, has to say.

    manual: a person grades it.
    """

    cell: Cell
    result: Result
    manual: bool = False


@dataclass(frozen=True)
class Notebook:
    """One notebook of one student. cells: as restored. absent: it was not handed in."""

    name: str
    cells: tuple[Cell, ...]
    marks: tuple[Mark, ...]
    notes: tuple[str, ...] = ()
    absent: bool = False
    unreadable: str = ""
    cpu_s: float = 0.0
    peak_mib: float = 0.0


@dataclass(frozen=True)
class Graded:
    """One student's work. files: what was handed in beside the notebooks, with the instructor's files over it."""

    student: Submitted
    notebooks: tuple[Notebook, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    wall_s: float = 0.0
    digest: str = ""

    @property
    def failed(self) -> bool:
        """Whether something could not be graded for a fault of ours."""
        return any(mark.result.outcome == "not_graded" for each in self.notebooks for mark in each.marks)

    @property
    def unreadable(self) -> str:
        return next((each.unreadable for each in self.notebooks if each.unreadable), "")


@dataclass(frozen=True)
class Class:
    masters: tuple[Master, ...]
    graded: tuple[Graded, ...]
    wall_s: float
    doubts: tuple[str, ...]  # tests that the instructor's own solution does not pass
    own_files: Mapping[str, bytes] = field(default_factory=dict)


async def grade_course(
    course: Course,
    assignment: str,
    worlds: Worlds,
    bounds: Bounds,
    jobs: int,
    progress: Progress = lambda done, total: None,
) -> Class:
    """Grade everybody who handed in. Raises CourseError for what the lecturer has to mend."""
    began = time.perf_counter()
    sources = masters(course, assignment)
    if not sources:
        raise CourseError(f"{course.step('source') / assignment} holds no notebook")
    handed = course.submissions(assignment)
    try:
        own_files = course.source_files(assignment)
    except Refused as refused:
        raise CourseError(f"{course.step('source') / assignment}: {refused}") from refused
    progress(0, len(handed))
    grader = _Grader(sources, own_files, worlds, bounds)
    doubts = await grader.doubts()
    done: dict[str, Graded] = {}
    waiting = iter(handed)

    async def slot() -> None:
        for submitted in waiting:
            done[submitted.student] = await grader.one(submitted)
            progress(len(done), len(handed))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(OVERLAP * jobs, len(handed))):
            group.create_task(slot())
    for name, graded in done.items():
        if graded.failed:
            done[name] = await grader.one(graded.student)  # once more, alone
    in_order = tuple(done[submitted.student] for submitted in handed)
    return Class(tuple(sources), in_order, time.perf_counter() - began, doubts, own_files)


class _Grader:
    def __init__(
        self, sources: Sequence[Master], own_files: Mapping[str, bytes], worlds: Worlds, bounds: Bounds
    ) -> None:
        self._masters = sources
        self._own_files = own_files
        self._worlds = worlds
        self._bounds = bounds
        self._instructors = {m.name: Instructor.of(c.source for c in m.solved if c.kind == "code") for m in sources}
        self._in_order: dict[str, frozenset[str]] = {}  # by notebook: tests that need what earlier ones changed

    async def doubts(self) -> tuple[str, ...]:
        """The tests that the instructor's own notebooks fail: nobody should lose points by them unseen.

        Those that pass once all earlier tests have run are put to everybody in that way, and are no such tests.
        """
        failed = []
        for master in self._masters:
            if not any("SOLUTION" in cell.source for cell in master.solved):
                continue  # what students get, without solutions: nothing can be said
            alone = await self._failing(master)
            if not alone:
                continue
            self._in_order[master.name] = frozenset(alone)
            after = await self._failing(master)
            self._in_order[master.name] -= after.keys()
            for name, result in after.items():
                if result.outcome == "partial":
                    continue
                said = result.evidence.partition("\n")[0][:200]
                if said.startswith("ModuleNotFoundError"):
                    said += "; name it in --packages, with whatever else notebooks import"
                failed.append(f"{master.name}, test {name!r} does not pass on the solution itself: {said}")
        return tuple(failed)

    async def _failing(self, master: Master) -> dict[str, Result]:
        """The tests that do not give the instructor's own notebook all their points."""
        ran = await self._run(master, master.solved, self._own_files)
        return {name: result for name, result in ran[0].items() if result.outcome != "passed"}

    async def one(self, submitted: Submitted) -> Graded:
        began = time.perf_counter()
        try:
            files = {**submitted.files(), **self._own_files}
        except Refused as refused:
            empty = tuple(self._unread(master, str(refused)) for master in self._masters)
            return Graded(submitted, empty, {}, time.perf_counter() - began)
        digest = hashlib.sha256()
        notebooks = []
        for master, name in self._names(submitted):
            notebooks.append(await self._notebook(submitted, master, name, files, digest.update))
        return Graded(submitted, tuple(notebooks), files, time.perf_counter() - began, digest.hexdigest())

    def _names(self, submitted: Submitted) -> list[tuple[Master, str | None]]:
        """For each notebook of the assignment the file that was handed in for it.

        A file under another name is taken for a missing notebook where its graded cells say that it is.
        """
        there = {name for name in submitted.listing.names if name.endswith(".ipynb") and "/" not in name}
        known = {f"{master.name}.ipynb" for master in self._masters}
        others = {name: _ids_in(submitted, name) for name in sorted(there - known)}
        found: list[tuple[Master, str | None]] = []
        for master in self._masters:
            name: str | None = f"{master.name}.ipynb"
            if name not in there:
                alike = {other: len(ids & master.graded.keys()) for other, ids in others.items()}
                best = max(alike, key=lambda other: alike[other], default=None)
                name = best if best is not None and alike[best] else None
                others.pop(name or "", None)
            found.append((master, name))
        return found

    async def _notebook(
        self,
        submitted: Submitted,
        master: Master,
        name: str | None,
        files: Mapping[str, bytes],
        digest: Callable[[bytes], None],
    ) -> Notebook:
        if name is None:
            nothing = Result("failed", 0.0, "the notebook was not handed in", "This notebook was not handed in.")
            marks = tuple(Mark(cell, nothing) for cell in master.graded.values())
            return Notebook(master.name, (), marks, absent=True)
        try:
            contents = submitted.listing.read(name)
            digest(contents)
            cells = tuple(restored(cells_of(contents), master))
        except (Refused, NotANotebook) as error:
            return self._unread(master, str(error))
        results, notes, cpu_s, peak_mib = await self._run(master, cells, files)
        if name != f"{master.name}.ipynb":
            notes = (f"{name} was handed in, and taken for {master.name}.ipynb by its cells", *notes)
        marks = tuple(mark_of(cell, results) for cell in cells if cell.grade or cell.task)
        return Notebook(master.name, cells, marks, notes, cpu_s=cpu_s, peak_mib=peak_mib)

    def _unread(self, master: Master, why: str) -> Notebook:
        result = Result("unreadable", None, why, why)
        return Notebook(master.name, (), tuple(Mark(cell, result) for cell in master.graded.values()), unreadable=why)

    async def _run(
        self, master: Master, cells: Sequence[Cell], files: Mapping[str, bytes]
    ) -> tuple[dict[str, Result], tuple[str, ...], float, float]:
        steps = _steps(cells, master)
        helpers = [content.decode("utf-8", "replace") for name, content in files.items() if name.endswith(".py")]
        server = await self._worlds.server([cell.source for cell in cells] + helpers)
        planned = plan(steps, self._in_order.get(master.name, ()))
        ran = await run(server, planned, self._instructors[master.name], files, self._bounds)
        return ran.results, tuple(ran.notes), ran.cpu_s, ran.peak_mib


def _steps(cells: Sequence[Cell], master: Master) -> list[Step]:
    # nbgrader says so to notebooks that ask whether they are being graded.
    steps: list[Step] = [Code(0, "import os as _os; _os.environ['NBGRADER_EXECUTION'] = 'autograde'; del _os")]
    code = [cell for cell in cells if cell.kind == "code"]
    for number, cell in enumerate(code, 1):
        if cell.is_test:
            visible = master.visible(cell.source)
            steps.append(Group((Test(cell.id, cell.source, visible, cell.points, partial=True),)))
        else:
            steps.append(Code(number, cell.source))
    return steps


def mark_of(cell: Cell, results: Mapping[str, Result]) -> Mark:
    """What a graded cell earned: a test by the results, an answer for a person nothing yet, untouched 0."""
    if cell.is_test:
        return Mark(cell, results.get(cell.id, Result("not_graded", None, "it was not run", FAULT)))
    if cell.grade and cell.solution and cell.meta.get("checksum") == cell.checksum():
        return Mark(cell, Result("failed", 0.0, "nothing was written here", "Nothing was written here."), manual=True)
    return Mark(cell, Result("manual", None, "", "A person grades this part."), manual=True)


def _ids_in(submitted: Submitted, name: str) -> set[str]:
    try:
        return {cell.id for cell in cells_of(submitted.listing.read(name)) if cell.id}
    except (Refused, NotANotebook):
        return set()


def doubtful(doubts: Sequence[str]) -> str:
    """What is said to the lecturer of tests that the solution itself fails."""
    return "; ".join(doubts[:5]) + (f"; and {listed(doubts[5:], most=1)}" if len(doubts) > 5 else "")
