"""What does an exam on hidden examples pay for, and what does it never give away?"""

from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite import store
from autograder.suite.calibrate import calibrate_accuracy
from autograder.suite.draw import digest_of, draw_runs, seed_of
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.prove import prove
from autograder.suite.right import show
from autograder.topic import Array, Float, case, trainer
from autograder.topic.parts import TopicError
from autograder.values import codec

SEED = 5
KEY = bytes(range(32))


def first_number(run, w):
    """The accuracy that an answer asks for; one of equal numbers is a guess."""
    return float(w[0]) if 0 <= w[0] < 1 and w[0] != w[1] else 0.0


def make_aim(*, spread=0.01, chance=0.1, skill=None):
    """A trainer whose accuracy is the first number that it returns, so that a test can choose it."""

    @trainer(lecture="tests", returns=("w",))
    def aim(w: Float[Array, "2"], target: Float[Array, "2"]) -> Float[Array, "2"]:
        """Go half way from nothing to the target, wherever one starts, which is w.

        >>> aim(np.zeros(2), np.array([2.0, 4.0]))
        array([1., 2.])
        """
        return w + (target / 2 - w)

    @aim.cases
    def _(rng):
        for number in range(3):
            yield case(f"run {number}", w=rng.normal(size=2), target=rng.normal(size=2))

    @aim.alternative
    def _(w, target):
        return np.array([float(each) / 2 for each in target])

    @aim.generalizes(accuracy=skill or first_number, chance=chance)
    def _(rng):
        target = np.array([1.6 + 2 * spread * rng.normal(), 7.0])
        return {"w": np.array([0.2 + 0.05 * rng.uniform(), 1.0]), "target": target, "secret": rng.normal(size=9)}

    aim.misconception("too far", ("target / 2", "target"), hint="How far is half of the way?")
    return aim


def plan_of(topic, **weights):
    mark = calibrate_accuracy(topic, np.random.SeedSequence(SEED))
    return draw_plan(topic, Worth(topic.name, 10.0, weights), np.random.SeedSequence(SEED), mark=mark)


def verdict(plan, function):
    return drive(plan, LocalQuestion({"aim": function}).ask).verdicts["accuracy"]


def in_turn(*functions):
    """A trainer that behaves as these do on its first, second ... exam; cases do not count."""
    left = list(functions)

    def train(w, target):
        return left.pop(0)(w, target) if target[1] == 7.0 else target / 2

    return train


def reaching(accuracy):
    return lambda w, target: np.array([accuracy, 0.0])


def failing(w, target):
    raise ZeroDivisionError


def test_reference_passes_and_its_weight_decides_what_that_is_worth():
    aim = make_aim()
    for weight, points in ((1.0, 5.0), (3.0, 7.5)):
        result = drive(plan_of(aim, accuracy=weight), LocalQuestion(aim.reference).ask)
        (check,) = [check for check in result.plan.checks if check.kind == "accuracy"]
        assert (result.total, check.points) == (10.0, points)


def test_mark_lies_between_the_best_untrained_start_and_four_deviations_below_the_reference():
    mark = calibrate_accuracy(make_aim(spread=0.02), np.random.SeedSequence(SEED))
    assert 0.24 < mark.nothing <= 0.25
    at = 1 / (1 + np.exp(-mark.mean))
    assert at == pytest.approx(0.8, abs=0.02)
    assert mark.everything == pytest.approx(1 / (1 + np.exp(4 * mark.deviation - mark.mean)))
    assert 0.65 < mark.everything < 0.78


def test_points_grow_in_a_straight_line_from_guessing_to_the_bar():
    plan = plan_of(make_aim())
    nothing, everything = plan.mark.nothing, plan.mark.everything
    for part in (0.0, 0.25, 0.9):
        found = verdict(plan, reaching(nothing + part * (everything - nothing)))
        assert found.outcome == "below_bar"
        assert found.fraction == pytest.approx(part)
    assert verdict(plan, reaching(everything)).outcome == "passed"
    assert verdict(plan, reaching(0.0)).fraction == 0.0


def test_untrained_and_constant_answers_earn_nothing():
    plan = plan_of(make_aim())
    for answer in (lambda w, target: w, reaching(0.0), reaching(0.1)):
        assert verdict(plan, answer).fraction == 0.0


