"""Time that student code was kept from running is no one's fault but ours.

A notebook that iterates over a DataLoader with two workers was once stopped on a crowded machine: its main process
slept while it waited for workers that were ready and not let run, and that was taken for sleep.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from autograder.sandbox.clocks import Watch, processes

pytestmark = pytest.mark.slow

CROWD = 8  # busy processes on the one core that all are bound to
BUSY = "while True: pass"
# The main process sleeps until its worker, which needs longer than the limit in wall time, is done.
WAITS = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"


@pytest.fixture
def crowded() -> Iterator[int]:
    """A core that others keep busy."""
    core = min(os.sched_getaffinity(0))
    crowd = [_on(core, BUSY) for _ in range(CROWD)]
    yield core
    for process in crowd:
        process.kill()
        process.wait()


def _on(core: int, code: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c", code], start_new_session=True)


def _verdict(process: "subprocess.Popen[bytes]", *, cpu_s: float, wall_s: float) -> str:
    group = process.pid
    bystanders = frozenset(pid for pid in processes() if not _in_group(pid, group))
    watch = Watch(process.pid, cpu_s=cpu_s, wall_s=wall_s, memory_mib=1e6, bystanders=bystanders)
    watch.resume()
    try:
        while True:
            watch._bystanders = frozenset(pid for pid in processes() if not _in_group(pid, group))
            verdict = watch.verdict()
            if verdict:
                return verdict
            time.sleep(watch.patience_s())
    finally:
        os.killpg(group, signal.SIGKILL)
        process.wait()


def _in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return False


def test_waiting_for_a_worker_that_is_kept_from_running_is_not_sleep(crowded: int) -> None:
    assert _verdict(_on(crowded, WAITS), cpu_s=2.0, wall_s=0.5) == "not_graded"


@pytest.mark.parametrize("code", [BUSY, WAITS], ids=["alone", "with a worker"])
def test_what_is_kept_from_running_is_waited_for(crowded: int, code: str) -> None:
    # A ninth of a core: longer than the wall time allowed, and yet its CPU time decides.
    assert _verdict(_on(crowded, code), cpu_s=0.5, wall_s=1.0) == "timed_out"


def test_sleeping_is_charged_on_a_crowded_machine_too(crowded: int) -> None:
    assert _verdict(_on(crowded, "import time; time.sleep(60)"), cpu_s=1.5, wall_s=30.0) == "timed_out"


def test_computing_is_charged_where_there_is_room() -> None:
    assert _verdict(_on(max(os.sched_getaffinity(0)), BUSY), cpu_s=0.3, wall_s=30.0) == "timed_out"
