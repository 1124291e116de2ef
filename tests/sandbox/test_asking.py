"""Do asks come back as answers, and does nothing that student code does reach the examiner?"""

import numpy as np
import pytest

from autograder.sandbox.limits import Usage
from autograder.values.asking import Program
from autograder.values.codec import Handle, Stub
from tests.sandbox.conftest import Jail, call


def test_ask_of_array_function_returns_array(jail: Jail) -> None:
    loaded = jail.load("import numpy as np", "def f(x):\n    return np.exp(x)")
    np.testing.assert_array_equal(loaded.result("f", np.zeros(3)), np.ones(3))


def test_ask_of_absent_name_is_missing(jail: Jail) -> None:
    loaded = jail.load("x = 1")
    assert loaded.loaded.missing == {"f"}
    assert loaded.ask(call("f")).status == "missing"


def test_work_in_place_does_not_reach_the_next_ask(jail: Jail) -> None:
    loaded = jail.load("def f(x):\n    x += 1\n    return x")
    ask = call("f", np.zeros(2))
    np.testing.assert_array_equal(loaded.ask(ask, ask).value, np.ones(2))


def test_exception_names_the_line_of_the_student(jail: Jail) -> None:
    loaded = jail.load("y = 0", "def f():\n    a = 1\n    return a / y")
    answer = loaded.ask(call("f"))
    assert answer.status == "raised"
    assert answer.detail["type"] == "ZeroDivisionError"
    assert (answer.detail["where"], answer.detail["line"]) == ("<cell 2>", 3)
    assert answer.detail["source"] == "return a / y"


def test_handle_lives_through_the_question_and_ends_with_it(jail: Jail) -> None:
    loaded = jail.load("class C:\n    n = 5", "def f():\n    return C()", "def g(c):\n    return c.n")
    question = loaded.question()
    kept = jail.run(question.ask(call("f"))).value
    assert isinstance(kept, Handle)
    assert jail.run(question.ask(call("g", kept))).value == 5
    jail.run(question.close())
    assert loaded.ask(call("g", kept)).status == "raised"


def test_stub_calls_are_computed_and_recorded(jail: Jail) -> None:
    loaded = jail.load("def f(g):\n    return g(2.0) + g(y=3.0)")
    answer = loaded.ask(call("f", Stub(0), callables={0: lambda y: y * y}))
    assert answer.value == 13.0
    assert answer.calls == {0: [(2.0,), (3.0,)]}


def test_error_of_a_callable_is_raised_where_it_was_called(jail: Jail) -> None:
    def refuse(_: float) -> float:
        raise ValueError("shapes differ\nsecret second line")

    caught = "def f(g):\n    try:\n        g(1)\n    except ValueError as error:\n        return str(error)"
    answer = jail.load(caught).ask(call("f", Stub(0), callables={0: refuse}))
    assert answer.value == "shapes differ"


