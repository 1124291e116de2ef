"""Is all CPU time counted that an answer uses, whoever is made to do the work?"""

import statistics

import pytest

from autograder.sandbox.limits import Usage
from autograder.values.asking import Answer
from tests.sandbox.conftest import Jail, Loading, call

pytestmark = pytest.mark.slow  # seconds each: jails, servers or thousands of draws

WORK = "def work():\n    n = 0\n    for i in range(600_000):\n        n += i\n    return n\n"
PLAIN = WORK + "def f():\n    return work()\n"
NOTHING = "def f():\n    return 0\n"
FORKS = (
    WORK
    + "import os, signal\n"
    + "def f():\n"
    + "    signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
    + "    if os.fork() == 0:\n"
    + "        work(); os._exit(0)\n"
    + "    return 0\n"
)
THREADS = (
    WORK + "import threading\ndef f():\n    t = threading.Thread(target=work)\n    t.start(); t.join()\n    return 0\n"
)
LOADER = (
    WORK
    + "import os, signal, time\n"
    + "loader = os.getpid()\n"
    + "def helps(*_):\n"
    + "    if os.getpid() == loader:\n"
    + "        work(); open('/tmp/done', 'w').close()\n"
    + "signal.signal(signal.SIGUSR1, helps)\n"
    + "def f():\n"
    + "    os.kill(loader, signal.SIGUSR1)\n"
    + "    while not os.path.exists('/tmp/done'):\n"
    + "        time.sleep(0.001)\n"
    + "    os.remove('/tmp/done')\n"
    + "    return 0\n"
)
LEFT = (
    "import os, time\n"
    "if os.fork() == 0:\n    time.sleep(1000)\n    os._exit(0)\n"
    "def state(pid):\n    return open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[0]\n"
    "def f():\n    return sum(state(p) != 'Z' for p in os.listdir('/proc') if p.isdigit())\n"
)


def ask_alone(loading: Loading, cpu_s: float = 2.0) -> tuple[Answer, Usage]:
    jail = loading.jail
    question = jail.run(loading.session.question(cpu_s, alone=True))
    answer = jail.run(question.ask(call("f")))
    return answer, jail.run(question.close())


def cost(jail: Jail, source: str) -> float:
    loading = jail.load(source)
    return statistics.median(ask_alone(loading)[1].cpu_s for _ in range(3))


def test_work_in_the_process_and_in_the_loader_costs_the_same(jail: Jail) -> None:
    nothing, plain, loader = (cost(jail, source) for source in (NOTHING, PLAIN, LOADER))
    assert plain - nothing > 0.005
    assert loader - nothing > (plain - nothing) / 2


@pytest.mark.parametrize(("source", "kind"), [(FORKS, "BlockingIOError"), (THREADS, "RuntimeError")])
def test_no_process_and_no_thread_can_be_started(jail: Jail, source: str, kind: str) -> None:
    answer, _ = ask_alone(jail.load(source))
    assert (answer.status, answer.detail["type"], answer.detail["limit"]) == ("raised", kind, "processes")
    # Only while it is measured: an ordinary question may.
    assert jail.load(source).ask(call("f"), cpu_s=2.0).returned


def test_what_the_notebook_left_running_is_ended_before(jail: Jail) -> None:
    assert ask_alone(jail.load(LEFT))[0].value == 3  # warden, loader, question


def test_what_threads_at_loading_left_cannot_help(jail: Jail) -> None:
    threads = "import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n"
    assert ask_alone(jail.load(threads + LEFT))[0].value == 2  # loaded afresh: warden and question


def test_sleep_is_told(jail: Jail) -> None:
    _, usage = ask_alone(jail.load("import time\ndef f():\n    time.sleep(0.3)\n    return 0\n"))
    assert usage.cpu_s < 0.2
    assert 0.1 < usage.asleep_s < 0.5
