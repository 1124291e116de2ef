"""What did grading load and call? Recorded once, so that the floor can do the same work and no other.

A transcript holds, for each submission and environment, the cells that were loaded and, for each fork
of a question, the programs that were run in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.sandbox.session import Loaded, Server, Session
from autograder.values.asking import Answer, Ask


@dataclass
class Loading:
    """One load of a submission: its cells, those that were skipped, and the asks of each question."""

    environment: str
    cells: list[tuple[int, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    forks: list[list[Ask]] = field(default_factory=list)


class RecordingServer:
    """A server that notes down what its sessions are asked."""

    def __init__(self, server: Server, name: str, log: list[Loading]) -> None:
        self._server, self._name, self._log = server, name, log

    async def open(self, limits: Any) -> "RecordingSession":
        loading = Loading(self._name)
        self._log.append(loading)
        return RecordingSession(await self._server.open(limits), loading)


class RecordingSession:
    """A session that notes down its cells and the asks of its questions."""

    def __init__(self, session: Session, loading: Loading) -> None:
        self._session, self._loading = session, loading

    async def load(
        self, cells: Any, files: Mapping[str, bytes], wanted: frozenset[str], skip: frozenset[int]
    ) -> Loaded:
        loaded = await self._session.load(cells, files, wanted, skip)
        left_out = skip | loaded.skipped
        self._loading.cells = [(cell.number, cell.source) for cell in cells if cell.number not in left_out]
        self._loading.files = dict(files)
        return loaded

    async def question(self, cpu_s: float, *, last: bool) -> "RecordingFork":
        asks: list[Ask] = []
        self._loading.forks.append(asks)
        return RecordingFork(await self._session.question(cpu_s, last=last), asks)

    async def close(self) -> Any:
        return await self._session.close()


class RecordingFork:
    """A question's fork that notes down its asks."""

    def __init__(self, fork: Any, asks: list[Ask]) -> None:
        self._fork, self._asks = fork, asks

    @property
    def ended(self) -> bool:
        return bool(self._fork.ended)

    async def ask_all(self, asks: Sequence[Ask]) -> list[Answer]:
        self._asks.extend(asks)
        answers: list[Answer] = await self._fork.ask_all(asks)
        return answers

    async def close(self) -> Any:
        return await self._fork.close()
