"""Is what otter keeps in a notebook's metadata, and in other files, honoured as otter does?

The student's notebook is in the form that `otter assign` 7.0.0 gives out; `otter run` gave the same marks.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from autograder.cli.main import main
from autograder.course.errors import CourseError
from autograder.exchange.otter.assignment import open_assignment
from autograder.exchange.otter.carried import Carried, carried
from tests.exchange.nbgrader_class import cell, document, write

CONFIG = "# ASSIGNMENT CONFIG\nname: lab\n"


def raw(text: str) -> dict[str, Any]:
    return {"cell_type": "raw", "metadata": {}, "source": text}


def question(config: str, solution: str, test: str, shown: str) -> list[dict[str, Any]]:
    output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": shown}}
    return [
        raw(f"# BEGIN QUESTION\n{config}"),
        raw("# BEGIN SOLUTION"),
        cell(solution),
        raw("# END SOLUTION"),
        raw("# BEGIN TESTS"),
        cell(test) | {"outputs": [output]},
        raw("# END TESTS"),
        raw("# END QUESTION"),
    ]


def source(folder: Path, config: str = CONFIG, **files: str) -> Path:
    cells = [
        raw(config),
        *question("name: q1\ncheck_cell: false", "x = 10 # SOLUTION", "x", "10"),
        *question("name: q2", "x = 20 # SOLUTION", "x", "20"),
    ]
    write(folder / "lab.ipynb", document(*cells))
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "lab.ipynb"


def student(*cells: tuple[str, dict[str, Any]], name: str = "lab") -> dict[str, Any]:
    made = document(*(cell(text) | {"metadata": metadata} for text, metadata in cells))
    made["metadata"]["otter"] = {"OK_FORMAT": True, "assignment_name": name, "tests": {}}
    return made


ASKED: dict[str, Any] = {"otter": {"tests": ["q1"]}}
IGNORED: dict[str, Any] = {"tags": ["otter_ignore"]}
CLASS = {
    "right": (student(("x = 10", ASKED), ("x = 20\ngrader.check('q2')", {})), (1.0, 1.0)),
    "no-check": (student(("x = 10", {}), ("x = 20\ngrader.check('q2')", {})), (0.0, 1.0)),
    "ignored": (student(("x = 10", ASKED), ("x = 20", {}), ("x = 3", IGNORED)), (1.0, 1.0)),
    "asked-of-ignored": (student(("x = 10", ASKED | IGNORED), ("x = 20", {})), (0.0, 1.0)),
    "another": (student(("x = 10", ASKED), ("x = 20\ngrader.check('q2')", {}), name="lab8"), (1.0, 1.0)),
}


@pytest.mark.slow
def test_otter_metadata_says_where_tests_run_and_what_is_left_out(tmp_path: Path) -> None:
    for name, (notebook, _) in CLASS.items():
        write(tmp_path / "class" / f"{name}.ipynb", notebook)
    out = tmp_path / "out"
    command = ["grade", "--format", "otter", str(source(tmp_path)), str(tmp_path / "class"), "--out", str(out)]
    assert main(command) == 0
    records = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    got = {each["student"]: tuple(question["points"] for question in each["questions"]) for each in records}
    assert got == {name: points for name, (_, points) in CLASS.items()}
    notes = {each["student"]: [note["text"] for note in each["notes"]] for each in records}
    assert [name for name, texts in notes.items() if "given out for 'lab8'" in " ".join(texts)] == ["another"]


@pytest.mark.parametrize(
    "contents",
    [
        "",
        "[]",
        '{"cells": [{"metadata": {"otter": 3, "tags": 4}}, {"metadata": {"otter": {"tests": "q1"}}}]}',
        '{"cells": [{"metadata": []}], "metadata": {"otter": {"assignment_name": 3}}}',
    ],
)
def test_otter_metadata_in_no_form_says_nothing(contents: str) -> None:
    found = carried(contents.encode())
    assert (found.assignment, found.ignored) == ("", frozenset())
    assert not any(found.checks.values())


def test_otter_metadata_of_a_text_counts_after_the_code_above_it() -> None:
    cells = [cell("x = 1"), cell("Words.", kind="markdown") | {"metadata": ASKED}, cell("x = 2")]
    found = carried(json.dumps(document(*cells)).encode())
    assert {number: names for number, names in found.checks.items() if names} == {1: ("q1",)}
    assert carried(b"{") == Carried()


def test_otter_settings_may_stand_in_a_file(tmp_path: Path) -> None:
    config = f"{CONFIG}config_file: all.yml\ngenerate: {{show_hidden: true}}\n"
    told = "files: [data.csv]\ngenerate: {points_possible: 20}\nseed: {variable: rng, autograder_value: 4}\n"
    path = source(tmp_path, config, **{"all.yml": told, "data.csv": "1"})
    made = open_assignment(path)
    assert (made.grading.points_possible, made.grading.show_hidden) == (20, True)
    assert (made.grading.seed, made.grading.seed_variable) == (4, "rng")
    assert made.files == {"data.csv": b"1"}
    (tmp_path / "all.yml").unlink()
    with pytest.raises(CourseError, match="config_file"):
        open_assignment(path)


def test_otter_plugins_of_a_source_are_named(tmp_path: Path) -> None:
    assert open_assignment(source(tmp_path)).remarks == ()
    assert open_assignment(source(tmp_path, f"{CONFIG}plugins: [mine.Plugin]\n")).remarks == (
        "its plugins are not run",
    )


def test_otter_in_another_language_is_refused(tmp_path: Path) -> None:
    path = source(tmp_path)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["kernelspec"]["language"] = "R"
    write(path, notebook)
    (tmp_path / "lab.Rmd").write_text("# R", encoding="utf-8")
    (tmp_path / "packed" / "tests").mkdir(parents=True)
    (tmp_path / "packed" / "tests" / "q1.R").write_text("test = list()", encoding="utf-8")
    for place in (path, tmp_path / "lab.Rmd", tmp_path / "packed"):
        with pytest.raises(CourseError, match=r"is in [rR]; only Python is graded here"):
            open_assignment(place)
