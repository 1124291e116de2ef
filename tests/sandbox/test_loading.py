"""Does what a notebook does at loading cost a mark nowhere else?"""

from collections.abc import Callable

import pytest

from tests.sandbox.conftest import QUICK, Jail, call

pytestmark = pytest.mark.slow

ONE = "def f():\n    return 1"


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("while True: pass", "stopped"),
        ("while True:\n    try:\n        while True: pass\n    except BaseException: pass", "stopped"),
        ("import os\nos._exit(0)", "stopped"),
        ("import time\ntime.sleep(1000)", "stopped"),
        ("import sys\nsys.exit()", "exit"),
        ("exit()", "exit"),
        ("input('name?')", "raised"),
        ("raise KeyboardInterrupt", "raised"),
        ("x = (1", "syntax"),
        ("x = '\\0'\nreturn 3", "syntax"),
    ],
)
def test_bad_cell_costs_nothing_elsewhere(jail: Jail, end: str, kind: str) -> None:
    loaded = jail.load("a = 1", f"{end}\n", "def f():\n    return a")
    assert loaded.kinds == [kind]
    assert loaded.loaded.notes[0].cell == 2
    assert loaded.result() == 1


def test_definitions_of_a_cell_that_loops_are_kept(jail: Jail) -> None:
    loaded = jail.load(
        "import math\nk = 2\ndef f():\n    return math.floor(2.5) * k\nwhile True: pass\ndef g():\n    return 1"
    )
    assert loaded.result("f") == 4
    assert loaded.result("g") == 1
    assert loaded.loaded.skipped == {1}
    assert "only its definitions were kept" in loaded.loaded.notes[0].text


def test_cell_known_to_loop_costs_no_time_when_loaded_again(jail: Jail) -> None:
    loaded = jail.load("while True: pass\ndef f():\n    return 1", skip=frozenset({1}))
    assert loaded.kinds == []
    assert loaded.result() == 1


def test_cell_whose_definitions_loop_is_left_out(jail: Jail) -> None:
    loaded = jail.load("def g(x=[0 for _ in iter(int, 1)]):\n    pass", ONE)
    assert [note.text.rpartition("; ")[2] for note in loaded.loaded.notes] == [
        "only its definitions were kept",
        "it was left out",
    ]
    assert loaded.result() == 1


def test_all_cells_together_have_a_budget(jail: Jail) -> None:
    heavy = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass"
    loaded = jail.load(heavy, heavy, heavy, heavy, heavy, ONE)
    assert loaded.loaded.failed is None
    assert loaded.result() == 1
    assert f"limit of {QUICK.load_cpu_s:g} s of CPU time for all cells" in loaded.loaded.notes[0].text


def test_what_is_said_of_a_cell_that_is_stopped_is_what_is_allowed(jail: Jail) -> None:
    """A note is part of a record, which must not differ from run to run; what was used does, by a tenth or more."""
    # Three children that spend it at once.
    late = "import os\nfor _ in range(3):\n    os.fork() or [None for _ in iter(int, 1)]\nos.wait()"
    for source in ("while True: pass", late):
        (note,) = jail.load(source, ONE).loaded.notes
        said = f"cell 1 was stopped at the limit of {QUICK.cell_cpu_s:g} s of CPU time; only its definitions were kept"
        assert note.text == said


def test_cell_that_fails_to_wrap_a_later_stub_does_not_finish_it(jail: Jail) -> None:
    stub = "def f():\n    raise NotImplementedError"
    loaded = jail.load(ONE, stub, "f = wrapped(f)")
    assert loaded.loaded.missing == frozenset()
    assert loaded.result() == 1


def test_cell_that_raises_keeps_what_ran_and_its_later_definitions(jail: Jail) -> None:
    loaded = jail.load("a = 1\nb = 1 / 0\nc = 3\ndef f():\n    return [a, 'c' in globals()]")
    assert loaded.result() == [1, False]
    assert loaded.loaded.notes[0].text.startswith("cell 1, line 2: ZeroDivisionError")


def test_class_before_its_base_is_defined_at_the_end(jail: Jail) -> None:
    loaded = jail.load(
        "class C(B):\n    pass", "class B(A):\n    pass", "class A:\n    n = 7", "def f():\n    return C().n"
    )
    assert loaded.result() == 7
    assert loaded.kinds == ["raised", "raised", "retried", "retried"]


def test_early_definition_does_not_replace_a_later_one(jail: Jail) -> None:
    loaded = jail.load(
        "@deco\ndef f():\n    return 'early'", "def f():\n    return 'late'", "def deco(g):\n    return g"
    )
    assert loaded.result() == "late"


