"""How is an ask answered in our own process?

For references, alternatives and misconceptions, in the proof: never for student code. The desk is the
very one that answers in the jail, and callables are computed and recorded the same way.
"""

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from autograder.sandbox.memory import inherited_mib
from autograder.sandbox.replies import Callables, TooManyCalls, payload_of, read_answer
from autograder.sandbox.worker_answer import Desk, calling_out
from autograder.values.asking import Answer, Ask


class LocalQuestion:
    """Answers the asks of one question about `names`; handles live as long as this object."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._callables = Callables({})
        self._too_many = False
        self._desk = Desk(names, calling_out(self._compute))

    def ask(self, ask: Ask) -> Answer:
        """Answer one ask, as the jail would: whatever the implementation raises is an answer."""
        self._callables = Callables(ask.callables)
        self._too_many = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in the jail, where a warning is never an exception
            payload = self._desk.answer(payload_of(ask))
        if self._too_many:
            return Answer("crashed", detail={"text": "called a function too often"}, calls=self._callables.calls)
        return read_answer(ask, payload, self._callables.calls)

    def _compute(self, payload: bytes) -> bytes:
        try:
            return self._callables.answer(payload)
        except TooManyCalls:
            self._too_many = True
            raise


def answer(names: Mapping[str, Any], ask: Ask) -> Answer:
    """Answer a single ask about `names`."""
    return LocalQuestion(names).ask(ask)


def own_mib(work: Callable[[], object]) -> float:
    """The most memory that a copy of this process has of its own while it does `work`, in MiB, as the jail measures it;
    nothing comes back of the work."""
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            work()
            os.write(theirs, str(inherited_mib("self")).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with open(ours, "rb") as pipe:
        inherited = float(pipe.read() or 0)
    _, _, usage = os.wait4(process, 0)
    return usage.ru_maxrss / 1024 - inherited
