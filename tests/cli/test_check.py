"""Does `check` tell students what is open, in a jail and without one, and with nothing hidden at hand?"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.cli.main import main
from autograder.course.load import Course, load_assignment
from autograder.notebook.release import release
from autograder.sandbox.limits import SandboxError
from autograder.sandbox.session import Server

pytestmark = pytest.mark.slow  # seconds each: jails, servers or thousands of draws

ROOT = Path(__file__).parent.parent.parent
RIGHT = """
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
NOT_YET = "not yet: equal scores are equal probabilities (your deck: the title of the slide). "


@pytest.fixture
def given_out(new_course: Course, tmp_path: Path) -> Path:
    """A student's folder with the released notebook and nothing else; the course is gone."""
    contents = release(new_course, load_assignment(new_course, "softmax")).contents
    path = tmp_path / "student" / "softmax.ipynb"
    path.parent.mkdir()
    path.write_bytes(contents)
    return path


@pytest.fixture(params=["namespaces", "process"])
def isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """In a jail, and on a machine that can make none."""

    async def refused(*_: object, **__: object) -> Server:
        raise SandboxError("this kernel refuses user namespaces")

    if request.param == "process":
        monkeypatch.setattr(Server, "start", refused)
    return str(request.param)


def write(path: Path, source: str, *cells: str, **limits: float) -> None:
    """Answer the question, and add cells below."""
    notebook = nbformat.read(path, as_version=4)
    answer = next(cell for cell in notebook.cells if cell.id == "softmax")
    answer.source = source
    notebook.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    notebook.metadata.autograder.update(limits)
    nbformat.write(notebook, path)


