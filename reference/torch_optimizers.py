"""How is an optimiser written that PyTorch's training loops can use?"""

from autograder.topic import case, close, optimizer
from reference.drawing import away_from_zero


@optimizer(lecture="002: Momentum, 'with momentum'")
def MomentumSGD():
    """Stochastic gradient descent with momentum, as a subclass of torch.optim.Optimizer.

    Formula: at each step, for every parameter that has a gradient, `v <- momentum v - lr grad` and `p <- p + v`,
    v being 0 before the first step.

    Arguments:
        params: tensors, or groups `{"params": [...], "lr": ...}` whose options come before the general ones.
        lr: positive. momentum: in [0, 1).

    Returns:
        A class; `step()` changes the parameters in place.

    Convention: a parameter without a gradient, None, was not used: neither it nor its velocity changes. The learning
    rate is inside of v, as in deck 002, so that a change of it reaches the steps to come alone.

    Example:
        >>> import torch
        >>> p = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer, p.grad = MomentumSGD([p], lr=0.5, momentum=0.5), torch.tensor([2.0])
        >>> optimizer.step(); optimizer.step(); p.tolist()
        [-1.5]

    Source: deck 002, the slides of momentum; deck 002, `torch.optim.Adam(model.parameters(), lr=...)`.
    """
    import torch

    class MomentumSGD(torch.optim.Optimizer):
        def __init__(self, params, lr, momentum):
            super().__init__(params, {"lr": lr, "momentum": momentum})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    v = self.state[p].get("v", torch.zeros_like(p))
                    v = group["momentum"] * v - group["lr"] * p.grad
                    self.state[p]["v"] = v
                    p.add_(v)

    return MomentumSGD


@MomentumSGD.cases
def _(rng):
    yield case("a layer", **_walk(rng, (3, 4), (4,)), **_rates(rng))
    yield case("one parameter", **_walk(rng, (5,), steps=9), **_rates(rng))
    groups = [{"params": [0, 2], "lr": 0.3}, {"params": [1], "momentum": 0.2}]
    yield case("two groups", **_walk(rng, (2,), (3,), (2, 2)), **_rates(rng), groups=groups)
    yield case("one is not used at first", **_skipping(rng), **_rates(rng))


def _rates(rng):
    return {"lr": float(rng.uniform(0.05, 0.2)), "momentum": float(rng.uniform(0.6, 0.95))}


def _walk(rng, *shapes, steps=5):
    rows = [[away_from_zero(rng, shape, least=0.2) for shape in shapes] for _ in range(steps)]
    return {"w": [rng.normal(size=shape) for shape in shapes], "dw": rows}


def _skipping(rng):
    drawn = _walk(rng, (4,), (2, 3), (3,), steps=6)
    drawn["dw"][0][1] = drawn["dw"][3][1] = None
    return drawn


@MomentumSGD.alternative
def _():
    """Velocities without the learning rate, in lists of its own."""
    import torch

    class Other(torch.optim.Optimizer):
        def __init__(self, params, lr=0.1, momentum=0.0):
            super().__init__(params, {"lr": lr, "momentum": momentum})
            self.velocities = [[None for _ in group["params"]] for group in self.param_groups]

        def step(self, closure=None):
            for group, velocities in zip(self.param_groups, self.velocities, strict=True):
                for number, p in enumerate(group["params"]):
                    if p.grad is not None:
                        old = velocities[number]
                        velocities[number] = p.grad.clone() if old is None else group["momentum"] * old + p.grad
                        p.data -= group["lr"] * velocities[number]

    return Other


@MomentumSGD.alternative
def _():
    """What PyTorch has."""
    import torch

    return torch.optim.SGD


@MomentumSGD.worked("two steps along a constant slope", lecture="002: Momentum, 'with momentum'")
def _():
    import torch

    p = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = MomentumSGD([p], lr=0.5, momentum=0.5)
    p.grad = torch.tensor([2.0])
    optimizer.step()
    close(p.detach().numpy(), [0.0])
    optimizer.step()
    close(p.detach().numpy(), [-1.5])


MomentumSGD.misconception(
    "velocity with the wrong sign",
    ('group["momentum"] * v - group["lr"]', '-group["momentum"] * v - group["lr"]'),
    hint="On a slope that does not change, steps with momentum become longer. Do yours?",
)
MomentumSGD.misconception(
    "climbed instead of descended",
    ('v - group["lr"] * p.grad', 'v + group["lr"] * p.grad'),
    hint="Which way does your very first step go, up or down the slope?",
)
MomentumSGD.misconception(
    "velocity not kept",
    ('self.state[p]["v"] = v', ""),
    hint="What does the second step know of the first one? self.state is for that.",
)
MomentumSGD.misconception(
    "parameters without gradient not skipped",
    ("if p.grad is None", "if False"),
    hint="What is the gradient of a parameter that was not used? And what does your step do with it?",
)
MomentumSGD.misconception(
    "options of the groups ignored",
    (
        'v = group["momentum"] * v - group["lr"] * p.grad',
        'v = self.defaults["momentum"] * v - self.defaults["lr"] * p.grad',
    ),
    hint="Each group of parameters may have a learning rate of its own. Where do you read it?",
)
MomentumSGD.misconception(
    "only the first group",
    ("in self.param_groups", "in self.param_groups[:1]"),
    hint="How many groups of parameters are there?",
)
MomentumSGD.misconception(
    "step ends at the first parameter without gradient",
    ("continue", "break"),
    hint="What becomes of the parameters that come after one that was not used?",
)
MomentumSGD.misconception(
    "velocity goes on where there is no gradient",
    (
        "continue",
        "p.grad = torch.zeros_like(p)",
    ),
    hint="A parameter that was not used in this step: should it move?",
)
