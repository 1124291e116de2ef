"""How does a student's training go on a public run, beside the reference's runs?"""

import functools
import math
from collections.abc import Generator
from typing import Any

import numpy as np

from autograder.grading.record import Curve
from autograder.suite.draw import with_device
from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import arguments, call
from autograder.values.asking import Answer, Ask

_CURVES = 5  # public runs of the reference, between whose losses a student's is drawn
_SEED = 2004  # of the public runs; the hidden ones come from the course's key


def has_curve(topic: Topic) -> bool:
    """Whether a trainer's runs are given an order of epochs, so that a shorter run is the beginning of a longer one."""
    return topic.training is not None and "order" in topic.parameters


def curve(topic: Topic) -> Generator[Ask, Answer, Curve | None]:
    """Train publicly for some numbers of epochs; the loss after each, and between which the reference's lie."""
    band = _band(topic)
    if band is None:
        return None
    epochs, low, high = band
    inputs = _public_run(topic, 0)
    losses: list[float | None] = []
    for count in epochs:
        run = inputs | {"order": inputs["order"][:count]}
        name = topic.name
        answer = yield call(f"public run {count}", name, arguments(topic.parameters, run), topic.returns)
        losses.append(_loss(topic, inputs, tuple(answer.value.values())) if answer.returned else None)
    return Curve(epochs=epochs, loss=tuple(losses), low=low, high=high)


@functools.cache
def _band(topic: Topic) -> tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]] | None:
    """Numbers of epochs, and between which losses the reference's runs are after each."""
    total = len(_public_run(topic, 0)["order"])
    epochs = tuple(sorted({max(1, round(total * part / 8)) for part in (0.25, 0.5, 1, 2, 3, 4, 6, 8)}))
    found = []
    for number in range(_CURVES):
        run = _public_run(topic, number)
        results = [topic.main(**(run | {"order": run["order"][:count]})) for count in epochs]
        found.append([_loss(topic, run, r if isinstance(r, tuple) else (r,)) for r in results])
    losses = np.array(found, dtype=float)
    if not (np.isfinite(losses) & (losses > 0)).all():
        return None
    return epochs, tuple(losses.min(axis=0).tolist()), tuple(losses.max(axis=0).tolist())


def _public_run(topic: Topic, number: int) -> dict[str, Any]:
    assert topic.training is not None
    return with_device(topic, Case("public run", topic.training.draw(np.random.default_rng([_SEED, number])))).inputs


def _loss(topic: Topic, run: dict[str, Any], results: tuple[Any, ...]) -> float | None:
    """The loss that the reference computes, or None for what is no result of a training."""
    assert topic.training is not None
    try:
        loss = float(topic.training.loss(run, results[0] if len(results) == 1 else results))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return loss if math.isfinite(loss) else None
