"""Which arguments do several commands share, and what do their values have to be?"""

import argparse
import os
import unicodedata
from pathlib import Path
from typing import TypeAlias

# What `add_subparsers` returns; argparse's class takes a parameter in the eyes of type checkers only.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_course(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--course", type=Path, default=Path("."), metavar="DIR", help="the course folder (default: this one)"
    )


def add_assignment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", metavar="ASSIGNMENT", help="a folder of the course's assignments/")


def add_roster(parser: argparse.ArgumentParser, use: str) -> None:
    """--roster and what it may take to read it."""
    parser.add_argument("--roster", type=Path, metavar="FILE", help=f"the LMS's own export of the gradebook: {use}")
    parser.add_argument(
        "--id-column", default="", metavar="NAME", help="the roster's header of the student ids, where it is not known"
    )
    parser.add_argument(
        "--encoding", default="", metavar="NAME", help="the roster's encoding, where it cannot be told, such as cp1252"
    )


def add_gradebook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--gradebook",
        default="",
        metavar="URL",
        help="the gradebook, where it is not the one of course.toml: sqlite:///FILE or postgresql://...",
    )


def student(text: str) -> str:
    """A student's name in the one form in which it is kept, however it was typed."""
    return unicodedata.normalize("NFC", text).strip()


def positive(text: str) -> int:
    """A whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return number


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
