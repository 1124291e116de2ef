"""How does the instructor's source become the notebook that students get?

`solutions/<id>/<id>.py` without its solution regions, with one public check after each question, and
with what nbgrader and `autograder check` want to know in the metadata. The same source gives the same
bytes: ids come from contents, and nothing tells the time.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.notebook.quick import without_addresses

with without_addresses():
    import jupytext
    import nbformat

from autograder.course.errors import CourseError
from autograder.course.load import Assignment, Course, Question
from autograder.course.references import load_topics, topic_of
from autograder.notebook import stub
from autograder.notebook.data import data_names
from autograder.notebook.helper import helper_cell
from autograder.notebook.manifest import KEY, NO_ANSWER, Asked, Manifest, grade_id
from autograder.notebook.public_checks import checks_of
from autograder.topic import Topic

_HELPER = "public-checks"  # the grade_id of the helper cell
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_LOCKED = {"deletable": False, "editable": False}
_FOLDED = {"jupyter": {"source_hidden": True}}  # in JupyterLab: nobody has to read it first


@dataclass(frozen=True)
class Released:
    """A student notebook. checks: how many of its questions have a public check."""

    contents: bytes
    manifest: Manifest

    @property
    def checks(self) -> int:
        return sum(bool(question.check) for question in self.manifest.questions)


@dataclass(frozen=True)
class _Wanted:
    """A question and, unless a person grades it, its topic."""

    question: Question
    topic: Topic | None

    @property
    def id(self) -> str:
        return self.question.id

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.topic.reference) if self.topic else ()


def source_path(course: Course, assignment: Assignment) -> Path:
    """Where the instructor's notebook of an assignment is."""
    return course.dir / "solutions" / assignment.id / f"{assignment.id}.py"


def notebook_path(assignment: Assignment) -> Path:
    """Where the students' notebook of an assignment is."""
    return assignment.dir / f"{assignment.id}.ipynb"


def release(course: Course, assignment: Assignment, *, solved: bool = False) -> Released:
    """Make the student notebook. Raises CourseError where source and questions do not fit together.

    solved: with the solution regions, for nbgrader's `source/`: its `generate_assignment` takes them out.
    """
    path = source_path(course, assignment)
    try:
        source = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except OSError as error:
        raise CourseError(
            f"{path} cannot be read ({error.strerror}): it is the instructor's notebook, a script with `# %%` cells "
            "and the answers between ### BEGIN SOLUTION and ### END SOLUTION"
        ) from error
    wanted = _wanted(course, assignment)
    try:
        cells = list(_Cells(wanted, solved=solved).made_of(source.cells))
        _must_have_ids_of_their_own(cells)
    except stub.SourceError as error:
        raise CourseError(f"{path}: {error}") from error
    used = {each.question.environment for each in wanted if each.topic}
    manifest = Manifest(
        assignment=assignment.id,
        title=assignment.title,
        environments={name: course.environments[name] for name in sorted(used)},
        cell_cpu_s=assignment.limits.cell_cpu_s,
        load_cpu_s=assignment.limits.load_cpu_s,
        questions=tuple(map(_asked, wanted)),
        files=data_names(assignment),
    )
    return Released(_written(cells, manifest), manifest)


def _wanted(course: Course, assignment: Assignment) -> list[_Wanted]:
    topics = load_topics(course)
    automatic = [_Wanted(question, topic_of(topics, assignment, question)) for question in assignment.questions]
    return automatic + [_Wanted(question, None) for question in assignment.manual]


def _asked(wanted: _Wanted) -> Asked:
    question = wanted.question
    if wanted.topic is None:
        return Asked(question.id, question.points, manual=True)
    return Asked(question.id, question.points, wanted.names, question.environment, checks_of(wanted.topic))