def test_calls_beyond_the_cap_end_the_question(jail: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sandbox.replies.MAX_CALLS", 20)
    loaded = jail.load(
        "def f(g):\n    while True:\n        try:\n            g(1)\n        except BaseException:\n            pass"
    )
    answer = loaded.ask(call("f", Stub(0), callables={0: lambda x: x}))
    assert answer.status == "crashed"
    assert len(answer.calls[0]) == 20


def test_waiting_for_the_examiner_is_not_charged(jail: Jail) -> None:
    import time

    loaded = jail.load("def f(g):\n    return g(1)")
    answer, usage = loaded.ask_and_close(call("f", Stub(0), callables={0: lambda x: time.sleep(0.6) or x}), cpu_s=0.2)
    assert answer.value == 1
    assert usage.wall_s < 0.3


def test_program_of_many_steps_is_one_ask(jail: Jail) -> None:
    loaded = jail.load(
        "class V:\n"
        "    def __init__(self, x):\n"
        "        self.x = x\n"
        "    def __add__(self, o):\n"
        "        return V(self.x + o.x)"
    )
    program = Program()
    first = program.call(program.get("V"), 1)
    total = first
    for _ in range(2000):
        total = program.operate("add", total, first)
    answer = loaded.ask(program.ask("sum", program.attribute(total, "x")))
    assert answer.value == 2001


def test_endless_loop_times_out_and_the_next_question_is_answered(jail: Jail) -> None:
    loop = "def f():\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass"
    loaded = jail.load(loop, "def g():\n    return 1")
    answer, usage = loaded.ask_and_close(call("f"), cpu_s=0.3)
    assert answer.status == "timed_out"
    assert 0.25 < usage.cpu_s < 0.6
    assert answer.detail["allowed"] == 0.3
    assert loaded.result("g") == 1


def test_sleep_is_charged_like_work(jail: Jail) -> None:
    loaded = jail.load("import time", "def f():\n    time.sleep(1000)")
    answer, usage = loaded.ask_and_close(call("f"), cpu_s=0.3)
    assert answer.status == "timed_out"
    assert usage.cpu_s < 0.1
    assert usage.wall_s < 1.4


def test_short_sleeps_between_calls_end_as_timed_out(jail: Jail) -> None:
    loaded = jail.load("import time", "def f(g):\n    while True:\n        time.sleep(0.03)\n        g(1)")
    answer = loaded.ask(call("f", Stub(0), callables={0: lambda x: x}), cpu_s=0.2)
    assert answer.status == "timed_out"


def test_many_short_asks_share_one_budget(jail: Jail) -> None:
    loaded = jail.load("def f():\n    return sum(range(2_000_000))")
    ask = call("f")
    assert loaded.ask(*[ask] * 60, cpu_s=0.3).status == "timed_out"


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "os.kill(os.getpid(), 11)", "os.abort()"])
def test_end_of_the_process_is_a_crash_and_the_next_question_is_answered(jail: Jail, end: str) -> None:
    loaded = jail.load("import os", f"def f():\n    {end}", "def g():\n    return 1")
    assert loaded.ask(call("f")).status == "crashed"
    assert loaded.result("g") == 1


def test_end_at_once_is_not_tried_again(jail: Jail) -> None:
    """A copy that ended before the loader had said whom it started was taken for a lie, and asked a second time."""
    ends = (
        "import os, time\n"
        "from autograder.sandbox import wire\n"
        "send = wire.send\n"
        "def later(peer, channel, *parts):\n"
        "    if channel == wire.CONTROL: time.sleep(0.1)\n"
        "    send(peer, channel, *parts)\n"
        "wire.send = later\n"
        "def f():\n    os.write(os.open('/tmp/asked', os.O_CREAT | os.O_APPEND | os.O_WRONLY), b'x')\n    os._exit(7)",
        "def g():\n    return open('/tmp/asked').read()",
    )
    loaded = jail.load(*ends)
    answer = loaded.ask(call("f"))
    assert (answer.status, answer.detail["exit"]) == ("crashed", 7)
    assert loaded.result("g") == "x"


def test_sys_exit_in_a_question_is_raised(jail: Jail) -> None:
    answer = jail.load("import sys", "def f():\n    sys.exit(0)").ask(call("f"))
    assert (answer.status, answer.detail["type"]) == ("raised", "SystemExit")


@pytest.mark.parametrize("hog", ["np.ones(10**9)", "[0] * 10**10", "bytearray(10**10)"])
def test_memory_hog_is_out_of_memory(jail: Jail, hog: str) -> None:
    loaded = jail.load("import numpy as np", f"def f():\n    return len({hog})")
    assert loaded.ask(call("f")).status == "out_of_memory"


@pytest.mark.slow
def test_fork_bomb_is_bounded_and_swept(jail: Jail) -> None:
    bomb = "import os\ndef f():\n    while True:\n        try: os.fork()\n        except OSError: pass"
    loaded = jail.load(bomb, "def g():\n    return len([p for p in os.listdir('/proc') if p.isdigit()])")
    assert loaded.ask(call("f"), cpu_s=0.3).status == "timed_out"
    assert loaded.result("g") == 3  # warden, loader, question


def test_background_process_is_gone_after_the_question(jail: Jail) -> None:
    daemon = (
        "import os, time\n"
        "def f():\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(1000)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "    return 1"
    )
    count = "def g():\n    return len([p for p in os.listdir('/proc') if p.isdigit()])"
    loaded = jail.load(daemon, count)
    assert loaded.result("f") == 1
    assert loaded.result("g") == 3


def test_copy_made_by_fork_has_no_say(jail: Jail) -> None:
    loaded = jail.load("import os\ndef f():\n    os.fork()\n    return 1")
    assert loaded.ask(call("f"), call("f")).value == 1


