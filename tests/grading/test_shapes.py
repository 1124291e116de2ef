"""Shapes of errors: what is said of numbers where no misconception explains them, and what is not."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.grading.diagnosis import diagnose
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.right import show
from autograder.topic import Array, Float, case, topic
from tests.checks.topics import make_scale

SEED = np.random.SeedSequence(11)


def make_product():
    @topic(lecture="tests", returns=("y", "total"))
    def product(x: Float[Array, "N D"], w: Float[Array, "D M"]) -> tuple[Float[Array, "N M"], Float[Array, ""]]:
        """x times w, and its sum."""
        return x @ w, (x @ w).sum()

    @product.cases
    def _(rng):
        for name, n, d, m in (("a", 3, 4, 2), ("b", 5, 2, 3), ("c", 4, 6, 5)):
            yield case(name, x=rng.normal(size=(n, d)), w=rng.normal(size=(d, m)))

    return product


def make_clipped():
    @topic(lecture="tests", returns=("y",))
    def clipped(x: Float[Array, "N D"]) -> Float[Array, "N D"]:
        """x, but for what is far out."""
        return np.clip(x, -100, 100)

    @clipped.cases
    def _(rng):
        for name, n, d in (("a", 3, 4), ("b", 5, 2), ("c", 4, 6)):
            yield case(name, x=rng.normal(size=(n, d)))
        yield case("far out", edge=0.2, x=1000 * rng.normal(size=(3, 4)))

    return clipped


def shape_in(block, answer, make=make_product):
    declared = make()
    plan = draw_plan(declared, Worth(declared.name, 10.0, {}), SEED)
    result = drive(plan, LocalQuestion({declared.name: answer}).ask)
    found = diagnose(result)
    assert all(diagnosis.is_shape for diagnosis in found.values())
    return found[block].name if block in found else ""


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda y, x, w: -y, "right but for the sign"),
        (lambda y, x, w: 2 * y, "twice what is right"),
        (lambda y, x, w: y / 2, "half of what is right"),
        (lambda y, x, w: y * len(x), "N times what is right"),
        (lambda y, x, w: y / len(w), "what is right, divided by D"),
        (lambda y, x, w: -1.7 * y, "right but for a constant factor"),
        (lambda y, x, w: y.T, "transposed"),
        (lambda y, x, w: y[::-1], "rows in reverse order"),
        (lambda y, x, w: y + x[0, 0], "shifted by a constant"),
        (lambda y, x, w: (y * len(x)).astype(np.float32), "N times what is right"),
        (lambda y, x, w: y.tolist() if len(x) == 3 else 2 * y, ""),  # right on one case
        (lambda y, x, w: y * x[0, 0], ""),  # another factor in each case
        (lambda y, x, w: y + np.arange(y.shape[1]), ""),
        (lambda y, x, w: None, ""),
        (lambda y, x, w: np.nan * y, ""),
        (lambda y, x, w: 0 * y, ""),
    ],
)
def test_shape_is_named(change, name):
    assert shape_in("y", lambda x, w: (change(x @ w, x, w), (x @ w).sum())) == name


def test_single_number_is_not_called_shifted():
    assert shape_in("total", lambda x, w: (x @ w, (x @ w).sum() + x[0, 0])) == ""


def test_right_answer_has_no_shape():
    assert shape_in("y", lambda x, w: (x @ w, (x @ w).sum())) == ""


def test_what_a_misconception_explains_is_not_called_a_shape():
    scale = make_scale()
    scale.misconception("sign of dw", ("(dout * t).sum(axis=0)", "-(dout * t).sum(axis=0)"), hint="-")
    plan = draw_plan(scale, Worth("scale", 10.0, {}), SEED)
    plan = replace(plan, wrong={m.name: show(scale, m.names, plan.cases.values()) for m in scale.misconceptions})
    found = diagnose(drive(plan, LocalQuestion(scale.misconceptions[-1].names).ask))
    assert {(each.name, each.is_shape) for each in found.values()} == {("sign of dw", False)}


def test_gradient_block_by_itself_has_its_shape():
    scale = make_scale()
    plan = draw_plan(scale, Worth("scale", 10.0, {}), SEED)
    plan = replace(plan, wrong={m.name: show(scale, m.names, plan.cases.values()) for m in scale.misconceptions})
    forward, backward = scale.reference.values()
    names = {
        "scale_forward": forward,
        "scale_backward": lambda dout, cache: (backward(dout, cache)[0], -backward(dout, cache)[1]),
    }
    found = diagnose(drive(plan, LocalQuestion(names).ask))
    assert {check: each.name for check, each in found.items()} == {"dw": "right but for the sign"}


@pytest.mark.parametrize("answer", [lambda x: x, lambda x: np.where(abs(x) > 100, np.nan, x)], ids=["value", "nan"])
def test_nothing_is_said_of_a_mistake_at_an_edge_alone(answer):
    """All ordinary cases are right, so all of them are right but for a factor: of one. Students were told so."""
    assert shape_in("y: far out", answer, make_clipped) == ""
