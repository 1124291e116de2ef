"""Does a mistake that two students share get a name for both, once it is adopted from one, and never without a jail?"""

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from autograder.cli.main import main
from autograder.course.load import Course
from autograder.sandbox import confine

pytestmark = pytest.mark.slow  # jails and servers

STRANGER = Path(__file__).parents[1] / "course" / "stranger"
ALICE = '''
# %% by alice
%matplotlib inline
import numpy as np, os
SCALE = 2.0
# %%
def softmax(logits):
    raise NotImplementedError
# %%
def shift(z):
    """alice's helper"""
    return z - z.max(axis=1, keepdims=True)  # alice
scores = np.ones((2, 3))
# %%
def softmax(logits):
    """alice's softmax"""
    scores = SCALE * shift(logits)
    e = np.exp(scores)
    return e / e.sum(axis=1, keepdims=True)
# %%
softmax = softmax(scores)
'''
BOB = """
import numpy

def softmax(x):
    x = numpy.exp(2 * x - numpy.max(2 * x, 1)[:, None])
    return x / numpy.sum(x, 1)[:, None]
"""
RIGHT = BOB.replace("2 * ", "")
NAME, HINT = "scores doubled", "Which factor stands before the scores?"
ADOPT = ["--name", NAME, "--hint", HINT]


def a_class(folder: Path, **students: str) -> Path:
    folder.mkdir(exist_ok=True)
    for student, source in students.items():
        (folder / f"{student}.py").write_text(source, encoding="utf-8")
    return folder


def named(out: Path) -> dict[str, set[tuple[str, str]]]:
    """Names and hints that each student was given."""
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["student"]: set(_diagnoses(record)) for record in map(json.loads, lines)}


