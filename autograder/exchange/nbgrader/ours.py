"""How do the points of our own suites get into nbgrader's gradebook?

What `autograder grade` found out about a collected class goes onto the cells of the notebook that nbgrader
released: each question has one, by its id. Written as marks of theirs are, so that formgrader shows them, what
a person gave stays, and `release_feedback` has pages to send.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.errors import CourseError, listed
from autograder.exchange.downloads import Handed, read_downloads
from autograder.exchange.gradescope import public_lines
from autograder.exchange.nbgrader.cells import Cell, Master, cells_of, masters, restored
from autograder.exchange.nbgrader.course import Course, Submitted
from autograder.exchange.nbgrader.grade import Class, Graded, Mark, Notebook, mark_of
from autograder.exchange.peers.model import Result
from autograder.grading.record import QuestionRecord, Record
from autograder.notebook.cells import NotANotebook
from autograder.notebook.files import Refused
from autograder.notebook.manifest import grade_id
from autograder.notebook.read import read
from autograder.notebook.submission import Unreadable
from autograder.values.outcomes import State


@dataclass(frozen=True)
class Placed:
    """Our records on nbgrader's cells. left_out: (student, why) of those who get no marks."""

    graded: Class
    left_out: tuple[tuple[str, str], ...]


def place(course: Course, assignment: str, records: Sequence[Record]) -> Placed:
    """Put each record onto the notebook that it was made of.

    Raises CourseError where the questions are not the cells of `source/`. Left out are those without a number,
    and whoever has handed in something else since.
    """
    sources = masters(course, assignment)
    by_id = _questions(records)
    _must_fit(course, assignment, sources, by_id)
    known = {record.student: record for record in records}
    there = {submitted.student: submitted for submitted in course.submissions(assignment)}
    placed, left_out = [], []
    for handed in read_downloads([course.step("submitted")], assignment=assignment).handed:
        record, submitted = known.pop(handed.key, None), there.get(handed.name)
        why = _why_not(handed, record)
        if why or record is None or submitted is None:
            left_out.append((handed.name, why or "not among the folders of submitted/"))
            continue
        placed.append(_student(submitted, record, sources))
    left_out += [(name, "graded, but not among the folders of submitted/") for name in known]
    return Placed(Class(tuple(sources), tuple(placed), 0.0, ()), tuple(left_out))


def _questions(records: Sequence[Record]) -> dict[str, float]:
    """The most points of each question, by its cell's id."""
    found = {grade_id(each.id): each.max_points for record in records for each in record.questions}
    if not found:
        raise CourseError("nobody among these results was graded: there is nothing to write")
    return found


def _must_fit(course: Course, assignment: str, sources: Sequence[Master], questions: Mapping[str, float]) -> None:
    where = course.step("source") / assignment
    cells = {name: cell for master in sources for name, cell in master.graded.items()}
    mend = f"write the notebook anew: autograder release {assignment} --nbgrader {course.dir}"
    if missing := [name for name in questions if name not in cells]:
        raise CourseError(f"{where} has no graded cell {listed(missing)}, for questions of these results; {mend}")
    for name, points in questions.items():
        if cells[name].points != points:
            raise CourseError(
                f"{where}: the cell {name!r} has {cells[name].points:g} points, the question {points:g}; {mend}"
            )


def _why_not(handed: Handed, record: Record | None) -> str:
    if record is None:
        return "not among the results"
    if record.state != State.GRADED:
        return record.state.replace("_", " ")
    try:
        now = read(handed.source).digest
    except Unreadable as error:
        return error.sentence
    return "" if now == record.submission else "handed in anew since it was graded: grade again"


def _student(submitted: Submitted, record: Record, sources: Sequence[Master]) -> Graded:
    questions = {grade_id(each.id): each for each in record.questions}
    notes = tuple(note.text for note in record.notes)
    notebooks = [_notebook(submitted, master, questions, notes) for master in sources]
    try:
        files = submitted.files()
    except Refused:
        files = {}
    return Graded(submitted, tuple(notebooks), files)


def _notebook(
    submitted: Submitted, master: Master, questions: Mapping[str, QuestionRecord], notes: tuple[str, ...]
) -> Notebook:
    """The student's cells with the instructor's around them, and what each of ours has earned."""
    try:
        cells = tuple(restored(_cells(submitted, master), master))
    except (Refused, NotANotebook):
        cells = tuple(restored((), master))
    marks = []
    for cell in cells:
        if cell.id in questions:
            marks.append(Mark(cell, _result(questions[cell.id])))
        elif cell.is_manual:
            marks.append(mark_of(cell, {}))
    return Notebook(master.name, cells, tuple(marks), notes)


def _cells(submitted: Submitted, master: Master) -> list[Cell]:
    """Of the one notebook that was handed in, whatever it is called; our loader goes by no name either."""
    names = [name for name in submitted.listing.names if name.endswith(".ipynb") and "/" not in name]
    name = f"{master.name}.ipynb"
    if name not in names and len(names) == 1:
        (name,) = names
    if name not in names:
        raise Refused(f"{Path(submitted.folder)} holds no {name}")
    return cells_of(submitted.listing.read(name))


def _result(question: QuestionRecord) -> Result:
    if question.points is None:
        return Result("not_graded", None, "it could not be graded", "This could not be graded yet.")
    full = question.points >= question.max_points
    outcome = "passed" if full else "partial" if question.points > 0 else "failed"
    shown = "\n".join(public_lines(question))
    return Result(outcome, question.points, shown, shown)
