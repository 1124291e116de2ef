"""How far must a training run come, and how many draws of a sampler tell right from wrong?

The bar is measured on reference runs, the sample size on the misconceptions; neither is chosen.
"""

from collections.abc import Callable
from math import exp, log
from typing import Any

import numpy as np

from autograder.checks.accuracy import untrained
from autograder.checks.distribution import lawful
from autograder.checks.plan import Bar, Mark, Plan
from autograder.checks.trained import Shapes
from autograder.suite.draw import draw_cases, show
from autograder.suite.prove import SAMPLE_MARGIN, margin_of
from autograder.topic.declare import Topic
from autograder.topic.kinds import arguments
from autograder.topic.parts import TopicError
from autograder.topic.sampling import Sampler
from autograder.values.compare import split

SEEDS = 30  # reference runs
FACTOR = 4.0  # one-sided, on log loss or logit accuracy; with 30 runs a predictive false failure of 2.4e-4
SAMPLE_SIZES = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
_ROOM = 1.25  # times the margin that the proof asks for, since the suite draws with another seed
_SMALLEST_DEVIATION = 1e-3  # of log loss: rounding alone moves a run so far
_SMALLEST_LOGIT_DEVIATION = 0.05  # of the logit of accuracy: as much as one example of a few hundred
_EXTREME = 1e-3  # accuracies are kept so far from 0 and 1, where the logit ends


def calibrate(topic: Topic, seed: np.random.SeedSequence) -> Bar:
    """Train the reference on fresh data from 30 seeds; TopicError where it does not train steadily."""
    training = topic.training
    if training is None:
        raise TopicError(f"{topic.name} declares no long run; add @{topic.name}.converges(loss=...)")
    losses: list[float] = []
    shapes: Shapes = {}
    for inputs, outputs in _runs(topic, training.draw, seed, shapes):
        loss = training.loss(inputs, outputs)
        if not (np.isfinite(loss) and loss > 0):
            raise TopicError(f"{topic.name}: a reference run ended at a loss of {loss}; it must be finite")
        losses.append(log(loss))
    mean = float(np.mean(losses))
    deviation = max(float(np.std(losses, ddof=1)), _SMALLEST_DEVIATION)
    return Bar(mean + FACTOR * deviation, mean, deviation, SEEDS, shapes)


def calibrate_accuracy(topic: Topic, seed: np.random.SeedSequence) -> Mark:
    """Examine the reference on fresh data from 30 seeds; TopicError where it does not learn steadily."""
    exam = topic.exam
    if exam is None:
        raise TopicError(f"{topic.name} declares no exam; add @{topic.name}.generalizes(accuracy=...)")
    logits: list[float] = []
    nothing = exam.chance
    shapes: Shapes = {}
    for inputs, outputs in _runs(topic, exam.draw, seed, shapes):
        reached = exam.accuracy(inputs, outputs)
        if not 0 <= reached <= 1:
            raise TopicError(f"{topic.name}: a reference run has an accuracy of {reached}; it must be in [0, 1]")
        kept = min(max(reached, _EXTREME), 1 - _EXTREME)
        logits.append(log(kept / (1 - kept)))
        start = untrained(topic, inputs)
        nothing = nothing if start is None else max(nothing, exam.accuracy(inputs, start))
    mean = float(np.mean(logits))
    deviation = max(float(np.std(logits, ddof=1)), _SMALLEST_LOGIT_DEVIATION)
    everything = 1 / (1 + exp(FACTOR * deviation - mean))
    if everything <= nothing:
        raise TopicError(
            f"{topic.name}: the reference's accuracy, {1 / (1 + exp(-mean)):.3g} in the middle, varies so much that "
            f"its bar, {everything:.3g}, is not above guessing, {nothing:.3g}; give it more to learn from"
        )
    return Mark(nothing, everything, mean, deviation, SEEDS, shapes)


def _runs(
    topic: Topic, draw: Callable[[np.random.Generator], dict[str, Any]], seed: np.random.SeedSequence, shapes: Shapes
) -> list[tuple[dict[str, Any], Any]]:
    """Inputs and outputs of reference runs; `shapes` is told those of the outputs."""
    found = []
    for child in seed.spawn(SEEDS):
        inputs = draw(np.random.default_rng(child))
        trained = topic.main(*arguments(topic.parameters, inputs).values())
        outputs = (trained,) if len(topic.returns) == 1 else trained
        for name, output in zip(topic.returns, outputs, strict=True):
            shapes[name] = {key: array.shape for key, array in split(output)[1].items()}
        found.append((inputs, trained))
    return found


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
