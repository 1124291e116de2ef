"""Each check on right, wrong and hostile implementations, through the desk that also serves the jail."""

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.calibrate import calibrate
from autograder.suite.plans import Worth, draw_plan
from autograder.topic import Array, Float, case, topic
from autograder.values.outcomes import Outcome
from tests.checks.topics import make_counter, make_descent, make_scale, make_slope, make_square

SEED = 3


def plan_of(topic, points=10.0, **weights):
    bar = calibrate(topic, np.random.SeedSequence(SEED + 1)) if topic.training else None
    return draw_plan(topic, Worth(topic.name, points, weights), np.random.SeedSequence(SEED), bar)


def grade(topic, names, **weights):
    return drive(plan_of(topic, **weights), LocalQuestion(names).ask)


def outcomes(result):
    return {check.id: str(result.verdicts[check.id].outcome) for check in result.plan.checks}


@pytest.fixture
def scale():
    return make_scale()


@pytest.fixture
def square():
    return make_square()


def test_reference_earns_everything_in_every_kind(scale, square):
    for each in (scale, square, make_counter(), make_descent()):
        result = grade(each, each.reference)
        assert result.total == 10.0, (each.name, outcomes(result))
        assert set(outcomes(result).values()) == {"passed"}


def test_points_of_the_checks_add_up_to_the_cent(square):
    for points in (1.0, 3.33, 7.0, 10.0):
        plan = plan_of(square, points)
        assert plan.points == points
        assert sum(round(100 * check.points) for check in plan.checks) == round(100 * points)


def test_weights_of_the_assignment_move_points_between_blocks(square):
    plan = plan_of(square, 10.0, loss=1.0, dx=3.0)
    by_block = {name: sum(c.points for c in plan.checks if c.block == name) for name in ("loss", "dx")}
    assert by_block["dx"] == pytest.approx(3 * by_block["loss"], abs=0.02)


def test_each_gradient_block_has_its_own_points(scale):
    wrong = scale.misconceptions[1].names
    assert outcomes(grade(scale, wrong)) == {"out": "passed", "dx": "passed", "dw": "wrong_value"}


def layer_names(forward, backward):
    return {"scale_forward": forward, "scale_backward": backward}


def test_edge_counts_only_where_the_core_passed(square):
    def only_large(x):
        return ((x**2).mean(), 2 * x / len(x)) if abs(x).max() > 1e3 else (0.0, x)

    result = grade(square, {"square": only_large})
    assert result.total == 0.0


def test_edge_alone_fails_where_only_the_edge_is_wrong(square):
    def small_only(x):
        return ((x**2).mean(), 2 * x / len(x)) if abs(x).max() < 1e3 else (0.0, x)

    found = outcomes(grade(square, {"square": small_only}))
    assert found["loss"] == found["dx"] == "passed"
    assert found["loss: large"] == found["dx: large"] == "wrong_value"


def test_working_in_place_is_right(square):
    def in_place(x):
        loss = (x**2).mean()
        x *= 2 / len(x)
        return loss, x

    assert grade(square, {"square": in_place}).total == 10.0


def test_list_where_a_tuple_was_agreed_is_right(square):
    assert grade(square, {"square": lambda x: [(x**2).mean(), 2 * x / len(x)]}).total == 10.0


@pytest.mark.parametrize(
    ("function", "outcome"),
    [
        (lambda x: (x**2).mean(), "wrong_type"),
        (lambda x: ((x**2).mean(), 2 * x / len(x), x), "wrong_type"),
        (lambda x: None, "wrong_type"),
        (lambda x: 1 / 0, "raised"),
        (lambda x: [][3], "raised"),
        (lambda: 3, "raised"),
    ],
    ids=["one output", "three outputs", "none", "division", "index", "no argument"],
)
def test_other_ends_have_their_own_outcome(square, function, outcome):
    result = grade(square, {"square": function})
    assert set(outcomes(result).values()) == {outcome}
    assert result.total == 0


def test_missing_and_stub_are_missing(square):
    def stub(x):
        raise NotImplementedError

    assert set(outcomes(grade(square, {})).values()) == {"missing"}
    assert set(outcomes(grade(square, {"square": stub})).values()) == {"missing"}


