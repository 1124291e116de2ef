"""`autograder init DIR`: a new course, with its key."""

import argparse
import json
from pathlib import Path

from autograder.cli.arguments import Commands


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "init",
        parents=[shared],
        help="make a new course, with its key",
        description="Make a new course with one working topic (softmax), its assignment and a secret key.",
    )
    parser.add_argument("dir", type=Path, metavar="DIR", help="a folder that is empty or does not exist yet")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from autograder.course.create import create_course
    from autograder.course.key import fingerprint, load_key
    from autograder.course.load import assignment_ids

    course = create_course(arguments.dir)
    mark = fingerprint(load_key(course))
    if arguments.json:
        made = {"course": str(course.dir), "key": str(course.key_file), "fingerprint": mark}
        print(json.dumps(made | {"assignments": assignment_ids(course)}))
        return 0
    print(f"A new course is in {arguments.dir}; its README.md says what is where.")
    print(f"Back up its key, {arguments.dir / course.key_file.name} (fingerprint {mark}), and never commit it.")
    print(f"Next: cd {arguments.dir} && autograder compile softmax")
    return 0
