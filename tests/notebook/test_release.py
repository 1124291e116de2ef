"""Are the notebooks that students get current, runnable, right for nbgrader, and without a secret?"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import numpy as np
import pytest

from autograder.course.errors import CourseError
from autograder.course.key import load_key
from autograder.course.load import Course, assignment_ids, load_assignment, load_course
from autograder.course.references import load_topics
from autograder.notebook import stub
from autograder.notebook.manifest import NO_ANSWER, NoManifest, manifest_of
from autograder.notebook.release import notebook_path, release, source_path
from autograder.sandbox.worker_cells import bound_names
from autograder.suite.draw import draw_cases, seed_of
from autograder.topic import Topic
from autograder.topic.case import Bound

ROOT = Path(__file__).parent.parent.parent
FLAGSHIP = load_course(ROOT)
ASSIGNMENTS = assignment_ids(FLAGSHIP)


def released(course: Course, assignment_id: str) -> Any:
    return nbformat.reads(release(course, load_assignment(course, assignment_id)).contents.decode(), as_version=4)


@cache
def made() -> dict[str, bytes | CourseError]:
    """The notebooks of this repository's own course, all at once: importing its references takes a second."""
    notebooks: dict[str, bytes | CourseError] = {}
    for assignment_id in ASSIGNMENTS:
        try:
            notebooks[assignment_id] = release(FLAGSHIP, load_assignment(FLAGSHIP, assignment_id)).contents
        except CourseError as error:  # the test of that assignment says so, and no other
            notebooks[assignment_id] = error
    return notebooks


def flagship(assignment_id: str) -> bytes:
    contents = made()[assignment_id]
    if isinstance(contents, CourseError):
        raise contents
    return contents


@cache
def topics() -> dict[str, Topic]:
    return load_topics(FLAGSHIP)


def read(assignment_id: str) -> Any:
    return nbformat.reads(flagship(assignment_id).decode(), as_version=4)


def sources(notebook: Any) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


def answers(assignment_id: str) -> dict[str, str]:
    """The instructor's cells, by the names that they define."""
    path = source_path(FLAGSHIP, load_assignment(FLAGSHIP, assignment_id))
    cells = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent").cells
    found = [cell.source for cell in cells if cell.cell_type == "code" and stub.has_solution(cell.source)]
    return {",".join(sorted(stub.defined_in(source))): source for source in found}


