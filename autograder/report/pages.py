"""What does a student read when it is graded, and what do those who teach?

One self-contained HTML page a student, another one for the teaching staff, and the class at a glance.
Who sees what: of hidden checks a student sees how they ended and the line in their own code; numbers,
texts of exceptions and pictures are shown of public examples only.
"""

import base64
import hashlib
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from autograder.course.load import Assignment, Course
from autograder.gradebook.policy import Standing
from autograder.grading.record import QuestionRecord, Record
from autograder.notebook.read import Answer, Cell, Source, Unreadable, read, read_answers
from autograder.report import parts, wording
from autograder.report.decided import Decided, head_of
from autograder.report.filenames import page_names
from autograder.report.html import asset, template, write_page
from autograder.report.pictures import histogram, loss_curve
from autograder.report.slim import slim
from autograder.topic.declare import Topic
from autograder.values.outcomes import Outcome, State

FEEDBACK, STAFF = "feedback", "ta"  # folders of the pages: students' and the teaching staff's
_STUMBLED = frozenset({"syntax", "raised", "stopped", "exit"})  # kinds of notes that explain a missing name


@dataclass(frozen=True)
class Handed:
    """What of a submission is shown beside its record: code cells, and answers to hand-graded questions."""

    cells: Sequence[Cell] = ()
    answers: Mapping[str, Sequence[Answer]] | None = None


class Pages:
    """Makes the pages of one graded class."""

    def __init__(self, course: Course, assignment: Assignment, topics: Mapping[str, Topic]) -> None:
        """topics: of the assignment's questions, by the question's id."""
        self._course = course
        self._assignment = assignment
        self._asked = {question.id: parts.asked(question, topics[question.id]) for question in assignment.questions}

    def student(self, record: Record, handed: Handed, decided: Decided | None = None) -> str:
        """The page that is given back. Nothing private is handed to its template.

        decided: what holds by the gradebook, where the page is made from one.
        """
        views = [self._view(question, handed.cells, decided) for question in record.questions]
        stumbled = any(note.kind in _STUMBLED for note in record.notes)
        for question, view in zip(record.questions, views, strict=True):
            view["look_at_notes"] = stumbled and any(c.outcome == Outcome.MISSING for c in question.checks)
        lost = [view for view in views if view["points"] is not None and view["points"] < view["max_points"]]
        lost.sort(key=lambda view: view["points"] - view["max_points"])
        return template("student.html").render(
            **self._head(record, decided),
            views=views,
            todo=lost[:3],
            manual=self._manual(handed, decided),
            notes=[{"text": note.text, "rows": parts.excerpt(note.text, handed.cells)} for note in record.notes],
        )

    def teacher(self, record: Record, handed: Handed, page: str, decided: Decided | None = None) -> str:
        """The page for teaching staff, with all that is known. page: the file name of both pages."""
        views = []
        for question in record.questions:
            view = self._view(question, handed.cells, decided)
            view["private_checks"] = [parts.private_row(check, handed.cells) for check in question.checks]
            diagnoses = [check.diagnosis for check in question.checks if check.diagnosis]
            names = {name for diagnosis in diagnoses for name in diagnosis.misconceptions}
            misconceptions = self._asked[question.id].topic.misconceptions
            view["diffs"] = [m.edits for m in misconceptions if m.name in names and m.edits]
            views.append(view)
        return template("teacher.html").render(
            **self._head(record, decided),
            views=views,
            page=page,
            decisions=decided.decisions if decided else (),
            manual=self._manual(handed, decided),
            notes=[note.model_dump() | {"rows": parts.excerpt(note.text, handed.cells)} for note in record.notes],
            **record.model_dump(include={"measured", "isolation", "device", "suite", "key"}),
        )

    def index(
        self, records: Sequence[Record], pages: Mapping[str, str], decided: Mapping[str, Decided] | None = None
    ) -> str:
        """The class. pages: the file name of each student's page. decided: what holds, by the gradebook."""
        rows = [self._row(record, pages[record.student], (decided or {}).get(record.student)) for record in records]
        points = [float(row["points"]) for row in rows if row["points"] is not None]
        most = self._assignment.max_points + (self._assignment.manual_max_points if decided is not None else 0.0)
        words = [_words(state) for state in (State if decided is None else Standing)]
        counts = {word: sum(row["state"] == word for row in rows) for word in words}
        script = asset("sort.js")
        return template("index.html").render(
            course=self._course.title,
            assignment=self._assignment.title,
            rows=rows,
            counts={word: count for word, count in counts.items() if count or decided is None},
            middle=statistics.median_low(points) if points else None,
            mean=statistics.fmean(points) if points else None,
            max_points=most,
            by_gradebook=decided is not None,
            histogram=Markup(histogram(points, most)) if points else "",
            questions=[{"id": key, "mean": _mean(records, key)} for key in self._asked],
            manual=self._manual(Handed()),
            known=self._groups(records, pages, known=True),
            unknown=self._groups(records, pages, known=False),
            script=Markup(script),
            script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )

    def _head(self, record: Record, decided: Decided | None = None) -> dict[str, Any]:
        graded: dict[str, Any] = {
            "course": self._course.title,
            "assignment": self._assignment.title,
            "student": record.student,
            "state": str(record.state),
            "got": record.points,
            "max_points": record.max_points,
            "waiting": self._assignment.manual_max_points,
            "submission": record.submission,
            "set_whole": False,
            "late": {"days": 0, "free": 0, "penalty": 0.0},
            "comments": [],
        }
        return graded if decided is None else graded | head_of(decided, self._assignment)

    def _view(self, question: QuestionRecord, cells: Sequence[Cell], decided: Decided | None = None) -> dict[str, Any]:
        """All that a student may see of a question."""
        asked = self._asked[question.id]
        said = wording.said_of(question, tuple(asked.topic.reference))
        examples = [parts.example_row(each, asked.topic) for each in question.examples]
        by_person = decided is not None and question.id in decided.overridden
        points = decided.given(question.id) if decided is not None and by_person else question.points
        return {
            "id": question.id,
            "title": asked.title,
            "lecture": asked.lecture,
            "summary": asked.summary,
            "signatures": asked.signatures,
            "points": points,
            "graded_points": question.points,
            "by_person": by_person and points != question.points,
            "comments": decided.comments_on(question.id) if decided else [],
            "max_points": question.max_points,
            "tone": parts.tone(points, question.max_points),
            "sentence": said.sentence,
            "step": said.step,
            "checks": parts.together([parts.check_row(check, cells) for check in question.checks]),
            "diagnoses": parts.diagnoses(question),
            "examples": examples,
            "examples_fail": any(not example["passed"] for example in examples),
            "curve": Markup(loss_curve(question.curve)) if question.curve and any(question.curve.loss) else "",
            "curve_gaps": question.curve is not None and None in question.curve.loss,
        }

    def _manual(self, handed: Handed, decided: Decided | None = None) -> list[dict[str, Any]]:
        return [
            {
                "id": part.id,
                "title": parts.title(part),
                "prompt": part.prompt,
                "max_points": part.points,
                "got": decided.given(part.id) if decided else None,
                "comments": decided.comments_on(part.id) if decided else [],
                "cells": (handed.answers or {}).get(part.id, ()),
            }
            for part in self._assignment.manual
        ]

    def _row(self, record: Record, page: str, decided: Decided | None) -> dict[str, Any]:
        by_id = {question.id: question for question in record.questions}
        cells = []
        for key in self._asked:
            question = by_id.get(key)
            got = question.points if question else None
            if decided is not None and key in decided.overridden:
                got = decided.given(key)
            cells.append({"points": got, "tone": parts.tone(got, question.max_points) if question else ""})
        return {
            "student": record.student,
            "page": page,
            "state": _words(decided.score.standing if decided else record.state),
            "points": decided.score.points if decided else record.points,
            "cells": cells,
            "manual": [decided.given(part.id) if decided else None for part in self._assignment.manual],
        }

    def _groups(self, records: Sequence[Record], pages: Mapping[str, str], *, known: bool) -> list[dict[str, Any]]:
        """Failures that have a name, by it; or those that have none, by their outcome."""
        found: dict[tuple[str, str], list[dict[str, str]]] = {}
        checks: dict[tuple[str, str], dict[str, None]] = {}
        for record in records:
            who = {"student": record.student, "page": pages[record.student]}
            keys = set()
            for question in record.questions:
                failed = [check for check in question.checks if check.outcome != Outcome.PASSED]
                named = any(check.diagnosis for check in failed)
                for check in failed:
                    if known and check.diagnosis:
                        keys.add((question.id, check.diagnosis.name))
                    elif not known and not named:
                        key = (question.id, wording.LABELS[check.outcome])
                        checks.setdefault(key, {})[wording.block_of(check)] = None
                        keys.add(key)
            for key in keys:
                found.setdefault(key, []).append(who)
        ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        return [
            {
                "id": key,
                "question": self._asked[key].title,
                "checks": ", ".join(checks.get((key, name), ())),
                "name": name,
                "who": who,
            }
            for (key, name), who in ordered
        ]


