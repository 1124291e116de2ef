"""`autograder regrade ASSIGNMENT`: what the suite of today would change, and, with --accept, the change."""

import argparse
import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from autograder.cli.arguments import Commands, add_assignment, add_course, add_gradebook, cores, positive
from autograder.cli.book import author_of, opened
from autograder.cli.grade import add_isolation, isolation_of
from autograder.cli.progress import Progress
from autograder.course.errors import CourseError, listed
from autograder.sandbox.isolation import PROCESS
from autograder.values.counting import counted

if TYPE_CHECKING:
    from autograder.course.load import Assignment, Course
    from autograder.gradebook.database import Gradebook
    from autograder.gradebook.policy import Score
    from autograder.gradebook.regrade import Change, Difference, Regraded
    from autograder.grading.record import Record
    from autograder.sandbox.isolation import Isolation


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "regrade",
        parents=[shared],
        help="grade everybody again: first the difference, then --accept",
        description="Grade what the gradebook holds by the suite, the image and the policy of today, and show who "
        "rises, who falls, and by which check. Nothing changes without --accept; overrides stand.",
    )
    add_assignment(parser)
    add_course(parser)
    add_gradebook(parser)
    parser.add_argument("--accept", nargs="+", default=[], metavar="STUDENT", help="`all`, or the students for whom")
    parser.add_argument("--never-lower", action="store_true", help="whose score would fall keeps the old one")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why it is accepted; kept with it")
    parser.add_argument("--author", default="", metavar="NAME", help="who accepts it (default: the user's name)")
    parser.add_argument(
        "--jobs", type=positive, default=cores(), metavar="N", help="submissions at a time (default: one a core)"
    )
    add_isolation(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    isolation = isolation_of(arguments)
    if arguments.isolation == PROCESS:
        raise CourseError("a gradebook takes no grades that were made without isolation: regrade in a jail")
    if arguments.accept and not arguments.reason.strip():
        raise CourseError("--accept needs --reason TEXT: why the grades change")
    if arguments.never_lower and not arguments.accept:
        raise CourseError("--never-lower says what is accepted: give --accept too")

    from autograder.course.load import load_assignment

    course, opening = opened(arguments)
    assignment = load_assignment(course, arguments.assignment)
    with opening as book:
        regraded, unkept = _grade(arguments, course, assignment, book, isolation)

        from autograder.gradebook.database import now
        from autograder.gradebook.regrade import accept, difference

        accepted: tuple[int, list[str]] | None = None
        # Between what is shown and what is accepted nobody else writes.
        with book.writing() if arguments.accept else book.reading() as connection:
            found = difference(connection, course, assignment.id, regraded.keys, at=now())
            if arguments.accept:
                who = None if arguments.accept == ["all"] else arguments.accept
                accepted = accept(
                    connection, course, assignment.id, found,
                    who=who, never_lower=arguments.never_lower, author=author_of(arguments), reason=arguments.reason,
                )  # fmt: skip
    if arguments.json:
        document = {
            "assignment": assignment.id,
            "changes": [_change_json(change) for change in found.changes],
            "renamed": list(found.renamed),
            "policy_changed": found.policy,
            "accepted": accepted[0] if accepted else None,
            "kept": accepted[1] if accepted else [],
            "not_graded": sorted(regraded.failed),
            "not_kept": unkept,
        }
        print(json.dumps(document, ensure_ascii=False))
    else:
        _tell(found, regraded, unkept, accepted)
    return 1 if regraded.failed else 0


def _grade(
    arguments: argparse.Namespace,
    course: "Course",
    assignment: "Assignment",
    book: "Gradebook",
    isolation: "Isolation",
) -> "tuple[Regraded, list[str]]":
    """The records of today, and students of whose submission no files were kept."""
    from autograder.gradebook.regrade import Regraded, sources_of
    from autograder.grading.batch import grade_class
    from autograder.grading.ledger import Chain
    from autograder.suite.compile import load_suite

    suite = load_suite(course, assignment)
    sources, unkept = sources_of(book, assignment.id)
    regraded = Regraded(book, assignment.id)
    chain = Chain(regraded)
    if not sources:
        raise CourseError(f"the gradebook {book.place} holds nothing that was handed in for {assignment.id}")
    with Progress() as progress:

        def seen(done: int, total: int, record: "Record | None") -> None:
            progress.count(done, total, "graded again", known=chain.reused)

        asyncio.run(
            grade_class(
                course, assignment, suite, sources,
                jobs=arguments.jobs, isolation=isolation, examples=True, progress=seen, ledger=chain,
            )
        )  # fmt: skip
    return regraded, sorted({each.student for each in unkept})


def _tell(found: "Difference", regraded: "Regraded", unkept: list[str], accepted: tuple[int, list[str]] | None) -> None:
    directions = Counter(change.direction for change in found.changes)
    words = ", ".join(
        f"{directions[word]} {word}" for word in ("rises", "falls", "changes", "stands") if directions[word]
    )
    print(f"{counted(len(regraded.keys), 'submission')} graded; {words or 'no score or verdict changes'}")
    if found.renamed:
        print(f"Of these the mistakes alone are called otherwise, {len(found.renamed)}: {listed(found.renamed)}")
    for change in found.changes:
        print(f"  {change.student}: {_said(change)}")
        for check in change.checks:
            print(f"      {check.question}, {check.check}: {check.before} -> {check.after} ({check.points:+g})")
    by_check = Counter((check.question, check.check) for change in found.changes for check in change.checks)
    for (question, name), count in by_check.most_common():
        print(f"By check: {question}, {name}: {counted(count, 'student')}")
    if found.policy:
        print("The policy in course.toml is another one than the scores follow; accepting for all adopts it")
    for student in unkept:
        print(f"  {student}: no files were kept, so the grade stays as it is")
    for digest, why in regraded.failed.items():
        print(f"  submission {digest[:12]}: not graded: {why}")
    if accepted is not None:
        number, kept = accepted
        print(f"Accepted as regrade {number}" + (f"; these keep what they had: {', '.join(kept)}" if kept else ""))
    elif found.changes or found.renamed or found.policy:
        print("Nothing is changed yet: `--accept all` or `--accept STUDENT...`, with `--reason`, does it")


def _said(change: "Change") -> str:
    if change.direction == "stands":
        return f"stays at {_score(change.after)}" + (", which a person decided" if change.after.overridden else "")
    where = "" if change.checks else f", {change.assignment}"
    return f"{_score(change.before)} -> {_score(change.after)}{where}"


def _score(score: "Score") -> str:
    return str(score.standing).replace("_", " ") if score.points is None else str(score.points)


def _change_json(change: "Change") -> dict[str, Any]:
    return {
        "student": change.student,
        "assignment": change.assignment,
        "direction": change.direction,
        "before": _score(change.before),
        "after": _score(change.after),
        "overridden": change.after.overridden,
        "checks": [vars(check) for check in change.checks],
    }