def checked(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Any]:
    code = main(["check", str(path), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_check_of_the_notebook_as_it_was_given_out(
    given_out: Path, isolation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = checked(given_out, capsys)
    assert code == 1
    assert document["assignment"] == "softmax"
    assert document["isolation"] == isolation
    assert document["notes"] == []
    (question,) = document["questions"]
    assert question["state"] == "open"
    assert question["lines"] == ["softmax: not defined, or not written yet"]


@pytest.mark.parametrize(
    ("source", "state", "line"),
    [
        (RIGHT, "passed", "passed: equal scores are equal probabilities (your deck: the title of the slide)"),
        ("def softmax(logits): return np.exp(logits)", "not_yet", f"{NOT_YET}expected"),
        ("def softmax(logits):\n    return 1 / 0", "not_yet", f"{NOT_YET}ZeroDivisionError: division by zero; look in"),
        ("def softmax(logits):\n    if logits.size: raise NotImplementedError('later')", "open", "still open: later"),
        ("def softmax(logits): exit()", "not_yet", "the public checks were ended by it"),
        ("import jaxtyping\ndef softmax(logits): return jaxtyping.x(1)", "not_yet", f"{NOT_YET}Forbidden: jaxtyping.x"),
    ],
    ids=["right", "wrong", "raises", "half written", "exits", "forbidden"],
)
def test_check_of_an_answer(
    given_out: Path, isolation: str, source: str, state: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(given_out, source)
    code, document = checked(given_out, capsys)
    (question,) = document["questions"]
    assert question["state"] == state
    assert question["lines"][0].startswith(line)
    assert code == (0 if state == "passed" else 1)
    kinds = {note["kind"] for note in document["notes"]}  # the cell that shows an answer fails with it
    assert ("absent" in kinds) == ("jaxtyping" in source)
    assert kinds == set() or state == "not_yet"


@pytest.mark.slow
def test_check_of_an_endless_loop_says_so_and_goes_on(
    given_out: Path, isolation: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("autograder.grading.preview.CHECK_CPU_S", 0.5)
    write(given_out, f"{RIGHT}\nwhile True:\n    pass", cell_cpu_s=1.0, load_cpu_s=8.0)
    code, document = checked(given_out, capsys)
    assert (code, document["questions"][0]["state"]) == (0, "passed")
    (note,) = document["notes"]
    assert "cell 3 was stopped" in note["text"]
    write(given_out, "def softmax(logits):\n    while True:\n        pass", cell_cpu_s=1.0, load_cpu_s=8.0)
    code, document = checked(given_out, capsys)
    assert code == 1
    assert "is there an endless loop?" in document["questions"][0]["lines"][0]


def test_check_names_the_cell_that_failed_with_its_error(given_out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(given_out, RIGHT, "x = 1\ny = x + undefined")
    assert main(["check", str(given_out)]) == 0
    said = capsys.readouterr().out
    assert "softmax  passed" in said
    assert "cell 6, line 2: NameError" in said
    assert "name 'undefined' is not defined" in said


def test_check_without_a_jail_says_why(
    given_out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refused(*_: object, **__: object) -> Server:
        raise SandboxError("no namespaces here")

    monkeypatch.setattr(Server, "start", refused)
    assert main(["check", str(given_out)]) == 1
    assert "No jail could be made (no namespaces here)" in capsys.readouterr().out


def test_check_needs_nothing_hidden_nothing_heavy_and_nothing_of_linux(given_out: Path) -> None:
    """As on Windows, where these modules do not exist, and with a course nowhere in sight."""
    write(given_out, RIGHT)
    script = (
        "import sys\n"
        "for name in ('resource', 'fcntl', 'pwd', 'grp'): sys.modules[name] = None\n"
        "from autograder.cli.main import main\n"
        "code = main(['check', 'softmax.ipynb', '--json'])\n"
        "heavy = ('pandas', 'pydantic', 'jaxtyping', 'jupytext', 'nbformat', 'torch', 'scipy', 'reference')\n"
        "print([code, [name for name in heavy if name in sys.modules]])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=given_out.parent,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    document, end = done.stdout.splitlines()
    assert json.loads(document)["isolation"] == "process"
    assert json.loads(document)["questions"][0]["state"] == "passed"
    assert end == "[0, []]"


def test_check_of_a_folder_with_a_helper(given_out: Path, isolation: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(given_out, "import my_utils\nsoftmax = my_utils.softmax")
    (given_out.parent / "my_utils.py").write_text(f"import numpy as np\n{RIGHT}", encoding="utf-8")
    code, document = checked(given_out.parent, capsys)
    assert (code, document["notes"]) == (0, [])


def test_check_of_a_written_answer(new_course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = new_course.dir / "assignments" / "softmax" / "assignment.toml"
    manual = '[[questions]]\nid = "why"\nmanual = true\npoints = 5\n\n[[questions]]'
    toml.write_text(toml.read_text(encoding="utf-8").replace("[[questions]]", manual, 1), encoding="utf-8")
    source = new_course.dir / "solutions" / "softmax" / "softmax.py"
    cell = '\n# %% [markdown] autograder={"question": "why"}\n# Because.\n'
    source.write_text(source.read_text(encoding="utf-8") + cell, encoding="utf-8")
    path = tmp_path / "mine.ipynb"
    path.write_bytes(release(new_course, load_assignment(new_course, "softmax")).contents)
    assert {each["id"]: each["state"] for each in checked(path, capsys)[1]["questions"]}["why"] == "open"
    notebook = nbformat.read(path, as_version=4)
    next(cell for cell in notebook.cells if cell.id == "why").source = "It is a matter of scale."
    nbformat.write(notebook, path)
    assert {each["id"]: each["state"] for each in checked(path, capsys)[1]["questions"]}["why"] == "by_hand"


@pytest.mark.parametrize("how", ["id", "file"])
def test_check_of_a_script_takes_the_assignment_from_an_option(
    new_course: Course, tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["release", "softmax", "--course", str(new_course.dir)]) == 0
    script = tmp_path / "mine.py"
    script.write_text(f"import numpy as np\n{RIGHT}", encoding="utf-8")
    capsys.readouterr()
    assert main(["check", str(script)]) == 2
    assert "name its assignment by --assignment" in capsys.readouterr().err
    released = new_course.dir / "assignments" / "softmax" / "softmax.ipynb"
    named = ["softmax", "--course", str(new_course.dir)] if how == "id" else [str(released)]
    assert checked(script, capsys, "--assignment", *named)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.ipynb"], "nowhere.ipynb does not exist"),
        (["README.md"], "it does not say which assignment it is"),
        (["examples/class/README.md", "--assignment", "nothing"], "there is no released notebook"),
        (["examples/class/sara-conti.ipynb", "--assignment", "foundations"], "The file is cut off"),
    ],
)
def test_check_with_a_mistake_of_the_caller_says_one_sentence(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["check", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1
