"""What are the bars of a question, and when, where and from which runs were they measured?"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import exp
from pathlib import Path
from typing import Any

from autograder.checks.plan import Bar, Mark
from autograder.course.key import fingerprint, load_key
from autograder.course.load import Assignment, Course, load_assignment, load_course
from autograder.course.references import load_topics, topic_of
from autograder.course.sources import source_digest
from autograder.sandbox.accelerator import CUDA, PROCESSOR, Accelerator
from autograder.suite.calibrate import SEEDS, calibrate, calibrate_accuracy
from autograder.suite.cores import on_all_cores, told_where
from autograder.suite.draw import seed_of
from autograder.suite.runs import Kept, kept_runs, provenance_of_runs
from autograder.topic.declare import Topic

FOLDER = "calibration"  # below .autograder/, a folder an assignment


CONVERGENCE, ACCURACY = "convergence", "accuracy"  # the checks that have a bar
_SEEDED = {CONVERGENCE: "bar", ACCURACY: "mark"}  # what their seeds are called


@dataclass
class Bars:
    """The bars of one question. told: of each, what stands in the proof, as JSON takes it."""

    bar: Bar | None = None
    mark: Mark | None = None
    told: list[dict[str, Any]] = field(default_factory=list)


def bars_of(
    course: Course,
    assignment: str,
    question: str,
    topic: Topic,
    *,
    anew: bool = False,
    card: Accelerator | None = None,
) -> Bars:
    """Set the bars of a trainer from kept runs and from new ones, which are kept; nothing for another topic.

    anew: make every run again. card: the GPU to train on, and not the processor. Raises TopicError where the reference
    does not train steadily.
    """
    bars, key, device = Bars(), load_key(course), card.torch if card else PROCESSOR
    for check, kept in _kept(course, assignment, question, topic, card, anew=anew).items():
        began, before = time.perf_counter(), len(kept.runs)
        seed = seed_of(key, assignment, question, _SEEDED[check])
        if check == CONVERGENCE:
            bars.bar = bar = calibrate(topic, seed, list(kept.runs), kept.add, device)
            found = {"bar": exp(bar.log_loss), "mean": exp(bar.mean), "deviation": bar.deviation}
        else:
            bars.mark = mark = calibrate_accuracy(topic, seed, list(kept.runs), kept.add, device)
            found = {"bar": mark.everything, "mean": 1 / (1 + exp(-mark.mean)), "deviation": mark.deviation}
            found |= {"nothing": mark.nothing}
        bars.told.append({"question": question, "check": check, **found, **_told(kept, before, began)})
    return bars


def kept_bars(course: Course, assignment: str, question: str, topic: Topic, card: Accelerator) -> Bars | None:
    """The bars that were measured on a card; None where a run is missing."""
    if any(len(kept.runs) < SEEDS for kept in _kept(course, assignment, question, topic, card).values()):
        return None
    return bars_of(course, assignment, question, topic, card=card)


def calibrate_assignment(
    course: Course, assignment: Assignment, *, anew: bool = False, report: Callable[[str], None] = lambda line: None
) -> list[dict[str, Any]]:
    """Make the runs that are missing for all bars of an assignment, on all cores, and say what they set.

    report: told a line of progress a question. Raises CourseError for a reference that does not train steadily.
    """
    told = []
    work = partial(_calibrate_question, anew=anew)
    for number, (question, bars) in enumerate(on_all_cores(course, assignment, work), start=1):
        report(f"{number}/{len(assignment.questions)} bars of {question}")
        told += bars
    return told


def provenance_of_bars(course: Course, topic: Topic, card: Accelerator | None = None) -> dict[str, str]:
    """What the runs of a trainer depend on here and now."""
    made_of = provenance_of_runs(source_digest(course.dir, topic), fingerprint(load_key(course)))
    return made_of | ({"device": card.name} if card else {})


def _calibrate_question(course_dir: Path, assignment_id: str, question_id: str, *, anew: bool) -> list[dict[str, Any]]:
    course = load_course(course_dir)
    assignment = load_assignment(course, assignment_id)
    question = next(each for each in assignment.questions if each.id == question_id)
    topic = topic_of(load_topics(course), assignment, question)
    with told_where(course, question_id):
        return bars_of(course, assignment_id, question_id, topic, anew=anew).told


def _kept(
    course: Course, assignment: str, question: str, topic: Topic, card: Accelerator | None, *, anew: bool = False
) -> dict[str, Kept]:
    """The runs that are kept for each bar of a topic, by its check."""
    declared = {CONVERGENCE: topic.training, ACCURACY: topic.exam}
    checks = [check for check, runs in declared.items() if runs is not None]
    provenance = provenance_of_bars(course, topic, card) if checks else {}
    folder = course.dir / ".autograder" / FOLDER / assignment
    suffix = f".{CUDA}.json" if card else ".json"
    return {check: kept_runs(folder / f"{question}.{check}{suffix}", provenance, anew=anew) for check in checks}


def _told(kept: Kept, before: int, began: float) -> dict[str, Any]:
    return {
        "runs": len(kept.runs),
        "new": len(kept.runs) - before,
        "refused": list(kept.refused),
        "provenance": kept.provenance,
        "measured": kept.measured,
        "seconds": round(sum(run.seconds for run in kept.runs), 2),
        "took_s": round(time.perf_counter() - began, 2),
    }
