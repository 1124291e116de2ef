"""Does each end have its name, with what was used and what was allowed, seen from outside?"""

from dataclasses import replace

import pytest

from autograder.sandbox import wire
from tests.sandbox.conftest import QUICK, Jail, call

# How it ends: the status, and of the detail what must be in it.
ENDS = {
    "CPU time": ("while True: pass", "timed_out", {"limit": "cpu_s", "allowed": 0.5}),
    "asleep": ("import time; time.sleep(99)", "timed_out", {"limit": "cpu_s", "allowed": 0.5}),
    "memory": ("return bytearray(10**10)", "out_of_memory", {"limit": "memory_mib"}),
    "shared memory without a file": (
        "import mmap; mmap.mmap(-1, 2**20)",
        "out_of_memory",
        {"limit": "memory_mib"},
    ),
    "disk": ("for n in range(99): open(f'/tmp/{n}', 'wb').write(bytes(2**20))", "raised", {"limit": "disk_mib"}),
    "one file": (
        "import os; os.truncate(os.open('x', os.O_CREAT | os.O_RDWR), 2**28)",
        "raised",
        {"limit": "file_mib"},
    ),
    "one file, unasked": (
        "import os, signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "    os.truncate(os.open('x', os.O_CREAT | os.O_RDWR), 2**28)",
        "crashed",
        {"limit": "file_mib", "allowed": 128},
    ),
    "open files": ("kept = [open('/dev/null') for _ in range(999)]", "raised", {"limit": "open_files"}),
    "processes": (
        "import os, time\n    for _ in range(99):\n        if os.fork() == 0: time.sleep(9)",
        "raised",
        {"limit": "processes"},
    ),
    "threads": (
        "import threading, time\n    for _ in range(99): threading.Thread(target=time.sleep, args=(9,)).start()",
        "raised",
        {"limit": "processes"},
    ),
    "output": ("return [[]] * 10**6", "raised", {"limit": "output"}),
    "signal": ("import os; os.kill(os.getpid(), 11)", "crashed", {"signal": "SIGSEGV", "text": "ended by SIGSEGV"}),
    "exit": ("import os; os._exit(3)", "crashed", {"exit": 3, "text": "exited with status 3"}),
    "refused call": ("import os; os.setuid(0)", "forbidden", {"type": "PermissionError"}),
    "program": ("import os; os.execv('/lib64/ld-linux-x86-64.so.2', ['ld'])", "forbidden", {}),
    "x32 call": ("import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39)", "forbidden", {"signal": "SIGSYS"}),
}


@pytest.mark.parametrize("act", ENDS)
def test_end_has_its_name(jail: Jail, act: str) -> None:
    body, status, expected = ENDS[act]
    loaded = jail.load(f"def f():\n    {body}", "def g():\n    return 1")
    cpu_s = expected.get("allowed", 0.5) if expected.get("limit") == "cpu_s" else 5.0  # no other limit is a race
    answer = loaded.ask(call("f"), cpu_s=cpu_s)
    assert answer.status == status, answer
    assert {key: answer.detail.get(key) for key in expected} == expected, answer
    if "used" in answer.detail:
        assert answer.detail["used"] >= 0.9 * answer.detail["allowed"]
    assert loaded.result("g") == 1


def test_what_lay_on_the_disks_is_measured(jail: Jail) -> None:
    write = "def f():\n    open('/dev/shm/x', 'wb').write(bytes(5 * 2**20))"
    _, usage = jail.load(write).ask_and_close(call("f"))
    assert 5 <= usage.disk_mib < 6


@pytest.mark.slow
def test_wall_is_named_where_the_clock_on_the_wall_ran_out(jail: Jail) -> None:
    """Asleep beside a process that is not: neither charged for sleeping, nor out of CPU time yet."""
    wait = "import os, time\ndef f():\n    if os.fork() == 0:\n        while True: pass\n    time.sleep(99)"
    limits = replace(QUICK, cell_cpu_s=50, load_cpu_s=50, wall_factor=0.1)
    answer = jail.load(wait, limits=limits).ask(call("f"), cpu_s=20.0)
    assert answer.status in ("timed_out", "not_graded")  # the latter where others kept it from going to sleep
    assert answer.detail["limit"] == "wall_s"
    assert answer.detail["used"] >= answer.detail["allowed"] == pytest.approx(2.0)


@pytest.mark.slow
def test_memory_of_many_processes_is_counted_together(jail: Jail) -> None:
    """Each holds less than one process may, and what they share with the loader is not theirs."""
    hold = (
        "import os, time\n"
        "def f(count, size):\n"
        "    for _ in range(count):\n"
        "        if os.fork() == 0:\n"
        "            kept = b'x' * (size * 2**20)\n"
        "            time.sleep(99)\n"
        "    time.sleep(99)"
    )
    loaded = jail.load(hold)
    many = loaded.ask(call("f", 15, 100), cpu_s=9.0)
    assert (many.status, many.detail["limit"], many.detail["allowed"]) == ("out_of_memory", "memory_mib", 512)
    assert many.detail["used"] > 512
    assert loaded.ask(call("f", 15, 1), cpu_s=0.5).status == "timed_out"


@pytest.mark.parametrize("number", ["10**40", "'1' * 10**6", "-1", "1", "99999999"])
def test_loader_that_lies_about_its_copy_is_loaded_again(jail: Jail, number: str) -> None:
    """A number beyond what the kernel counts ended the warden, and the fault seemed ours."""
    lie = (
        "from autograder.sandbox import worker, wire\n"
        "honest = wire.send\n"
        "def send(peer, channel, *parts):\n"
        "    if channel == wire.CONTROL:\n"
        f"        parts = (str({number}).encode(),)\n"
        "    honest(peer, channel, *parts)\n"
        "worker.wire.send = send\n"
        "def f():\n"
        "    return 1"
    )
    loaded = jail.load(lie)
    assert loaded.loaded.failed is None
    assert loaded.result() == 1


def test_files_beyond_the_disk_are_the_students_and_named(jail: Jail) -> None:
    """They ended the warden, and a submission that could never be graded seemed our fault."""
    files = {f"{number}.csv": bytes(2**20) for number in range(QUICK.disk_mib + 1)}
    loaded = jail.load("def f():\n    return 1", files=files).loaded
    assert loaded.failed == "crashed"
    assert "do not fit" in loaded.notes[-1].text


def test_code_beyond_a_frame_is_the_students_and_named(jail: Jail) -> None:
    loaded = jail.load("x = 1\n" * (wire.MAX_CONTROL // 6)).loaded
    assert loaded.failed == "crashed"
    assert "more code" in loaded.notes[-1].text


def test_loader_that_cannot_be_confined_is_ours(jail: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line of the notebook has run: whatever went wrong, the student did not."""
    monkeypatch.setattr("autograder.sandbox.session.asdict", lambda limits: {**vars(limits), "open_files": -2})
    assert jail.load("def f():\n    return 1").loaded.failed == "not_graded"
