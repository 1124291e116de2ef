"""An nbgrader class in the form in which everything else here keeps its results."""

from autograder.exchange.nbgrader.cells import Master
from autograder.exchange.nbgrader.grade import Class, Graded
from autograder.exchange.peers import records
from autograder.grading.record import ManualRecord, Measured, Record

# What the grade file calls its own columns, and somebody may call a cell.
_COLUMNS = frozenset(
    "student state points max_points automatic_points automatic_max_points manual_state manual_max_points".split()
)


def as_records(graded: Class, *, versions: str, isolation: str) -> list[Record]:
    """One record a student; a question is a test cell, named NOTEBOOK/CELL where there are several notebooks."""
    several = len(graded.masters) > 1
    suite = records.digest(cell.source for master in graded.masters for cell in master.given)
    return [_record(each, several, suite, versions, isolation) for each in graded.graded]


def questions_of(masters: tuple[Master, ...]) -> tuple[list[str], dict[str, float]]:
    """The ids of all tests in order, and of what a person grades the ids and points."""
    several = len(masters) > 1
    tests = [_name(m.name, cell.id, several) for m in masters for cell in m.graded.values() if cell.is_test]
    manual = {
        _name(m.name, cell.id, several): cell.points for m in masters for cell in m.graded.values() if cell.is_manual
    }
    return tests, manual


def _name(notebook: str, cell: str, several: bool) -> str:
    return f"{notebook}/{cell}" if several or cell in _COLUMNS else cell


def _record(graded: Graded, several: bool, suite: str, versions: str, isolation: str) -> Record:
    marks = [(_name(each.name, mark.cell.id, several), mark) for each in graded.notebooks for mark in each.marks]
    return records.record(
        graded.student.student,
        submission=graded.digest,
        suite=suite,
        versions=versions,
        isolation=isolation,
        questions=[
            records.question(name, mark.cell.points, [(name, mark.cell.points, mark.result)])
            for name, mark in marks
            if mark.cell.is_test
        ],
        manual=[ManualRecord(id=name, max_points=mark.cell.points) for name, mark in marks if mark.cell.is_manual],
        notes=[note for each in graded.notebooks for note in each.notes],
        unreadable=graded.unreadable,
        measured=Measured(
            wall_s=round(graded.wall_s, 3),
            cpu_s=round(sum(each.cpu_s for each in graded.notebooks), 3),
            peak_mib=round(max((each.peak_mib for each in graded.notebooks), default=0.0), 1),
        ),
    )
