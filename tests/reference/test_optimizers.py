"""The update rules against torch.optim in float64, on three problems that are hard to descend, and at their edges."""

import numpy as np
import pytest

from reference.adadelta import adadelta
from reference.adam import adam, adamw
from reference.adaptive_optimizers import adagrad, rmsprop, rmsprop_nesterov
from reference.optimizers import alexnet_update, momentum, nesterov, sgd

torch = pytest.importorskip("torch")

SEED, STEPS = 5, 20
BETAS = {"lr": 0.1, "beta1": 0.8, "beta2": 0.95, "eps": 1e-8}
TORCH = {
    "sgd": (sgd, {"lr": 0.1}, lambda p: torch.optim.SGD(p, 0.1)),
    "momentum": (momentum, {"lr": 0.1, "decay": 0.9}, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    "alexnet": (
        alexnet_update,
        {"lr": 0.1, "momentum": 0.9, "decay": 0.05},
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.05),
    ),
    "adagrad": (adagrad, {"lr": 0.1, "eps": 0.1}, lambda p: torch.optim.Adagrad(p, 0.1, eps=0.1)),
    "rmsprop": (
        rmsprop,
        {"lr": 0.1, "rho": 0.9, "eps": 0.1},
        lambda p: torch.optim.RMSprop(p, 0.1, alpha=0.9, eps=0.1),
    ),
    "adadelta": (
        adadelta,
        {"lr": 0.7, "rho": 0.9, "eps": 0.1},
        lambda p: torch.optim.Adadelta(p, 0.7, rho=0.9, eps=0.1),
    ),
    "adam": (adam, BETAS, lambda p: torch.optim.Adam(p, 0.1, betas=(0.8, 0.95), eps=1e-8)),
    "adamw": (
        adamw,
        {**BETAS, "decay": 0.1},
        lambda p: torch.optim.AdamW(p, 0.1, betas=(0.8, 0.95), eps=1e-8, weight_decay=0.1),
    ),
}


def walked(rule, w, gradients, **rates):
    state, path = None, []
    for dw in gradients:
        w, state = rule(w, dw, state, **rates)
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("shape", [(), (4,), (3, 2), (2, 1, 3), (2, 2, 1, 3)], ids=str)
@pytest.mark.parametrize("name", TORCH)
def test_twenty_steps_are_those_of_torch(name, shape):
    rule, rates, make = TORCH[name]
    rng = np.random.default_rng(SEED)
    w, gradients = np.asarray(rng.normal(size=shape)), rng.normal(size=(STEPS, *shape))
    parameter = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    optimizer, path = make([parameter]), []
    for dw in gradients:
        parameter.grad = torch.tensor(dw, dtype=torch.float64)
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    np.testing.assert_allclose(walked(rule, w, gradients, **rates), path, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", TORCH)
def test_parameter_without_slope_stays(name):
    rule, rates, _ = TORCH[name]
    path = walked(rule, np.zeros(3), np.zeros((4, 3)), **rates)
    np.testing.assert_array_equal(path, np.zeros((4, 3)))


def test_nesterov_by_the_point_ahead_is_that_of_torch():
    """torch keeps the point ahead; the parameters are it, less what the velocity adds."""
    curvature = np.array([1.0, 5.0, 0.2])
    ahead = torch.tensor([3.0, -2.0, 1.0], dtype=torch.float64, requires_grad=True)
    w, state = ahead.detach().numpy().copy(), None
    optimizer = torch.optim.SGD([ahead], 0.05, momentum=0.9, nesterov=True)
    for _ in range(STEPS):
        w, state = nesterov(w, lambda at: curvature * at, state, 0.05, 0.9)
        ahead.grad = torch.tensor(curvature) * ahead.detach()
        optimizer.step()
        np.testing.assert_allclose(ahead.detach().numpy(), w + 0.9 * state, rtol=1e-12)


def test_rmsprop_nesterov_without_momentum_is_rmsprop():
    rng = np.random.default_rng(SEED)
    w, gradients = rng.normal(size=4), rng.normal(size=(6, 4))
    slopes, (at, state) = iter(gradients), (w, None)
    for _ in gradients:
        at, state = rmsprop_nesterov(at, lambda _: next(slopes), state, 0.1, 0.9, 0.0, 0.1)
    np.testing.assert_allclose(at, walked(rmsprop, w, gradients, lr=0.1, rho=0.9, eps=0.1)[-1], rtol=1e-13)


def test_rmsprop_nesterov_with_a_huge_eps_is_nesterov():
    """The root is lost beside it, so that only the ratio of learning rate and eps is left."""
    w, other, state, beside = np.array([3.0, -2.0]), np.array([3.0, -2.0]), None, None
    for _ in range(5):
        w, state = rmsprop_nesterov(w, lambda at: at, state, 1e12, 0.9, 0.8, 1e13)
        other, beside = nesterov(other, lambda at: at, beside, 0.1, 0.8)
    np.testing.assert_allclose(w, other, rtol=1e-10)


def quadratic(w):
    return 0.5 * float(w @ (np.array([100.0, 1.0]) * w)), np.array([100.0, 1.0]) * w


def rosenbrock(w):
    x, y = w
    return float((1 - x) ** 2 + 100 * (y - x**2) ** 2), np.array(
        [-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)]
    )


def saddle(w):
    """Flat in the middle, with a way down to either side that ends at -1/4."""
    x, y = w
    return float(x**2 / 2 - y**2 / 2 + y**4 / 4 + 0.25), np.array([x, y**3 - y])


@pytest.mark.parametrize(
    ("problem", "start", "rule", "rates", "steps", "bar"),
    [
        (quadratic, [1.0, 1.0], sgd, {"lr": 0.015}, 400, 1e-4),
        (quadratic, [1.0, 1.0], momentum, {"lr": 0.015, "decay": 0.85}, 200, 1e-6),
        (quadratic, [1.0, 1.0], adam, {**BETAS, "lr": 0.05}, 400, 1e-4),
        (rosenbrock, [-1.2, 1.0], adam, {**BETAS, "lr": 0.02, "beta2": 0.999}, 4000, 1e-3),
        (rosenbrock, [-1.2, 1.0], momentum, {"lr": 2e-4, "decay": 0.95}, 4000, 1e-3),
        (saddle, [1.0, 1e-3], adagrad, {"lr": 0.3, "eps": 1e-8}, 400, 1e-4),
        (saddle, [1.0, 1e-3], rmsprop, {"lr": 0.01, "rho": 0.9, "eps": 1e-8}, 400, 1e-3),
    ],
    ids=lambda value: getattr(value, "__name__", getattr(value, "name", None)),
)
def test_rule_comes_down_what_is_hard_to_descend(problem, start, rule, rates, steps, bar):
    w, state = np.array(start), None
    for _ in range(steps):
        w, state = rule(w, problem(w)[1], state, **rates)
    assert problem(w)[0] < bar


def test_momentum_is_faster_than_none_on_the_long_valley():
    ended = {}
    for decay in (0.0, 0.85):
        w, state = np.array([1.0, 1.0]), None
        for _ in range(100):
            w, state = momentum(w, quadratic(w)[1], state, 0.015, decay)
        ended[decay] = quadratic(w)[0]
    assert ended[0.85] < ended[0.0] / 100
