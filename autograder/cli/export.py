"""`autograder export FORMAT`: grades and feedback for the LMS; `autograder export --verify SENT LMS_EXPORT`."""

import argparse
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.cli.arguments import Commands, add_roster
from autograder.course.errors import CourseError

if TYPE_CHECKING:
    from autograder.exchange.export import Wish

LMS = ("canvas", "moodle", "blackboard", "brightspace", "sakai")
FORMATS = (*LMS, "gradescope", "nbgrader", "xlsx", "csv", "parquet", "canvas-feedback", "moodle-feedback")


def add(commands: Commands, shared: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "export",
        parents=[shared],
        help="grades and feedback for the LMS",
        description="Give an LMS its own roster back with one column of grades, or its zip with feedback. Nothing is "
        "written where a row does not match, is double or over the maximum: exit code 2, with a list.",
    )
    parser.add_argument("format", nargs="?", choices=FORMATS, metavar="FORMAT", help=f"one of {', '.join(FORMATS)}")
    parser.add_argument(
        "--grades", type=Path, metavar="DIR", help="the --out folder of `autograder grade`, or a file of it"
    )
    add_roster(parser, "given back with one column; or your own template (.xlsx)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="what is written, with FILE.sent.json beside it")
    parser.add_argument(
        "--assignment-column", default="", metavar="NAME", help="the column's title (default: the only one there is)"
    )
    parser.add_argument(
        "--round-to", type=_step, default=Decimal("0.01"), metavar="STEP", help="multiple to round to, halves up (0.01)"
    )
    parser.add_argument("--rescale", action="store_true", help="scale to the LMS's maximum where it is not ours")
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="NAME", help="leave this student of the results out"
    )
    parser.add_argument(
        "--verify", nargs=2, type=Path, metavar=("SENT", "LMS_EXPORT"), help="compare the LMS's next export with SENT"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from autograder.exchange.model import Refused

    if bool(arguments.verify) == bool(arguments.format):
        raise CourseError(f"name a format, one of {', '.join(FORMATS)}, or --verify with two files")
    if arguments.verify:
        return _verify(arguments)
    for option in ("grades", "out"):
        if getattr(arguments, option) is None:
            raise CourseError(f"--{option} is missing")
    try:
        document, lines = _export(arguments)
    except Refused as refused:
        if arguments.json:
            troubles = [{"kind": each.kind, "who": each.who, "why": each.why} for each in refused.troubles]
            print(json.dumps({"refused": troubles}, ensure_ascii=False))
        raise
    print(json.dumps(document, ensure_ascii=False) if arguments.json else "\n".join(lines))
    return 0


def _export(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    if arguments.format in {"csv", "parquet"} or (arguments.format == "xlsx" and not _is_template(arguments.roster)):
        return _table(arguments)
    if arguments.format in (*LMS, "xlsx"):
        return _grades(arguments)
    if arguments.format == "gradescope":
        return _gradescope(arguments)
    if arguments.format == "nbgrader":
        return _nbgrader(arguments)
    return _feedback(arguments)


def _is_template(roster: Path | None) -> bool:
    """Whether a workbook was given to be filled; otherwise a new one is made."""
    from autograder.exchange.xlsx import is_workbook

    return roster is not None and is_workbook(roster)


def _grades(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from autograder.exchange.export import export_lms, export_xlsx
    from autograder.exchange.results import read_scores
    from autograder.exchange.sidecar import sidecar_path

    if arguments.roster is None:
        raise CourseError("--roster is missing: the LMS's own export of the gradebook, which is given back filled")
    scores = read_scores(arguments.grades)
    if arguments.format == "xlsx":
        done = export_xlsx(scores, arguments.roster, arguments.out, _wish(arguments))
    else:
        done = export_lms(arguments.format, scores, arguments.roster, arguments.out, _wish(arguments))
    sidecar = sidecar_path(done.path)
    left = [{"student": student, "state": str(state)} for student, state in done.left_out]
    document = {
        "format": arguments.format, "out": str(done.path), "sidecar": str(sidecar), "column": done.column.title,
        "counts": done.counts(), "left_out": left,
    }  # fmt: skip
    lines = [f"{done.path}: {len(done.filled)} grades for {done.column.title!r}; {len(left)} students left out"]
    lines += [f"  {student}: {str(state).replace('_', ' ')}" for student, state in done.left_out]
    lines += [f"After the import, export again there and run: autograder export --verify {done.path} LMS_EXPORT"]
    return document, lines


def _table(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from autograder.exchange.export import pairs_of, people_xlsx
    from autograder.exchange.frames import csv_bytes, parquet_bytes
    from autograder.exchange.results import read_scores
    from autograder.exchange.rosters import read_roster
    from autograder.exchange.tables import write_whole

    roster = None
    if arguments.roster:
        _, book = read_roster(arguments.roster, id_column=arguments.id_column, encoding=arguments.encoding)
        roster = book.roster
    scores = read_scores(arguments.grades)
    if arguments.format == "xlsx":
        count = people_xlsx(scores, roster, arguments.out, _wish(arguments))
    else:
        pairs = pairs_of(scores, roster, arguments.leave_out)
        made = csv_bytes if arguments.format == "csv" else parquet_bytes
        write_whole(arguments.out, made(pairs, arguments.assignment_column))
        count = len(pairs)
    document = {"format": arguments.format, "out": str(arguments.out), "rows": count}
    return document, [f"{arguments.out}: {count} rows, one a student"]


def _gradescope(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from autograder.exchange.gradescope import results_json
    from autograder.exchange.results import read_held, read_records
    from autograder.exchange.tables import write_whole

    if read_held(arguments.grades):
        raise CourseError(
            f"{arguments.grades} is of a gradebook, and Gradescope takes what its own autograder graded: "
            "name the --out folder of that"
        )
    records = read_records(arguments.grades)
    if len(records) != 1:
        raise CourseError(
            f"{arguments.grades} holds {len(records)} submissions, and Gradescope's results.json is of one: "
            "grade that one alone, as its autograder does"
        )
    write_whole(arguments.out, results_json(records[0]))
    return {"format": "gradescope", "out": str(arguments.out), "score": records[0].points}, [str(arguments.out)]


def _nbgrader(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from autograder.exchange.nbgrader import book, write
    from autograder.exchange.nbgrader.course import assignment_of, open_course
    from autograder.exchange.nbgrader.ours import place
    from autograder.exchange.results import read_records

    course = open_course(arguments.out)
    assignment = assignment_of(course, arguments.assignment_column or None)
    placed = place(course, assignment, read_records(arguments.grades))
    book.save(course, assignment, placed.graded)
    write.write(course, assignment, placed.graded)
    left = [{"student": student, "why": why} for student, why in placed.left_out]
    count = len(placed.graded.graded)
    document = {"format": "nbgrader", "out": course.database, "students": count, "left_out": left}
    lines = [
        f"{course.database}: points of {count} students in {assignment!r}; {len(left)} left out",
        f"For formgrader: {course.step('autograded')}; for `nbgrader release_feedback`: {course.step('feedback')}",
    ]
    return document, lines + [f"  {student}: {why}" for student, why in placed.left_out]


def _feedback(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from autograder.exchange.feedback import canvas_zip, moodle_zip
    from autograder.exchange.rosters import read_roster
    from autograder.exchange.tables import write_whole

    if arguments.format == "canvas-feedback":
        packed = canvas_zip(arguments.grades)
    else:
        roster = arguments.roster
        worksheet = read_roster(roster, lms="moodle", encoding=arguments.encoding)[1] if roster else None
        packed = moodle_zip(arguments.grades, worksheet)
    write_whole(arguments.out, packed.contents)
    left = [{"student": student, "why": why} for student, why in packed.left_out]
    document = {"format": arguments.format, "out": str(arguments.out), "students": packed.students, "left_out": left}
    lines = [f"{arguments.out}: feedback for {packed.students} students; {len(left)} left out"]
    return document, lines + [f"  {student}: {why.replace('_', ' ')}" for student, why in packed.left_out]


def _verify(arguments: argparse.Namespace) -> int:
    from autograder.exchange.verify import verify

    sent, export = arguments.verify
    done = verify(sent, export, encoding=arguments.encoding)
    if arguments.json:
        differences = [{"student": who, "sent": was, "found": now} for who, was, now in done.differences]
        print(json.dumps({"column": done.column, "right": done.right, "differences": differences}, ensure_ascii=False))
    else:
        print(f"{done.column!r}: {done.right} cells as they should be, {len(done.differences)} not")
        for who, was, now in done.differences:
            print(f"  {who}: should be {was or 'blank'}, is {now or 'blank'}")
    return 1 if done.differences else 0


def _wish(arguments: argparse.Namespace) -> "Wish":
    from autograder.exchange.export import Wish

    return Wish(
        column=arguments.assignment_column,
        id_column=arguments.id_column,
        encoding=arguments.encoding,
        step=arguments.round_to,
        rescale=arguments.rescale,
        leave_out=tuple(arguments.leave_out),
    )


def _step(text: str) -> Decimal:
    try:
        step = Decimal(text)
    except InvalidOperation:
        step = Decimal(0)
    if not step.is_finite() or step <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0, such as 0.01, 0.5 or 1")
    return step
