"""What is left in an nbgrader course's folders after grading?

`autograded/` holds each notebook as it was graded, for formgrader; `feedback/` a page a notebook, which
`nbgrader release_feedback` can send.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autograder.course.errors import CourseError
from autograder.exchange.nbgrader.cells import Cell, Master
from autograder.exchange.nbgrader.course import SECRET, TIMESTAMP, Course
from autograder.exchange.nbgrader.grade import Class, Graded, Mark, Notebook
from autograder.exchange.peers.model import Result
from autograder.exchange.peers.pages import Part, page

# What a student's outputs may bring into formgrader: nothing that a browser would run.
_HARMLESS = frozenset({"text/plain", "image/png", "image/jpeg"})
_MOST = 200  # outputs of one cell that are kept


def write(course: Course, assignment: str, graded: Class) -> None:
    """Write both folders, a student at a time. Raises CourseError where they cannot be."""
    masters = {master.name: master for master in graded.masters}
    try:
        for each in graded.graded:
            if not each.unreadable:
                _write_student(course, assignment, each, masters)
    except OSError as error:
        raise CourseError(f"{error.filename} cannot be written: {error.strerror}") from error


def _write_student(course: Course, assignment: str, graded: Graded, masters: dict[str, Master]) -> None:
    name = graded.student.student
    autograded = _fresh(course.step("autograded") / name / assignment)
    feedback = _fresh(course.step("feedback") / name / assignment)
    for path, content in graded.files.items():
        target = autograded / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for notebook in graded.notebooks:
        master = masters[notebook.name]
        if not notebook.absent:
            document = json.dumps(_document(notebook, master), ensure_ascii=False, indent=1)
            (autograded / f"{notebook.name}.ipynb").write_text(document + "\n", encoding="utf-8")
        html = page(f"{assignment}: {notebook.name}", name, _parts(notebook, master), notebook.notes)
        (feedback / f"{notebook.name}.html").write_text(html, encoding="utf-8")
    for own in (TIMESTAMP, SECRET):
        if text := graded.student.beside(own):
            (feedback / own).write_text(text, encoding="utf-8")
    if text := graded.student.beside(TIMESTAMP):
        (autograded / TIMESTAMP).write_text(text, encoding="utf-8")


def _fresh(folder: Path) -> Path:
    """An empty folder in place of whatever an earlier run left there."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        # nbgrader takes the right to write away from its own folders.
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _document(notebook: Notebook, master: Master) -> dict[str, Any]:
    results = {mark.cell.id: mark.result for mark in notebook.marks}
    cells = [_cell(cell, results.get(cell.id), number) for number, cell in enumerate(notebook.cells, 1)]
    kernel = {"kernelspec": master.kernel} if master.kernel else {}
    return {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


def _cell(cell: Cell, result: Result | None, number: int) -> dict[str, Any]:
    kind = cell.kind if cell.kind in ("code", "markdown", "raw") else "raw"
    metadata = {"nbgrader": _meta(cell)} if cell.meta else {}
    made: dict[str, Any] = {"id": f"cell-{number}", "cell_type": kind, "metadata": metadata, "source": cell.source}
    if kind == "code":
        outputs = _told(result) if cell.is_test and result else list(_harmless(cell.outputs))
        made |= {"execution_count": None, "outputs": outputs}
    return made


def _meta(cell: Cell) -> dict[str, Any]:
    """Metadata of schema 3, whatever the source had."""
    usual = {"grade": cell.grade, "solution": cell.solution, "locked": cell.locked, "task": cell.task}
    points = {"points": cell.points} if cell.grade or cell.task else {}
    kept = {key: cell.meta[key] for key in ("checksum",) if key in cell.meta}
    return {**usual, **points, **kept, "grade_id": cell.id, "schema_version": 3, "cell_type": cell.kind}


def _told(result: Result) -> list[dict[str, Any]]:
    """How a test ended, where nbgrader would have its output. For staff: formgrader is theirs."""
    if result.outcome == "passed":
        return []
    if result.outcome == "partial":
        shown = {"text/plain": f"{result.points:g}"}
        return [{"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": shown}]
    kind, _, text = result.evidence.partition(": ")
    return [{"output_type": "error", "ename": kind or result.outcome, "evalue": text, "traceback": [result.evidence]}]


def _harmless(outputs: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Text and pictures of what was handed in, for whoever grades by hand. Nothing was run to make them."""
    for output in outputs[:_MOST]:
        if not isinstance(output, dict):
            continue
        kind, data = output.get("output_type"), output.get("data")
        if kind == "stream" and isinstance(output.get("text"), str | list):
            yield {"output_type": "stream", "name": "stdout", "text": _text(output["text"])}
        elif kind in ("display_data", "execute_result") and isinstance(data, dict):
            kept = {key: _text(value) for key, value in data.items() if key in _HARMLESS}
            if kept:
                yield {"output_type": "display_data", "metadata": {}, "data": kept}


def _text(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    return "".join(part for part in parts if isinstance(part, str))


def _parts(notebook: Notebook, master: Master) -> list[Part]:
    return [_part(mark, master) for mark in notebook.marks]


def _part(mark: Mark, master: Master) -> Part:
    cell, result = mark.cell, mark.result
    code = master.visible(cell.source).strip() if cell.is_test else ""
    return Part(cell.id, cell.points, result.points, result.outcome, result.shown, code)