def test_an_exam_whose_own_start_is_better_than_any_calibrated_one_still_pays_nothing_for_it():
    plan = plan_of(make_aim())
    lucky = tuple(case.at(w=np.array([0.5, 1.0])) for case in plan.runs)
    assert verdict(replace(plan, runs=lucky), lambda w, target: w).fraction == 0.0


def test_exam_is_repeated_once_and_the_better_one_counts():
    plan = plan_of(make_aim())
    reference = plan.topic.main
    assert verdict(plan, in_turn(reaching(0.3), reference)).outcome == "passed"
    better = verdict(plan, in_turn(reaching(0.5), reaching(0.3)))
    assert better.fraction == verdict(plan, in_turn(reaching(0.3), reaching(0.5))).fraction > 0.3
    assert better.case == "exam"


def test_failure_of_the_second_exam_does_not_cost_what_the_first_earned():
    plan = plan_of(make_aim())
    found = verdict(plan, in_turn(reaching(0.5), failing))
    assert (found.outcome, found.case) == ("below_bar", "exam")
    assert found.fraction > 0.3


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (failing, "raised"),
        (lambda w, target: np.array([0.8, 0.0, 0.0]), "wrong_shape"),
        (lambda w, target: np.array([0.8, np.nan]), "not_finite"),
        (lambda w, target: {"w": target}, "wrong_shape"),
        (lambda w, target: "0.99", "wrong_type"),
        (lambda w, target: None, "wrong_type"),
    ],
)
def test_what_cannot_be_examined_has_its_own_outcome_and_earns_nothing(answer, outcome):
    found = verdict(plan_of(make_aim()), answer)
    assert (str(found.outcome), found.fraction) == (outcome, 0.0)


def test_hidden_examples_never_go_in():
    plan = plan_of(make_aim())
    desk, sent = LocalQuestion({"aim": lambda w, target: w}), []

    def listening(ask):
        sent.append(ask.payload())
        return desk.ask(ask)

    drive(plan, listening)
    everything = b"".join(sent)
    for exam in plan.runs:
        assert exam.inputs["target"].tobytes() in everything
        assert exam.inputs["secret"].tobytes() not in everything
    assert b"secret" not in everything


def test_suite_notices_that_hidden_examples_would_be_drawn_otherwise():
    runs = draw_runs(make_aim(), np.random.SeedSequence(SEED))
    assert [run.name for run in runs] == ["exam", "exam, repeated"]
    moved = [run.at(secret=run.inputs["secret"] + 1) for run in runs]
    assert digest_of(runs) != digest_of(moved)


def test_mark_is_kept_with_the_suite():
    plan = plan_of(make_aim())
    kept = codec.decode(codec.encode(store.plan_tree(plan, "digest", {})))
    assert store.mark_from(kept) == plan.mark
    without = codec.decode(codec.encode(store.plan_tree(replace(plan, mark=None), "digest", {})))
    assert store.mark_from(without) is None


def test_reference_that_guesses_is_refused():
    with pytest.raises(TopicError, match="is not above guessing"):
        calibrate_accuracy(make_aim(chance=0.79), np.random.SeedSequence(SEED))
    with pytest.raises(TopicError, match=r"must be in \[0, 1\]"):
        calibrate_accuracy(make_aim(skill=lambda run, w: float(w[1])), np.random.SeedSequence(SEED))


def proof_of(topic):
    worth = Worth(topic.name, 10.0, {})
    mark = calibrate_accuracy(topic, np.random.SeedSequence(SEED))
    plan = draw_plan(topic, worth, seed_of(KEY, topic.name, "suite"), mark=mark)
    wrong = {each.name: show(topic, each.names, plan.cases.values()) for each in topic.misconceptions}
    return prove(replace(plan, wrong=wrong), worth, lambda n: seed_of(KEY, topic.name, str(n)))


def test_examined_topic_is_proved():
    assert proof_of(make_aim()).faults == []


def test_exam_that_pays_for_knowing_nothing_is_refused():
    generous = make_aim(skill=lambda run, w: 0.9 if (w == 0).all() else first_number(run, w))
    assert any(fault.startswith("zeros knows nothing but earns") for fault in proof_of(generous).faults)
