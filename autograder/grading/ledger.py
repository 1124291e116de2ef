"""Where do records go as they come, and which are known already?

A class is graded with as much memory as its largest submissions need: what is graded goes to a ledger at
once. What a ledger knows is not graded again, so a run that was killed goes on where it was.
"""

from typing import Protocol

from autograder.grading.record import Record
from autograder.notebook.find import Source
from autograder.values.outcomes import State


class Ledger(Protocol):
    """Keeps records. `known` is asked before a submission is graded, `keep` is told after."""

    def known(self, key: str) -> Record | None:
        """A record with this key, of whoever handed that in; None where it has to be graded."""
        ...

    def keep(self, source: Source, record: Record) -> None:
        """Keep a record for good before returning."""
        ...


class Memory:
    """Keeps records in memory, and knows none: for a few submissions, and for tests."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}

    def known(self, key: str) -> Record | None:
        return None

    def keep(self, source: Source, record: Record) -> None:
        self.records[record.student] = record


class Chain:
    """Keeps records in several places; the first that knows one is believed.

    What only one of them knew is told to the others, because `keep` is called for known records too.
    reused: how many were known.
    """

    def __init__(self, *ledgers: Ledger) -> None:
        self._ledgers = ledgers
        self.reused = 0

    def known(self, key: str) -> Record | None:
        for ledger in self._ledgers:
            record = ledger.known(key)
            if record is not None:
                self.reused += 1
                return record
        return None

    def keep(self, source: Source, record: Record) -> None:
        for ledger in self._ledgers:
            ledger.keep(source, record)


def is_final(record: Record) -> bool:
    """Whether it need not be graded again: a fault of ours is no grade."""
    return record.state != State.NOT_GRADED
