"""What is left of an instructor's cell, and does it say what is still open?"""

import ast

import pytest

from autograder.notebook.stub import SourceError, guarded, shapes_of, stubbed
from autograder.sandbox.worker_cells import is_stub
from autograder.topic import Array, Float, Int


def forward(x: Float[Array, "N D"], labels: Int[Array, "N"], rate: Float[Array, ""], mask: Float[Array, "*shape"], f):
    """A reference."""


def region(*lines: str, indent: str = "    ") -> str:
    return "\n".join(f"{indent}{line}" for line in ("### BEGIN SOLUTION", *lines, "### END SOLUTION"))


def test_stubbed_functions_are_stubs_to_the_loader_and_keep_their_docstrings() -> None:
    source = f'def f(x):\n    """Twice x."""\n{region("y = x", "return 2 * y")}\n\n\ndef g():\n{region("return 1")}'
    text = stubbed(source, {})
    assert "return" not in text
    assert 'raise NotImplementedError("f is still to be written")' in text
    assert all(is_stub(node) for node in ast.parse(text).body)
    assert ast.get_docstring(ast.parse(text).body[0]) == "Twice x."  # type: ignore[arg-type]


def test_stubbed_class_is_a_stub_and_names_its_methods() -> None:
    methods = "\n\n".join(f"    def {name}(self):\n{region('return 1', indent=' ' * 8)}" for name in ("__init__", "go"))
    text = stubbed(f'class Value:\n    """A number."""\n\n{methods}', {})
    assert '"Value.__init__ is still to be written"' in text
    assert '"Value.go is still to be written"' in text
    assert is_stub(ast.parse(text).body[0])


def test_stubbed_region_outside_functions_asks_for_code() -> None:
    assert stubbed(f"import math\n{region('x = 1', indent='')}\ny = 2", {}) == "import math\n# Your code here\ny = 2"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f():\n    ### BEGIN SOLUTION\n    return 1", "line 2 has no partner"),
        ("def f():\n    return 1\n    ### END SOLUTION", "line 3 has no partner"),
        (f"def f():\n    ### BEGIN SOLUTION\n{region('return 1')}", "line 3 has no partner"),
        ("def f(:\n    pass", "line 1"),
        (f"class A:\n{region('x = 1')}", "line"),  # nothing but a comment would be left
    ],
)
def test_stubbed_refuses_what_cannot_be_released(source: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        stubbed(source, {})


def test_shapes_are_told_in_words() -> None:
    assert shapes_of(forward) == {"x": "(N, D)", "labels": "(N,)", "rate": "a number", "mask": "any shape"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('"""A layer."""', "A layer.\n\nx: (N, D)\nlabels: (N,)\nrate: a number\nmask: any shape"),
        ('"""x, labels: as ever. rate: lr."""', "x, labels: as ever. rate: lr.\n\nmask: any shape"),
        (
            'r"""\\eta.\n\n    x: a. labels: b. rate: c.\n    """',
            "\\eta.\n\nx: a. labels: b. rate: c.\n\nmask: any shape",
        ),
        ("", "x: (N, D)\nlabels: (N,)\nrate: a number\nmask: any shape"),
        ('"""x: a. labels: b. rate: c. mask: d."""', "x: a. labels: b. rate: c. mask: d."),
    ],
    ids=["none told", "some told", "raw", "no docstring", "all told"],
)
def test_docstring_tells_the_shapes_that_it_did_not(said: str, expected: str) -> None:
    head = f"    {said}\n" if said else ""
    text = stubbed(f"def forward(x, labels, rate, mask, f):\n{head}{region('return x')}", {"forward": forward})
    node = ast.parse(text).body[0]
    assert ast.get_docstring(node) == expected  # type: ignore[arg-type]
    assert is_stub(node)


def test_parameters_that_differ_from_the_reference_are_refused() -> None:
    with pytest.raises(SourceError, match=r"forward takes \(x, y\) here and \(x, labels, rate, mask, f\)"):
        stubbed(f"def forward(x, y):\n{region('return x')}", {"forward": forward})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\nprint(x)", "x = 1\nprint(x)"),
        ("x = 1\n# Look:\nprint(f(x))", "x = 1\nwith once_written():\n    # Look:\n    print(f(x))"),
        ("def g():\n    return f(1)", "def g():\n    return f(1)"),
        ('t = f("""a\nb""")\n\nt', 'with once_written():\n    t = f("""a\nb""")\n\n    t'),
        ("%matplotlib inline", "%matplotlib inline"),
    ],
    ids=["no answer needed", "from there on", "a definition", "string of two lines", "magic"],
)
def test_guarded_moves_only_what_needs_an_answer(source: str, expected: str) -> None:
    assert guarded(source, {"f"}) == expected


def test_guarded_follows_what_an_open_cell_would_have_bound() -> None:
    names = {"f"}
    guarded("start = 1\ntrained = f(start)", names)
    guarded("def loss():\n    return trained", names)
    assert names == {"f", "trained", "loss"}
    assert guarded("print(loss())", names).startswith("with once_written():")
    assert guarded("print(start)", names) == "print(start)"


def test_guarded_refuses_magics_around_an_answer() -> None:
    with pytest.raises(SourceError, match="cell of their own"):
        guarded("%timeit f(1)", {"f"})
