"""What is a class graded in?"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.checks.plan import Plan
from autograder.course.load import Assignment
from autograder.grading import fences
from autograder.grading.record import QuestionRecord, key_of
from autograder.sandbox.accelerator import PROCESSOR
from autograder.sandbox.isolation import Server
from autograder.suite.store import Suite


@dataclass(frozen=True)
class World:
    """What a class is graded in: the suite, the assignment, and a warm server an environment.

    versions: of Python and of the packages that student code meets. modules: what can be imported in
    each environment. device: the GPU's name, where something is asked on one; device_digest: of what was measured on
    it. image: the digest of the container image, where student code runs in one. data: the
    files that come with the assignment, by their path; they lie beside every notebook.
    earlier: questions of the submission that were graded already and are used by those of the assignment.
    on_device: the plans of questions that are asked on a GPU. accelerated: a server an environment that may see it.
    card: held by whoever computes on it, one submission at a time: its memory is not divided. passed_over: why there is
    none of these though a GPU is here.
    """

    suite: Suite
    assignment: Assignment
    servers: Mapping[str, Server]
    versions: str
    modules: Mapping[str, frozenset[str]]
    isolation: str
    image: str = ""
    device: str = PROCESSOR
    device_digest: str = ""
    data: Mapping[str, bytes] = field(default_factory=dict)
    data_digest: str = ""
    earlier: Mapping[str, QuestionRecord] = field(default_factory=dict)
    on_device: Mapping[str, Plan] = field(default_factory=dict)
    accelerated: Mapping[str, Server] = field(default_factory=dict)
    card: asyncio.Lock = field(default_factory=asyncio.Lock)
    passed_over: str = ""

    async def close(self) -> None:
        """End all servers."""
        await asyncio.gather(*(server.close() for server in (*self.servers.values(), *self.accelerated.values())))

    def key(self, submission: str) -> str:
        place = " ".join(filter(None, (self.isolation, self.image, fences.words(self.assignment), self.data_digest)))
        device = " ".join(filter(None, (self.device, self.device_digest)))
        return key_of(submission, self.suite.digest, self.versions, place, device)
