"""Does a notebook load and answer without a jail as it does in one?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from autograder.sandbox.alone import Alone
from autograder.sandbox.limits import Limits, Loaded
from autograder.values.asking import Answer, Ask, Program


@dataclass
class Cell:
    number: int
    source: str


def calling(name: str, *arguments: object) -> Ask:
    program = Program()
    return program.ask(name, program.call(program.get(name), *arguments))


@pytest.fixture
def alone() -> Iterator[Alone]:
    alone = Alone(Limits(cell_cpu_s=2.0, load_cpu_s=6.0), frozenset({"numpy"}))
    yield alone
    alone.close()


@pytest.fixture
def load(alone: Alone) -> Callable[..., Loaded]:
    def loaded(*sources: str, wanted: str = "f", **files: bytes) -> Loaded:
        cells = [Cell(number, source) for number, source in enumerate(sources, 1)]
        return alone.load(
            cells, {name.replace("_", "."): content for name, content in files.items()}, frozenset({wanted})
        )

    return loaded


def ask(alone: Alone, *arguments: object, name: str = "f") -> Answer:
    return alone.ask(calling(name, *arguments), cpu_s=1.0)


def test_alone_loads_and_answers_with_the_files_beside(alone: Alone, load: Callable[..., Loaded]) -> None:
    loaded = load(
        "import helper\ndef f(x):\n    print('said')\n    return helper.g(x)", helper_py=b"def g(x): return x + 1"
    )
    assert loaded == Loaded()
    assert ask(alone, 2).value == 3
    assert ask(alone, 3).value == 4


def test_alone_reports_what_is_missing(alone: Alone, load: Callable[..., Loaded]) -> None:
    loaded = load("def f(x):\n    raise NotImplementedError", "y = 1 / 0")
    assert loaded.missing == {"f"}
    assert [note.text for note in loaded.notes] == [
        "cell 2, line 1: ZeroDivisionError; what ran before it and its definitions were kept"
    ]
    assert ask(alone, 1).status == "missing"


def test_alone_goes_on_after_a_cell_that_ends_the_process(alone: Alone, load: Callable[..., Loaded]) -> None:
    loaded = load("import os\ndef f(): return 1\nos._exit(3)", "def f(): return 2")
    (note,) = loaded.notes
    assert note.text == "cell 1 ended the process (exited with status 3); only its definitions were kept"
    assert ask(alone).value == 2


def test_alone_loads_again_after_an_answer_that_ends_the_process(alone: Alone, load: Callable[..., Loaded]) -> None:
    load("import os\ndef f(): os._exit(3)\ndef g(): return 5")
    assert ask(alone).status == "crashed"
    assert ask(alone, name="g").value == 5


def test_alone_stops_an_answer_that_does_not_end(
    alone: Alone, load: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.sandbox.alone.PATIENCE", 0.2)
    load("def f():\n    while True: pass", "def g(): return 5")
    assert ask(alone).status == "timed_out"
    monkeypatch.setattr("autograder.sandbox.alone.PATIENCE", 10.0)  # the machine may be busy
    assert ask(alone, name="g").value == 5


def test_alone_has_no_module_that_the_environment_has_not(alone: Alone, load: Callable[..., Loaded]) -> None:
    """torch looks for hypothesis by find_spec, which must find nothing rather than raise."""
    source = "import importlib.util\nimport hypothesis\ndef f(): return importlib.util.find_spec('hypothesis') is None"
    (note,) = load(source, "def g(): return hypothesis.given").notes
    assert note.kind == "absent"
    assert ask(alone).value is True
    assert ask(alone, name="g").returned  # naming it is no crime


def test_alone_reads_nothing_from_a_forged_output(alone: Alone, load: Callable[..., Loaded]) -> None:
    load("import os\ndef f():\n    os.write(1, b'noise')\n    return 7")
    assert ask(alone).value == 7