def test_object_that_answers_yes_to_everything_earns_nothing(square):
    class Yes:
        def __eq__(self, other):
            return True

        def __getattr__(self, name):
            return lambda *arguments, **keywords: self

        __hash__ = None
        __array_ufunc__ = None

    assert grade(square, {"square": lambda x: (Yes(), Yes())}).total == 0


def test_patched_comparison_in_the_worker_changes_nothing(square, monkeypatch):
    def cheat(x):
        monkeypatch.setattr(np, "allclose", lambda *a, **k: True)
        monkeypatch.setattr(np.testing, "assert_allclose", lambda *a, **k: None)
        return 0.0, np.zeros_like(x)

    result = grade(square, {"square": cheat})
    assert {result.verdicts[c].outcome for c in ("loss", "dx")} == {Outcome.WRONG_VALUE}
    assert result.total == 0


def test_broken_property_is_named_and_costs_its_share_only(square):
    calls = {"n": 0}

    def odd(x):
        calls["n"] += 1
        loss = (x**2).mean()
        return (loss if calls["n"] <= 4 else loss + x.sum(), 2 * x / len(x))

    result = grade(square, {"square": odd})
    assert outcomes(result)["even"] == "broken_property"
    assert result.total == 9.0


def test_law_that_cannot_be_computed_is_broken():
    """Of what comes back where a law asks, nothing has looked at the shape."""

    @topic(lecture="tests", returns=("out",))
    def double(x: Float[Array, "N"]) -> Float[Array, "N"]:
        """Twice x."""
        return 2 * x

    @double.cases
    def _(rng):
        for number in (4, 5, 7):
            yield case(f"{number} numbers", x=rng.normal(size=number))

    @double.alternative
    def _(x):
        return x + x

    @double.property("odd", share=0.1, hint="Twice a number keeps its sign.")
    def _(inputs):
        there = yield inputs
        back = yield {"x": -inputs["x"]}
        return bool(np.abs(there["out"] + back["out"]).max() < 1e-3)

    calls = {"n": 0}

    def shrinking(x):
        calls["n"] += 1
        return 2 * x if calls["n"] <= 3 else x[:2]

    result = grade(double, {"double": shrinking})
    assert outcomes(result) == {"out": "passed", "odd": "broken_property"}


def test_callables_cross_as_stubs_and_their_calls_are_recorded():
    slope = make_slope()
    seen = []

    def counting(f, x):
        seen.append(type(f).__name__)
        return (f(x + 1e-4) - f(x - 1e-4)) / 2e-4

    result = grade(slope, {"slope": counting})
    assert set(outcomes(result).values()) <= {"passed", "wrong_value"}
    assert set(seen) == {"function"}