def printed(notebook: Any, answer: dict[str, str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the code cells print that are run in order in one namespace, as Jupyter does, by helper lines."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            source = cell.source
            if cell.metadata.get("autograder"):
                source = answer.get(",".join(sorted(stub.defined_in(source))), source)
            exec(compile(source, f"<{cell.id}>", "exec"), names)
    return [line for line in capsys.readouterr().out.splitlines() if re.match(r"(passed|not yet|still open): ", line)]


@pytest.mark.parametrize("assignment_id", ASSIGNMENTS)
def test_committed_notebook_is_current(assignment_id: str) -> None:
    path = notebook_path(load_assignment(FLAGSHIP, assignment_id))
    current = path.is_file() and path.read_bytes() == flagship(assignment_id)
    assert current, f"run `autograder release {assignment_id}`"


@pytest.mark.parametrize("assignment_id", ASSIGNMENTS)
def test_notebook_with_stubs_runs_and_says_that_all_is_open(
    assignment_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(read(assignment_id), {}, capsys)
    assert lines
    assert {line.partition(":")[0] for line in lines} == {"still open"}


@pytest.mark.parametrize("assignment_id", ASSIGNMENTS)
def test_notebook_with_the_solutions_passes_every_public_check(
    assignment_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = read(assignment_id)
    lines = printed(notebook, answers(assignment_id), capsys)
    assert len(lines) == sources(notebook).count("\ncheck(public_check,") > 0
    assert {line.partition(":")[0] for line in lines} == {"passed"}


@pytest.mark.parametrize("assignment_id", ASSIGNMENTS)
def test_notebook_leaks_no_line_of_a_solution(assignment_id: str) -> None:
    text = sources(read(assignment_id))
    assert "SOLUTION" not in text
    public = {line.strip() for line in text.splitlines()}
    public_in_source = set(_lines_outside(answers(assignment_id).values()))
    secret = {line for line in _lines_inside(answers(assignment_id).values()) if len(line) > 12}
    assert secret
    assert not (secret - public_in_source) & public


def _lines_inside(cells: Any) -> Iterator[str]:
    for source in cells:
        for part in source.split(stub.BEGIN)[1:]:
            yield from (line.strip() for line in part.split(stub.END)[0].splitlines())


def _lines_outside(cells: Any) -> Iterator[str]:
    for source in cells:
        for part in source.split(stub.END):
            yield from (line.strip() for line in part.split(stub.BEGIN)[0].splitlines())


@pytest.mark.parametrize("assignment_id", ASSIGNMENTS)
def test_notebook_leaks_no_misconception_no_key_and_no_hidden_number(assignment_id: str) -> None:
    text = flagship(assignment_id).decode()
    key = load_key(FLAGSHIP)
    assert FLAGSHIP.key_file.read_text(encoding="ascii").strip() not in text
    shown = {round(float(number), 6) for number in re.findall(r"\d\.\d{6,}", text)}
    assignment = load_assignment(FLAGSHIP, assignment_id)
    for question in assignment.questions:
        topic = topics()[question.topic]
        for misconception in topic.misconceptions:
            assert misconception.hint not in text
            assert f'"{misconception.name}"' not in text
        cases = draw_cases(topic, seed_of(key, assignment.id, question.id, "suite"))
        hidden = {round(abs(value), 6) for case in cases.values() for value in _floats(list(case.inputs.values()))}
        assert not {value for value in hidden & shown if value != round(value, 4)}


def _floats(tree: Any) -> Iterator[float]:
    if isinstance(tree, Bound):
        tree = list(tree.arguments.values())
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from _floats(part)
    elif isinstance(tree, np.ndarray) and tree.size > 1 and tree.dtype.kind == "f":  # a constant may be public
        yield from tree.ravel().tolist()


@pytest.mark.parametrize("assignment_id", ASSIGNMENTS)
def test_notebook_is_valid_for_jupyter_and_for_nbgrader(assignment_id: str) -> None:
    notebook = read(assignment_id)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    marked = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}
    assert len(marked) == sum("nbgrader" in cell.metadata for cell in notebook.cells)
    for grade_id, cell in marked.items():
        assert_valid_for_nbgrader(grade_id, cell)
    assignment = load_assignment(FLAGSHIP, assignment_id)
    given = {name: cell.metadata.nbgrader.points for name, cell in marked.items() if cell.metadata.nbgrader.grade}
    assert given == {question.id: question.points for question in (*assignment.questions, *assignment.manual)}


def assert_valid_for_nbgrader(grade_id: str, cell: Any) -> None:
    """What nbgrader's MetadataValidatorV3 and its JSON schema ask for."""
    told = cell.metadata.nbgrader
    assert told.schema_version == 3
    assert re.fullmatch(r"[a-zA-Z0-9_\-]+", grade_id)
    assert all(isinstance(told[key], bool) for key in ("grade", "solution", "locked", "task"))
    assert told.cell_type == cell.cell_type
    assert len(told.checksum) == 32
    known = {"schema_version", "grade", "solution", "locked", "task", "grade_id", "cell_type", "checksum"}
    assert set(told) == (known | {"points"} if told.grade else known)
    assert told.grade == told.solution != told.locked
    if told.locked:
        assert cell.metadata.editable is cell.metadata.deletable is False


def test_checksum_is_the_one_that_nbgrader_computes(new_course: Course) -> None:
    """Figures from nbgrader 0.9.6: `nbgrader.utils.compute_checksum` of these cells."""
    by_id = {cell.id: cell for cell in released(new_course, "softmax").cells}
    assert by_id["softmax"].metadata.nbgrader.checksum == "5699bd0c3e7cdba1201b1e86f287d3f8"
    assert by_id["public-check-softmax"].metadata.nbgrader.checksum == "5ee18430ac555ec4ec88a0bb14a88306"


@pytest.mark.parametrize("assignment_id", ASSIGNMENTS)
def test_manifest_says_what_a_student_must_define(assignment_id: str) -> None:
    contents = flagship(assignment_id)
    manifest = manifest_of(contents)
    assignment = load_assignment(FLAGSHIP, assignment_id)
    assert manifest.assignment == assignment_id
    wanted = {question.id: tuple(topics()[question.topic].reference) for question in assignment.questions}
    assert {question.id: question.names for question in manifest.questions if not question.manual} == wanted
    defined = {name for source in answers(assignment_id).values() for name in stub.defined_in(source)}
    assert {name for names in wanted.values() for name in names} <= defined


@pytest.mark.slow
@pytest.mark.parametrize("assignment_id", ASSIGNMENTS)
def test_public_checks_bind_no_name_that_a_student_defines(assignment_id: str) -> None:
    notebook = read(assignment_id)
    ours = [cell.source for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("locked")]
    bound = {name for source in ours for node in ast.parse(source).body for name in bound_names(node)}
    theirs = {name for names in answers(assignment_id) for name in names.split(",")}
    assert bound == {"check", "close", "contextlib", "math", "np", "once_written", "public_check", "traceback"}
    assert not bound & theirs


@pytest.mark.slow
def test_release_is_the_same_in_another_process(new_course: Course) -> None:
    script = (
        "import sys\nfrom autograder.course.load import load_assignment, load_course\n"
        "from autograder.notebook.release import release\n"
        f"course = load_course({str(new_course.dir)!r})\n"
        "sys.stdout.buffer.write(release(course, load_assignment(course, 'softmax')).contents)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == release(new_course, load_assignment(new_course, "softmax")).contents


# A course of one's own


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def with_manual(course: Course) -> Path:
    """Add a written answer and a plot to the new course's assignment; the path of its source."""
    toml = course.dir / "assignments" / "softmax" / "assignment.toml"
    questions = "".join(f'[[questions]]\nid = "{name}"\nmanual = true\npoints = 5\n\n' for name in ("why", "plot"))
    edit(toml, "[[questions]]", f"{questions}[[questions]]")
    path = course.dir / "solutions" / "softmax" / "softmax.py"
    cells = (
        '\n# %% [markdown] autograder={"question": "why"}\n# Because the model answer says so.\n'
        '\n# %% autograder={"question": "plot"}\nthe_model = "plot"\n'
    )
    path.write_text(path.read_text(encoding="utf-8") + cells, encoding="utf-8")
    return path


def test_hand_graded_parts_become_manual_cells_without_the_model_answer(new_course: Course) -> None:
    with_manual(new_course)
    notebook = released(new_course, "softmax")
    by_id = {cell.id: cell for cell in notebook.cells}
    for name, kind in (("why", "markdown"), ("plot", "code")):
        assert by_id[name].cell_type == kind
        assert by_id[name].source == NO_ANSWER[kind]
        assert by_id[name].metadata.autograder == {"question": name}
        assert_valid_for_nbgrader(name, by_id[name])
        assert by_id[name].metadata.nbgrader.points == 5
    assert "model" not in json.dumps(notebook)
    manual = [question.id for question in notebook.metadata.autograder.questions if question.manual]
    assert sorted(manual) == ["plot", "why"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("def softmax(logits)", "def softmax(scores)", r"softmax takes \(scores\) here and \(logits\)"),
        ("def softmax(logits)", "def softmaks(logits)", "defines softmaks, which belongs to no question"),
        ("    ### END SOLUTION\n", "", "BEGIN SOLUTION on its line 6 has no partner"),
        ("### BEGIN SOLUTION", "# begin", "END SOLUTION on its line"),
        ('{"question": "why"}', '{"question": "who"}', "marked by the question 'who'"),
        ('autograder={"question": "why"}', "", 'marked by autograder={"question": "why"}'),
        ('{"question": "why"}', '{"question": "plot"}', "two cells hold the solution of the question plot"),
        ("print(softmax", "%time print(softmax", "magics into a cell of their own"),
    ],
)
def test_release_refuses_what_does_not_fit(new_course: Course, old: str, new: str, words: str) -> None:
    edit(with_manual(new_course), old, new)
    with pytest.raises(CourseError, match=re.escape(words) if "\\" not in words else words) as caught:
        release(new_course, load_assignment(new_course, "softmax"))
    assert "softmax.py" in str(caught.value)


def test_release_refuses_a_question_with_the_id_of_a_cell_of_ours(new_course: Course) -> None:
    edit(new_course.dir / "assignments" / "softmax" / "assignment.toml", 'id = "softmax"', 'id = "public-checks"')
    with pytest.raises(CourseError, match="nbgrader's id 'public-checks'"):
        release(new_course, load_assignment(new_course, "softmax"))


def test_release_without_a_source_says_where_it_should_be(new_course: Course) -> None:
    source_path(new_course, load_assignment(new_course, "softmax")).unlink()
    with pytest.raises(CourseError, match="it is the instructor's notebook"):
        release(new_course, load_assignment(new_course, "softmax"))


@pytest.mark.parametrize(
    "contents",
    [
        "",
        "no JSON",
        "[]",
        '{"metadata": {}}',
        '{"metadata": {"autograder": 1}}',
        '{"metadata": {"autograder": {"format": 2}}}',
        '{"metadata": {"autograder": {"format": 1, "questions": 3}}}',
    ],
)
def test_manifest_of_anything_else_is_none(contents: str) -> None:
    with pytest.raises(NoManifest):
        manifest_of(contents.encode())


@pytest.mark.parametrize("name", ["/etc/hostname", "../key", "data/../../key"])
def test_manifest_that_names_a_file_elsewhere_is_refused(new_course: Course, name: str) -> None:
    notebook = json.loads(release(new_course, load_assignment(new_course, "softmax")).contents)
    notebook["metadata"]["autograder"]["files"] = [name]
    with pytest.raises(NoManifest, match="damaged"):
        manifest_of(json.dumps(notebook).encode())
