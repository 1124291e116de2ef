"""How is something done with every question of some assignments, on all cores?"""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from autograder.course.errors import CourseError
from autograder.course.load import Assignment, Course
from autograder.course.references import blamed
from autograder.topic.edits import EditError
from autograder.topic.parts import TopicError

Done = TypeVar("Done")


class Cores:
    """A process a core, in which something is done with the questions of these assignments; a context manager.

    The processes stay from one assignment to the next: they have loaded what a reference imports, and none waits
    until the longest question of another assignment has ended.
    """

    def __init__(self, assignments: Sequence[Assignment]) -> None:
        questions = [question for assignment in assignments for question in assignment.questions]
        processes = min(os.cpu_count() or 1, len(questions))
        measuring = any(
            factor is not None for question in questions for factor in (question.cost_factor, question.memory_factor)
        )
        self._pool: ProcessPoolExecutor | None = None
        if processes > 1 or measuring:  # costs are compared on one thread, as in the jail
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin_process)

    def __enter__(self) -> "Cores":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def begin(
        self, course: Course, assignment: Assignment, work: Callable[[Path, str, str], Done]
    ) -> Iterator[tuple[str, Done]]:
        """The id of every question, in order, with `work` of the course's folder, the assignment and it.

        Work is begun at once, and waited for where its result is taken; in this process where there is but one.
        """
        ids = [question.id for question in assignment.questions]
        if not self._pool:
            return ((question, work(course.dir, assignment.id, question)) for question in ids)
        with _one_thread_each():
            running = [self._pool.submit(work, course.dir, assignment.id, question) for question in ids]
        return ((question, done.result()) for question, done in zip(ids, running, strict=True))


def on_all_cores(
    course: Course, assignment: Assignment, work: Callable[[Path, str, str], Done]
) -> Iterator[tuple[str, Done]]:
    """The same for one assignment alone."""
    with Cores([assignment]) as cores:
        yield from cores.begin(course, assignment, work)


def _begin_process() -> None:
    """One thread: a core has its process already, and threads of PyTorch beside it wait for each other, at ten times
    the cost. And no life of its own: who waits for work of a parent that was killed waits for ever."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when PyTorch is imported, which is later
    if sys.platform == "linux":
        from autograder.sandbox.confine import die_with_parent

        die_with_parent()


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
