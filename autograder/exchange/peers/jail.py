"""How do a notebook and its tests run in a jail?

The cells are loaded once. Each group of tests is put to a fork of what was loaded, which goes back to
the names of its place. Tests without hidden parts come first: what they say may be shown, because
nothing hidden has come into the jail yet. What the visible part of a failed hidden test says is found
out in a second jail, into which nothing hidden comes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.exchange.peers.model import Ran, Result, Test
from autograder.exchange.peers.plan import MARK, Asked, Instructor, Plan
from autograder.sandbox.isolation import Server, Session
from autograder.sandbox.limits import Limits, Loaded, SandboxError
from autograder.sandbox.worker_tests import BENCH
from autograder.values.asking import Answer, Ask, Program

_ENDS = {
    "timed_out": "it ran out of time",
    "out_of_memory": "it ran out of memory",
    "crashed": "it ended the process",
}
_UNSURE = "unsure"
FAULT = "This could not be graded; the fault is ours, and it will be graded again."


@dataclass(frozen=True)
class Bounds:
    """cell_s: CPU seconds of one cell, and of one test."""

    cell_s: float = 30.0
    memory_mib: int = 2048

    @property
    def limits(self) -> Limits:
        return Limits(cell_cpu_s=self.cell_s, load_cpu_s=4 * self.cell_s, memory_mib=self.memory_mib)


@dataclass
class _Account:
    results: dict[str, Result] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_mib: float = 0.0


async def run(server: Server, plan: Plan, instructor: Instructor, files: Mapping[str, bytes], bounds: Bounds) -> Ran:
    """Run a notebook and its tests. Never raises for what is in it; a fault of ours is a result too."""
    runner = _Runner(server, plan, instructor, files, bounds)
    for attempt in (1, 2):
        try:
            await runner.all_tests()
            break
        except SandboxError as error:
            if attempt == 2:
                runner.fault(str(error))
    account = runner.account
    return Ran(account.results, tuple(account.notes), account.cpu_s, account.peak_mib)


class _Runner:
    def __init__(
        self, server: Server, plan: Plan, instructor: Instructor, files: Mapping[str, bytes], bounds: Bounds
    ) -> None:
        self._server = server
        self._plan = plan
        self._instructor = instructor
        self._files = files
        self._bounds = bounds
        self.account = _Account()

    async def all_tests(self) -> None:
        self.account = _Account()
        in_order = sorted(self._plan.asked, key=lambda asked: asked.tainted)
        unsure = await self._session(in_order, len(self._plan.cells))
        for place in sorted({asked.place for asked in unsure}):
            # Later cells may change what these tests look at: a load that ends where they stood.
            here = [asked for asked in unsure if asked.place == place]
            await self._session(here, self._plan.until[place], at_end=True)
        await self._show()

    def fault(self, text: str) -> None:
        for asked in self._plan.asked:
            for test in asked.group.tests:
                self.account.results.setdefault(test.id, Result("not_graded", None, text, FAULT))

    async def _session(self, asked: Sequence[Asked], cells: int, *, at_end: bool = False) -> list[Asked]:
        """Load so many cells and put these groups; those whose place is not known for certain."""
        session = await self._server.open(self._bounds.limits)
        try:
            loaded = await session.load(self._plan.cells[:cells], self._files, frozenset())
            self._note(loaded)
            unsure = []
            for each in asked:
                last = each is asked[-1]  # so the loaded process itself may answer, without a fork
                results = await self._group(session, loaded, each, at_end=at_end, last=last)
                if results is None:
                    unsure.append(each)
                else:
                    self.account.results |= results
            return unsure
        finally:
            await session.close()

    def _note(self, loaded: Loaded) -> None:
        if loaded.failed == "not_graded":
            raise SandboxError("; ".join(note.private or note.text for note in loaded.notes))
        for note in loaded.notes:
            if note.cell is None or note.cell < MARK:
                self.account.notes[note.text] = None

    async def _group(
        self, session: Session, loaded: Loaded, asked: Asked, *, at_end: bool, last: bool
    ) -> dict[str, Result] | None:
        """The results of a group; None where its place is not known for certain."""
        tests = asked.group.tests
        if loaded.failed is not None:
            return {test.id: _ended(loaded.failed, "loading") for test in tests}
        results: dict[str, Result] = {}
        left = self._bounds.cell_s
        while len(results) < len(tests):
            rest = tests[len(results) :]
            question = await session.question(left, last=last)
            place = None if at_end else asked.place
            answers = await question.ask_all([self._ask(test, test.source, place, asked.before) for test in rest])
            usage = await question.close()
            left = max(left - usage.cpu_s, 0.0) if len(tests) > 1 else left
            self.account.cpu_s += usage.cpu_s
            self.account.peak_mib = max(self.account.peak_mib, usage.peak_mib)
            for test, answer in zip(rest, answers, strict=False):
                if answer.status == "not_graded":
                    raise SandboxError(str(answer.detail.get("text", "a fork could not be made")))
                if not at_end and _outcome(answer) == _UNSURE:
                    return None
                results[test.id] = _result(test, answer, public=not asked.tainted)
            if left <= 0:
                results |= {test.id: _ended("timed_out", "") for test in tests if test.id not in results}
        return results

    def _ask(self, test: Test, source: str, place: int | None, before: Sequence[str]) -> Ask:
        aliases, names = self._instructor.of_test("\n".join([source, *before]))
        program = Program()
        spec = {
            "place": place,
            "mode": test.mode,
            "source": source,
            "function": test.function,
            "aliases": aliases,
            "builtins": names,
            "before": list(before),
            "file": f"<test {test.id}>",
        }
        told = program.call(program.attribute(program.get(BENCH), "run"), spec)
        return program.ask("test", told)

    async def _show(self) -> None:
        """What the visible parts of failed tests with hidden parts say, in a jail that knows nothing hidden."""
        results = self.account.results
        failed = [
            (asked, shown)
            for asked in self._plan.asked
            if asked.tainted and (shown := _visible(asked)) and any(results[t.id].outcome == "failed" for t in shown)
        ]
        if not failed:
            return
        session = await self._server.open(self._bounds.limits)
        try:
            loaded = await session.load(self._plan.cells, self._files, frozenset())
            if loaded.failed is not None:
                return
            for asked, tests in failed:
                question = await session.question(self._bounds.cell_s)
                answers = await question.ask_all(
                    [self._ask(test, test.source, asked.place, asked.shown) for test in tests]
                )
                await question.close()
                for test, answer in zip(tests, answers, strict=False):
                    if results[test.id].outcome == "failed":
                        seen = _result(test, answer, public=True)
                        told = seen.shown if seen.outcome == "failed" else "A hidden test did not pass."
                        results[test.id] = replace(results[test.id], shown=told)
        finally:
            await session.close()


def _visible(asked: Asked) -> list[Test]:
    """What students may see of a group's tests."""
    tests = [replace(test, source=test.visible) for test in asked.group.tests]
    return [test for test in tests if test.visible.strip()]


