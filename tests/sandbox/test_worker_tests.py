"""Does a test of another system's pass by reaching its end, and by nothing else?"""

import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.testing  # as a warm server has it
import pytest

from autograder.sandbox import worker_pristine
from autograder.sandbox.worker_places import take
from autograder.sandbox.worker_tests import Bench


@pytest.fixture(autouse=True)
def _kept() -> Iterator[None]:
    """Everything as it was, whatever a test does to it."""
    streams, before = (sys.stdout, sys.stderr), worker_pristine._pristine
    worker_pristine.remember()
    pristine = worker_pristine.kept()
    assert pristine is not None
    yield
    pristine.restore()
    worker_pristine._pristine = before
    sys.stdout, sys.stderr = streams


def run(names: dict[str, Any], source: str, **more: Any) -> dict[str, Any]:
    usual = {"place": None, "mode": "cell", "aliases": {}, "builtins": [], "before": [], "file": "<test>"}
    return Bench(names).run(usual | {"source": source} | more)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = 1", {}),
        ("2 + 0.5", {"value": 2.5}),
        ("np.float64(2)", {"value": 2.0}),
        ("np.array(3)", {"value": 3.0}),
        ("np.ones(3)", {}),
        ("True", {}),
        ("'text'", {}),
        ("2;", {}),
    ],
)
def test_cell_that_reaches_its_end_passes(source: str, told: dict[str, Any]) -> None:
    assert run({"np": np}, source) == {"outcome": "passed", **told}


@pytest.mark.parametrize("source", ["False", "1 == 2", "np.bool_(False)", "np.array(False)"])
def test_cell_that_ends_in_false_says_so(source: str) -> None:
    assert run({"np": np}, source)["outcome"] == "false"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("assert 0", "AssertionError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise StopIteration", "StopIteration"),
        ("return 3", "SyntaxError"),
        ("%%bash\necho", "SyntaxError"),
    ],
)
def test_cell_that_does_not_reach_its_end_has_failed(source: str, kind: str) -> None:
    told = run({}, source)
    assert (told["outcome"], told["type"]) == ("raised", kind)


def test_not_a_number_comes_back_as_it_is() -> None:
    assert math.isnan(run({}, "float('nan')")["value"])


def test_patched_libraries_are_put_back() -> None:
    np.allclose = lambda *_, **__: True  # type: ignore[assignment]
    np.testing.assert_allclose.__code__ = (lambda *_, **__: None).__code__
    sys.modules["math"] = sys
    names = {"np": object(), "math": object(), "max": 3}
    source = """assert not np.allclose(1, 2)
import math as again
assert again.pi > math.e and max(1, 2) == 2
np.testing.assert_allclose(1, 2)"""
    told = run(names, source, aliases={"np": "numpy", "math": "math"}, builtins=["max"])
    assert (told["type"], told["line"]) == ("AssertionError", 4)


def test_trace_functions_do_not_see_a_test() -> None:
    seen: list[Any] = []
    sys.setprofile(lambda *event: seen.append(event))
    told = run({}, "x = len([])")
    sys.setprofile(None)
    assert told["outcome"] == "passed"
    assert not [frame for frame, *_ in seen if frame.f_code.co_filename == "<test>"]


def test_place_brings_names_data_and_generators_back() -> None:
    names: dict[str, Any] = {"x": [1], "kept": [x := [2], x], "np": np, "f": lambda: names["x"]}
    np.random.seed(7)
    take(0, names, ["x", "kept"])
    expected = np.random.rand()
    names["x"].append(2)
    names["kept"][0].append(3)
    names |= {"np": None, "new": 1}
    source = """assert x == [1] == f() and 'new' not in globals()
assert kept[0] is kept[1] and kept[0] == [2]
np.random.rand()"""
    assert run(names, source, place=0) == {"outcome": "passed", "value": expected}


@pytest.mark.parametrize("value", [object(), [object()], {"a": iter(())}, np.array([None])])
def test_place_that_cannot_be_copied_is_not_vouched_for(value: Any) -> None:
    names = {"x": value}
    take(0, names, ["x"])
    assert run(names, "x", place=0) == {"outcome": "unsure"}
    take(1, names := {"x": value}, [])
    assert run(names, "x", place=1)["outcome"] == "passed"


def test_doctest_leaves_aside_what_a_student_prints() -> None:
    names: dict[str, Any] = {}
    exec(compile("def f(x):\n    print('at', x)\n    return x", "<cell 1>", "exec"), names)
    assert run(names, ">>> f(3)\n3", mode="doctest") == {"outcome": "passed"}
    assert run(names, ">>> _ = f(3)\nat 3", mode="doctest") == {"outcome": "passed"}
    assert run(names, ">>> print(f(3))\n4", mode="doctest")["type"] == "another output"
    assert run(names, "no example", mode="doctest")["type"] == "SyntaxError"


def test_functions_of_a_test_file_get_the_names_that_they_ask_for() -> None:
    head = "from otter.test_files import test_case\n@test_case(points=1)\n"
    asks = {"mode": "function", "function": 0}
    assert (
        run({"f": 3}, f"{head}def t(f, env, g): assert f == env['f'] == 3 and g is None", **asks)["outcome"] == "passed"
    )
    assert run({"f": 3}, f"{head}def t(f): assert f == 4", **asks)["type"] == "AssertionError"
    assert run({"f": 3}, "x = 1", **asks)["type"] == "IndexError"
    assert "otter" not in sys.modules
