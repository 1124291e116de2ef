"""How do marks of another system's tests become our own records?"""

import hashlib
from collections.abc import Iterable, Sequence

from autograder.exchange.peers.model import Result
from autograder.grading.record import CheckRecord, ManualRecord, Measured, Note, QuestionRecord, Record, key_of
from autograder.values.outcomes import Outcome, State

_OUTCOMES = {
    "passed": Outcome.PASSED,
    "partial": Outcome.BELOW_BAR,
    "timed_out": Outcome.TIMED_OUT,
    "crashed": Outcome.CRASHED,
    "out_of_memory": Outcome.OUT_OF_MEMORY,
    "no_score": Outcome.NOT_GRADED,
    "not_graded": Outcome.NOT_GRADED,
}


def question(name: str, most: float, tests: Sequence[tuple[str, float, Result]]) -> QuestionRecord:
    """One question of several tests: (id, most points, result). No points where one of them has none."""
    checks = tuple(
        CheckRecord(
            id=test,
            kind="test",
            case=test,
            outcome=_OUTCOMES.get(result.outcome, Outcome.WRONG_VALUE),
            points=result.points or 0.0,
            max_points=points,
            message=result.shown,
            evidence=result.evidence,
        )
        for test, points, result in tests
    )
    known = [result.points for _, _, result in tests]
    total = None if None in known else sum(points for points in known if points is not None)
    return QuestionRecord(id=name, points=total, max_points=most, checks=checks)


def digest(parts: Iterable[str]) -> str:
    """SHA-256 of texts, each with its length before it."""
    made = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "replace")
        made.update(b"%d " % len(data) + data)
    return made.hexdigest()


def record(
    student: str,
    *,
    submission: str,
    suite: str,
    versions: str,
    isolation: str,
    questions: Sequence[QuestionRecord],
    manual: Sequence[ManualRecord] = (),
    notes: Sequence[str] = (),
    unreadable: str = "",
    measured: Measured,
) -> Record:
    """The record of one student. unreadable: why nothing could be read, in a sentence."""
    graded = not unreadable and all(each.points is not None for each in questions)
    state = State.UNREADABLE if unreadable else State.GRADED if graded else State.NOT_GRADED
    told = [Note(cell=None, kind="unreadable", text=unreadable)] if unreadable else []
    told += [Note(cell=None, kind="loading", text=text) for text in notes]
    if state == State.NOT_GRADED and not told:
        first = next(check for each in questions for check in each.checks if check.outcome == Outcome.NOT_GRADED)
        told = [Note(cell=None, kind="not_graded", text=first.message, private=first.evidence)]
    return Record(
        key=key_of(submission, suite, versions, isolation, "cpu"),
        student=student,
        submission=submission,
        suite=suite,
        isolation=isolation,
        device="cpu",
        state=state,
        points=sum(each.points or 0.0 for each in questions) if graded else None,
        max_points=sum(each.max_points for each in questions),
        questions=() if unreadable else tuple(questions),
        manual=tuple(manual),
        notes=tuple(told),
        measured=measured,
    )