def write_pages(
    pages: Pages, records: Sequence[Record], sources: Iterable[Source], out: Path, *, manual: Sequence[str] = ()
) -> None:
    """Write every student's two pages and the class's index, and remove pages of an earlier grading.

    out: gets the folders `feedback` and `ta`. manual: ids of hand-graded questions, whose answers are read.
    """
    by_student = {source.student: source for source in sources}
    write_pages_of(pages, records, by_student.get, out, manual=manual)


def write_pages_of(
    pages: Pages,
    records: Iterable[Record],
    source_of: Callable[[str], Source | None],
    out: Path,
    *,
    manual: Sequence[str] = (),
    decided: Mapping[str, Decided] | None = None,
) -> None:
    """The same of records that are read three times, one at a time.

    source_of: what a student handed in. decided: what holds by the gradebook, by student.
    """
    names = page_names(record.student for record in records)
    feedback, staff = out / FEEDBACK, out / STAFF
    for folder in (feedback, staff):
        folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        handed = _handed(record, source_of(record.student), manual)
        name, holds = names[record.student], (decided or {}).get(record.student)
        write_page(feedback / name, pages.student(record, handed, holds))
        write_page(staff / name, pages.teacher(record, handed, name, holds))
    write_page(staff / "index.html", pages.index(slim(records), names, decided))
    for folder, kept in ((feedback, set(names.values())), (staff, {*names.values(), "index.html"})):
        for path in folder.glob("*.html"):
            if path.name not in kept:
                path.unlink()


def _handed(record: Record, source: Source | None, manual: Sequence[str]) -> Handed:
    """What was handed in, where the page shows something of it, and it still is what was graded."""
    texts = [check.message for question in record.questions for check in question.checks]
    texts += [note.text for note in record.notes]
    if source is None or not (manual or any(map(parts.PLACE.search, texts))):
        return Handed()
    try:
        submission = read(source)
    except Unreadable:
        return Handed()
    if submission.digest != record.submission:
        return Handed()
    return Handed(submission.cells, read_answers(source, manual) if manual else {})


def _words(state: str) -> str:
    return str(state).replace("_", " ")


def _mean(records: Iterable[Record], question_id: str) -> float | None:
    points = [q.points for r in records for q in r.questions if q.id == question_id and q.points is not None]
    return statistics.fmean(points) if points else None
