"""Parts that a person grades: asked for, found in the notebook, shown to staff, and in no sum of ours."""

import base64
import csv
import json
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from autograder.course.errors import CourseError
from autograder.course.load import load_assignment, load_course
from autograder.notebook.answers import MAX_PICTURES, answers_of
from autograder.report.tables import write_grades

TOPIC = '[[questions]]\nid = "softmax"\ntopic = "softmax"\npoints = 10\n'
ESSAY = '[[questions]]\nid = "essay"\nmanual = true\npoints = 15\ntitle = "In your words"\nprompt = "Why exp?"\n'
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode()
RIGHT = """
import numpy as np
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""


def load(tmp_path, text):
    course = create_course(tmp_path / "course")
    (course.dir / "assignments" / "softmax" / "assignment.toml").write_text(text, encoding="utf-8")
    return load_assignment(load_course(course.dir), "softmax")


def test_manual_question_is_kept_apart(tmp_path):
    assignment = load(tmp_path, f'title = "T"\n{ESSAY}{TOPIC}')
    assert [question.id for question in assignment.questions] == ["softmax"]
    assert [(question.id, question.prompt) for question in assignment.manual] == [("essay", "Why exp?")]
    assert (assignment.max_points, assignment.manual_max_points) == (10.0, 15.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ESSAY, "all of its questions are manual"),
        (TOPIC + ESSAY + 'topic = "softmax"\n', "question 2 (essay): a manual question has no 'topic'"),
        (TOPIC + ESSAY + "cpu_s = 2.0\n", "question 2 (essay): a manual question has no 'cpu_s'"),
        (TOPIC + 'prompt = "Why?"\n', "question 1 (softmax): only a manual question has a 'prompt'"),
        (TOPIC.replace('topic = "softmax"\n', ""), "question 1 (softmax): the key 'topic' is missing"),
        (TOPIC + ESSAY.replace("essay", "softmax"), "two questions have the id 'softmax'"),
        (TOPIC + ESSAY.replace("essay", "manual_state"), "'manual_state'"),
    ],
)
def test_question_of_both_kinds_or_of_none_is_an_error(tmp_path, text, words):
    with pytest.raises(CourseError, match=r"assignment\.toml") as caught:
        load(tmp_path, f'title = "T"\n{text}')
    assert words in str(caught.value)


def cell(kind, source, outputs=(), **metadata):
    made = {"cell_type": kind, "source": source, "metadata": metadata}
    return made | ({"outputs": list(outputs), "execution_count": None} if kind == "code" else {})


def notebook_of(*cells):
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def found(*cells):
    return answers_of(notebook_of(*cells), suffix=".ipynb", questions=["essay", "plot"])


def shown(data):
    return {"output_type": "display_data", "data": data, "metadata": {}}


@pytest.mark.parametrize(
    "metadata",
    [{"autograder": {"question": "essay"}}, {"nbgrader": {"grade_id": "essay", "grade": True, "solution": True}}],
    ids=["ours", "nbgrader"],
)
def test_answer_is_found_by_its_metadata_with_what_was_put_below_it(metadata):
    answers = found(
        cell("markdown", "# Before"),
        cell("markdown", "Because.", **metadata),
        cell("code", "1 + 1", [shown({"text/plain": "2"})]),
        cell("markdown", "## The next part"),
        cell("markdown", "of somebody else"),
    )
    assert [each.source for each in answers["essay"]] == ["Because.", "1 + 1"]
    assert answers["essay"][1].texts == ["2"]
    assert "plot" not in answers


def test_answer_ends_where_another_cell_says_what_it_is():
    answers = found(
        cell("markdown", "one", autograder={"question": "essay"}),
        cell("code", "def softmax(): ...", autograder={"question": "softmax"}),
        cell("code", "two", autograder={"question": "plot"}),
    )
    assert {name: [each.source for each in cells] for name, cells in answers.items()} == {
        "essay": ["one"],
        "plot": ["two"],
    }


def test_answer_shows_pictures_that_are_some_and_not_too_large():
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * MAX_PICTURES).decode()
    outputs = [
        shown({"image/png": PNG, "text/plain": "<Figure>"}),
        shown({"image/png": [PNG[:20] + "\n", PNG[20:]]}),
        shown({"image/png": base64.b64encode(b"<script>alert(1)</script>").decode()}),
        shown({"image/png": "no base64 \""}),
        shown({"image/png": large}),
        shown({"image/svg+xml": "<svg onload=alert(1)>"}),
        shown({"text/html": "<script>alert(1)</script>"}),
    ]  # fmt: skip
    (answer,) = found(cell("code", "plt.plot()", outputs, autograder={"question": "plot"}))["plot"]
    assert [picture.data for picture in answer.pictures] == [PNG, PNG]
    assert answer.texts == []
    assert answer.left_out == 3


def test_answer_shows_pictures_pasted_into_text():
    pasted = cell("markdown", "![](attachment:p.png)", autograder={"question": "essay"})
    (answer,) = found(pasted | {"attachments": {"p.png": {"image/png": PNG}}})["essay"]
    assert [picture.kind for picture in answer.pictures] == ["image/png"]


@pytest.mark.parametrize("damaged", [[], 3, None, {"question": 4}, {"question": ["essay"]}, "essay"])
def test_damaged_metadata_are_no_answer(damaged):
    assert found(cell("markdown", "x", autograder=damaged, nbgrader=damaged)) == {}


def test_answer_in_a_script_stands_behind_its_marker():
    script = b"""# %% [markdown] nbgrader={"grade": true, "grade_id": "essay"}
