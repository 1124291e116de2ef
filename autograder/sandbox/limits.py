"""What may a submission use, where does it run, and what is known once it is loaded?"""

from dataclasses import dataclass
from typing import Protocol

from autograder.sandbox.accelerator import Accelerator


class SandboxError(Exception):
    """The jail itself cannot work; the message says why and what to do."""


class Cell(Protocol):
    """A code cell of a notebook. number: its place, counted as students count; source: its text."""

    @property
    def number(self) -> int: ...

    @property
    def source(self) -> str: ...


@dataclass(frozen=True)
class Environment:
    """A named set of libraries. packages: distributions; what they require is there too, all else absent.

    accelerator: a GPU that its code may see; without, there is none for it.
    """

    name: str
    packages: tuple[str, ...]
    accelerator: Accelerator | None = None


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    cell_cpu_s: CPU time of one cell at loading; asleep counts like CPU.
    load_cpu_s: CPU time of all cells of one load.
    memory_mib: private memory of a process beyond that of the warm libraries; all processes of a question
        together may hold twice as much.
    disk_mib: files in the working directory and in shared memory, each.
    file_mib: one file.
    processes: processes and threads at one time.
    open_files: descriptors of one process.
    wall_factor: wall-clock backstop, as a multiple of the CPU limit; see `clocks.Watch`.
    reloads: fresh starts after a cell that looped, exited or crashed.
    """

    cell_cpu_s: float = 5.0
    load_cpu_s: float = 15.0
    memory_mib: int = 2048
    disk_mib: int = 256
    file_mib: int = 128
    processes: int = 64
    open_files: int = 256
    wall_factor: float = 5.0
    reloads: int = 8


@dataclass(frozen=True)
class Note:
    """What happened at loading, for people to read.

    kind: syntax, raised, exit, stopped, absent, magic, rebound, stub, retried or threads.
    text: may be shown to the student. private: for the teaching staff only.
    """

    cell: int | None
    kind: str
    text: str
    private: str = ""


@dataclass(frozen=True)
class Loaded:
    """What came of loading the cells.

    missing: wanted names that are not defined, or still the stub.
    skipped: cells of which only definitions were kept; a second load of the same cells may skip them.
    failed: `timed_out`, `crashed`, `out_of_memory` or `not_graded` where nothing could be loaded.
    """

    notes: tuple[Note, ...] = ()
    missing: frozenset[str] = frozenset()
    skipped: frozenset[int] = frozenset()
    failed: str | None = None


@dataclass(frozen=True)
class Usage:
    """What a question used, measured from outside.

    CPU and wall in seconds; peak resident memory of its process in MiB; what lay on the submission's own
    disks when it ended, in MiB; seconds in which it owed an answer and neither ran nor waited to run. Of one that
    was alone: how much of its memory was there before it, in MiB (`memory`).
    """

    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_mib: float = 0.0
    disk_mib: float = 0.0
    asleep_s: float = 0.0
    inherited_mib: float = 0.0
