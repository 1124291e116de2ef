"""The check of update rules: the first step, the later ones, the caller's arrays, and what may go wrong on the way."""

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.prove import prove
from autograder.topic import Array, Float, Opaque, TopicError, bind, case, update_rule
from autograder.values.outcomes import Outcome

SEED = 9
WORTH = Worth("speed", 7.0, {})


def make_speed():
    @update_rule(lecture="tests")
    def speed(w: Float[Array, "..."], dw: Float[Array, "..."], state: Opaque, lr: float):
        """A step from w against dw: w + v, where v is the state, losing half of itself and gaining -lr dw.

        >>> speed(1.0, 2.0, None, lr=0.5)
        (0.0, -1.0)
        """
        v = 0.5 * (0 * w if state is None else state) - lr * dw
        return w + v, v

    @speed.cases
    def _(rng):
        for name, shape in (("vector", (3,)), ("matrix", (2, 4)), ("number", ())):
            yield case(name, w=np.asarray(rng.normal(size=shape)), dw=rng.normal(size=(4, *shape)), lr=0.25)
        yield case("still", edge=0.2, w=rng.normal(size=2), dw=np.zeros((3, 2)), lr=0.25)

    @speed.alternative
    def _(w, dw, state, lr):
        moved = -lr * dw if state is None else 0.5 * state["moved"] - lr * dw
        return w + moved, {"moved": moved}

    speed.misconception("speed forgotten", ("w + v, v", "w + v, None"), hint="What does the second step know?")
    return speed


def make_hill():
    @update_rule(lecture="tests", steps=3)
    def hill(w: Float[Array, "..."], grad, state: Opaque, lr: float):
        """A step against what grad says."""
        return w - lr * grad(w), None

    @hill.cases
    def _(rng):
        for name in ("one", "two", "three"):
            yield case(name, w=rng.normal(size=2), grad=bind(lambda w, a: a * w, a=2.0), lr=0.25)

    return hill


def outcomes(topic, step):
    result = drive(plan_of(topic), LocalQuestion({topic.name: step}).ask)
    return result, {check.id: str(result.verdicts[check.id].outcome) for check in result.plan.checks}


def plan_of(topic):
    return draw_plan(topic, WORTH, np.random.SeedSequence(SEED))


@pytest.mark.parametrize("make", [make_speed, make_hill])
def test_reference_earns_everything(make):
    topic = make()
    result, found = outcomes(topic, topic.main)
    assert result.total == 7.0
    assert set(found.values()) == {"passed"}


def test_suite_of_a_rule_is_proved():
    proof = prove(plan_of(make_speed()), WORTH, lambda number: np.random.SeedSequence([SEED, number]))
    assert proof.faults == []
    assert [kill.checks[0] for kill in proof.kills] == ["trajectory"]
    assert proof.right == {"reference": 30, "reference in float32": 30, "alternative 1": 30}


def test_state_may_be_anything_and_be_changed_in_place():
    class Own:
        def __init__(self, like):
            self.v = 0.0 * like

    def step(w, dw, state, lr):
        state = state or Own(dw)
        state.v = 0.5 * state.v - lr * dw
        return w + state.v, state

    assert outcomes(make_speed(), step)[0].total == 7.0


def test_first_step_has_its_own_points():
    result, found = outcomes(make_speed(), lambda w, dw, state, lr: (w - lr * dw, None))
    assert found["first_step"] == "passed"
    assert found["trajectory"] == "off_trajectory"
    assert found["arguments"] == "off_trajectory"  # counts only where the steps are right
    assert 0 < result.total < 3.5
    assert "off from step 2" in result.verdicts["trajectory"].evidence


@pytest.mark.parametrize("changed", ["w", "dw"])
def test_callers_arrays_must_stay(changed):
    def step(w, dw, state, lr):
        v = 0.5 * (0 * w if state is None else state) - lr * dw
        if changed == "w":
            w += v
            return w, v
        new = w + v
        dw *= 2
        return new, v

    result, found = outcomes(make_speed(), step)
    assert found["trajectory"] == "passed"
    assert found["arguments"] == "broken_property"
    assert ("gradients" in result.verdicts["arguments"].message) == (changed == "dw")
    assert result.total == 6.0


def test_gradient_kept_as_state_and_changed_later_is_noticed():
    def step(w, dw, state, lr):
        if state is None:
            return w - lr * dw, dw
        state *= 0.5
        state += dw
        return w - lr * state, state

    found = outcomes(make_speed(), step)[1]
    assert found.pop("arguments") == "broken_property"
    assert set(found.values()) == {"passed"}


def test_returned_parameters_that_a_later_step_changes_are_noticed():
    """One array, returned again and again: in a history of the caller's, all entries would be the last one."""

    def step(w, dw, state, lr):
        v, own = (0 * w, np.array(w)) if state is None else state
        v = 0.5 * v - lr * dw
        own += v
        return own, (v, own)

    found = outcomes(make_speed(), step)[1]
    assert found.pop("arguments") == "broken_property"
    assert set(found.values()) == {"passed"}


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (lambda w, dw, state, lr: w - lr * dw, Outcome.WRONG_TYPE),
        (lambda w, dw, state, lr: ("east", None), Outcome.WRONG_TYPE),
        (lambda w, dw, state, lr: (None, None), Outcome.WRONG_TYPE),
        (lambda w, dw, state, lr: (np.append(w, 0.0), None), Outcome.WRONG_SHAPE),
        (lambda w, dw, state, lr: (w / 0 * np.inf, None), Outcome.NOT_FINITE),
        (lambda w, dw, state, lr: state["v"], Outcome.RAISED),
    ],
    ids=["one result", "a string", "None", "another shape", "infinity", "a key of None"],
)
def test_wrong_forms_end_in_words(step, outcome):
    with np.errstate(all="ignore"):
        result, found = outcomes(make_speed(), step)
    assert found["first_step"] == outcome
    assert result.total == 0.0


def test_rule_must_begin_with_parameters_gradient_and_state():
    with pytest.raises(TopicError, match="begins with w, dw, state"):

        @update_rule(lecture="tests")
        def step(w, state, dw): ...