@pytest.mark.parametrize(
    ("cells", "expected", "kinds"),
    [
        ((ONE, "def f():\n    return 2"), 2, []),
        ((ONE, "f = f()"), 1, ["rebound"]),
        ((ONE, "def f():\n    raise NotImplementedError"), 1, ["stub"]),
        ((ONE, "def f():\n    '''Later.'''\n    pass"), 1, ["stub"]),
        (("def f():\n    pass", ONE), 1, []),
        ((ONE, "del f"), 1, ["rebound"]),
        (("f = lambda: 3",), 3, []),
        (("def g():\n    return 4", "f = g"), 4, []),
        (("if True:\n    def f():\n        return 5",), 5, []),
        ((ONE, "for f in range(3): pass"), 1, ["rebound"]),
    ],
)
def test_the_last_real_definition_counts(jail: Jail, cells: tuple[str, ...], expected: int, kinds: list[str]) -> None:
    loaded = jail.load(*cells)
    assert loaded.result() == expected
    assert loaded.kinds == kinds


@pytest.mark.parametrize(
    "stub",
    [
        "def f(): pass",
        "def f():\n    'doc'\n    ...",
        "def f():\n    raise NotImplementedError('todo')",
        "def f():\n    return None",
        "class f:\n    'doc'\n    def a(self): pass\n    def b(self): raise NotImplementedError",
        "class f: pass",
    ],
)
def test_stub_is_missing(jail: Jail, stub: str) -> None:
    loaded = jail.load(stub)
    assert loaded.loaded.missing == {"f"}
    assert loaded.ask(call("f")).status == "missing"


def test_class_with_one_real_method_is_no_stub(jail: Jail) -> None:
    loaded = jail.load("class f:\n    def a(self): pass\n    def b(self): return 1")
    assert loaded.loaded.missing == frozenset()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%matplotlib inline\na = 1", 1),
        ("!pip install torch\na = 2", 2),
        ("files = !ls\na = len(files)", 0),
        ("%%time\na = 3", 3),
        ("%time a = 4", 4),
        ("%%timeit\na = 5", 5),
        ("a = 6\n%timeit a + 1", 6),
        ("%%capture out\nprint('hi')\na = 7", 7),
        ("import asyncio\nawait asyncio.sleep(0)\na = 8", 8),
        ("display(3)\nget_ipython().run_line_magic('matplotlib', 'inline')\na = 9", 9),
        ("if __name__ == '__main__':\n    a = 10", 10),
        ("%%writefile helper.py\nvalue = 11", None),
        ("from IPython import get_ipython\nget_ipython().magic('ls')\na = 12", 12),
        ("a = 13\na?", 13),
        ("%cd ..\n%run x.py\na = 14", 14),
        (">>> a = 15", 15),
        ("  a = 16", 16),
        ("a: int = 17", 17),
    ],
)
def test_notebook_syntax_runs(jail: Jail, cell: str, expected: int | None) -> None:
    after = "from helper import value\na = value" if expected is None else "pass"
    loaded = jail.load(cell, after, "def f():\n    return a")
    assert loaded.result() == (11 if expected is None else expected)
    assert set(loaded.kinds) <= {"magic"}


def test_captured_output_is_bound(jail: Jail) -> None:
    loaded = jail.load("%%capture out\nprint('hi')", "def f():\n    return out.stdout")
    assert loaded.result() == "hi\n"


def test_line_of_an_error_under_a_cell_magic_is_the_students(jail: Jail) -> None:
    loaded = jail.load("%%time\n\ndef f():\n    return 1 / 0")
    detail = loaded.ask(call("f")).detail
    assert (detail["line"], detail["source"]) == (4, "return 1 / 0")


def test_plots_are_harmless(jail: Jail) -> None:
    plot = (
        "import matplotlib.pyplot as plt\nfor _ in range(30):\n    plt.figure()\n    plt.plot([1, 2])\n    plt.show()"
    )
    loaded = jail.load(
        plot,
        "import warnings\nwarnings.simplefilter('error')\nplt.figure()",
        "def f():\n    return plt.get_fignums()",
    )
    assert loaded.kinds == []
    assert loaded.result() == []


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("import torch\ndef f():\n    return torch.ones(3)", "forbidden"),
        ("from torch import nn\ndef f():\n    return nn.functional.softmax(1)", "forbidden"),
        ("import torch.nn as nn\nclass f(nn.Module):\n    pass", "forbidden"),
        ("def f():\n    import torch\n    return 1", "forbidden"),
        ("import torch\ndef f():\n    return 3 + torch.pi", "forbidden"),
        ("import torch\ndef f(x: torch.Tensor | None = None) -> torch.Tensor:\n    return 1", "returned"),
        ("import torch\ndef f():\n    return int(isinstance(1, torch.Tensor))", "returned"),
        ("try:\n    import torch\nexcept ImportError:\n    torch = None\ndef f():\n    return 1", "returned"),
        ("from torch import *\nimport seaborn as sns\ndef f():\n    return 1", "returned"),
        ("import torch\ntorch.manual_seed(0)\ndef f():\n    return 1", "returned"),
    ],
)
def test_absent_module_is_forbidden_only_where_it_is_used(jail: Jail, cell: str, status: str) -> None:
    answer = jail.load(cell).ask(call("f"))
    assert answer.status == status


