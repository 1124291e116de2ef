"""What becomes of submissions when the server or the examiner's end goes?"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox.limits import Environment, Limits, SandboxError
from autograder.sandbox.session import Server
from tests.sandbox.conftest import Jail, call, cells

pytestmark = pytest.mark.slow

SMALL = Environment("small", ("numpy",))


def _is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_killed_server_makes_answers_not_graded_and_says_so(run: Callable[..., Any]) -> None:
    server = run(Server.start(SMALL))
    session = run(server.open(Limits()))
    run(session.load(cells("def f():\n    return 1"), {}, frozenset({"f"})))
    question = run(session.question(1.0))
    os.kill(server.pid, signal.SIGKILL)
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)  # its wardens are told when it has ended, not before
    assert run(question.ask(call("f"))).status == "not_graded"
    run(question.close())
    run(session.close())
    with pytest.raises(SandboxError):
        run(server.open(Limits()))
    run(server.close())
    assert not _is_alive(server.pid)


def test_closed_server_leaves_no_process(run: Callable[..., Any]) -> None:
    server = run(Server.start(SMALL))
    session = run(server.open(Limits()))
    wardens = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_child_of(int(entry.name), server.pid)
    ]
    assert len(wardens) == 1
    run(server.close())
    assert not any(map(_is_alive, [server.pid, *wardens]))
    run(session.close())


def _is_child_of(pid: int, parent: int) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(fields[1]) == parent


def test_many_sessions_in_turn_reuse_their_slots(jail: Jail) -> None:
    for number in range(20):
        loaded = jail.load(f"def f():\n    return {number}")
        assert loaded.result() == number
        loaded.close()
