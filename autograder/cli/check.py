"""`autograder check NOTEBOOK`: for students, before they hand in."""

import argparse
import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.cli.arguments import Commands, add_course
from autograder.course.errors import CourseError

if TYPE_CHECKING:
    from autograder.grading.preview import Preview
    from autograder.notebook.manifest import Manifest
    from autograder.notebook.submission import Submission

_WORDS = {"not_yet": "not yet", "open": "still open", "by_hand": "by hand"}


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "check",
        parents=[shared],
        help="for students: run the public checks of a notebook",
        description="Load a notebook as for grading and run its public checks. Exit code 1 says that a question "
        "is open or that a public check does not pass yet. Grading asks for more than the public checks do.",
    )
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK", help="your notebook, or the folder that holds it")
    parser.add_argument(
        "--assignment",
        metavar="ID",
        help="the assignment's id, or its released notebook, where yours does not say which it is",
    )
    add_course(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from autograder.grading.preview import preview
    from autograder.notebook.read import Unreadable, read

    if not arguments.notebook.exists():
        raise CourseError(f"{arguments.notebook} does not exist: name your notebook")
    manifest = _manifest(arguments)
    try:
        submission = read(arguments.notebook)
    except Unreadable as error:
        raise CourseError(f"{arguments.notebook}: {error.sentence}") from error
    submission, missing = _beside(arguments.notebook, submission, manifest)
    seen = asyncio.run(preview(submission, manifest, _answered(arguments.notebook, manifest)))
    if arguments.json:
        print(json.dumps({"assignment": manifest.assignment, **seen.as_json()}))
    else:
        _tell(manifest, seen)
        for name in missing:
            print(f"Not beside your notebook, where it will be when you are graded: {name}")
    return 0 if seen.complete else 1


def _manifest(arguments: argparse.Namespace) -> "Manifest":
    """What the released notebook says, as the student's copy of it still has it, or as `--assignment` names it."""
    from autograder.notebook.manifest import NoManifest, manifest_of

    path = arguments.notebook
    if arguments.assignment:
        path = Path(arguments.assignment)
        if path.suffix != ".ipynb":
            path = arguments.course / "assignments" / path.name / f"{path.name}.ipynb"
        if not path.is_file():
            raise CourseError(f"--assignment {arguments.assignment}: there is no released notebook {path}")
    try:
        return manifest_of(_contents(path))
    except NoManifest as reason:
        advice = "name its assignment by --assignment ID, or the notebook as you were given it by --assignment FILE"
        raise CourseError(f"{path}: {reason}; {advice}") from reason


def _beside(path: Path, submission: "Submission", manifest: "Manifest") -> "tuple[Submission, list[str]]":
    """The submission with what was handed out beside it, and the names of what does not lie there any more."""
    from autograder.notebook.data import beside
    from autograder.notebook.files import Refused, read_file

    found = {name: submission.files[name] for name in manifest.files if name in submission.files}
    for name in {*manifest.files} - {*found} if path.suffix in (".ipynb", ".py") else ():
        place = path.parent / name
        if place.is_file():
            try:
                found[name] = read_file(place)
            except Refused as refused:
                raise CourseError(f"{place}: {refused}") from refused
    return replace(submission, files=beside(submission.files, found)), sorted({*manifest.files} - {*found})


def _contents(path: Path) -> bytes:
    """The bytes of a notebook, or of the one in a folder or zip."""
    from autograder.notebook.files import Refused
    from autograder.notebook.find import main_file, source_of, without_wrapper

    try:
        listing = without_wrapper(source_of(path).listing())
        main = listing.names[0] if len(listing.names) == 1 else main_file(listing)
        return listing.read(main) if main else b""
    except Refused as refused:
        raise CourseError(f"{path}: {refused}") from refused


def _answered(path: Path, manifest: "Manifest") -> set[str]:
    """The questions for a person whose cells hold more than they were given out with."""
    from autograder.notebook.find import source_of
    from autograder.notebook.manifest import NO_ANSWER
    from autograder.notebook.read import read_answers

    found = read_answers(source_of(path), [question.id for question in manifest.questions if question.manual])
    return {
        question
        for question, cells in found.items()
        if any(cell.pictures or cell.source.strip() not in ("", *NO_ANSWER.values()) for cell in cells)
    }


def _tell(manifest: "Manifest", seen: "Preview") -> None:
    print(f"{manifest.title}: your notebook as it will be loaded for grading")
    width = max(len(question.id) for question in seen.questions)
    for question in seen.questions:
        word = _WORDS.get(question.state, question.state)
        shown = [line for line in question.lines if not line.startswith("passed:")]
        said = [line for line in shown if not line.startswith(("not yet:", "still open:"))]
        print(f"  {question.id:<{width}}  {word:<10}  {'; '.join(said)}".rstrip())
        for line in shown:
            if line not in said:
                print(f"      {line}")
    if seen.notes:
        print("Your code cells, counted from 1:")
    for note in seen.notes:
        print(f"  {note.text}{f' ({note.private})' if note.private else ''}")
    if seen.why:
        print(f"No jail could be made ({seen.why}): the notebook ran in an ordinary process, which shows the same.")
    done = sum(question.state in ("passed", "written") for question in seen.questions)
    asked = sum(question.state != "by_hand" for question in seen.questions)
    print(f"{done} of {asked} questions have nothing open here. Grading asks for more than the public checks do.")
