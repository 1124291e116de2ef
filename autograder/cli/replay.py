"""`autograder replay STUDENT QUESTION`: what was asked, answered and expected; a script to try it by hand."""

import argparse
import asyncio
import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.cli.arguments import Commands, add_course, student
from autograder.cli.grade import add_isolation, isolation_of
from autograder.cli.submissions import add_submission, submission_of
from autograder.course.errors import CourseError, listed, nearest

if TYPE_CHECKING:
    from autograder.course.load import Assignment, Course
    from autograder.grading.record import CheckRecord
    from autograder.grading.replay import Replayed
    from autograder.notebook.submission import Submission

SCRIPT = "replay.py"


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "replay",
        parents=[shared],
        help="answer a complaint: the exact call, the student's answer, what was expected",
        description="Put one question to what a student handed in once more, and show every check that cost points. "
        "For teaching staff: it shows hidden inputs and what is right for them.",
    )
    parser.add_argument("student", type=student, metavar="STUDENT")
    parser.add_argument("question", metavar="QUESTION", help="its id; with ASSIGNMENT/ before it where two have it")
    add_course(parser)
    add_submission(parser)
    parser.add_argument("--check", default="", metavar="ID", help="only this check, even if it passed")
    parser.add_argument("--shell", type=Path, metavar="DIR", help=f"write {SCRIPT} there, to be edited and run")
    parser.add_argument("--run", type=Path, metavar="DIR", dest="script", help="run what --shell wrote, in the jail")
    add_isolation(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    isolation = isolation_of(arguments)

    from autograder.course.load import load_course

    course = load_course(arguments.course)
    assignment, question = _question(course, arguments.question)

    from autograder.grading.replay import replay
    from autograder.suite.compile import load_suite

    suite = load_suite(course, assignment)
    if arguments.script:
        return _run_script(arguments, course, assignment, question)
    submission = submission_of(arguments, course, assignment)
    replayed = asyncio.run(replay(course, assignment, suite, question, submission, isolation))
    checks = _checks(arguments, replayed)
    if arguments.shell:
        _write(arguments, replayed, checks, submission, f"{assignment.id}/{question}")
    if arguments.json:
        document: dict[str, Any] = {"student": arguments.student, "assignment": assignment.id, "question": question}
        document["points"] = replayed.question.points if replayed.question else None
        document["notes"] = [note.model_dump() for note in replayed.record.notes]
        document["checks"] = [_check_json(replayed, check) for check in checks]
        document["script"] = str(arguments.shell / SCRIPT) if arguments.shell else None
        print(json.dumps(document, ensure_ascii=False))
    else:
        _tell(arguments, replayed, checks, f"{assignment.id}/{question}")
    return 0 if replayed.question is not None and replayed.question.points is not None else 1


def _question(course: "Course", text: str) -> "tuple[Assignment, str]":
    """The assignment and the id that are meant."""
    from autograder.course.load import assignment_ids, load_assignment

    named, _, question = text.rpartition("/")
    assignments = [load_assignment(course, each) for each in ([named] if named else assignment_ids(course))]
    found = [each for each in assignments if question in [asked.id for asked in each.questions]]
    if len(found) == 1:
        return found[0], question
    if found:
        raise CourseError(
            f"several assignments ask {question!r}: say one of {listed(f'{a.id}/{question}' for a in found)}"
        )
    known = [asked.id for each in assignments for asked in each.questions]
    raise CourseError(f"no assignment asks {question!r}{nearest(question, known)}")


def _checks(arguments: argparse.Namespace, replayed: "Replayed") -> "list[CheckRecord]":
    if not arguments.check:
        return replayed.failed()
    known = {check.id: check for check in (replayed.question.checks if replayed.question else ())}
    if arguments.check not in known:
        raise CourseError(
            f"there is no check {arguments.check!r}{nearest(arguments.check, known)}; there are: {listed(known)}"
        )
    return [known[arguments.check]]


def _tell(arguments: argparse.Namespace, replayed: "Replayed", checks: "list[CheckRecord]", where: str) -> None:
    asked = replayed.question
    print(f"{arguments.student}, {where}: {f'{asked.points} of {asked.max_points} points' if asked else 'not asked'}")
    for note in replayed.record.notes:
        print(f"  {note.text}{f' ({note.private})' if note.private else ''}")
    if asked is not None and not checks:
        print("Every check passed")
    for check in checks:
        told = _check_json(replayed, check)
        outcome = str(check.outcome).replace("_", " ")
        print(f"\n{check.id}: {outcome}, {check.points:g} of {check.max_points:g}, case {check.case!r}")
        for line in (check.message, check.evidence):
            if line:
                print(f"  {line}")
        for title in ("call", "answer", "expected", "allowed", "diagnosis", "diff"):
            if told[title]:
                print(f"  {title}:\n" + "\n".join(f"    {line}" for line in str(told[title]).splitlines()))
    if arguments.shell:
        print(
            f"\n{arguments.shell / SCRIPT} makes the first of these calls; edit it, and run it in the jail with: "
            f"autograder replay {arguments.student} {where} --run {arguments.shell}"
        )


def _check_json(replayed: "Replayed", check: "CheckRecord") -> dict[str, Any]:
    """All that is known of one check, each part as text."""
    from autograder.report.calls import shown
    from autograder.topic.kinds import Failure

    block = next((each.block for each in replayed.plan.checks if each.id == check.id), "")
    answer = replayed.result.sheet.seen.get(check.case, {}).get(block)
    if isinstance(answer, Failure):
        detail = {key: value for key, value in answer.answer.detail.items() if value and key != "used"}
        said = f"{answer.doing}: {str(answer.outcome).replace('_', ' ')}"
        text = "\n".join([said, *(f"{key}: {value}" for key, value in detail.items())])
    else:
        text = "" if answer is None else shown(answer)
    expectation = replayed.plan.expectations.get(check.case, {}).get(block)
    leaves = expectation.leaves if expectation else {}
    return {
        "id": check.id,
        "outcome": str(check.outcome),
        "case": check.case,
        "points": check.points,
        "max_points": check.max_points,
        "message": check.message,
        "evidence": check.evidence,
        "call": _call(replayed, check.case),
        "answer": text,
        "expected": "\n".join(f"{f'{key}: ' if key != '' else ''}{shown(leaf.value)}" for key, leaf in leaves.items()),
        "allowed": "\n".join(
            f"norm of the difference {leaf.allowed64.max():.3g} in float64, {leaf.allowed32.max():.3g} in float32"
            for leaf in leaves.values()
        ),
        "diagnosis": f"{check.diagnosis.name}: {check.diagnosis.hint}" if check.diagnosis else "",
        "diff": _diff(replayed, check),
    }


def _call(replayed: "Replayed", case: str) -> str:
    """The calls in the form in which a person would type them, long values cut short."""
    from autograder.report.calls import written

    lines = written(replayed.of_case(case), replayed.plan.topic.reference).lines
    return "\n".join(line if len(line) <= 160 else f"{line[:150]} ... ({len(line)} characters)" for line in lines)


def _diff(replayed: "Replayed", check: "CheckRecord") -> str:
    """What the diagnosed misconception does to the reference."""
    from autograder.topic.edits import edited, source_of

    topic = replayed.plan.topic
    names = check.diagnosis.misconceptions if check.diagnosis else ()
    edits = tuple(edit for m in topic.misconceptions if m.name in names for edit in m.edits)
    if not edits:
        return ""
    source = "\n\n".join(source_of(definition) for definition in topic.reference.values())
    lines = difflib.unified_diff(source.splitlines(), edited(source, edits).splitlines(), lineterm="", n=1)
    return "\n".join(list(lines)[2:])


def _write(
    arguments: argparse.Namespace,
    replayed: "Replayed",
    checks: "list[CheckRecord]",
    submission: "Submission",
    where: str,
) -> None:
    """The student's cells and files, and a function that makes the calls of the first check's case."""
    import numpy as np

    from autograder.report.calls import written

    folder: Path = arguments.shell
    if folder.exists() and any(folder.iterdir()):
        raise CourseError(f"{folder} is not empty: name a new folder for --shell")
    case = checks[0].case if checks else next(iter(replayed.plan.cases))
    made = written(replayed.of_case(case), replayed.plan.topic.reference)
    told = _check_json(replayed, checks[0]) if checks else {"expected": ""}
    body = [*made.lines, *(f"print({name!r}, {text}, sep=':\\n')" for name, text in made.prints)]
    if not body:
        raise CourseError(f"nothing was asked of {arguments.student} for {where}: {replayed.record.notes}")
    expected = [f"# {line}" for line in str(told["expected"]).splitlines()]
    command = f"autograder replay {arguments.student} {where} --run {folder}"
    parts = [
        f"# %% [markdown]\n# {arguments.student}, {where}, case {case!r}. Run it in the jail with:\n#     {command}\n"
        "# It holds hidden inputs. As an ordinary script it would run a student's code as you.",
        *(f"# %% cell {cell.number} of the student\n{cell.source}" for cell in submission.cells),
        "\n".join(["# %% what was asked", "import functools", "import numpy as np", "from numpy import inf, nan", ""])
        + "\n\n".join(["", *made.definitions, ""])
        + "\n".join(["", "def replay():", *(f"    {line}" for line in body), "", "# Expected:", *expected]),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for name, contents in submission.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    for name, array in made.files.items():
        np.save(folder / name, array, allow_pickle=False)
    (folder / SCRIPT).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _run_script(arguments: argparse.Namespace, course: "Course", assignment: "Assignment", question: str) -> int:
    from autograder.grading.replay import run_script
    from autograder.notebook.cells import NotANotebook, cells_of
    from autograder.notebook.files import Refused, of_folder
    from autograder.suite.compile import load_suite

    path: Path = arguments.script / SCRIPT
    try:
        files = of_folder(arguments.script).read_all()
        cells = cells_of(files.pop(SCRIPT), suffix=".py")
    except (OSError, KeyError) as error:
        raise CourseError(f"{path} cannot be read: write it with --shell DIR first") from error
    except (NotANotebook, Refused) as error:
        raise CourseError(f"{path}: {error}") from error
    suite = load_suite(course, assignment)
    printed = asyncio.run(run_script(course, assignment, suite, question, cells, files, isolation_of(arguments)))
    print(json.dumps({"printed": printed}, ensure_ascii=False) if arguments.json else printed.rstrip())
    return 0
