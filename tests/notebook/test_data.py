"""Do the files that come with an assignment lie beside every notebook, and beside nobody's own tricks?"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.errors import CourseError
from autograder.course.load import Course, load_assignment
from autograder.grading.batch import grade_class
from autograder.grading.record import Record
from autograder.notebook import data
from autograder.notebook.release import release
from autograder.suite.compile import compile_suite

pytestmark = pytest.mark.slow  # seconds each: jails, servers or thousands of draws

READS = """
def softmax(logits):
    scale = float(open("tables/scale.txt").read())
    e = np.exp(scale * (logits - logits.max(axis=1, keepdims=True)))
    return e / e.sum(axis=1, keepdims=True)
"""


@pytest.fixture
def with_table(new_course: Course) -> Course:
    table = new_course.dir / "assignments" / "softmax" / "tables" / "scale.txt"
    table.parent.mkdir()
    table.write_text("1.0")
    (table.parent / ".hidden").write_text("not handed out")
    return new_course


def graded(course: Course, paths: list[Path]) -> dict[str, Record]:
    assignment = load_assignment(course, "softmax")
    suite = compile_suite(course, assignment)
    found = asyncio.run(grade_class(course, assignment, suite, paths, jobs=1))
    return {record.student: record for record in found.records}


def test_notebook_finds_the_assignments_files_and_a_folder_cannot_replace_them(
    with_table: Course, tmp_path: Path, notebook: Callable[..., bytes]
) -> None:
    contents = notebook("import numpy as np", READS)
    (tmp_path / "alone.ipynb").write_bytes(contents)
    for name, file in (("replaces", "tables/scale.txt"), ("in the way", "tables")):
        path = tmp_path / name / file
        path.parent.mkdir(parents=True)
        path.write_text("7")
        (tmp_path / name / "mine.ipynb").write_bytes(contents)
    records = graded(with_table, [tmp_path / name for name in ("alone.ipynb", "replaces", "in the way")])
    assert {name: record.points for name, record in records.items()} == dict.fromkeys(
        ("alone", "replaces", "in the way"), records["alone"].max_points
    )


def test_other_data_is_another_key(with_table: Course, tmp_path: Path, notebook: Callable[..., bytes]) -> None:
    path = tmp_path / "one.ipynb"
    path.write_bytes(notebook("import numpy as np", READS))
    (before,) = graded(with_table, [path]).values()
    (with_table.dir / "assignments/softmax/tables/scale.txt").write_text("2.0")
    (after,) = graded(with_table, [path]).values()
    assert before.key != after.key
    assert before.points == before.max_points
    assert after.points == 0


def test_too_much_data_is_refused_with_the_largest(with_table: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MAX_DATA", 2)
    with pytest.raises(CourseError, match=r"tables/scale\.txt first"):
        data.data_files(load_assignment(with_table, "softmax"))


@pytest.mark.parametrize("there", [True, False])
def test_check_takes_what_lies_beside_the_notebook(
    with_table: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str], there: bool
) -> None:
    released = release(with_table, load_assignment(with_table, "softmax"))
    assert released.manifest.files == ("tables/scale.txt",)
    document = json.loads(released.contents)
    next(cell for cell in document["cells"] if cell["id"] == "softmax")["source"] = READS
    path = tmp_path / "student" / "softmax.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(document))
    if there:
        (path.parent / "tables").mkdir()
        (path.parent / "tables" / "scale.txt").write_text("1.0")
    assert main(["check", str(path)]) == (0 if there else 1)
    assert ("Not beside your notebook" in capsys.readouterr().out) != there
