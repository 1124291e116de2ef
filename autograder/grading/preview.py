"""What does a student's own notebook look like to the grader, before it is handed in?

It is loaded as for grading, and its public checks are run; no reference, suite or key is needed. In a
jail where one can be made, otherwise in an ordinary process: it is the student's own machine.
"""

import importlib.metadata
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from autograder.grading.environments import by_environment, words_of
from autograder.notebook.manifest import Asked, Manifest
from autograder.notebook.submission import Cell, Submission
from autograder.sandbox.environment import module_names
from autograder.sandbox.limits import Environment, Limits, Loaded, Note, SandboxError
from autograder.values.asking import Answer, Ask, Program

CHECK_CPU_S = 4.0  # CPU seconds of one question's public checks
_ENDS = {  # what a student can do about an end that is no answer
    "timed_out": "it took too long and was stopped: is there an endless loop?",
    "out_of_memory": "it ran out of memory",
    "crashed": "the whole process ended",
    "not_graded": "this machine was too busy, or the jail ended: run it again",
}
_RUN = "__run_public_checks__"
# A cell of ours after all others. The checks get names of their own, so that they meet the student's
# functions and change nothing for them, and their `print` hands over a line.
_RUNNER = f"""
def {_RUN}(source):
    import linecache
    lines, file = [], "<public check>"
    linecache.cache[file] = len(source), None, source.splitlines(True), file
    exec(compile(source, file, "exec"), {{**globals(), "print": lines.append}})
    return lines
"""


@dataclass(frozen=True)
class Seen:
    """What there is to say of one question.

    state: passed; open (something is still to be written); not_yet (a public check says so); written
    (there, and no public check to run); by_hand (a person will look at it).
    lines: what the checks, or we, say about it.
    """

    id: str
    points: float
    state: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """isolation: `namespaces` or `process`. why: why not in a jail. notes: what happened at loading."""

    isolation: str
    why: str
    questions: tuple[Seen, ...]
    notes: tuple[Note, ...]

    @property
    def complete(self) -> bool:
        return all(seen.state in ("passed", "written", "by_hand") for seen in self.questions)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class _Place(Protocol):
    """Where a notebook is loaded."""

    async def load(self, cells: Sequence[Cell], submission: Submission, wanted: frozenset[str]) -> Loaded: ...

    async def ask(self, ask: Ask) -> Answer: ...

    async def close(self) -> None: ...


async def preview(
    submission: Submission,
    manifest: Manifest,
    answered: Collection[str] = (),
    *,
    isolation: str = "namespaces",
) -> Preview:
    """Load a notebook in each environment that it needs, and run its public checks.

    answered: the questions for a person that have an answer.
    isolation: `process` goes without a jail; so does `namespaces` where this machine can make none.
    """
    asked = [question for question in manifest.questions if not question.manual]
    words = words_of(submission)
    environments = {name: _installed(name, packages) for name, packages in manifest.environments.items()}
    used = {question.environment for question in asked}
    modules = {name: module_names(environments[name]) for name in used}
    limits = Limits(cell_cpu_s=manifest.cell_cpu_s, load_cpu_s=manifest.load_cpu_s)
    seen: dict[str, Seen] = {}
    notes: dict[Note, None] = {}
    why = ""
    for name, questions in by_environment(submission, asked, modules).items():
        place, refused = await _opened(_mentioned(environments[name], words), modules[name], limits, isolation)
        if refused:
            isolation, why = "process", refused
        try:
            found, noted = await _look(place, submission, questions)
        finally:
            await place.close()
        seen |= found
        notes |= dict.fromkeys(noted)
    seen |= {each.id: _by_hand(each, answered) for each in manifest.questions if each.manual}
    return Preview(isolation, why, tuple(seen[each.id] for each in manifest.questions), tuple(notes))


def _by_hand(question: Asked, answered: Collection[str]) -> Seen:
    if question.id in answered:
        return Seen(question.id, question.points, "by_hand", ("a person will grade your answer",))
    return Seen(question.id, question.points, "open", ("your answer is still to be written, in its own cell",))


