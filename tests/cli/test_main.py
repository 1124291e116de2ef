"""Does every command end as it should, with one sentence where the caller went wrong?"""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from autograder.cli import init
from autograder.cli.main import COMMANDS, main
from autograder.course.errors import CourseError
from autograder.course.load import Course

ROOT = Path(__file__).parent.parent.parent
HEAVY = (
    "torch",
    "pandas",
    "numpy",
    "pydantic",
    "tqdm",
    "scipy",
    "jaxtyping",
    "jupytext",
    "nbformat",
    "sqlalchemy",
    "alembic",
)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["grade", "--help"], ["compile", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from autograder.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: code = end.code\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print('CODE', code, 'LOADED', loaded)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "CODE 0 LOADED []"


def test_import_of_the_package_is_light() -> None:
    script = f"import sys, autograder; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "COMMAND"),
        (["grdae"], "invalid choice"),
        (["init"], "DIR"),
        (["compile"], "ASSIGNMENT"),
        (["release"], "ASSIGNMENT"),
        (["check"], "NOTEBOOK"),
        (["grade", "softmax"], "PATH"),
        (["grade", "softmax", "x.ipynb"], "--out"),
        (["grade", "softmax", "x.ipynb", "--out", "o", "--jobs", "0"], "at least 1"),
        (["grade", "softmax", "x.ipynb", "--out", "o", "--jobs", "many"], "at least 1"),
        (["compile", "softmax", "--fast"], "--fast"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_main_with_wrong_usage_says_one_sentence(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert word in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["compile", "fundations"], "did you mean 'foundations'"),
        (["release", "fundations"], "did you mean 'foundations'"),
        (["compile", "foundations", "--course", "tests"], "not a course"),
        (["grade", "fundations", "tests", "--out", "OUT"], "did you mean 'foundations'"),
        (["grade", "foundations", "tests", "--out", "README.md/out"], "README.md is no folder"),
        (["init", "tests"], "not empty"),
        (["init", "README.md"], "is a file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_main_with_a_mistake_of_the_caller_says_one_sentence_and_writes_nothing(
    arguments: list[str],
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    out = tmp_path / "out"
    assert main([str(out) if argument == "OUT" else argument for argument in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert word in said.err
    assert said.err.count("\n") == 1
    assert not out.exists()


def test_main_says_how_to_report_a_mistake_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: Namespace) -> int:
        raise RuntimeError("the moon is full")

    monkeypatch.setattr(init, "run", broken)
    assert main(["init", str(tmp_path / "new")]) == 3
    brief = capsys.readouterr().err
    assert brief.startswith("autograder init: internal error, RuntimeError: the moon is full. ")
    assert brief.count("\n") == 1
    assert "--debug" in brief
    assert main(["init", str(tmp_path / "new"), "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("cause", "code"), [(CourseError("no such thing"), 2), (OSError("disk full"), 3)])
def test_main_sees_through_a_group_of_one(
    cause: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def grouped(arguments: Namespace) -> int:
        raise ExceptionGroup("unhandled errors in a TaskGroup", [cause])

    monkeypatch.setattr(init, "run", grouped)
    assert main(["init", "new"]) == code
    assert str(cause) in capsys.readouterr().err


def test_main_stopped_by_the_keyboard_is_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(arguments: Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(init, "run", stopped)
    assert main(["init", str(tmp_path / "new")]) == 130


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__.rpartition(".")[2])
def test_every_command_has_json(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    name = command.__name__.rpartition(".")[2].rstrip("_")  # type: ignore[attr-defined]
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert "--json" in capsys.readouterr().out


def test_init_makes_a_course_and_tells_where_the_key_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "new")]) == 0
    said = capsys.readouterr()
    assert "Back up its key" in said.out
    assert said.err == ""
    assert (tmp_path / "new" / "course.key").is_file()


def test_init_with_json_prints_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "new"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["assignments"] == ["softmax"]
    assert len(document["fingerprint"]) == 16
    assert (tmp_path / "new" / "course.key").read_text(encoding="ascii").strip() not in json.dumps(document)


def test_compile_of_an_unknown_topic_names_it(new_course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    path = new_course.dir / "assignments" / "softmax" / "assignment.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('topic = "softmax"', 'topic = "x"'), encoding="utf-8")
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 2
    assert "declares the topic 'x'" in capsys.readouterr().err
    assert not (new_course.dir / ".autograder").exists()


def test_reader_that_goes_away_is_no_mistake_of_ours(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autograder.cli.main", "init", str(tmp_path / "course")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (130, "")
