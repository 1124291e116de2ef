"""Where do the records of `grade` go: the folder `--out`, and the gradebook of a course that has one."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.course.errors import CourseError
from autograder.sandbox.isolation import PROCESS

if TYPE_CHECKING:
    from autograder.course.load import Assignment, Course
    from autograder.exchange.downloads import Download
    from autograder.gradebook.feed import Feed, Receipt
    from autograder.grading.ledger import Chain
    from autograder.report.results import Results


@dataclass(frozen=True)
class Ledgers:
    """chain: all that there are. Each is None where nothing shall be written there."""

    chain: "Chain | None" = None
    results: "Results | None" = None
    feed: "Feed | None" = None
    place: str = ""

    def tell(self) -> None:
        if self.chain is not None and self.chain.reused:
            print(f"{self.chain.reused} of them were graded before, by this suite, and not again")
        if self.feed is None:
            return
        print(f"Gradebook: {self.place}")
        if self.feed.waiting:
            names = ", ".join(sorted(self.feed.waiting))
            print(f"Graded otherwise before, and so in the gradebook until `autograder regrade` is accepted: {names}")


@contextmanager
def open_ledgers(
    arguments: argparse.Namespace, course: "Course", assignment: "Assignment", download: "Download", *, writes: bool
) -> Iterator[Ledgers]:
    """writes: whether anything may be kept of what is graded."""
    from autograder.grading.ledger import Chain

    url = arguments.gradebook or course.gradebook
    if arguments.gradebook and arguments.isolation == PROCESS:
        raise CourseError("a gradebook takes no grades that were made without isolation: leave --gradebook out")
    if not writes:
        yield Ledgers()
        return
    from autograder.report.results import Results

    try:
        results = Results(arguments.out)
    except OSError as error:
        raise CourseError(f"--out {arguments.out} cannot be written: {error.strerror}") from error
    done = False
    try:
        if url and arguments.isolation != PROCESS:
            from autograder.gradebook.database import open_gradebook
            from autograder.gradebook.feed import Feed, start_term

            with open_gradebook(url, base=course.dir) as book:
                start_term(book, course.policy)
                feed = Feed(book, assignment.id, _receipts(download, assignment))
                yield Ledgers(Chain(results, feed), results, feed, book.place)
        else:
            if url:
                print("The gradebook takes no grades that were made without isolation", file=sys.stderr)
            yield Ledgers(Chain(results), results)
        done = True
    finally:
        results.close(done=done)


def _receipts(download: "Download", assignment: "Assignment") -> "dict[str, Receipt]":
    """When each was handed in, as far as the LMS says. A time without a zone is one of the due date's."""
    from autograder.gradebook.feed import Receipt
    from autograder.gradebook.moments import moment_of

    zone = assignment.due.tzinfo if assignment.due else None
    return {each.key: Receipt(moment_of(each.submitted, zone), each.late) for each in download.handed}