class TestCarried:
    """A backward that is right for a wrong forward earns half, and nothing trivial is carried."""

    def test_shifted_forward_with_its_own_backward_is_carried(self, scale):
        def forward(x, w):
            t = np.tanh(0.7 * x)
            return t * w + 1, (t, w)

        def backward(dout, cache):
            t, w = cache
            return 0.7 * dout * w * (1 - t**2), (dout * t).sum(axis=0)

        result = grade(scale, layer_names(forward, backward))
        assert outcomes(result) == {"out": "wrong_value", "dx": "carried", "dw": "carried"}
        each = {check.id: check.points for check in result.plan.checks}
        assert result.total == pytest.approx((each["dx"] + each["dw"]) / 2, abs=0.011)

    def test_carried_in_float32(self, scale):
        def forward(x, w):
            t = np.tanh(0.7 * x.astype(np.float32)).astype(np.float32)
            return t * w.astype(np.float32), (t, w.astype(np.float32))

        def backward(dout, cache):
            t, w = cache
            dout = dout.astype(np.float32)
            return np.float32(0.7) * dout * w * (1 - t**2), (dout * t).sum(axis=0)

        found = outcomes(grade(scale, layer_names(forward, backward)))
        assert found == {"out": "wrong_value", "dx": "carried", "dw": "carried"}

    def test_forward_of_another_shape_elsewhere_is_not_carried(self, scale):
        """It is asked beside the cases too, where nothing has looked at its shape."""
        calls = {"n": 0}

        def forward(x, w):
            calls["n"] += 1
            return 1.5 * np.tanh(x) * w if calls["n"] <= 3 else np.arange(11.0) * x.sum(), (x, w)

        def backward(dout, cache):
            x, w = cache
            return 1.5 * dout * w * (1 - np.tanh(x) ** 2), 1.5 * (dout * np.tanh(x)).sum(axis=0)

        result = grade(scale, {"scale_forward": forward, "scale_backward": backward})
        assert outcomes(result) == {"out": "wrong_value", "dx": "wrong_value", "dw": "wrong_value"}

    def test_wrong_backward_of_a_wrong_forward_is_not_carried(self, scale):
        def forward(x, w):
            t = np.tanh(0.7 * x)
            return t * w, (t, w)

        def backward(dout, cache):
            t, w = cache
            return 0.3 * dout * w * (1 - t**2), (dout * t).mean(axis=0)

        assert grade(scale, layer_names(forward, backward)).total == 0

    def test_linear_forward_with_its_trivial_gradient_is_not_carried(self, scale):
        result = grade(scale, layer_names(lambda x, w: (x * w, w), lambda dout, w: (dout * w, dout.sum(axis=0))))
        assert outcomes(result)["dx"] == "wrong_value"

    def test_constant_forward_with_zero_backward_is_not_carried(self, scale):
        def backward(dout, cache):
            return np.zeros_like(dout), np.zeros(dout.shape[1])

        assert grade(scale, layer_names(lambda x, w: (np.ones_like(x), None), backward)).total == 0

    def test_flipped_forward_with_its_own_backward_is_not_carried(self, scale):
        def forward(x, w):
            t = np.tanh(x)
            return -t * w, (t, w)

        def backward(dout, cache):
            t, w = cache
            return -dout * w * (1 - t**2), -(dout * t).sum(axis=0)

        assert grade(scale, layer_names(forward, backward)).total == 0

    def test_right_forward_carries_nothing(self, scale):
        wrong = scale.misconceptions[0].names
        assert outcomes(grade(scale, wrong))["dx"] == "wrong_value"


class TestLinearity:
    def test_backward_that_ignores_its_upstream_is_explained(self, scale):
        def backward(dout, cache):
            t, w = cache
            return w * (1 - t**2), t.sum(axis=0)

        result = grade(scale, layer_names(scale.reference["scale_forward"], backward))
        assert "zeros" in result.verdicts["dx"].message

    def test_backward_with_a_relu_on_its_upstream_is_explained(self, scale):
        def backward(dout, cache):
            t, w = cache
            dout = np.maximum(dout, 0)
            return dout * w * (1 - t**2), (dout * t).sum(axis=0)

        result = grade(scale, layer_names(scale.reference["scale_forward"], backward))
        assert "linear" in result.verdicts["dw"].message

    def test_linear_wrong_backward_is_not_blamed_for_linearity(self, scale):
        result = grade(scale, scale.misconceptions[0].names)
        assert "linear" not in result.verdicts["dx"].message


class TestConvergence:
    def test_claimed_history_and_untrained_parameters_are_below_the_bar(self):
        descent = make_descent()
        found = outcomes(grade(descent, {"descend": lambda w, target, lr, steps: w}))
        assert found["convergence"] == "below_bar"

    def test_other_road_to_the_bar_passes_the_long_run_only(self):
        descent = make_descent()
        found = outcomes(grade(descent, {"descend": lambda w, target, lr, steps: target + 1e-9}))
        assert found == {"w": "wrong_value", "convergence": "passed"}

    def test_other_shapes_and_nan_are_not_graded_by_loss(self):
        descent = make_descent()
        for answer, outcome in ((np.zeros(9), "wrong_shape"), (np.full(4, np.nan), "not_finite")):
            found = outcomes(grade(descent, {"descend": lambda *_, answer=answer: answer}))
            assert found["convergence"] == outcome
