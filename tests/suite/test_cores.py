"""The processes in which suites are made end with the command that began them, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.suite.cores import Cores
from tests.conftest import ROOT

QUESTIONS = [SimpleNamespace(id=name, cost_factor=None, memory_factor=None) for name in ("one", "two")]
COURSE, ASSIGNMENT = SimpleNamespace(dir=ROOT), SimpleNamespace(id="pair", questions=QUESTIONS)


def where(course: Path, assignment: str, question: str) -> tuple[str, str, int]:
    return assignment, question, os.getpid()


def begin() -> None:
    """What the command does that is killed: say which process did what, then wait."""
    with Cores([ASSIGNMENT]) as cores:
        for question, done in cores.begin(COURSE, ASSIGNMENT, where):
            print(question, *done, flush=True)
        signal.pause()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core needs no second process")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_command_that_was_killed(number: signal.Signals) -> None:
    script = "from tests.suite.test_cores import begin; begin()"
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        lines = [command.stdout.readline().split() for _ in QUESTIONS]
        assert [line[:3] for line in lines] == [["one", "pair", "one"], ["two", "pair", "two"]]
        children = {int(line[3]) for line in lines} - {command.pid}
        assert children
        assert all(map(_lives, children))
        command.send_signal(number)
    until = time.monotonic() + 20
    while any(map(_lives, children)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(_lives, children))


def _lives(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
