"""Is the filter of system calls over all student code, and does it leave honest notebooks alone?"""

import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import confine, seccomp
from tests.hostile.act import INT_80, serves_int_80
from tests.sandbox.conftest import Jail, call

ON_X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of system calls are this machine's")
STATUS = "[line.split()[1] for line in open('/proc/self/status') if line.startswith(('Seccomp:', 'NoNewPrivs'))]"


def test_filter_is_there_before_the_first_cell_and_in_every_copy(jail: Jail) -> None:
    loaded = jail.load(
        f"import os\nat_load = {STATUS}\ndef f():\n    return [at_load, {STATUS}]",
        "def g():\n"
        "    pipe = os.pipe()\n"
        "    if os.fork() == 0:\n"
        f"        os.write(pipe[1], repr({STATUS}).encode())\n"
        "        os._exit(0)\n"
        "    return os.read(pipe[0], 99).decode()",
    )
    assert loaded.result("f") == [["1", "2"]] * 2
    assert loaded.result("g") == "['1', '2']"


def test_server_says_which_walls_stand(jail: Jail) -> None:
    allowed = jail.server.walls["seccomp"].split()[0]
    assert int(allowed) >= 150


def test_machine_without_libseccomp_says_so_and_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    seccomp.program.cache_clear()
    try:
        program, said = seccomp.program()
    finally:
        seccomp.program.cache_clear()
    assert program == b""
    assert said.startswith("none:")
    assert "apt install libseccomp2" in said


def test_no_call_is_both_allowed_and_refused() -> None:
    assert not set(seccomp.ALLOWED) & set(seccomp.FORBIDDEN)
    for names in (seccomp.ALLOWED, seccomp.FORBIDDEN):
        assert len(names) == len(set(names))


def test_process_that_may_gain_privileges_gets_no_student_code() -> None:
    if "NoNewPrivs:\t1" in Path("/proc/self/status").read_text():  # inherited: there is nothing to refuse
        pytest.skip("these tests themselves run without a way to gain privileges")
    with pytest.raises(PermissionError, match="gain privileges"):
        confine.filter_calls(b"")


def test_filter_costs_less_than_a_millisecond() -> None:
    """Put on in processes of their own: it cannot be taken off again, nor another put over it."""
    wear = (
        "import sys, time\n"
        "from autograder.sandbox import confine\n"
        "program = sys.stdin.buffer.read()\n"
        "confine.drop_privileges()\n"
        "began = time.process_time()\n"
        "confine.filter_calls(program)\n"
        "print(time.process_time() - began)"
    )
    program, _ = seccomp.program()
    command = [sys.executable, "-c", wear]
    runs = [subprocess.run(command, input=program, capture_output=True, timeout=30, check=True) for _ in range(5)]
    assert min(float(run.stdout) for run in runs) < 1e-3


