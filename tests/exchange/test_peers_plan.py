"""Is what one test needs of the rest of a notebook found out from its text, and no more than that?"""

import ast

import pytest

from autograder.exchange.peers.model import Code, Group, Step, Test
from autograder.exchange.peers.plan import MARK, Instructor, plan


def group(name: str, source: str, visible: str | None = None) -> Group:
    return Group((Test(name, source, source if visible is None else visible, 1.0),))


def notebook(*parts: str | Group) -> list[Step]:
    return [part if isinstance(part, Group) else Code(number, part) for number, part in enumerate(parts, 1)]


def touched(*parts: str | Group) -> list[list[str]]:
    """For each mark in order, the names that it copies."""
    marks = [cell.source for cell in plan(notebook(*parts)).cells if MARK <= cell.number < 2 * MARK]
    trees = [ast.parse(mark, mode="eval").body for mark in marks]
    return [ast.literal_eval(tree.args[2]) for tree in trees if isinstance(tree, ast.Call)]


F = "def f(x):\n    return x"
T = group("t", "assert f(x) == 1")


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        pytest.param(("x = [1]", F, T), [[]], id="nothing comes after"),
        pytest.param(("x = [1]", F, T, "x = 2"), [[]], id="bound anew: the place remembers"),
        pytest.param(("x = [1]", F, T, "x.append(2)"), [["x"]], id="changed in place"),
        pytest.param(("x = [1]", F, T, "x += [2]"), [["x"]], id="added to"),
        pytest.param(("x = [1]", F, T, "f(3)"), [[]], id="a function called is not changed"),
        pytest.param(("x = [1]", F, T, "f(x)"), [["x"]], id="given to a function"),
        pytest.param(("x = [1]", F, T, "def g():\n    x.append(1)"), [[]], id="only defined"),
        pytest.param(("x = [1]", F, T, "def g():\n    x.append(1)\ng()"), [["x"]], id="by a function that is called"),
        pytest.param(
            ("x = [1]", "def f(y):\n    return x", group("t", "f(1)"), "x.append(1)"), [["x"]], id="used inside"
        ),
        pytest.param(("x = [1]", F, T, "this is no Python: x"), [["x"]], id="a cell that cannot be read"),
        pytest.param(("x = [1]", F, T, T, "x.clear()", T), [["x"], []], id="tests side by side share a place"),
        pytest.param(("!pip list\nx = [1]", F, T, "x.clear()"), [["x"]], id="made in a cell with a command"),
        pytest.param(
            ("y = !ls\nx = [1]", F, T, "x.clear()"), [["x"]], id="made in a cell that keeps what a command says"
        ),
        pytest.param(("if True:\n    !ls\nx = [1]", F, T, "x.clear()"), [["x"]], id="made below a command further in"),
        pytest.param(("x = [1]\nlen?", F, T, "x.clear()"), [["x"]], id="made above a question"),
        pytest.param(("%time x = [1]", F, T, "x.clear()"), [["x"]], id="made while it is timed"),
        pytest.param(("%%capture x\n1", F, T, "x.clear()"), [["x"]], id="what was printed, captured"),
        pytest.param(("x = [1]\n,len x", F, T, "x.clear()"), [["x"]], id="made in a cell that cannot be read"),
    ],
)
def test_plan_copies_what_later_cells_may_change(parts: tuple[str | Group, ...], names: list[list[str]]) -> None:
    assert touched(*parts) == names


def test_plan_runs_earlier_tests_first_where_their_names_are_used() -> None:
    first, second = group("1", "from math import isclose"), group("2", "tol = isclose(1, 1)")
    third, fourth = group("3", "assert tol"), group("4", "assert f")
    asked = plan(notebook(first, second, third, fourth)).asked
    assert [each.before for each in asked] == [
        (),
        ("from math import isclose",),
        ("from math import isclose", "tol = isclose(1, 1)"),
        (),
    ]


def test_plan_lets_a_cell_bind_anew_what_a_test_bound() -> None:
    asked = plan(notebook(group("1", "x = 1"), "x = 2", group("2", "assert x == 2"))).asked
    assert asked[1].before == ()


def test_plan_gives_cells_the_visible_part_of_a_test_alone() -> None:
    test = group("1", "import math\nsecret = 3", "import math")
    cells = [cell.source for cell in plan(notebook(test, "y = math.pi", "z = 1")).cells]
    assert "import math" in cells
    assert not any("secret" in source for source in cells)
    assert plan(notebook(test, group("2", "secret"))).asked[1].tainted


def test_instructor_knows_aliases_and_builtins() -> None:
    sources = [
        "import numpy as np, torch.nn.functional as F\nfrom math import isclose",
        "def sum(x): ...\nstats = np.ones(3)",
    ]
    instructor = Instructor.of([*sources, "import stats"])
    assert instructor.of_test("F.relu; np.ones; isclose; sum; max; stats; not_there") == (
        {"np": "numpy", "F": "torch.nn.functional", "isclose": "math.isclose"},
        ["max"],
    )