def _diagnoses(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    checks = [check for question in record["questions"] for check in question["checks"]]
    return [(check["diagnosis"]["name"], check["diagnosis"]["hint"]) for check in checks if check["diagnosis"]]


def test_mistake_of_two_is_adopted_from_one_and_named_for_both(
    new_course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = ["--course", str(new_course.dir)]
    handed_in = a_class(tmp_path / "class", alice=ALICE, bob=BOB, carol=RIGHT)
    assert main(["compile", "softmax", *course]) == 0
    assert main(["grade", "softmax", str(handed_in), *course, "--out", str(tmp_path / "before")]) == 0
    assert named(tmp_path / "before") == {"alice": set(), "bob": set(), "carol": set()}
    report = ["report", "softmax", "--results", str(tmp_path / "before"), *course, "--out", str(tmp_path / "report")]
    assert main(report) == 0
    with (tmp_path / "report" / "unexplained.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["group"], row["student"]) for row in csv.DictReader(file)] == [("1", "alice"), ("1", "bob")]

    capsys.readouterr()
    command = ["adopt", "softmax", "alice", "softmax", *course, "--submission", str(handed_in), *ADOPT, "--json"]
    assert main(command) == 0
    document = json.loads(capsys.readouterr().out)
    path = new_course.dir / "adopted" / "softmax" / "scores-doubled.py"
    assert document["path"] == str(path)
    assert document["failed"] == ["probabilities", "probabilities: huge logits"]
    text = path.read_text(encoding="utf-8")
    assert "alice" not in text.lower()
    assert text.startswith(f'# /// adopted\n# name = "{NAME}"\n# hint = "{HINT}"\n# ///\nimport numpy as np\n\nSCALE')

    grade = ["grade", "softmax", str(handed_in), *course, "--out", str(tmp_path / "after")]
    assert main(grade) == 2  # a suite that knows nothing of it is another's
    assert "run `autograder compile softmax`" in capsys.readouterr().err
    assert main(["compile", "softmax", *course, "--json"]) == 0
    (proof,) = json.loads(capsys.readouterr().out)["proof"]
    assert proof["adopted"] == [NAME]
    kill = next(kill for kill in proof["kills"] if kill["misconception"] == NAME)
    assert kill["checks"] == document["failed"]
    assert NAME in (new_course.dir / ".autograder" / "suites" / "softmax" / "proof.html").read_text(encoding="utf-8")
    assert main(grade) == 0
    assert named(tmp_path / "after") == {"alice": {(NAME, HINT)}, "bob": {(NAME, HINT)}, "carol": set()}

    capsys.readouterr()
    again = ["adopt", "softmax", "bob", "softmax", *course, "--submission", str(handed_in)]
    assert main([*again, "--name", "another name", "--hint", HINT]) == 2
    assert f"shows the same as {NAME!r}, which is known" in capsys.readouterr().err
    again[2] = "carol"
    assert main([*again, "--name", "no mistake", "--hint", HINT]) == 2
    assert "passes every check" in capsys.readouterr().err
    assert list(path.parent.iterdir()) == [path]


def test_gradebook_gives_the_submission_and_regrade_the_name(
    new_course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (new_course.dir / "course.toml").open("a", encoding="utf-8") as file:
        file.write('[gradebook]\nurl = "sqlite:///gradebook.db"\n')
    course = ["--course", str(new_course.dir)]
    handed_in = a_class(tmp_path / "class", alice=ALICE, bob=BOB)
    assert main(["compile", "softmax", *course]) == 0
    assert main(["grade", "softmax", str(handed_in), *course, "--out", str(tmp_path / "out")]) == 0
    shutil.rmtree(handed_in)
    assert main(["adopt", "softmax", "bob", "softmax", *course, *ADOPT]) == 0
    assert main(["compile", "softmax", *course]) == 0
    capsys.readouterr()
    assert main(["regrade", "softmax", *course, "--json", "--accept", "all", "--reason", "named"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["changes"], document["renamed"]) == ([], ["alice", "bob"])
    assert main(["report", "softmax", *course, "--out", str(tmp_path / "report")]) == 0
    with (tmp_path / "report" / "misconceptions.csv").open(encoding="utf-8", newline="") as file:
        assert {(row["mistake"], row["student"]) for row in csv.DictReader(file)} == {(NAME, "alice"), (NAME, "bob")}


def test_mistakes_of_other_kinds_are_adopted_one_after_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A layer with its cache, a class, gradients in a dict: in a suite of several questions."""
    course = tmp_path / "vision"
    shutil.copytree(STRANGER, course)
    solution = (course / "solutions" / "vision" / "vision.py").read_text(encoding="utf-8")
    novel = {
        "rmsnorm": ("np.sum(dout * x * r, axis=0)", "np.sum(dout * x, axis=0)", "rms_fwd"),
        "linear": ("self.dW = np.dot(self.seen.T, dy)", "self.dW = np.dot(self.seen.T, dy) ** 2", "Linear"),
        "net": ('"b2": ds.sum(0)', '"b2": ds.sum(0) ** 2', "two_layer_loss"),
    }
    assert main(["compile", "vision", "--course", str(course)]) == 0
    students = {question: solution.replace(old, new) for question, (old, new, _) in novel.items()}
    handed_in = a_class(tmp_path / "class", **students)
    for question, (_, _, topic) in novel.items():
        file = handed_in / f"{question}.py"
        command = ["adopt", "vision", question, question, "--course", str(course), "--submission", str(file)]
        assert main([*command, "--name", f"mistake in {question}", "--hint", "Look again."]) == 0
        assert (course / "adopted" / topic / f"mistake-in-{question}.py").is_file()
        assert main(["compile", "vision", "--course", str(course)]) == 0
    assert main(["grade", "vision", str(handed_in), "--course", str(course), "--out", str(tmp_path / "out")]) == 0
    assert named(tmp_path / "out") == {question: {(f"mistake in {question}", "Look again.")} for question in novel}


HOSTILE = {
    "exits when it is called": (
        "import os\ndef softmax(logits):\n    os._exit(0)\n", "ends its process, on the case 'ordinary'",
    ),
    "exits when it is loaded": (
        "import os\nos._exit(0)\ndef softmax(logits):\n    return 2 * logits\n", "does not load in one piece: cell 1",
    ),
    "loops": (
        "def softmax(logits):\n    while True:\n        pass\n", "does not end within the question's time",
    ),
    "reads the key": (
        "def softmax(logits):\n    return len(open({key!r}).read()) * logits\n", "looks for a file or another process",
    ),
    "writes beside the key": (
        "def softmax(logits):\n    open({key!r} + '.stolen', 'w').write('x')\n    return 2 * logits\n",
        "looks for a file or another process (FileNotFoundError), on the case 'ordinary'",
    ),
    "defines nothing": ("x = 1\n", "does not define softmax"),
    "is right": (RIGHT, "passes every check"),
    "is known": (
        RIGHT.replace("numpy.sum(x, 1)[:, None]", "numpy.sum(x, 0)"), "the same as 'normalised over the examples'",
    ),
    "answers with nothing": ("def softmax(logits):\n    return print\n", "shows something that cannot be compared"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "words"), HOSTILE.values(), ids=HOSTILE)
def test_adopted_code_that_is_no_mistake_does_no_harm_and_is_refused(
    source: str, words: str, new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = new_course.dir / "assignments" / "softmax" / "assignment.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("points = 10", "points = 10\ncpu_s = 1.0"), "utf-8")
    path = new_course.dir / "adopted" / "softmax" / "hostile.py"
    path.parent.mkdir(parents=True)
    key = str(new_course.key_file)
    path.write_text(
        f'# /// adopted\n# name = "hostile"\n# hint = "None."\n# ///\n{source.replace("{key!r}", repr(key))}'
    )
    before = sorted(each for each in new_course.dir.rglob("*"))
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 2
    assert words in capsys.readouterr().err
    assert sorted(each for each in new_course.dir.rglob("*")) == before  # no suite, and nothing that it left


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (HOSTILE["exits when it is called"][0], "what was cut out of the notebook ends its process"),
        ("x = 1\n", "the notebook does not define softmax"),
        ("k = [2.0]\nk.append(k.pop() + 1)\ndef softmax(x):\n    return k[0] * x\n", "something else than the whole"),
    ],
    ids=["ends its process", "defines nothing", "needs more than definitions"],
)
def test_notebook_that_cannot_be_adopted_leaves_no_file(
    source: str, words: str, new_course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 0
    handed_in = a_class(tmp_path / "class", alice=source)
    command = ["adopt", "softmax", "alice", "softmax", "--course", str(new_course.dir), "--submission", str(handed_in)]
    assert main([*command, *ADOPT]) == 2
    assert words in capsys.readouterr().err
    assert not (new_course.dir / "adopted").exists()


def test_without_a_jail_adopted_code_is_refused_and_not_run(
    new_course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_course.dir / "adopted" / "softmax" / "doubled.py"
    path.parent.mkdir(parents=True)
    trace = new_course.dir / "it_ran"
    source = BOB + f"open({str(trace)!r}, 'w').write('here')\n"
    path.write_text(f'# /// adopted\n# name = "{NAME}"\n# hint = "{HINT}"\n# ///\n{source}', encoding="utf-8")
    monkeypatch.setattr(confine, "supported", lambda: False)
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 2
    assert "students' code and runs in a jail alone, and here is none: isolation by" in capsys.readouterr().err
    assert not trace.exists()
    with pytest.raises(SystemExit):
        main(["compile", "softmax", "--course", str(new_course.dir), "--isolation", "process"])


def test_compile_without_adopted_code_needs_no_jail(new_course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "supported", lambda: False)
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["adopt", "softmax", "alice", "sofmax"], "asks no question 'sofmax' (did you mean 'softmax'?)"),
        (["adopt", "softmax", "alice", "softmax"], "no suite of softmax that fits"),
    ],
    ids=["unknown question", "no suite"],
)
def test_adopt_says_what_is_wrong(
    given: list[str], words: str, new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*given, "--course", str(new_course.dir), *ADOPT]) == 2
    assert words in capsys.readouterr().err
