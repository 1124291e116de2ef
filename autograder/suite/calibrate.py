"""How far must a training run come? Measured on runs of the reference, not chosen.

The runs are the costly part, and each can be kept as soon as it is there (`suite/runs.py`); a bar is computed from
thirty of them.
"""

import time
from collections.abc import Callable
from math import exp, log
from typing import Any

import numpy as np

from autograder.checks.accuracy import untrained
from autograder.checks.plan import Bar, Mark
from autograder.sandbox.accelerator import PROCESSOR
from autograder.suite.draw import with_device
from autograder.suite.runs import Run
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import arguments
from autograder.topic.parts import TopicError
from autograder.values.compare import split

SEEDS = 30  # reference runs
FACTOR = 4.0  # one-sided, on log loss or logit accuracy; with 30 runs a predictive false failure of 2.4e-4
_SMALLEST_DEVIATION = 1e-3  # of log loss: rounding alone moves a run so far
_SMALLEST_LOGIT_DEVIATION = 0.05  # of the logit of accuracy: as much as one example of a few hundred
_EXTREME = 1e-3  # accuracies are kept so far from 0 and 1, where the logit ends

Keep = Callable[[Run], None]


def calibrate(
    topic: Topic,
    seed: np.random.SeedSequence,
    runs: list[Run] | None = None,
    keep: Keep = lambda run: None,
    device: str = PROCESSOR,
) -> Bar:
    """Train the reference on fresh data from 30 seeds; TopicError where it does not train steadily.

    runs: those of the first seeds, made before. keep: told each new run. device: where it trains.
    """
    training = topic.training
    if training is None:
        raise TopicError(f"{topic.name} declares no long run; add @{topic.name}.converges(loss=...)")

    def measure(inputs: dict[str, Any], outputs: Any) -> tuple[float, None]:
        loss = float(training.loss(inputs, outputs))
        if not (np.isfinite(loss) and loss > 0):
            raise TopicError(f"{topic.name}: a reference run ended at a loss of {loss}; it must be finite and above 0")
        return loss, None

    made = _runs(topic, training.draw, seed, measure, runs or [], keep, device)
    mean, deviation = _spread([log(run.reached) for run in made], _SMALLEST_DEVIATION)
    return Bar(mean + FACTOR * deviation, mean, deviation, SEEDS, made[-1].shapes)


def calibrate_accuracy(
    topic: Topic,
    seed: np.random.SeedSequence,
    runs: list[Run] | None = None,
    keep: Keep = lambda run: None,
    device: str = PROCESSOR,
) -> Mark:
    """Examine the reference on fresh data from 30 seeds; TopicError where it does not learn steadily.

    runs: those of the first seeds, made before. keep: told each new run. device: where it trains.
    """
    exam = topic.exam
    if exam is None:
        raise TopicError(f"{topic.name} declares no exam; add @{topic.name}.generalizes(accuracy=...)")

    def measure(inputs: dict[str, Any], outputs: Any) -> tuple[float, float | None]:
        reached = float(exam.accuracy(inputs, outputs))
        if not 0 <= reached <= 1:
            raise TopicError(f"{topic.name}: a reference run has an accuracy of {reached}; it must be in [0, 1]")
        start = untrained(topic, inputs)
        return reached, None if start is None else float(exam.accuracy(inputs, start))

    made = _runs(topic, exam.draw, seed, measure, runs or [], keep, device)
    nothing = max([exam.chance, *(run.start for run in made if run.start is not None)])
    mean, deviation = _spread([_logit(run.reached) for run in made], _SMALLEST_LOGIT_DEVIATION)
    everything = 1 / (1 + exp(FACTOR * deviation - mean))
    if everything <= nothing:
        raise TopicError(
            f"{topic.name}: the reference's accuracy, {1 / (1 + exp(-mean)):.3g} in the middle, varies so much that "
            f"its bar, {everything:.3g}, is not above guessing, {nothing:.3g}; give it more to learn from"
        )
    return Mark(nothing, everything, mean, deviation, SEEDS, made[-1].shapes)


def _logit(accuracy: float) -> float:
    kept = min(max(accuracy, _EXTREME), 1 - _EXTREME)
    return log(kept / (1 - kept))


def _spread(values: list[float], smallest: float) -> tuple[float, float]:
    return float(np.mean(values)), max(float(np.std(values, ddof=1)), smallest)


def _runs(
    topic: Topic,
    draw: Callable[[np.random.Generator], dict[str, Any]],
    seed: np.random.SeedSequence,
    measure: Callable[[dict[str, Any], Any], tuple[float, float | None]],
    before: list[Run],
    keep: Keep,
    device: str,
) -> list[Run]:
    """A run for each seed, from those that were made before on."""
    made = list(before[:SEEDS])
    for child in seed.spawn(SEEDS)[len(made) :]:
        began = time.perf_counter()
        inputs = with_device(topic, Case("run", draw(np.random.default_rng(child))), device).inputs
        trained = topic.main(*arguments(topic.parameters, inputs).values())
        outputs = (trained,) if len(topic.returns) == 1 else trained
        shapes = {
            name: {key: array.shape for key, array in split(output)[1].items()}
            for name, output in zip(topic.returns, outputs, strict=True)
        }
        reached, start = measure(inputs, trained)
        made.append(Run(reached, start, shapes, round(time.perf_counter() - began, 3)))
        keep(made[-1])
    return made
