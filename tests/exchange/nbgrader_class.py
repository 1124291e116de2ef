"""Courses of nbgrader's for tests: notebooks with its metadata, students' copies of what was released, and
what is in a gradebook."""

import contextlib
import json
import multiprocessing
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Edit = Callable[[dict[str, Any]], None]


def cell(source: str, *, kind: str = "code", **meta: Any) -> dict[str, Any]:
    """A cell; with any keyword one of nbgrader's: grade, solution, locked, task, points, grade_id."""
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    if meta:
        usual = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
        made["metadata"]["nbgrader"] = usual | meta
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def graded_cell(name: str, points: float, source: str) -> dict[str, Any]:
    return cell(source, grade=True, locked=True, points=points, grade_id=name)


def solution(name: str, source: str) -> dict[str, Any]:
    return cell(source, solution=True, grade_id=name)


def document(*cells: dict[str, Any]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    numbered = [each | {"id": f"c{number}"} for number, each in enumerate(cells)]
    return {"cells": numbered, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def answered(source: Path, answers: Mapping[str, str]) -> dict[str, Any]:
    """What a student hands in who got the source's notebook and answered so, by the cells' grade ids."""
    made: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    for each in made["cells"]:
        name = each["metadata"].get("nbgrader", {}).get("grade_id")
        if name in answers:
            each["source"] = answers[name]
    return made


def hand_in(course: Path, student: str, assignment: str, notebooks: Mapping[str, dict[str, Any]]) -> Path:
    folder = course / "submitted" / student / assignment
    for name, content in notebooks.items():
        write(folder / f"{name}.ipynb", content)
    (folder / "timestamp.txt").write_text("2026-11-20 10:00:00.000000 UTC", encoding="utf-8")
    (folder / "submission_secret.txt").write_text(f"secret of {student}", encoding="utf-8")
    return folder


def nbgrader(course: Path, *arguments: str) -> str:
    """Run nbgrader itself in a course; what it said. In a fork of one that has it imported: that takes seconds."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["nbgrader.apps.nbgraderapp", "ipykernel.kernelspec"])
    with tempfile.NamedTemporaryFile() as said:
        process = forks.Process(target=_nbgrader, args=(str(course), arguments, said.name))
        process.start()
        process.join(600)
        if process.exitcode is None:
            process.kill()
        return Path(said.name).read_text(encoding="utf-8", errors="replace")


def _nbgrader(course: str, arguments: tuple[str, ...], said: str) -> None:
    with open(said, "wb") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    sys.argv = ["nbgrader", *arguments]
    from nbgrader.apps.nbgraderapp import main

    with contextlib.chdir(course):
        main()


def scores(database: Path) -> dict[tuple[str, str, str], tuple[float | None, float | None, bool]]:
    """What a gradebook holds: (student, notebook, cell) to automatic score, manual score, waits for a person."""
    query = """
        select a.student_id, n.name, c.name, g.auto_score, g.manual_score, g.needs_manual_grade
        from grade g join submitted_notebook s on g.notebook_id = s.id
        join submitted_assignment a on s.assignment_id = a.id
        join notebook n on s.notebook_id = n.id
        join base_cell c on g.cell_id = c.id
    """
    with sqlite3.connect(database) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return {(s, n, c): (auto, manual, bool(waits)) for s, n, c, auto, manual, waits in rows}


def comments(database: Path) -> dict[tuple[str, str, str], str | None]:
    """What a gradebook says by itself of answers: (student, notebook, cell) to the comment."""
    query = """
        select a.student_id, n.name, b.name, c.auto_comment
        from comment c join submitted_notebook s on c.notebook_id = s.id
        join submitted_assignment a on s.assignment_id = a.id
        join notebook n on s.notebook_id = n.id
        join base_cell b on c.cell_id = b.id
    """
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(query).fetchall()
    return {(student, notebook, cell): comment for student, notebook, cell, comment in rows}