async def _look(
    place: _Place, submission: Submission, questions: Sequence[Asked]
) -> tuple[dict[str, Seen], tuple[Note, ...]]:
    wanted = frozenset(name for question in questions for name in question.names)
    last = max((cell.number for cell in submission.cells), default=0) + 1
    loaded = await place.load([*submission.cells, Cell(last, _RUNNER)], submission, wanted)
    if loaded.failed:
        line = _ENDS.get(loaded.failed, _ENDS["crashed"])
        return {each.id: Seen(each.id, each.points, "not_yet", (line,)) for each in questions}, loaded.notes
    return {each.id: await _seen(place, each, loaded.missing) for each in questions}, loaded.notes


async def _seen(place: _Place, question: Asked, missing: frozenset[str]) -> Seen:
    open_names = [name for name in question.names if name in missing]
    if open_names:
        line = f"{' and '.join(open_names)}: not defined, or not written yet"
        return Seen(question.id, question.points, "open", (line,))
    if not question.check:
        return Seen(question.id, question.points, "written", ("defined; it has no public check",))
    state, lines = _told(await place.ask(_checking(question)))
    return Seen(question.id, question.points, state, lines)


def _checking(question: Asked) -> Ask:
    from autograder.notebook.helper import helper_cell

    program = Program()
    said = program.call(program.get(_RUN), f"{helper_cell()}\n\n\n{question.check}\n")
    return program.ask(question.id, said)


def _told(answer: Answer) -> tuple[str, tuple[str, ...]]:
    if not answer.returned or not isinstance(answer.value, list):
        return "not_yet", (_ENDS.get(answer.status, "the public checks were ended by it, as exit() does"),)
    lines = tuple(str(line) for line in answer.value)
    if all(line.startswith("passed:") for line in lines):
        return "passed", lines
    return "open" if any(line.startswith("still open:") for line in lines) else "not_yet", lines


# Places


def _installed(name: str, packages: Sequence[str]) -> Environment:
    """The part of an environment that is on this machine."""

    def there(package: str) -> bool:
        try:
            importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            return False
        return True

    return Environment(name, tuple(package for package in packages if there(package)))


def _mentioned(environment: Environment, words: frozenset[str]) -> Environment:
    """Only what the notebook speaks of is imported before it starts: a second matters here."""
    kept = [
        package
        for package in environment.packages
        if package in ("numpy", "ipython")
        or words & module_names(Environment(environment.name, (package,))) - {"numpy"}
    ]
    return Environment(environment.name, tuple(kept))


async def _opened(
    environment: Environment, modules: frozenset[str], limits: Limits, isolation: str
) -> tuple[_Place, str]:
    """A place to load in; and where it is not the jail that was asked for, why."""
    refused = ""
    if isolation == "namespaces":
        try:
            return await _jail(environment, limits), ""
        except SandboxError as error:
            refused = str(error)
        except ImportError as error:  # of a module that only Linux has
            refused = f"isolation by namespaces needs Linux: {error}"
    return _Process(limits, modules), refused


async def _jail(environment: Environment, limits: Limits) -> _Place:
    from autograder.sandbox.session import Server, Session

    server = await Server.start(environment)

    class Jail:
        def __init__(self, session: Session) -> None:
            self._session = session

        async def load(self, cells: Sequence[Cell], submission: Submission, wanted: frozenset[str]) -> Loaded:
            return await self._session.load(cells, submission.files, wanted)

        async def ask(self, ask: Ask) -> Answer:
            question = await self._session.question(CHECK_CPU_S)
            try:
                return await question.ask(ask)
            finally:
                await question.close()

        async def close(self) -> None:
            await self._session.close()
            await server.close()

    try:
        return Jail(await server.open(limits))
    except BaseException:
        await server.close()
        raise


class _Process:
    def __init__(self, limits: Limits, modules: frozenset[str]) -> None:
        from autograder.sandbox.alone import Alone

        self._alone = Alone(limits, modules)

    async def load(self, cells: Sequence[Cell], submission: Submission, wanted: frozenset[str]) -> Loaded:
        return self._alone.load(cells, submission.files, wanted)

    async def ask(self, ask: Ask) -> Answer:
        return self._alone.ask(ask, cpu_s=CHECK_CPU_S)

    async def close(self) -> None:
        self._alone.close()
