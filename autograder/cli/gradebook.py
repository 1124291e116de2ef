"""`autograder gradebook ...`: what is known of a class, and what people decide about it."""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.cli.arguments import Commands, add_course, add_gradebook, positive, student
from autograder.cli.book import author_of, opened, said, score_json
from autograder.cli.gradebook_feedback import feedback
from autograder.cli.gradebook_views import audit, scores, show
from autograder.course.errors import CourseError

if TYPE_CHECKING:
    from autograder.course.load import Course
    from autograder.gradebook.database import Gradebook
    from autograder.gradebook.policy import Score, Task


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "gradebook",
        parents=[shared],
        help="scores and history of a course; points, extensions and comments by hand",
        description="Look at the gradebook, or decide something: every decision is a row with author and reason, "
        "holds through every regrade, and is never changed, only withdrawn.",
    )
    inner = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    inner.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    inner.add_argument("--debug", action="store_true", help="show the traceback of a mistake of ours")
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")

    def action(name: str, run: Callable[[argparse.Namespace], int], help_text: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, parents=[inner], help=help_text, description=help_text)
        made.set_defaults(run=run)
        add_course(made)
        add_gradebook(made)
        return made

    one = action("show", show, "everything about one student")
    one.add_argument("student", type=student, metavar="STUDENT")
    all_scores = action("scores", scores, "the scores of an assignment, or the totals of the course")
    all_scores.add_argument("assignment", metavar="ASSIGNMENT", nargs="?", default="")
    all_scores.add_argument(
        "--out", type=Path, metavar="FILE", help="write them as CSV, which `autograder export` reads"
    )
    pages = action("feedback", feedback, "pages of an assignment with points and comments as they hold, for export")
    pages.add_argument("assignment", metavar="ASSIGNMENT")
    pages.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="gets feedback/, ta/ and what export reads; may be grade's",
    )
    history = action("audit", audit, "what happened, in order: attempts, gradings, regrades, decisions")
    history.add_argument("student", type=student, metavar="STUDENT", nargs="?", default="")
    history.add_argument("--assignment", default="", metavar="ID", help="only of this assignment")
    enrol = action("enrol", _enrol, "take over the students of a roster, so that who is missing is known")
    enrol.add_argument("roster", type=Path, metavar="ROSTER", help="the LMS's export of the gradebook")
    enrol.add_argument("--id-column", default="", metavar="NAME", help="the header of the ids, where it is not known")
    enrol.add_argument("--encoding", default="", metavar="NAME", help="of the roster, where it cannot be told")
    _add_decisions(action)
    undo = action("withdraw", _withdraw, "let an earlier decision not hold any more")
    undo.add_argument("number", type=positive, metavar="NUMBER", help="of the decision, as audit and show print it")
    _add_author(undo)


def _add_decisions(
    action: Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser],
) -> None:
    def decision(
        name: str, help_text: str, *, question: bool = False, attempt: bool = False
    ) -> argparse.ArgumentParser:
        made = action(name, _decide, help_text)
        made.add_argument("student", type=student, metavar="STUDENT")
        made.add_argument("where", metavar="ASSIGNMENT[/QUESTION]" if question else "ASSIGNMENT")
        if attempt:
            made.add_argument("--attempt", type=positive, metavar="N", help="which attempt (default: the last one)")
        _add_author(made)
        return made

    override = decision("override", "points in place of what was graded", question=True)
    override.add_argument("points", type=_points, metavar="POINTS")
    manual = decision("manual", "points of a part that a person grades", question=True, attempt=True)
    manual.add_argument("points", type=_points, metavar="POINTS")
    comment = decision("comment", "a text for the student", question=True)
    comment.add_argument("text", metavar="TEXT")
    extend = decision("extend", "another due date for one student")
    extend.add_argument("moment", metavar="UNTIL", help="such as 2026-03-14T23:59, in the zone of the due date")
    decision("excuse", "the assignment does not count for this student")
    choose = decision("choose", "the attempt that counts, where the policy says `chosen`")
    choose.add_argument("attempt", type=positive, metavar="ATTEMPT")
    submitted = decision("submitted", "when an attempt was handed in, where the LMS did not say", attempt=True)
    submitted.add_argument("moment", metavar="WHEN", help="such as 2026-03-14T23:59, in the zone of the due date")


