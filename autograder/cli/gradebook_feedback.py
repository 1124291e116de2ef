"""`autograder gradebook feedback ASSIGNMENT --out DIR`: pages, records and scores as they hold."""

import argparse
import json

from autograder.cli.book import opened
from autograder.course.errors import CourseError


def feedback(arguments: argparse.Namespace) -> int:
    from autograder.course.load import load_assignment
    from autograder.gradebook.database import now
    from autograder.gradebook.facts import comments_of
    from autograder.report.decided import decided_of, write_scores_file
    from autograder.report.pages import Pages, write_pages_of
    from autograder.report.results import RESULTS, write_in_order
    from autograder.report.scores import write_scores
    from autograder.report.standing import Standing, source_of
    from autograder.suite.compile import load_suite

    course, opening = opened(arguments)
    assignment = load_assignment(course, arguments.assignment)
    topics = {plan.question: plan.topic for plan in load_suite(course, assignment).plans}
    out = arguments.out
    with opening as book, book.reading() as connection:
        decided = decided_of(connection, course, assignment.id, now=now())
        if not decided:
            raise CourseError(
                f"the gradebook {book.place} knows no student: `autograder gradebook enrol` or grade first"
            )
        records = Standing(connection, decided, assignment, topics)
        try:
            out.mkdir(parents=True, exist_ok=True)
            write_pages_of(
                Pages(course, assignment, topics),
                records,
                lambda student: source_of(book, assignment.id, student, decided[student]),
                out,
                manual=[part.id for part in assignment.manual],
                decided=decided,
            )
            write_in_order(records.graded(), out / RESULTS)
            write_scores(
                {student: each.score for student, each in decided.items()},
                comments_of(connection, assignment.id),
                out / "grades.csv",
            )
            write_scores_file(decided, out)
        except OSError as error:
            raise CourseError(f"--out {out} cannot be written: {error.strerror}") from error
    document = {"assignment": assignment.id, "out": str(out), "students": len(decided), "pages": len(records)}
    line = f"{out}: {len(records)} students have a page, of {len(decided)}; points and comments are those that hold now"
    print(json.dumps(document, ensure_ascii=False) if arguments.json else line)
    return 0
