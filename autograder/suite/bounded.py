"""How is code run of which nobody knows whether it ends?

What is made by rules, a mutant or two misconceptions at once, may loop for ever or ask for all memory. It
runs in a fork of this process; when the kernel ends that, the next fork goes on behind what ended it.
"""

import contextlib
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

_LENGTH = struct.Struct("<Q")
_WALL = 10  # times the CPU time: what sleeps uses none
_MEMORY = 4 << 30  # bytes of data a fork may have

Item = TypeVar("Item")


def each_bounded(items: Sequence[Item], work: Callable[[Item], bytes], cpu_s: int) -> Iterator[bytes | None]:
    """`work(item)` of each item in turn, computed in forks; None for one that ended its fork.

    cpu_s: whole seconds of CPU time that one item may take. What `work` raises ends the fork, too.
    """
    done = 0
    while done < len(items):
        for payload in _one_fork(items[done:], work, cpu_s):
            done += 1
            yield payload
        if done < len(items):
            done += 1
            yield None


def _one_fork(items: Sequence[Item], work: Callable[[Item], bytes], cpu_s: int) -> Iterator[bytes]:
    """The results of a fork, up to the item that it did not survive."""
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        _run(items, work, cpu_s, theirs)  # does not return
    os.close(theirs)
    try:
        for _ in items:
            deadline = time.monotonic() + _WALL * cpu_s
            head = _read(ours, _LENGTH.size, deadline)
            payload = _read(ours, _LENGTH.unpack(head)[0], deadline) if head else b""
            if not payload:
                return
            yield payload
    finally:
        os.close(ours)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _run(items: Sequence[Item], work: Callable[[Item], bytes], cpu_s: int, pipe: int) -> None:
    """All that the fork does. It leaves without a word of its own: whoever reads sees where it ended."""
    try:
        silent = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silent, descriptor)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        if "torch" in sys.modules:  # threads do not survive a fork, and waiting for them would hang
            sys.modules["torch"].set_num_threads(1)
        for item in items:
            usage = resource.getrusage(resource.RUSAGE_SELF)
            used = int(usage.ru_utime + usage.ru_stime) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (used + cpu_s, resource.RLIM_INFINITY))
            payload = work(item)
            _write(pipe, _LENGTH.pack(len(payload)) + payload)
    finally:
        os._exit(0)


def _write(pipe: int, payload: bytes) -> None:
    view = memoryview(payload)
    while view:
        view = view[os.write(pipe, view) :]


def _read(pipe: int, size: int, deadline: float) -> bytes:
    """`size` bytes; fewer, and then none, where the fork ends or is late."""
    parts, missing = [], size
    while missing:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(pipe, missing) if ready else b""
        if not part:
            return b""
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
