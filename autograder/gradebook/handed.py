"""What did a student hand in, as the gradebook has it?"""

from sqlalchemy import select

from autograder.course.errors import CourseError, listed, nearest
from autograder.gradebook.archive import unpacked
from autograder.gradebook.database import Gradebook
from autograder.gradebook.facts import handins, students_of
from autograder.gradebook.tables import submissions
from autograder.notebook.find import Source


def source_from(book: Gradebook, assignment: str, student: str, attempt: int | None = None) -> Source:
    """One attempt's files; the last one's where none is named. CourseError where there is none."""
    with book.reading() as connection:
        known = students_of(connection)
        if student not in known:
            raise CourseError(f"the gradebook knows no student {student!r}{nearest(student, known)}")
        found = {each.number: each for each in handins(connection, assignment, student)}
        if not found:
            raise CourseError(f"{student} has handed in nothing for {assignment}")
        if attempt is not None and attempt not in found:
            raise CourseError(f"{student} has no attempt {attempt}; there are: {listed(map(str, found))}")
        chosen = found[attempt or max(found)]
        row = connection.execute(select(submissions).where(submissions.c.digest == chosen.submission)).first()
    if row is None:
        raise CourseError(f"of attempt {chosen.number} of {student} no files were kept: they could not be listed")
    return unpacked(student, row.suffix, row.archive)
