"""What does an answer cost, and what would ours have cost?

Each call is answered by a process of its own that can start no other, and its CPU time and memory are what the kernel
says. The reference is called the same way, in a jail of the same kind into which no student code ever comes; into the
student's own comes nothing of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from autograder.sandbox.isolation import Fork, Server, Session
from autograder.sandbox.limits import Limits, Usage
from autograder.topic.declare import Topic
from autograder.topic.standalone import standalone
from autograder.values.asking import Answer, Ask


@dataclass(frozen=True)
class _Cell:
    """The reference, as a notebook of one cell."""

    number: int
    source: str


class Reference:
    """A topic's reference in a jail of its own, which is made at its first call."""

    def __init__(self, topic: Topic, server: Server, limits: Limits) -> None:
        self._topic = topic
        self._server = server
        self._limits = limits
        self._session: Session | None = None

    async def session(self) -> Session | None:
        """The loaded session; None where it cannot be loaded, which is a fault of ours."""
        if self._session is None:
            session = await self._server.open(self._limits)
            wanted = frozenset(self._topic.reference)
            loaded = await session.load([_Cell(1, standalone(self._topic))], {}, wanted)
            if loaded.failed or loaded.missing:
                await session.close()
                return None
            self._session = session
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


async def metered(session: Session, ask: Ask, first: Iterable[Ask] = ()) -> tuple[Answer, Usage]:
    """The answer to an ask with a meter and its cost, by a process of its own; and all that it used.

    first: what is asked before, as part of the cost.
    """
    assert ask.meter is not None
    fork: Fork = await session.question(ask.meter.allowed_s, alone=True)
    answers = await fork.ask_all([*first, ask])
    usage = await fork.close()
    cost_s, cost_mib = usage.cpu_s + usage.asleep_s, usage.peak_mib - usage.inherited_mib
    return replace(answers[-1], cost_s=cost_s, cost_mib=cost_mib), usage
