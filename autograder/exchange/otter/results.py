"""What is left of an otter class: records like everybody's, and a page a student that shows what otter would.

The results of hidden tests are for staff, unless the assignment says `show_hidden`; a question that has
any then shows no points of its own, only the sum over all does, as on Gradescope.
"""

from collections.abc import Sequence

from autograder.exchange.otter.assignment import OtterAssignment
from autograder.exchange.otter.grade import Graded
from autograder.exchange.otter.questions import Case, Question
from autograder.exchange.peers import records
from autograder.exchange.peers.model import Result
from autograder.exchange.peers.pages import Part, page
from autograder.grading.record import ManualRecord, Measured, Record


def as_records(assignment: OtterAssignment, graded: Sequence[Graded], *, versions: str, isolation: str) -> list[Record]:
    suite = records.digest(case.test.source for each in assignment.questions.values() for case in each.cases)
    return [_record(assignment, each, suite, versions, isolation) for each in graded]


def _record(assignment: OtterAssignment, graded: Graded, suite: str, versions: str, isolation: str) -> Record:
    questions = []
    if not graded.unreadable:
        for name, question in assignment.questions.items():
            tests = [(case.test.id, case.test.points, graded.ran.results[case.test.id]) for case in question.cases]
            whole = records.question(name, question.points, tests)
            questions.append(whole.model_copy(update={"points": graded.score(question)}))
    record = records.record(
        graded.student,
        submission=graded.digest,
        suite=suite,
        versions=versions,
        isolation=isolation,
        questions=questions,
        manual=[ManualRecord(id=name, max_points=points) for name, points in assignment.manual.items()],
        notes=list(graded.ran.notes),
        unreadable=graded.unreadable,
        measured=Measured(
            wall_s=round(graded.wall_s, 3),
            cpu_s=round(graded.ran.cpu_s, 3),
            peak_mib=round(graded.ran.peak_mib, 1),
        ),
    )
    most = assignment.grading.points_possible or assignment.possible
    return record.model_copy(update={"points": _total(assignment, record.points), "max_points": most})


def _total(assignment: OtterAssignment, points: float | None) -> float | None:
    """The sum as the assignment wants it: scaled, or all or nothing at its threshold."""
    grading, possible = assignment.grading, assignment.possible
    if points is None or not possible:
        return points
    most = grading.points_possible or possible
    if grading.score_threshold is not None:
        return most if points / possible >= grading.score_threshold else 0.0
    return points / possible * most if grading.points_possible else points


def student_page(assignment: OtterAssignment, graded: Graded, record: Record) -> str:
    """One student's page. Notes of loading are their own notebook's."""
    shown: list[Part] = []
    for question in assignment.questions.values() if not graded.unreadable else ():
        shown += _parts(question, graded, show_hidden=assignment.grading.show_hidden)
    said = [graded.unreadable] if graded.unreadable else list(graded.ran.notes)
    total = (record.points, record.max_points)
    return page(assignment.name, graded.student, shown, said, total=total)


def _parts(question: Question, graded: Graded, *, show_hidden: bool) -> list[Part]:
    results = graded.ran.results
    told = [case for case in question.cases if show_hidden or not case.hidden]
    whole = len(told) == len(question.cases)
    score = graded.score(question)
    passed = all(results[case.test.id].outcome == "passed" for case in told)
    lines = [line for case in told if (line := _line(case, results[case.test.id]))]
    outcome = "passed" if passed else "failed"
    if not whole:
        lines.append("This question has more tests than those that are shown; its points are in the sum.")
    code = "\n\n".join(case.test.visible for case in told if results[case.test.id].outcome != "passed")
    return [
        Part(question.name, question.points, score if whole else None, outcome, "\n".join(lines), code, whole=whole)
    ]


def _line(case: Case, result: Result) -> str:
    name = case.test.name
    if result.outcome == "passed":
        return f"{name}: {case.success}" if case.success else ""
    said = [f"{name}: {case.failure}" if case.failure else f"{name}: did not pass"]
    return "\n".join([*said, result.shown] if result.shown else said)
