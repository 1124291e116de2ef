"""What does a public check print, in a notebook where something is missing, wrong or right?"""

import linecache

import pytest

from autograder.notebook.helper import helper_cell

CHECK = """
def public_check():
    close(f(1.0), 2.0)


check(public_check, "twice one is two")
"""


def run(answer: str, check: str = CHECK) -> dict[str, object]:
    """Run the helper cell, a student's cell and a check in one namespace, as Jupyter does."""
    names: dict[str, object] = {}
    for number, source in enumerate((helper_cell(), answer, check)):
        file = f"<cell {number}>"
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        exec(compile(source, file, "exec"), names)
    return names


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("def f(x): return 2 * x", "passed: twice one is two"),
        ("def f(x): raise NotImplementedError('f is still to be written')", "still open: f is still to be written"),
        ("def f(x):\n    raise NotImplementedError", "still open: f is not written yet"),
        ("", "still open: name 'f' is not defined"),
        (
            "def f(x): return 3 * x",
            "not yet: twice one is two. expected 2.0, got 3.0; look at: close(f(1.0), 2.0)",
        ),
        (
            "def f(x): return [x]",
            "not yet: twice one is two. expected the shape (), got (1,); look at: close(f(1.0), 2.0)",
        ),
        (
            "def f(x): pass",
            "not yet: twice one is two. got None: does your function return its result?; look at: close(f(1.0), 2.0)",
        ),
        (
            "def f(x):\n    y = 1\n    return y + undefined",
            "not yet: twice one is two. NameError: name 'undefined' is not defined; look in f, line 3, at: "
            "return y + undefined",
        ),
        (
            "def f(x):\n    assert x > 1, 'too\\nsmall'\n    return x",
            "not yet: twice one is two. too; look in f, line 2, at: assert x > 1, 'too\\nsmall'",
        ),
        (
            "def f(): return 2.0",
            "not yet: twice one is two. TypeError: f() takes 0 positional arguments but 1 was given; "
            "look at: close(f(1.0), 2.0)",
        ),
    ],
    ids=["right", "stub", "stub without words", "not defined", "value", "shape", "none", "name", "assert", "call"],
)
def test_check_prints_one_line(answer: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(answer)
    assert capsys.readouterr().out == f"{line}\n"


def test_plain_assert_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    run("", "def public_check():\n    assert 1 > 2\n\n\ncheck(public_check, 'order')")
    assert capsys.readouterr().out == "not yet: order. This does not hold; look at: assert 1 > 2\n"


def test_check_lets_an_interrupt_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        run("def f(x): raise KeyboardInterrupt")


def test_once_written_says_what_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    run("def f(x): raise NotImplementedError('f is still to be written')", "with once_written():\n    y = f(1)")
    run("", "with once_written():\n    print(y)")
    assert capsys.readouterr().out == "still open: f is still to be written\nstill open: name 'y' is not defined\n"


@pytest.mark.parametrize(
    ("answer", "error"), [("def f(x): return y", NameError), ("def f(x): return x / 0", ZeroDivisionError)]
)
def test_once_written_hides_no_mistake_of_an_answer(answer: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(answer, "with once_written():\n    f(1)")
