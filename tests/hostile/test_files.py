"""Does grading hold against what is handed in, before any of it runs?

Each file is handed in beside an honest student's, by the path on which a class is graded and written down.
"""

import ast
import asyncio
import csv
import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from autograder.course.load import load_assignment, load_course
from autograder.grading.batch import Class, grade_class
from autograder.report.tables import write_grades
from autograder.sandbox.session import SandboxError
from autograder.suite.compile import compile_suite
from tests.hostile import course as attacked
from tests.hostile.act import SOFTMAX, notebook
from tests.hostile.elsewhere import ELSEWHERE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RIGHT = notebook(["import numpy as np", SOFTMAX, "def wave(x):\n    return x * np.sin(x)"])


def _zip(**contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _with(source: object) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []}]}).encode()


# What is handed in: the file's name, its bytes, the state of the record, and its points.
FILES: dict[str, tuple[str, bytes, str, float | None]] = {
    "a name with a line break": ("eve\npoints,100.ipynb", RIGHT, "graded", 20),
    "a name that is a formula": ("=1+1,20.ipynb", RIGHT, "graded", 20),
    "a name that turns text around": ("eve\u202e02.ipynb", RIGHT, "graded", 20),
    "a name that is no text": (os.fsdecode(b"\xff\xfe.ipynb"), RIGHT, "graded", 20),
    "a name of markup": ("<img src=x>.ipynb", RIGHT, "graded", 20),
    "levels without end": ("deep.ipynb", b'{"cells":' + b"[" * 200_000, "unreadable", None),
    "a hundred million parts": ("wide.ipynb", b'{"cells":[' + b"0," * 8_000_000 + b"0]}", "unreadable", None),
    "a number of a million digits": (
        "digits.ipynb",
        b'{"nbformat": ' + b"9" * 10**6 + b', "cells": []}',
        "unreadable",
        None,
    ),
    "NaN for a version": ("nan.ipynb", b'{"nbformat": NaN, "cells": [NaN, Infinity]}', "graded", 0),
    "half a character": ("half.ipynb", _with("x = '\\ud800'\n" + "y = '\ud800'"), "graded", 0),
    "a zero byte": ("zero.ipynb", _with("x = 1\0\ndef wave(x): return 1"), "graded", 0),
    "code that nests without end": ("nested.ipynb", _with("(" * 10**5 + ")" * 10**5), "graded", 0),
    "code of nine megabytes": ("long.ipynb", _with("x = 1\n" * 1_500_000), "graded", 0),
    "a power of a power": ("power.ipynb", _with("x = 9**9**9\ndef wave(x): return 1"), "graded", 0),
    "a zip of a zip": ("inner.zip", _zip(**{"a.zip": _zip(**{"b.ipynb": RIGHT})}), "unreadable", None),
    "a zip that grows a thousand times": ("grow.zip", _zip(**{"a.ipynb": bytes(70 * 2**20)}), "unreadable", None),
    "a zip that leads out": ("out.zip", _zip(**{"../../course.key": b"0", "a.ipynb": RIGHT}), "unreadable", None),
    "files that are modules": (
        "shadow.zip",
        _zip(**{"a.ipynb": RIGHT, "numpy.py": b"1/0", "json.py": b"1/0"}),
        "graded",
        None,
    ),
    "code at the start of Python": ("site.zip", _zip(**{"a.ipynb": RIGHT, "sitecustomize.py": b"1/0"}), "graded", 20),
}


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, keep_reference: Callable[[], AbstractContextManager[None]]
) -> tuple[Class, Path]:
    root = tmp_path_factory.mktemp("files")
    handed_in = root / "class"
    handed_in.mkdir()
    (handed_in / "honest.ipynb").write_bytes(RIGHT)
    for name, content, _, _ in FILES.values():
        (handed_in / name).write_bytes(content)
    with keep_reference(), pytest.MonkeyPatch.context() as monkeypatch:
        attacked.on_a_busy_machine(monkeypatch)
        course = attacked.make(root / "course")
        assignment = load_assignment(load_course(course.dir), "hostile")
        suite = compile_suite(course, assignment)
        try:
            return asyncio.run(grade_class(course, assignment, suite, [handed_in], jobs=2)), root
        except* SandboxError as errors:
            pytest.skip(f"no jail on this machine: {errors.exceptions[0]}")


@pytest.mark.parametrize("act", FILES)
def test_file_gets_what_it_is_worth_and_no_more(graded: tuple[Class, Path], act: str) -> None:
    name, _, state, points = FILES[act]
    student = Path(name).stem.encode("utf-8", "replace").decode()
    (record,) = (each for each in graded[0].records if each.student == student)
    assert (record.state, record.points if points is not None else None) == (state, points), record.notes


def test_every_file_is_one_row_and_honest_keeps_its_points(graded: tuple[Class, Path]) -> None:
    the_class, folder = graded
    write_grades([record.as_json() for record in the_class.records], folder / "grades.csv")
    with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(FILES) + 1
    assert not [row for row in rows if row["student"].startswith("=")]
    assert [row["points"] for row in rows if row["student"] == "honest"] == ["20"]


def test_acts_that_other_tests_make_are_there() -> None:
    missing = []
    for act, (file, name) in ELSEWHERE.items():
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        if name not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}:
            missing.append(act)
    assert missing == []
