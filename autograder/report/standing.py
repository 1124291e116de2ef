"""Which records hold in a gradebook, in the form in which pages are made of records?"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from autograder.course.errors import CourseError
from autograder.course.load import Assignment
from autograder.gradebook.database import Gradebook
from autograder.gradebook.feed import record_of
from autograder.gradebook.handed import source_from
from autograder.grading.record import QuestionRecord, Record
from autograder.notebook.find import Source
from autograder.report.decided import Decided
from autograder.topic.declare import Topic
from autograder.values.outcomes import State


class Standing:
    """The records that count, by student, read one at a time whenever they are gone through.

    Who has points or comments and no record is among them, with a record that says nothing.
    """

    def __init__(
        self,
        connection: Connection,
        decided: Mapping[str, Decided],
        assignment: Assignment,
        topics: Mapping[str, Topic],
    ) -> None:
        self._connection = connection
        self._decided = decided
        self._assignment = assignment
        self._topics = topics
        self._students = [s for s, d in decided.items() if d.record or d.score.points is not None or d.comments]

    def __len__(self) -> int:
        return len(self._students)

    def __iter__(self) -> Iterator[Record]:
        for student in self._students:
            record = self._record(student)
            yield self._shown(record) if record else self._blank(student)

    def graded(self) -> Iterator[Record]:
        """Those that there are, as they are."""
        for student in self._students:
            record = self._record(student)
            if record is not None:
                yield record

    def _record(self, student: str) -> Record | None:
        key = self._decided[student].record
        record = record_of(self._connection, key) if key else None
        return record.model_copy(update={"student": student}) if record else None

    def _shown(self, record: Record) -> Record:
        """Without what the assignment of today does not have: the record may be of an earlier suite."""
        questions = tuple(self._without(each) for each in record.questions if each.id in self._topics)
        return record.model_copy(update={"questions": questions})

    def _without(self, question: QuestionRecord) -> QuestionRecord:
        known = {example.name for example in self._topics[question.id].examples}
        kept = tuple(example for example in question.examples if example.name in known)
        return question.model_copy(update={"examples": kept})

    def _blank(self, student: str) -> Record:
        return Record(
            key="", student=student, submission="", suite="", isolation="", device="",
            state=State.NOT_GRADED, points=None, max_points=self._assignment.max_points,
        )  # fmt: skip


def source_of(book: Gradebook, assignment: str, student: str, decided: Decided) -> Source | None:
    """What was handed in; None where no files were kept."""
    if decided.score.attempt is None:
        return None
    try:
        return source_from(book, assignment, student, decided.score.attempt)
    except CourseError:
        return None