def test_helper_module_and_data_files_are_in_the_working_directory(jail: Jail) -> None:
    files = {"helper.py": b"def twice(x):\n    return 2 * x\n", "data/x.csv": b"1,2\n"}
    loaded = jail.load(
        "from helper import twice\nimport numpy as np",
        "def f():\n    return twice(np.loadtxt('data/x.csv', delimiter=',')).tolist()",
        files=files,
    )
    assert loaded.result() == [2.0, 4.0]


def test_warnings_and_output_at_loading_are_harmless(jail: Jail) -> None:
    noisy = (
        "import warnings, sys\n"
        "warnings.warn('careful')\n"
        "print('x' * 50_000_000)\n"
        "sys.stderr.write('e')\n"
        "sys.stdout.flush()\n"
        "sys.stdout.buffer.write(b'b')"
    )
    loaded = jail.load(noisy, ONE)
    assert loaded.kinds == []
    assert loaded.result() == 1


@pytest.mark.parametrize("round_", range(5))
def test_thread_that_is_about_to_end_is_no_thread_left_running(jail: Jail, round_: int) -> None:
    # As a data loader's: counted at once, the same notebook had threads in one run and none in the next.
    ending = f"sum(range({500_000 * (round_ + 1)}))"
    thread = f"import threading\nthreading.Thread(target=lambda: {ending}, daemon=True).start()"
    assert jail.load(thread, "def f(x): return x").kinds == []


def test_thread_left_running_is_answered_by_a_fresh_load(jail: Jail) -> None:
    pool = (
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)\nlist(pool.map(abs, [1, 2]))"
    )
    loaded = jail.load(pool, "def f():\n    return list(pool.map(abs, [-3]))", "def g():\n    while True: pass")
    assert loaded.kinds == ["threads"]
    assert loaded.result("f") == [3]
    assert loaded.ask(call("g"), cpu_s=0.3).status == "timed_out"
    assert loaded.result("f") == [3]


def test_loader_that_ends_later_is_loaded_again(jail: Jail) -> None:
    """The copy may end the loader before that has said whom it started: g then runs in a fresh load, as it must."""
    loaded = jail.load(
        "import os\ndef f():\n    os.kill(os.getppid(), 0)\n    return 1",
        "def g():\n    try: os.kill(2, 9)\n    except ProcessLookupError: pass\n    return 2",
    )
    assert loaded.result("g") == 2
    assert loaded.result("f") == 1


def test_chinese_names_and_text_are_kept(jail: Jail) -> None:
    loaded = jail.load(
        "def 平均(数):\n    '''求平均'''\n    return sum(数) / len(数)",
        "print('完成')",
        wanted=frozenset({"平均"}),
    )
    assert loaded.result("平均", [1.0, 3.0]) == 2.0


def test_future_annotations_reach_later_cells(jail: Jail) -> None:
    loaded = jail.load("from __future__ import annotations", "def f(x: NotThere = 1):\n    return x")
    assert loaded.result() == 1


def test_dataclass_and_global_statement_work(jail: Jail) -> None:
    loaded = jail.load(
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1",
        "def make():\n    global f\n    def f():\n        return P().x\nmake()",
    )
    assert loaded.result() == 1


def test_empty_notebook_is_loaded(jail: Jail) -> None:
    loaded = jail.load()
    assert loaded.loaded.failed is None
    assert loaded.loaded.missing == {"f"}


def test_forged_report_is_not_believed(jail: Jail) -> None:
    forge = (
        "from autograder.sandbox import wire\n"
        "_send = wire.send\n"
        "def send(peer, channel, *parts):\n"
        "    _send(peer, channel, *((b'[[[',) if channel == 1 and len(parts) == 1 else parts))\n"
        "wire.send = send"
    )
    loaded = jail.load(forge, ONE)
    assert loaded.loaded.notes == ()
    assert loaded.result() == 1


@pytest.mark.parametrize("name", ["../x", "/x", ""])
def test_file_outside_the_folder_is_refused(jail: Jail, name: str) -> None:
    with pytest.raises(Exception, match="lies outside"):
        jail.load(ONE, files={name: b""})


def test_two_sessions_run_at_the_same_time(jail: Jail, run: Callable[..., object]) -> None:
    import asyncio
    import time

    first, second = (
        jail.load("import time\ndef f():\n    time.sleep(0.5)\n    return 1"),
        jail.load("import time\ndef f():\n    time.sleep(0.5)\n    return 2"),
    )
    questions = [first.question(1.0), second.question(1.0)]

    async def both() -> list[object]:
        return [answer.value for answer in await asyncio.gather(*(question.ask(call("f")) for question in questions))]

    start = time.monotonic()
    assert run(both()) == [1, 2]
    assert time.monotonic() - start < 0.95
