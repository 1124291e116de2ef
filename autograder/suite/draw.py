"""What is drawn from a seed: cases, long runs, exams?

Everything hidden comes from one seed, so the same key gives the same suite, and a fresh seed gives a suite nobody has
seen, to prove the checks with.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from autograder.course.errors import nearest
from autograder.sandbox.accelerator import PROCESSOR
from autograder.suite.blunt import upstream_of_ones
from autograder.suite.signature import unlike_signature
from autograder.topic.case import Bound, Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import complete
from autograder.topic.parts import TopicError
from autograder.values import codec

RUNS = ("long run", "long run, repeated")
EXAMS = ("exam", "exam, repeated")
FEW_DRAWS = 8  # of a sampler, where no sample size was calibrated, and on an edge case


def seed_of(key: bytes, *names: str) -> np.random.SeedSequence:
    """The seed that belongs to these names under the course's key."""
    digest = hmac.new(key, "/".join(names).encode(), hashlib.sha256).digest()
    return np.random.SeedSequence(int.from_bytes(digest, "big"))


def suite_seed(key: bytes, assignment: str, question: str) -> np.random.SeedSequence:
    """The seed of the cases and runs that a question is graded by."""
    return seed_of(key, assignment, question, "suite")


def draw_cases(topic: Topic, seed: np.random.SeedSequence, draws: int = FEW_DRAWS) -> dict[str, Case]:
    """The cases of a topic by name, complete; TopicError where they cannot make a fair check.

    draws: how many draws of a sampler each core case looks at.
    """
    if topic.case_maker is None:
        raise TopicError(f"{topic.name}: no cases are declared; add @{topic.name}.cases")
    inputs, upstream = (np.random.default_rng(child) for child in seed.spawn(2))
    cases: dict[str, Case] = {}
    drawn = topic.case_maker(inputs)
    if not isinstance(drawn, Iterable):
        raise TopicError(f"{topic.name}: its cases returned a {type(drawn).__name__}; let them yield each case(...)")
    for case in drawn:
        if not isinstance(case, Case):
            raise TopicError(f"{topic.name}: its cases yielded a {type(case).__name__}; let them yield each case(...)")
        if case.name in cases:
            raise TopicError(f"{topic.name}: two cases are called {case.name!r}")
        unknown = sorted(set(case.inputs) - set(topic.parameters) - {"dout"})
        if unknown and not topic.is_class:
            raise TopicError(
                f"{topic.name}: the case {case.name!r} has the unknown input {unknown[0]!r}"
                f"{nearest(unknown[0], topic.parameters)}; there are: {', '.join(topic.parameters)}"
            )
        for name, value in case.inputs.items():
            if isinstance(value, np.ndarray) and value.dtype.kind not in "biuf":
                raise TopicError(
                    f"{topic.name}: the input {name} of the case {case.name!r} is an array of {value.dtype}; "
                    "draw one of numbers"
                )
        for _, unlike in unlike_signature(topic, case.name, case.inputs):
            raise TopicError(f"{topic.name}: {unlike}")
        cases[case.name] = complete(topic, with_device(topic, case), upstream)
        if topic.kind == "sampler":
            cases[case.name] = replace(cases[case.name], draws=FEW_DRAWS if case.edge else draws)
    if blunt := upstream_of_ones(topic, cases):
        raise TopicError(blunt)
    if not 0 <= sum(case.edge for case in cases.values()) < 1:
        raise TopicError(f"{topic.name}: the shares of its edge cases must add up to less than 1")
    return cases


def draw_runs(topic: Topic, seed: np.random.SeedSequence) -> tuple[Case, ...]:
    """The long runs and the exams of a trainer, two of each; none for other topics."""
    if topic.training is None and topic.exam is None:
        return ()
    streams = [np.random.default_rng(child) for child in seed.spawn(6)[2:]]
    runs = []
    if topic.training is not None:
        runs += [Case(name, topic.training.draw(rng)) for name, rng in zip(RUNS, streams[:2], strict=True)]
    if topic.exam is not None:
        runs += [Case(name, topic.exam.draw(rng)) for name, rng in zip(EXAMS, streams[2:], strict=True)]
    return tuple(with_device(topic, run) for run in runs)


def with_device(topic: Topic, case: Case, device: str = PROCESSOR) -> Case:
    """The case on a device, for a topic that can be asked to compute on one."""
    return case.at(device=device) if topic.takes_device else case


def digest_of(cases: Iterable[Case]) -> str:
    """A hash of drawn inputs, to notice that they would now be drawn otherwise."""
    hashed = hashlib.sha256()
    for case in cases:
        plain = {name: value for name, value in case.inputs.items() if not isinstance(value, Bound)}
        bound = {name: value.arguments for name, value in case.inputs.items() if isinstance(value, Bound)}
        hashed.update(codec.encode([case.name, case.edge, plain, bound]))
    return hashed.hexdigest()
