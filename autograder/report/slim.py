"""What of a class's records fits into memory together?"""

from collections.abc import Iterable

from autograder.grading.record import QuestionRecord, Record


def slim(records: Iterable[Record]) -> list[Record]:
    """The records with how each check ended and what it earned, and no words.

    Most of a class ends a question in one of a few ways, and those are kept once.
    """
    known: dict[QuestionRecord, QuestionRecord] = {}
    slimmed = []
    for record in records:
        questions = (_slim(question) for question in record.questions)
        kept = tuple(known.setdefault(question, question) for question in questions)
        slimmed.append(record.model_copy(update={"questions": kept, "notes": record.notes[-1:]}))
    return slimmed


def _slim(question: QuestionRecord) -> QuestionRecord:
    checks = tuple(check.model_copy(update={"message": "", "evidence": ""}) for check in question.checks)
    return question.model_copy(update={"checks": checks, "examples": (), "curve": None})