class _Cells:
    """Makes the students' cells of the instructor's."""

    def __init__(self, wanted: list[_Wanted], *, solved: bool) -> None:
        self._wanted = wanted
        self._solved = solved
        self._by_name = {name: each for each in wanted for name in each.names}
        self._placed: set[str] = set()
        self._open: set[str] = set(self._by_name)
        self._helped = False

    def made_of(self, cells: list[Any]) -> Iterator[Any]:
        for cell in cells:
            if cell.cell_type == "code" and not self._helped:
                self._helped = True
                nbgrader = _nbgrader(_HELPER, "code", locked=True)
                yield _cell("code", helper_cell(), **_LOCKED, **_FOLDED, nbgrader=nbgrader)
            yield from self._made(cell)
        for each in self._wanted:
            if each.id not in self._placed:
                mark = json.dumps({"question": each.id})
                what = f"defines {' and '.join(each.names)}" if each.topic else f"is marked by {KEY}={mark}"
                raise stub.SourceError(f"no cell with a solution {what}, which the question {each.id} asks for")

    def _made(self, cell: Any) -> Iterator[Any]:
        kind, source = cell.cell_type, cell.source
        marked = cell.metadata.get(KEY)
        if isinstance(marked, dict) and "question" in marked:
            yield self._manual(kind, source, str(marked["question"]))
        elif kind != "code":
            yield _cell(kind, source)
        elif stub.has_solution(source):
            yield from self._question(source)
        else:
            yield _cell(kind, stub.guarded(source, self._open))

    def _question(self, source: str) -> Iterator[Any]:
        defined = stub.defined_in(source)
        found = list({each.id: each for name, each in self._by_name.items() if name in defined}.values())
        if len(found) != 1 or not set(found[0].names) <= defined:
            have = ", ".join(sorted(defined)) or "nothing"
            raise stub.SourceError(
                f"a cell with a solution must define what one question asks for, all of it and nothing of another; "
                f"one defines {have}, which belongs to {', '.join(each.id for each in found) or 'no question'}"
            )
        (each,) = found
        assert each.topic is not None
        self._place(each.id)
        text = source if self._solved else stub.stubbed(source, {} if each.topic.is_class else each.topic.reference)
        yield _answer_cell("code", text, each.question)
        checks = checks_of(each.topic)
        if checks:
            several = "s" if len(each.topic.examples) > 1 else ""
            head = f"# Public check{several} of the question {each.id}, {each.question.points:g} points."
            yield _cell(
                "code",
                f"{head}\n{checks}",
                **_LOCKED,
                nbgrader=_nbgrader(f"public-check-{grade_id(each.id)}", "code", locked=True),
            )

    def _manual(self, kind: str, source: str, question_id: str) -> Any:
        each = next((each for each in self._wanted if each.id == question_id and each.topic is None), None)
        if each is None:
            raise stub.SourceError(
                f"a cell is marked by the question {question_id!r}, which is none with `manual = true`"
            )
        self._place(each.id)
        text = stub.stubbed(source, {}) if kind == "code" and stub.has_solution(source) else NO_ANSWER[kind]
        text = source if self._solved else text
        return _answer_cell(kind, text, each.question)

    def _place(self, question_id: str) -> None:
        if question_id in self._placed:
            raise stub.SourceError(f"two cells hold the solution of the question {question_id}: one cell each")
        self._placed.add(question_id)


def _answer_cell(kind: str, source: str, question: Question) -> Any:
    """Where students write: for nbgrader a cell that a person grades, so that it never gives points itself."""
    return _cell(
        kind,
        source,
        nbgrader=_nbgrader(grade_id(question.id), kind, points=question.points),
        **{KEY: {"question": question.id}},
    )


def _nbgrader(name: str, kind: str, *, locked: bool = False, points: float | None = None) -> dict[str, Any]:
    metadata = {
        "schema_version": 3,
        "grade": points is not None,
        "solution": not locked,
        "locked": locked,
        "task": False,
        "grade_id": name,
        "cell_type": kind,
    }
    return metadata if points is None else {**metadata, "points": points}


def _cell(kind: str, source: str, **metadata: Any) -> Any:
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    if kind not in make:
        raise stub.SourceError(f"a {kind} cell, where there can be markdown and code only")
    if "nbgrader" in metadata:
        metadata["nbgrader"]["checksum"] = _checksum(kind, source, metadata["nbgrader"])
    return make[kind](source, metadata=metadata)


def _checksum(kind: str, source: str, nbgrader: dict[str, Any]) -> str:
    """As nbgrader computes it: by it, it knows an answer that was never begun and a check that was changed."""
    parts = [source, kind, *(str(nbgrader[key]) for key in ("grade", "solution", "locked")), nbgrader["grade_id"]]
    if "points" in nbgrader:
        parts.append(str(float(nbgrader["points"])))
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def _must_have_ids_of_their_own(cells: list[Any]) -> None:
    """For nbgrader, a question `public-checks` would be our cell, and `a.b` the same as `a_b`."""
    counts = Counter(cell.metadata["nbgrader"]["grade_id"] for cell in cells if "nbgrader" in cell.metadata)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise stub.SourceError(f"two cells would have nbgrader's id {twice[0]!r}: give the question another id")


def _written(cells: list[Any], manifest: Manifest) -> bytes:
    seen: dict[str, int] = {}
    for cell in cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        name = name[:48] or hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] = seen.get(name, 0) + 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    metadata = {
        "kernelspec": _KERNEL,
        "language_info": {"name": "python", "file_extension": ".py"},
        KEY: manifest.as_json(),
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    notebook["nbformat_minor"] = 5  # the first that has cell ids; a later nbformat shall change nothing
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook, version=4)
    return f"{text.rstrip()}\n".encode()
