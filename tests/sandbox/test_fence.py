"""Is what a question forbids found where it is used, and nowhere else?"""

import math
import sys

import numpy as np
import pytest

from autograder.sandbox.worker_answer import Forbidden
from autograder.sandbox.worker_fence import FENCE, Fence, is_found
from autograder.values.asking import Answer, Program
from tests.sandbox.conftest import Jail, call

EXP = "numpy.exp"


def fenced(jail: Jail, *sources: str, forbidden: str = EXP) -> tuple[Answer, Answer]:
    """What the fence says, and then what `f(1.0)` comes to in the same process."""
    loading = jail.load("import numpy as np\nimport numpy\n", *sources)
    question = loading.question(1.0)
    program = Program()
    program.call(program.get(FENCE), [forbidden], ["f"])
    try:
        return jail.run(question.ask(program.ask("fence", None))), jail.run(question.ask(call("f", 1.0)))
    finally:
        jail.run(question.close())


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def f(x):\n    return np.exp(x)", 2),
        ("def f(x):\n    return numpy.exp(x)", 2),
        ("from numpy import exp as e\ndef f(x):\n    y = x\n    return e(y)", 4),
        ("def f(x):\n    from numpy import exp as e\n    return e(x)", 3),
        ("def f(x):\n    import numpy as other\n    return other.exp(x)", 3),
        ("def f(x):\n    return getattr(np, 'exp')(x)", 2),
        ("def g(x):\n    return np.exp(x)\ndef f(x):\n    return g(x)", 2),
        ("class A:\n    def run(self, x):\n        return np.exp(x)\ndef f(x):\n    return A().run(x)", 3),
        ("def f(x):\n    if x > 1e9:\n        return np.exp(x)\n    return x", 3),
        ("import functools\ndef d(g):\n    @functools.wraps(g)\n    def h(x):\n        return g(x)\n    return h\n"
         "@d\ndef f(x):\n    return np.exp(x)", 9),
        ("f = lambda x: np.exp(x)", 1),
        # Objects that cannot be looked at hide nothing beside them.
        ("class Odd:\n    __class__ = property(lambda self: 1 / 0)\na, b, c, y, z = (Odd() for _ in range(5))\n"
         "def m(x):\n    return np.exp(x)\ndef f(x):\n    return m(x) if (a, b, c, y, z) else x", 5),
    ],
)  # fmt: skip
def test_text_that_uses_it_is_told_with_its_line(jail: Jail, source: str, line: int) -> None:
    said, _ = fenced(jail, source)
    assert (said.status, said.detail["name"]) == ("forbidden", EXP), said
    assert (said.detail["where"], said.detail["line"]) == ("<cell 2>", line)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return getattr(np, 'e' + 'xp')(x)",
        "e = [np.exp]\nkeep = {}\ndef f(x):\n    return vars(np)['exp'](x)",
        "def f(x):\n    import sys\n    return sys.modules['numpy'].__dict__['exp'](x)",
    ],
)
def test_use_that_the_text_hides_is_met_at_run_time(jail: Jail, source: str) -> None:
    said, answer = fenced(jail, source)
    assert said.returned, said
    assert (answer.status, answer.detail["name"]) == ("forbidden", EXP), answer


@pytest.mark.parametrize(
    "source",
    [
        "import math\ndef f(x):\n    return math.exp(x)",
        "def f(x):\n    return np.exp2(x) * 0 + np.e",
        "def unused(x):\n    return np.exp(x)\ndef f(x):\n    return np.e",
        "reference = np.exp(np.ones(3))\ndef f(x):\n    return np.e",
        "def f(x):\n    return np.exp(x)\ndef f(x):\n    return np.e",
        "class Own:\n    def exp(self, x):\n        return math.e\nimport math\ndef f(x):\n    return Own().exp(x)",
        "def f(x):\n    'np.exp is not used here'\n    return np.e  # np.exp",
        "import math\ndef f(x):\n    np = math\n    return np.exp(x)",
        "def f(x):\n    exp = lambda y: np.e\n    return exp(x)",
    ],
)
def test_work_that_does_without_is_let_pass(jail: Jail, source: str) -> None:
    said, answer = fenced(jail, source)
    assert said.returned, said
    assert answer.returned, answer
    assert float(answer.value) == pytest.approx(math.e)


def test_fence_of_one_question_is_not_there_in_the_next(jail: Jail) -> None:
    loading = jail.load("import numpy as np\ndef f(x):\n    return np.exp(x)")
    question = loading.question(1.0)
    program = Program()
    program.call(program.get(FENCE), [EXP], ["f"])
    assert jail.run(question.ask(program.ask("fence", None))).status == "forbidden"
    jail.run(question.close())
    assert loading.result("f", 0.0) == 1.0


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("torch.nn.functional.conv2d", "import torch.nn.functional as F\ndef f(x):\n    return F.conv2d(x, x)"),
        ("torch.nn.functional.conv2d", "import torch\ndef f(x):\n    return torch.conv2d(x, x)"),
        ("torch.nn.functional.conv2d", "from torch import nn, ones\nf = lambda x: nn.Conv2d(1, 1, 1)(ones(1, 4, 4))"),
        ("torch.autograd.grad", "from torch import autograd\ndef f(x):\n    return autograd.grad(x, x)"),
        ("torch.Tensor.backward", "import torch\ndef f(x):\n    torch.ones((), requires_grad=True).backward()"),
    ],
    ids=["alias", "other name", "inside a layer", "autograd", "method"],
)  # fmt: skip
@pytest.mark.slow
def test_torch_is_fenced_by_what_a_thing_is(torch_jail: Jail, path: str, source: str) -> None:
    said, answer = fenced(torch_jail, source, forbidden=path)
    refused = answer if said.returned else said
    assert (refused.status, refused.detail["name"]) == ("forbidden", path), (said, answer)


@pytest.mark.slow
def test_torch_is_left_whole_beside_the_fence(torch_jail: Jail) -> None:
    source = "import torch\ndef f(x):\n    return torch.nn.functional.relu(torch.tensor([-1.0, 2.0])).sum()"
    said, answer = fenced(torch_jail, source, forbidden="torch.nn.functional.conv2d")
    assert said.returned
    assert float(answer.value) == 2.0


def test_called_again_it_gives_back_what_it_took() -> None:
    names = {"e": np.exp, "f": lambda x: x}
    before = np.exp, np.log
    fence = Fence(names, [])
    try:
        fence([EXP, "numpy.log"], ["f"])
        with pytest.raises(Forbidden):
            np.exp(1.0)
        with pytest.raises(Forbidden):
            names["e"](1.0)
    finally:
        fence([], [])
    assert (np.exp, np.log) == before
    assert names["e"] is before[0]


def test_what_is_nowhere_is_not_found() -> None:
    assert is_found("numpy.linalg.solve")
    assert not is_found("numpy.linalg.slove")
    assert not is_found("no_such_library.thing")
    assert "no_such_library" not in sys.modules
