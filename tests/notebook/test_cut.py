"""Is what a question needs cut out of a notebook whole, and nothing else?"""

import pytest

from autograder.course.errors import CourseError
from autograder.notebook.cut import cut
from autograder.notebook.submission import Cell, Submission


def cut_of(*sources: str, wanted: tuple[str, ...] = ("f",), files: dict[str, bytes] | None = None) -> str:
    cells = tuple(Cell(number, source) for number, source in enumerate(sources, start=1))
    return cut(Submission("Ada", "ada.ipynb", "", cells, files or {}), wanted)


def test_cut_takes_helpers_imports_and_constants_and_leaves_the_rest() -> None:
    source = cut_of(
        "import os, numpy as np\nfrom math import pi, tau\nimport torch",
        "SCALE = 2\nUNUSED = 3\ndata = open('data.csv').read()",
        "def helper(x):\n    return np.exp(x) * SCALE\ndef other(x):\n    return tau",
        "def f(x):\n    return helper(x) + pi",
        "print(f(np.zeros(3)))",
    )
    assert source == (
        "import numpy as np\n\nfrom math import pi\n\nSCALE = 2\n\n"
        "def helper(x):\n    return np.exp(x) * SCALE\n\ndef f(x):\n    return helper(x) + pi\n"
    )


def test_cut_says_nothing_of_its_author() -> None:
    source = cut_of(
        '# Ada Lovelace\nclass C:\n    """By Ada."""\n    def m(self):\n        "Ada"\n        return 1  # Ada',
        "def f(x):\n    'Ada did this'\n    return C().m()",
    )
    assert "Ada" not in source
    assert "class C" in source


@pytest.mark.parametrize(
    ("cells", "kept", "left"),
    [
        (["def f(x):\n    return 1", "def f(x):\n    return 2"], "return 2", "return 1"),
        (["def f(x):\n    return 1", "def f(x):\n    raise NotImplementedError"], "return 1", "NotImplemented"),
        (["def f(x):\n    return 1", "f = jit(f)", "def jit(g):\n    return g"], "f = jit(f)", "nothing"),
        (["def f(x):\n    return 1", "scores = 3\nf = f(scores)"], "return 1", "scores"),
        (["class f:\n    pass\n    a = 1", "f.b = 2\nother.c = 3"], "f.b = 2", "other"),
        (["y = 5\ndef f(x):\n    y = x\n    return y"], "y = x", "y = 5"),
        (["y = 5\ndef f(x):\n    return [y for _ in x]"], "y = 5", "nothing"),
        (["y = 5\nf = lambda x: y * x"], "y = 5", "nothing"),
        (["n = 0\nn += 1\ndef f(x):\n    return n"], "n += 1", "nothing"),
        (["try:\n    import a\nexcept ImportError:\n    a = None\ndef f(x):\n    return a"], "try:", "nothing"),
        (["from numpy import *\ndef f(x):\n    return exp(len(x))"], "from numpy import *", "nothing"),
        (["from numpy import *\ndef f(x):\n    return len(x)"], "return len(x)", "import *"),
        (["%matplotlib inline\n!ls\ndef f(x):\n    return 1"], "return 1", "matplotlib"),
        (["def f(x):\n    return 1", "def broken(:"], "return 1", "broken"),
        (["%%time\ndef f(x):\n    return 1", "%%bash\nrm -r ."], "return 1", "rm"),
        (["import a, b\nfrom __future__ import annotations\ndef f(x: T):\n    return 1"], "__future__", "import a,"),
        (["y = 5\nfrom __future__ import annotations\ndef f(x):\n    return y"], "annotations\n\ny = 5", "nothing"),
        (["def f(x):\n    return 1\nf(await g())"], "return 1", "await"),
        (["y = await g()\ndef g():\n    pass\ndef f(x):\n    return y"], "def g", "nothing"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else value,
)  # fmt: skip
def test_cut_keeps_what_counts(cells: list[str], kept: str, left: str) -> None:
    source = cut_of(*cells)
    assert kept in source
    assert left not in source


def test_cut_of_two_names_keeps_their_order() -> None:
    source = cut_of("def backward(d, cache):\n    return d", "def forward(x):\n    return x, x",
                    wanted=("forward", "backward"))  # fmt: skip
    assert source.index("backward") < source.index("forward")


def test_cut_refuses_a_file_of_the_submission_by_name() -> None:
    with pytest.raises(CourseError, match="imports 'helpers', a file of the submission"):
        cut_of("from helpers import g\ndef f(x):\n    return g(x)", files={"helpers.py": b"g = abs"})
    assert "helpers" not in cut_of("import helpers\ndef f(x):\n    return x", files={"helpers/a.py": b""})


def test_cut_of_what_nests_too_deeply_is_a_sentence() -> None:
    with pytest.raises(CourseError, match="nests too deeply"):
        cut_of(f"def f(x):\n    return x{' + x' * 5000}")


def test_cut_of_nothing_is_nothing() -> None:
    assert cut_of("x = 1").strip() == ""
