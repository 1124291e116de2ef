"""`autograder adopt ASSIGNMENT STUDENT QUESTION`: a mistake that nobody has named becomes a misconception."""

import argparse
import json

from autograder.cli.arguments import Commands, add_assignment, add_course, student
from autograder.cli.grade import add_jail, isolation_of
from autograder.cli.submissions import add_submission, submission_of
from autograder.course.errors import CourseError, listed, nearest


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "adopt",
        parents=[shared],
        help="give a mistake that students made a name and a hint",
        description="Cut what a question needs out of a student's notebook, and write it with a name and a hint "
        "below adopted/, for you to read and commit. Compiled again, the suite names the mistake like a declared one.",
    )
    add_assignment(parser)
    parser.add_argument("student", type=student, metavar="STUDENT", help="one of the group that made the mistake")
    parser.add_argument("question", metavar="QUESTION", help="its id")
    parser.add_argument(
        "--name", required=True, metavar="TEXT", help="what the mistake is called, for staff and student"
    )
    parser.add_argument("--hint", required=True, metavar="TEXT", help="what the student reads beside it")
    add_course(parser)
    add_submission(parser)
    add_jail(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    isolation = isolation_of(arguments)
    name, hint = (" ".join(text.split()) for text in (arguments.name, arguments.hint))
    for option, text in (("--name", name), ("--hint", hint)):
        if not text or not text.isprintable():
            raise CourseError(f"{option} needs a few words")

    from autograder.course.load import load_assignment, load_course

    course = load_course(arguments.course)
    assignment = load_assignment(course, arguments.assignment)
    questions = {question.id: question for question in assignment.questions}
    if arguments.question not in questions:
        raise CourseError(
            f"{assignment.id} asks no question {arguments.question!r}{nearest(arguments.question, questions)}; "
            f"there are: {listed(questions)}"
        )

    from autograder.grading.adopt import adopt
    from autograder.suite.adopted import Place
    from autograder.suite.compile import load_suite

    suite = load_suite(course, assignment)
    submission = submission_of(arguments, course, assignment)
    place = Place(course, assignment, questions[arguments.question], isolation)
    written = adopt(place, suite, submission, name, hint)
    if arguments.json:
        document = {"assignment": assignment.id, "question": arguments.question, "topic": written.topic, "name": name}
        document |= {"path": str(written.path), "failed": list(written.failed)}
        print(json.dumps(document, ensure_ascii=False))
        return 0
    print(f"{written.path}:\n")
    print("\n".join(f"    {line}".rstrip() for line in written.source.splitlines()))
    print(f"\n{name!r} fails in {', '.join(written.failed)}, and shows what nothing known does.")
    print(f"Read the file: it is a student's code, and must not say whose. Then: autograder compile {assignment.id}")
    return 0
