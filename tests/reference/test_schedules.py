"""The schedules against those of torch.optim.lr_scheduler, and the meeting points of their formulas."""

import warnings

import numpy as np
import pytest

from reference.schedules import (
    cosine_decay,
    cosine_restarts,
    inverse_time_decay,
    linear_decay,
    linear_warmup,
    step_decay,
)

torch = pytest.importorskip("torch")
lr_scheduler = torch.optim.lr_scheduler

CASES = {
    "step": (step_decay(0.5, 0.3, 4, 15), lambda o: lr_scheduler.StepLR(o, 4, 0.3)),
    "linear": (linear_decay(0.5, 0.1, 6, 15), lambda o: lr_scheduler.LinearLR(o, 1.0, 0.2, 6)),
    "inverse": (inverse_time_decay(0.5, 0.4, 15), lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + 0.4 * t))),
    "cosine": (cosine_decay(0.5, 0.1, 15), lambda o: lr_scheduler.CosineAnnealingLR(o, 15, 0.1)),
    "warm-up": (linear_warmup(0.5, 4, 15), lambda o: lr_scheduler.LinearLR(o, 0.25, 1.0, 3)),
    "restarts": (
        cosine_restarts(0.5, 0.1, 3, 2, 15),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3, 2, 0.1),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_rates_are_those_of_torch(name):
    rates, make = CASES[name]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.5)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LinearLR and others warn of things in torch itself
        scheduler = make(optimizer)
        for _ in range(15):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    np.testing.assert_allclose(rates, found, rtol=1e-10)


def test_one_cycle_without_restart_is_the_cosine():
    np.testing.assert_allclose(cosine_restarts(0.4, 0.1, 9, 3, 9), cosine_decay(0.4, 0.1, 9), rtol=1e-14)


@pytest.mark.parametrize("steps", [1, 2])
def test_few_steps(steps):
    assert linear_warmup(1.0, 4, steps).shape == (steps,)
    assert cosine_decay(1.0, 0.5, steps)[0] == 1.0
    assert cosine_restarts(1.0, 0.5, 1, 2, steps)[0] == 1.0