def _outcome(answer: Answer) -> str:
    told = answer.value if answer.returned and isinstance(answer.value, dict) else {}
    outcome = told.get("outcome")
    return outcome if isinstance(outcome, str) else ""


def _ended(status: str, where: str) -> Result:
    text = _ENDS.get(status, _ENDS["crashed"])
    status = status if status in _ENDS else "crashed"
    said = f"The notebook could not be loaded: {text}." if where else f"The test was stopped: {text}."
    return Result(status, 0.0, said, said)


def _result(test: Test, answer: Answer, *, public: bool) -> Result:
    """What an answer, which student code may have made up, earns; whatever is not known to pass has failed."""
    if not answer.returned:
        return _ended(answer.status, "")
    told: dict[str, Any] = answer.value if isinstance(answer.value, dict) else {}
    match _outcome(answer):
        case "passed":
            return _scored(test, told.get("value"))
        case "false":
            text = "The test ends in a comparison that is false."
            return Result("failed", 0.0, text, text if public else _HIDDEN)
        case _:
            said = _said(told)
            return Result("failed", 0.0, said, said if public else _HIDDEN)


_HIDDEN = "A test did not pass."


def _scored(test: Test, value: object) -> Result:
    if not test.partial or value is None:
        return Result("passed", test.points)
    if not isinstance(value, float) or not math.isfinite(value) or not 0 <= value <= test.points:
        text = f"the test ends in {value!r}, which is no number of its {test.points:g} points"
        return Result("no_score", None, text, "A person will look at this part.")
    return Result("passed" if value == test.points else "partial", value)


def _said(told: Mapping[str, Any]) -> str:
    """Type and text of what a test raised, as one line of plain text."""
    kind, text, where = (told.get(key) if isinstance(told.get(key), str) else "" for key in ("type", "text", "where"))
    line = f"{kind or 'Error'}: {text}" if text else (kind or "Error")
    line = "".join(c if c.isprintable() or c == "\n" else " " for c in line[:1500]).strip()
    return f"{line} ({where})" if where else line
