"""How are several things asked at once?

What does not wait for each other goes to student code in one batch, so that a question costs a few
exchanges with the jail and not one a case.
"""

from collections.abc import Generator, Sequence
from typing import TypeVar

from autograder.values.asking import Answer, Ask

T = TypeVar("T")
Asking = Generator[Ask, Answer, T]  # one ask after the other
Batching = Generator[list[Ask], list[Answer], T]  # one batch after the other


def together(runs: Sequence[Asking[T]]) -> Batching[list[T]]:
    """Run generators of single asks side by side: each batch holds the next ask of every one."""
    results: dict[int, T] = {}
    waiting: dict[int, Ask] = {}
    for number, run in enumerate(runs):
        try:
            waiting[number] = next(run)
        except StopIteration as stop:
            results[number] = stop.value
    while waiting:
        answers = yield list(waiting.values())
        for number, answer in zip(list(waiting), answers, strict=True):
            try:
                waiting[number] = runs[number].send(answer)
            except StopIteration as stop:
                results[number] = stop.value
                del waiting[number]
    return [results[number] for number in range(len(runs))]