def test_output_of_50_megabytes_costs_neither_memory_nor_a_mark(jail: Jail) -> None:
    loaded = jail.load("def f():\n    for _ in range(50):\n        print('x' * 2**20)\n    return 1")
    answer, usage = loaded.ask_and_close(call("f"), cpu_s=2.0)
    assert answer.value == 1
    _, quiet = jail.load("def f():\n    return 1").ask_and_close(call("f"))
    assert usage.peak_mib < quiet.peak_mib + 16


FORGE = """
import gc, os, socket
from autograder.sandbox import wire
def f(x):
    peer = next(o for o in gc.get_objects() if isinstance(o, socket.socket) and o.fileno() >= 0)
    {send}
    return x
"""


@pytest.mark.parametrize(
    "send",
    [
        "wire.send(peer, 1, bytes(16), bytes([1]), b'')",
        "peer.sendall(b'\\xff' * 100)",
        "wire.send(peer, 0, b'{}')",
        "wire.send(peer, 1, b'')",
        "peer.shutdown(2)",
        "peer.sendall(b'\\x03\\xff\\xff\\xff\\x01')",
    ],
    ids=["foreign nonce", "noise", "control frame", "empty", "shut down", "half a frame"],
)
def test_forged_frame_ends_the_question_alone(jail: Jail, send: str) -> None:
    loaded = jail.load(FORGE.format(send=send), "def g():\n    return 1")
    answer = loaded.ask(call("f", 1), cpu_s=0.3)
    assert answer.status in ("crashed", "timed_out")
    assert loaded.result("g") == 1


def test_replayed_and_early_answer_is_a_crash(jail: Jail) -> None:
    keep = """
from autograder.sandbox import wire
once = wire.send
def twice(peer, channel, *parts):
    once(peer, channel, *parts)
    if len(parts) == 3:
        once(peer, channel, *parts)
wire.send = twice
"""
    loaded = jail.load(keep, "def f():\n    return 1")
    question = loaded.question()
    assert jail.run(question.ask(call("f"))).value == 1
    second = jail.run(question.ask(call("f")))
    assert (second.status, second.detail["text"]) == ("crashed", "spoke out of turn")
    assert isinstance(jail.run(question.close()), Usage)


def test_answer_of_another_form_is_a_crash(jail: Jail) -> None:
    forged = (
        "from autograder.sandbox import worker_answer\n"
        "from autograder.values import codec\n"
        "forged = codec.encode({'status': 'returned', 'value': {'points': 10}})\n"
        "worker_answer.Desk.answer = lambda self, payload: forged\n"
        "def f():\n"
        "    return 1"
    )
    program = Program()
    ask = program.ask("f", {"out": program.call(program.get("f"))})
    assert jail.load(forged).ask(ask).status == "crashed"


def test_usage_counts_the_cpu_time_of_children(jail: Jail) -> None:
    busy = (
        "import os, time\n"
        "def f():\n"
        "    if os.fork() == 0:\n"
        "        while time.process_time() < 0.25: pass\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "    return 1"
    )
    answer, usage = jail.load(busy).ask_and_close(call("f"), cpu_s=2.0)
    assert answer.value == 1
    assert 0.2 < usage.cpu_s < 0.6


def test_questions_do_not_see_each_others_globals(jail: Jail) -> None:
    loaded = jail.load("n = [0]\ndef f():\n    n[0] += 1\n    return n[0]")
    assert [loaded.result("f"), loaded.result("f")] == [1, 1]


def test_global_generators_are_the_same_in_every_run(jail: Jail) -> None:
    draws = "import random\nimport numpy as np\ndef f():\n    return [random.random(), float(np.random.rand())]"
    assert jail.load(draws).result() == jail.load(draws).result()


def test_question_without_an_ask_uses_nothing(jail: Jail) -> None:
    question = jail.load("x = 1").question()
    assert jail.run(question.close()) == Usage()


def test_question_still_open_ends_when_the_next_one_is_asked(jail: Jail) -> None:
    loaded = jail.load("def f():\n    return 1")
    first = loaded.question()
    assert jail.run(first.ask(call("f"))).value == 1
    assert loaded.result() == 1
    assert jail.run(first.ask(call("f"))).status == "crashed"


def test_large_arrays_cross_both_ways(jail: Jail) -> None:
    sent = np.arange(10.0**6)
    np.testing.assert_array_equal(jail.load("def f(x):\n    return x * 2").result("f", sent), 2 * sent)
