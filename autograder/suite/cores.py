"""How is something done with every question of an assignment, on all cores?"""

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from autograder.course.errors import CourseError
from autograder.course.load import Assignment, Course
from autograder.course.references import blamed
from autograder.topic.edits import EditError
from autograder.topic.parts import TopicError

Done = TypeVar("Done")


def on_all_cores(
    course: Course, assignment: Assignment, work: Callable[[Path, str, str], Done]
) -> Iterator[tuple[str, Done]]:
    """The id of every question, in order, with `work` of the course's folder, the assignment and it."""
    ids = [question.id for question in assignment.questions]
    processes = min(os.cpu_count() or 1, len(ids))
    measuring = any(
        factor is not None
        for question in assignment.questions
        for factor in (question.cost_factor, question.memory_factor)
    )
    if processes == 1 and not measuring:  # costs are compared on one thread, as in the jail
        for question in ids:
            yield question, work(course.dir, assignment.id, question)
        return
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread)
    try:
        with _one_thread_each():
            running = [pool.submit(work, course.dir, assignment.id, question) for question in ids]
        for question, done in zip(ids, running, strict=True):
            yield question, done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    """A core has its process already; threads of PyTorch beside it wait for each other, at ten times the cost."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when PyTorch is imported, which is later


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """For the processes that are started meanwhile. Every core has one already, and the threads of a
    matrix product that wait for a core which another process has only spin: twice the CPU time, measured."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        os.environ.pop("OMP_NUM_THREADS")
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before


@contextlib.contextmanager
def told_where(course: Course, question: str) -> Iterator[None]:
    """Make of what a lecturer's code raises a CourseError that says in which question and file; ours stays."""
    try:
        yield
    except (TopicError, EditError) as error:
        raise CourseError(f"{question}: {error}") from error
    except Exception as error:  # a lecturer's code may raise anything; its author is told where
        if sentence := blamed(error, course):
            raise CourseError(f"{question}: {sentence}") from error
        raise