# Because of the sum.
#
# And more.
# %% autograder={"question": "plot"}
plt.plot()
# %% autograder={broken
x = 1
"""
    answers = answers_of(script, suffix=".py", questions=["essay", "plot"])
    assert answers["essay"][0].source == "Because of the sum.\n\nAnd more."
    assert [each.source for each in answers["plot"]] == ["plt.plot()", "x = 1"]


def rows_of(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_write_grades_has_no_number_for_what_nobody_graded(tmp_path):
    question = {"id": "softmax", "points": 8.0, "max_points": 10.0}
    record = {"student": "ada", "state": "graded", "points": 8.0, "max_points": 10.0, "questions": [question]}
    write_grades([record], tmp_path / "g.csv", manual={"essay": 15.0, "plot": 5.0})
    (row,) = rows_of(tmp_path / "g.csv")
    assert row == {
        "student": "ada", "state": "graded", "automatic_points": "8", "automatic_max_points": "10", "softmax": "8",
        "manual_state": "pending_manual", "manual_max_points": "20", "essay": "", "plot": "",
    }  # fmt: skip


@pytest.mark.slow
def test_manual_part_is_pending_all_the_way(tmp_path, capsys):
    course = create_course(tmp_path / "course")
    (course.dir / "assignments" / "softmax" / "assignment.toml").write_text(f'title = "T"\n{TOPIC}{ESSAY}', "utf-8")
    handed_in, out = tmp_path / "class", tmp_path / "out"
    handed_in.mkdir()
    answer = cell("markdown", "Because <b>exp</b> is positive.", autograder={"question": "essay"})
    plot = cell("code", "draw()", [shown({"image/png": PNG})])
    (handed_in / "ada.ipynb").write_bytes(notebook_of(cell("code", RIGHT), answer, plot))
    (handed_in / "bob.ipynb").write_bytes(notebook_of(cell("code", RIGHT)))
    (handed_in / "eve.ipynb").write_bytes(b"")
    assert main(["compile", "softmax", "--course", str(course.dir)]) == 0
    code = main(["grade", "softmax", str(handed_in), "--course", str(course.dir), "--out", str(out)])
    if code == 2:
        pytest.skip("no jail on this machine")
    assert "Still to be graded by a person, and in no number: essay" in capsys.readouterr().out
    records = {r["student"]: r for r in map(json.loads, (out / "results.jsonl").read_text("utf-8").splitlines())}
    pending = [{"id": "essay", "max_points": 15.0, "state": "pending_manual", "points": None}]
    assert [record["manual"] for record in records.values()] == [pending] * 3
    assert (records["ada"]["points"], records["ada"]["max_points"]) == (10.0, 10.0)
    assert "essay" not in [question["id"] for question in records["ada"]["questions"]]
    rows = [(row["automatic_points"], row["manual_state"], row["essay"]) for row in rows_of(out / "grades.csv")]
    assert rows == [
        ("10", "pending_manual", ""), ("10", "pending_manual", ""), ("", "pending_manual", ""),
    ]  # fmt: skip

    def page(place: str, student: str) -> str:
        return (Path(out) / place / f"{student}.html").read_text("utf-8")

    assert "Because &lt;b&gt;exp&lt;/b&gt; is positive." in page("ta", "ada")
    assert f"data:image/png;base64,{PNG}" in page("ta", "ada")
    assert "2 cells of your notebook have been handed on" in page("feedback", "ada")
    assert "no cell for it" in page("feedback", "bob")
