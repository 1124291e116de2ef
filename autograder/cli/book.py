"""How do commands open the gradebook, and how is a score said in a line?"""

import argparse
import getpass
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from autograder.course.errors import CourseError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograder.course.load import Course
    from autograder.gradebook.database import Gradebook
    from autograder.gradebook.policy import Score


def opened(arguments: argparse.Namespace) -> "tuple[Course, AbstractContextManager[Gradebook]]":
    """The course and its gradebook; CourseError where it keeps none."""
    from autograder.course.load import load_course
    from autograder.gradebook.database import open_gradebook

    course = load_course(arguments.course)
    url = arguments.gradebook or course.gradebook
    if not url:
        raise CourseError(
            f"{course.dir / 'course.toml'} has no [gradebook]: add that table, its url is "
            '"sqlite:///gradebook.db" unless you say otherwise, or name one with --gradebook URL'
        )
    return course, open_gradebook(url, base=course.dir)


def author_of(arguments: argparse.Namespace) -> str:
    """Who decides: as they say, or as the machine knows them."""
    if arguments.author:
        return str(arguments.author)
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def must_be_known(word: str, known: "Iterable[str]", sentence: str = "the gradebook knows no student") -> None:
    if word not in known:
        raise CourseError(f"{sentence} {word!r}{nearest(word, known)}")


def said(score: "Score") -> str:
    """A score in a line."""
    word = str(score.standing).replace("_", " ")
    parts = [word if score.points is None else f"{score.points} of {score.maximum.normalize():f}"]
    if score.attempt is not None:
        parts.append(f"attempt {score.attempt}")
    if score.days_late:
        free = f", {score.free_days} free" if score.free_days else ""
        parts.append(f"{score.days_late} days late{free}, {score.penalty.normalize():f} points off")
    if score.unsure:
        parts.append("late, and nobody has said since when: `gradebook submitted` does")
    if score.overridden:
        parts.append("overridden")
    return ", ".join(parts)


def score_json(score: "Score | None") -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "state": str(score.standing),
        "points": text_of(score.points),
        "max_points": text_of(score.maximum),
        "attempt": score.attempt,
        "days_late": score.days_late,
        "free_days": score.free_days,
        "penalty": text_of(score.penalty),
        "unsure": score.unsure,
        "overridden": score.overridden,
    }


def text_of(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def percent(value: Decimal | None) -> str:
    return "nothing yet" if value is None else f"{value} %"
