"""How many draws of a sampler tell right from wrong? Measured on its misconceptions, not chosen."""

import numpy as np

from autograder.checks.distribution import lawful
from autograder.checks.plan import Plan
from autograder.suite.draw import draw_cases
from autograder.suite.prove import SAMPLE_MARGIN, margin_of
from autograder.suite.right import show
from autograder.topic.parts import TopicError
from autograder.topic.sampling import Sampler

SAMPLE_SIZES = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
_ROOM = 1.25  # times the margin that the proof asks for, since the suite draws with another seed


def sample_size(topic: Sampler, seed: np.random.SeedSequence) -> int:
    """The smallest number of draws with which every misconception is caught, with room to spare.

    More draws make right programs no less safe: their bound holds for any number.
    """
    weak = topic.misconceptions
    for draws in SAMPLE_SIZES:
        cases = {name: case for name, case in draw_cases(topic, seed, draws).items() if not case.edge}
        expectations = lawful(topic, cases, show(topic, topic.reference, cases.values()))
        plan = Plan(topic.name, topic, cases, expectations, ())
        weak = [
            each for each in weak if margin_of(plan, show(topic, each.names, cases.values())) < _ROOM * SAMPLE_MARGIN
        ]
        if not weak:
            return draws
    names = ", ".join(repr(each.name) for each in weak)
    raise TopicError(
        f"{topic.name}: {names} cannot be told from right draws by {SAMPLE_SIZES[-1]} of them; declare a law or a "
        "distribution that shows the mistake more clearly"
    )
