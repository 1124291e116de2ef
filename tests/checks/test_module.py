"""Torch modules and optimisers as topics: matched weights, single precision, and what is no module at all."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.sandbox import worker_torch
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.nulls import null_battery
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.prove import prove
from autograder.suite.right import show
from autograder.topic import TopicError, case, optimizer, torch_module
from autograder.values.outcomes import Outcome

torch = pytest.importorskip("torch")
nn = torch.nn
SEED = 4
WORTH = Worth("gate", 8.0, {})


def make_gate():
    @torch_module(lecture="tests", inputs=("x",))
    def Gate():
        """x times the sigmoid of a dense layer of x.

        >>> sum(each.numel() for each in Gate(3).parameters())
        12
        """
        import torch

        class Gate(torch.nn.Module):
            def __init__(self, size):
                super().__init__()
                self.dense = torch.nn.Linear(size, size)

            def forward(self, x):
                return x * torch.sigmoid(self.dense(x))

        return Gate

    @Gate.cases
    def _(rng):
        for name, n, size in (("one", 3, 4), ("two", 5, 2), ("three", 2, 6)):
            yield case(name, x=rng.normal(size=(n, size)), size=size)

    @Gate.alternative
    def _():
        class Other(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.weight = nn.Parameter(torch.zeros(size, size))
                self.bias = nn.Parameter(torch.zeros(size))

            def forward(self, x):
                return x / (1 + torch.exp(-(x @ self.weight.T + self.bias)))

        return Other

    Gate.misconception("gate alone", ("x * torch", "torch"), hint="What goes through the gate?")
    return Gate


def make_pair():
    @torch_module(lecture="tests", inputs=("x",))
    def Pair():
        """Two dense layers without bias, each followed by a scale and a shift."""
        import torch

        class Pair(torch.nn.Module):
            def __init__(self, size):
                super().__init__()
                self.first, self.norm1 = torch.nn.Linear(size, size, bias=False), torch.nn.LayerNorm(size)
                self.second, self.norm2 = torch.nn.Linear(size, size, bias=False), torch.nn.LayerNorm(size)

            def forward(self, x):
                return self.norm2(self.second(torch.tanh(self.norm1(self.first(x)))))

        return Pair

    @Pair.cases
    def _(rng):
        for name, n, size in (("one", 3, 4), ("two", 5, 3), ("three", 2, 6)):
            yield case(name, x=rng.normal(size=(n, size)), size=size)

    return Pair


def outcomes(topic, cls):
    result = drive(draw_plan(topic, WORTH, np.random.SeedSequence(SEED)), LocalQuestion({topic.name: cls}).ask)
    return result, {check.id: str(result.verdicts[check.id].outcome) for check in result.plan.checks}


def test_suite_of_a_module_is_proved():
    plan = draw_plan(make_gate(), WORTH, np.random.SeedSequence(SEED))
    wrong = plan.topic.misconceptions[0]
    result = drive(plan, LocalQuestion(wrong.names).ask)
    assert result.verdicts["out"].outcome == Outcome.WRONG_VALUE
    assert result.total == 0
    for name, names in null_battery(plan.topic):
        assert drive(plan, LocalQuestion(names).ask).total == 0, name


def test_proof_of_a_module_has_no_fault():
    plan = draw_plan(make_gate(), WORTH, np.random.SeedSequence(SEED))
    shown = {m.name: show(plan.topic, m.names, plan.cases.values()) for m in plan.topic.misconceptions}
    proof = prove(replace(plan, wrong=shown), WORTH, lambda number: np.random.SeedSequence([SEED, number]))
    assert proof.faults == []


def test_module_that_insists_on_single_precision_is_run_in_it():
    class Single(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.dense = nn.Linear(size, size)

        def forward(self, x):
            start = torch.zeros(len(x), x.shape[1])  # of single precision, which a matrix product does not mix
            return x * torch.sigmoid(torch.addmm(start, x, self.dense.weight.T) + self.dense.bias)

    assert outcomes(make_gate(), Single)[0].total == 8.0


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (lambda size: nn.Linear(size, size + 1), Outcome.WRONG_SHAPE),
        (lambda size: nn.Linear(size, size, bias=False), Outcome.WRONG_SHAPE),
        (lambda size: "a string", Outcome.WRONG_SHAPE),
        (lambda size: nn.Linear(size, size), Outcome.WRONG_VALUE),
        (lambda: nn.Linear(1, 1), Outcome.RAISED),
    ],
    ids=["another shape", "too few", "no module", "another function", "no options"],
)
def test_other_things_end_in_words(make, outcome):
    result, found = outcomes(make_gate(), make)
    assert found["out"] == outcome
    assert result.total == 0


def test_parameter_that_no_gradient_reaches_costs_the_gradients():
    class Cut(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.dense = nn.Linear(size, size)

        def forward(self, x):
            return x * torch.sigmoid(self.dense(x).detach())

    found = outcomes(make_gate(), Cut)[1]
    assert found == {"out": "passed", "gradients": "wrong_value", "dx": "wrong_value", "parameters": "passed"}


def test_factory_takes_no_arguments():
    with pytest.raises(TopicError, match="without arguments"):

        @torch_module(lecture="tests", inputs=("x",))
        def Gate(size): ...


def make_steps():
    @optimizer(lecture="tests")
    def Steps():
        """Gradient descent."""
        import torch

        class Steps(torch.optim.Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})

            @torch.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            p.sub_(group["lr"] * p.grad)

        return Steps

    @Steps.cases
    def _(rng):
        for name, size in (("one", 3), ("two", 4), ("three", 2)):
            rows = [[rng.normal(size=size), rng.normal(size=(2, 2))] for _ in range(4)]
            rows[1][1] = None
            yield case(name, w=[rng.normal(size=size), rng.normal(size=(2, 2))], dw=rows, lr=0.2)

    return Steps


@pytest.mark.slow
def test_optimizer_is_followed_step_by_step():
    topic = make_steps()
    assert outcomes(topic, topic.main)[0].total == 8.0
    assert outcomes(topic, torch.optim.SGD)[0].total == 8.0
    adam = outcomes(topic, torch.optim.Adam)[1]
    assert adam == {"first_step": "off_trajectory", "trajectory": "off_trajectory"}
    momentum = outcomes(topic, lambda params, lr: torch.optim.SGD(params, lr, momentum=0.5))[1]
    assert momentum == {"first_step": "passed", "trajectory": "off_trajectory"}


def forging(monkeypatch, tool, shown):
    """Student code shares its process with what runs it, and can put something else in its place."""
    monkeypatch.setitem(worker_torch.TOOLS, tool, lambda *arguments: shown)


@pytest.mark.parametrize(
    "shown",
    [5, None, {}, {"fits": True}, {"fits": False}, {"fits": np.zeros(3), "parameters": 1, "inputs": []}, [True]],
    ids=repr,
)
def test_forged_run_of_a_module_is_no_run(monkeypatch, shown):
    topic = make_gate()
    plan = draw_plan(topic, WORTH, np.random.SeedSequence(SEED))
    forging(monkeypatch, "torch: module", shown)
    result = drive(plan, LocalQuestion({topic.name: topic.main}).ask)
    assert result.verdicts["out"].outcome == Outcome.WRONG_TYPE
    assert result.total == 0


@pytest.mark.parametrize("shown", [5, [], [[1.0], [2.0]], [1, 2, 3, 4], [{}] * 4, [[np.zeros(3), None]] * 4], ids=repr)
def test_forged_steps_of_an_optimizer_are_none(monkeypatch, shown):
    topic = make_steps()
    plan = draw_plan(topic, WORTH, np.random.SeedSequence(SEED))
    forging(monkeypatch, "torch: optimizer", shown)
    result = drive(plan, LocalQuestion({topic.name: topic.main}).ask)
    assert result.verdicts["first_step"].outcome == Outcome.WRONG_TYPE
    assert result.total == 0


def test_optimizer_that_resizes_its_parameters_is_off():
    class Growing(torch.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})
            self.steps = 0

        def step(self, closure=None):
            self.steps += 1
            for p in self.param_groups[0]["params"]:
                p.grad, p.data = None, torch.zeros(self.steps, dtype=p.dtype)

    found = outcomes(make_steps(), Growing)[1]
    assert found["trajectory"] != "passed"


@pytest.mark.parametrize("swapped", [False, True])
def test_layers_of_one_kind_may_be_made_before_those_of_another(swapped):
    """Both dense layers first, then both norms, is a common style; it was refused unrun, as if weights were missing."""

    class Sorted(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.dense = nn.ModuleList([nn.Linear(size, size, bias=False) for _ in range(2)])
            self.norms = nn.ModuleList([nn.LayerNorm(size) for _ in range(2)])

        def forward(self, x):
            first, second = reversed(self.dense) if swapped else self.dense
            return self.norms[1](second(torch.tanh(self.norms[0](first(x)))))

    _, found = outcomes(make_pair(), Sorted)
    assert found["out"] == ("wrong_value" if swapped else "passed")
