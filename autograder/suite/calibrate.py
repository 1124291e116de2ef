"""How far must a training run come? The bar is measured on reference runs, never chosen."""

from math import log

import numpy as np

from autograder.checks.plan import Bar
from autograder.topic.declare import Topic, TopicError
from autograder.topic.kinds import arguments
from autograder.values.compare import split

SEEDS = 30  # reference runs
FACTOR = 4.0  # one-sided, on log loss; with 30 runs a predictive false failure of 2.4e-4, repeated once
_SMALLEST_DEVIATION = 1e-3  # of log loss: rounding alone moves a run so far


def calibrate(topic: Topic, seed: np.random.SeedSequence) -> Bar:
    """Train the reference on fresh data from 30 seeds; TopicError where it does not train steadily."""
    training = topic.training
    if training is None:
        raise TopicError(f"{topic.name} declares no long run; add @{topic.name}.converges(loss=...)")
    losses = []
    shapes: dict[str, dict[str | int, tuple[int, ...]]] = {}
    for child in seed.spawn(SEEDS):
        inputs = training.draw(np.random.default_rng(child))
        trained = topic.main(*arguments(topic.parameters, inputs).values())
        loss = training.loss(inputs, trained)
        if not (np.isfinite(loss) and loss > 0):
            raise TopicError(f"{topic.name}: a reference run ended at a loss of {loss}; it must be finite")
        losses.append(log(loss))
        outputs = (trained,) if len(topic.returns) == 1 else trained
        for name, output in zip(topic.returns, outputs, strict=True):
            shapes[name] = {key: array.shape for key, array in split(output)[1].items()}
    mean = float(np.mean(losses))
    deviation = max(float(np.std(losses, ddof=1)), _SMALLEST_DEVIATION)
    return Bar(mean + FACTOR * deviation, mean, deviation, SEEDS, shapes)
