"""`autograder release ASSIGNMENT`: the notebook that students get, from the instructor's source."""

import argparse
import json
from pathlib import Path

from autograder.cli.arguments import Commands, add_assignment, add_course
from autograder.values.counting import counted


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "release",
        parents=[shared],
        help="make the student notebook, with public checks",
        description="Make assignments/ID/ID.ipynb from solutions/ID/ID.py: without the solution regions, with a "
        "public check after each question and with nbgrader's metadata.",
    )
    add_assignment(parser)
    add_course(parser)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 says that the notebook is not current"
    )
    parser.add_argument(
        "--nbgrader",
        type=Path,
        metavar="DIR",
        help="write the notebook with its solutions into source/ of this nbgrader course instead: "
        "`nbgrader generate_assignment` makes the students' one of it",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from autograder.course.errors import CourseError
    from autograder.course.load import load_assignment, load_course

    course = load_course(arguments.course)
    assignment = load_assignment(course, arguments.assignment)

    from autograder.notebook.release import notebook_path, release  # after the cheap mistakes

    released = release(course, assignment, solved=arguments.nbgrader is not None)
    path = notebook_path(assignment)
    if arguments.nbgrader is not None:
        if not arguments.nbgrader.is_dir():
            raise CourseError(f"{arguments.nbgrader} is no folder: make a course with `nbgrader quickstart` first")
        path = arguments.nbgrader / "source" / assignment.id / path.name
    present = path.read_bytes() if path.is_file() else None
    current = present == released.contents
    if not current and not arguments.check:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(released.contents)
        except OSError as error:
            raise CourseError(f"{path} cannot be written: {error.strerror}") from error
    count = len(released.manifest.questions)
    if arguments.json:
        document = {"assignment": assignment.id, "path": str(path), "current": current}
        print(json.dumps({**document, "questions": count, "public_checks": released.checks}))
    elif arguments.check and not current:
        state = "is not there" if present is None else "is not what its source and references make"
        print(f"{path} {state}: run `autograder release {assignment.id}`")
    else:
        unchanged = ", unchanged" if current else ""
        print(f"{path}: {counted(count, 'question')}, {released.checks} with public checks{unchanged}")
    return 1 if arguments.check and not current else 0