# What a notebook may do: its body, and what it returns.
HONEST: dict[str, tuple[str, Any]] = {
    "threads": (
        "import threading; out = []; t = threading.Thread(target=lambda: out.append(1)); t.start(); t.join()"
        "\n    return out",
        [1],
    ),
    "pool of processes": (
        "import multiprocessing as m\n    with m.Pool(2) as pool: return pool.map(abs, [-1, 2])",
        [1, 2],
    ),
    "executor of processes": (
        "import concurrent.futures as c\n    with c.ProcessPoolExecutor(2) as pool: return list(pool.map(abs, [-1]))",
        [1],
    ),
    "shared array": ("import multiprocessing as m; a = m.Array('d', [1, 2]); return a[1]", 2.0),
    "event loop": ("import asyncio; return asyncio.new_event_loop().run_until_complete(asyncio.sleep(0, 1))", 1),
    "files": (
        "import os, pathlib, shutil, tempfile; d = tempfile.mkdtemp(); p = pathlib.Path(d, 'a'); p.write_text('x')"
        "\n    shutil.copy2(p, p.with_name('b')); p.rename(p.with_name('c')); os.utime(p.with_name('c'))"
        "\n    names = sorted(os.listdir(d)); shutil.rmtree(d); return names",
        ["b", "c"],
    ),
    "mapped file": (
        "import numpy as np; a = np.memmap('m', dtype='f8', mode='w+', shape=4); a[:] = 1; a.flush(); return a.sum()",
        4.0,
    ),
    "database in a file": (
        "import sqlite3; d = sqlite3.connect('d.db'); d.execute('create table t (x)'); "
        "d.execute('insert into t values (7)'); d.commit()"
        "\n    return sqlite3.connect('d.db').execute('select x from t').fetchone()[0]",
        7,
    ),
    "lock of a file of its own": (
        "import fcntl; f = open('lock', 'w'); fcntl.flock(f, fcntl.LOCK_EX); fcntl.lockf(f, fcntl.LOCK_EX); "
        "fcntl.flock(f, fcntl.LOCK_UN); return 1",
        1,
    ),
    "pipes and their flags": (
        "import fcntl, os; r, w = os.pipe(); os.set_blocking(r, False); os.set_inheritable(w, True); "
        "d = fcntl.fcntl(w, fcntl.F_DUPFD_CLOEXEC, 9); os.write(d, b'x'); "
        "return [os.get_blocking(r), os.read(r, 9) == b'x']",
        [False, True],
    ),
    "clock": ("import time; t = time.perf_counter(); time.sleep(0.01); return time.perf_counter() > t", True),
    "signal of its own": (
        "import signal; got = []; signal.signal(signal.SIGALRM, lambda *a: got.append(1))"
        "\n    signal.setitimer(signal.ITIMER_REAL, 0.01); \n    while not got: pass"
        "\n    return got",
        [1],
    ),
    "picture": (
        "import matplotlib.pyplot as plt, os\n    plt.plot([1, 2]); plt.savefig('p.png')"
        "\n    return os.path.getsize('p.png') > 99",
        True,
    ),
    "linear algebra": ("import numpy as np; return float(np.linalg.svd(np.eye(300))[1].sum())", 300.0),
    "who and where": (
        "import os, platform, getpass; return [os.cpu_count() > 0, platform.system(), getpass.getuser()]",
        [True, "Linux", "student"],
    ),
    "absent program": (
        "import subprocess\n    try: subprocess.run(['ls'])\n    except OSError as e: return type(e).__name__",
        "PermissionError",
    ),
}


@pytest.mark.parametrize("act", HONEST)
def test_what_notebooks_do_is_allowed(jail: Jail, act: str) -> None:
    body, expected = HONEST[act]
    answer = jail.load(f"def f():\n    {body}").ask(call("f"), cpu_s=3.0)
    assert answer.value == expected, answer


@pytest.mark.slow
def test_data_loader_with_workers_is_allowed(torch_jail: Jail) -> None:
    load = (
        "import torch\n"
        "def f():\n"
        "    data = torch.utils.data.TensorDataset(torch.arange(8.0))\n"
        "    loader = torch.utils.data.DataLoader(data, batch_size=4, num_workers=2)\n"
        "    return [float(batch.sum()) for batch, in loader]"
    )
    assert torch_jail.load(load).ask(call("f"), cpu_s=5.0).value == [6.0, 22.0]


@ON_X86
@pytest.mark.parametrize("name", ["io_uring_setup", "bpf", "userfaultfd", "clone3", "a number that no kernel has"])
def test_call_by_its_number_is_refused(jail: Jail, name: str) -> None:
    number = {"io_uring_setup": 425, "bpf": 321, "userfaultfd": 323, "clone3": 435}.get(name, 2000)
    make = (
        "import ctypes\n"
        "def f():\n"
        "    c = ctypes.CDLL(None, use_errno=True)\n"
        f"    return [c.syscall({number}, None, 0), ctypes.get_errno()]"
    )
    expected = [-1, 38] if number in (435, 2000) else [-1, 1]
    assert jail.load(make).result() == expected


@ON_X86
def test_32_bit_call_ends_the_process(jail: Jail) -> None:
    """`int 0x80` has other numbers: 20 is getpid there, and writev for 64 bits."""
    if not serves_int_80():
        pytest.skip("this kernel serves no 32-bit calls")
    answer = jail.load(INT_80).ask(call("attack"))
    assert (answer.status, answer.detail["signal"]) == ("forbidden", "SIGSYS")