def _add_author(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; kept with it")
    parser.add_argument("--author", default="", metavar="NAME", help="who decides (default: the user's name)")


def _decide(arguments: argparse.Namespace) -> int:
    from autograder.gradebook.decide import Decision, decide
    from autograder.gradebook.facts import policy_in_force, tasks_of
    from autograder.gradebook.tables import Kind

    assignment, _, question = arguments.where.partition("/")
    made = Decision(Kind(arguments.action), arguments.student, assignment, question)
    course, opening = opened(arguments)
    with opening as book:
        with book.reading() as connection:
            policy = policy_in_force(connection, course)
            tasks = tasks_of(course, policy)
        if made.kind == Kind.CHOOSE and policy.attempt != "chosen":
            raise CourseError(
                f"the policy counts the {policy.attempt} attempt, so a choice would change nothing; it does with "
                'attempt = "chosen" in [policy]'
            )
        made = replace(
            made,
            attempt=getattr(arguments, "attempt", None),
            points=getattr(arguments, "points", None),
            moment=_moment(arguments.moment, made.assignment, tasks) if hasattr(arguments, "moment") else None,
            text=getattr(arguments, "text", ""),
        )
        before = _score_of(course, book, made.student, made.assignment)
        number = decide(book, tasks, made, author=author_of(arguments), reason=arguments.reason)
        after = _score_of(course, book, made.student, made.assignment)
    if arguments.json:
        print(json.dumps({"decision": number, "before": score_json(before), "after": score_json(after)}))
    else:
        stands = f"{made.student}, {made.assignment}: {said(after)}" if after else made.student
        change = f" (was: {said(before)})" if before != after and before else ""
        print(f"Decision {number}. {stands}{change}")
    return 0


def _withdraw(arguments: argparse.Namespace) -> int:
    from autograder.gradebook.decide import withdraw

    _, opening = opened(arguments)
    with opening as book:
        number = withdraw(book, arguments.number, author=author_of(arguments), reason=arguments.reason)
    line = f"Decision {arguments.number} does not hold any more (decision {number})"
    print(json.dumps({"decision": number, "withdrawn": arguments.number}) if arguments.json else line)
    return 0


def _enrol(arguments: argparse.Namespace) -> int:
    from autograder.exchange.rosters import read_roster
    from autograder.gradebook.feed import enrol
    from autograder.notebook.find import student_of

    _, book_of_lms = read_roster(arguments.roster, id_column=arguments.id_column, encoding=arguments.encoding)
    roster = book_of_lms.roster
    key = roster.key_field
    names = {student_of(getattr(student, key)): student.name for student in roster}
    _, opening = opened(arguments)
    with opening as book, book.writing() as connection:
        added = enrol(connection, names)
    line = f"{len(names)} students in the roster, {added} of them new to the gradebook"
    print(json.dumps({"students": len(names), "added": added}) if arguments.json else line)
    return 0


def _score_of(course: "Course", book: "Gradebook", student: str, assignment: str) -> "Score | None":
    from autograder.gradebook.database import now
    from autograder.gradebook.facts import policy_in_force, scores_of_all, tasks_of

    with book.reading() as connection:
        policy = policy_in_force(connection, course)
        scores = scores_of_all(connection, tasks_of(course, policy), policy, now=now(), student=student)
    return scores[student].get(assignment)


def _moment(text: str, assignment: str, tasks: "list[Task]") -> datetime:
    from autograder.gradebook.moments import moment_of

    due = next((task.due for task in tasks if task.id == assignment), None)
    moment = moment_of(text, due.tzinfo if due else None)
    if moment is None:
        raise CourseError(f"{text!r} is no time: write it as 2026-03-14T23:59" + ("" if due else "+01:00"))
    return moment


def _points(text: str) -> Decimal:
    try:
        points = Decimal(text)
    except InvalidOperation:
        points = Decimal("NaN")
    if not points.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of points")
    return points
