"""The proof: sharp suites pass, and each way of being blunt is refused with its reason."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.suite.draw import Worth, draw_plan, seed_of, show
from autograder.suite.nulls import null_battery, spoiled_gradients
from autograder.suite.prove import prove
from autograder.topic import case, topic
from autograder.topic.declare import TopicError
from tests.checks.topics import make_counter, make_scale, make_square

KEY = bytes(range(32))


def proof_of(declared, points=10.0):
    worth = Worth(declared.name, points, {})
    plan = draw_plan(declared, worth, seed_of(KEY, declared.name, "suite"))
    wrong = {m.name: show(declared, m.names, plan.cases.values()) for m in declared.misconceptions}
    return prove(replace(plan, wrong=wrong), worth, lambda n: seed_of(KEY, declared.name, str(n)))


def softmax_like(maker, *, upstream_ones=False):
    @topic(lecture="tests", returns=("loss", "dx"), gradients={"dx": ("loss", "x")})
    def double(x, y):
        """Sum of x * y."""
        return (x * y).sum(), y

    double.cases(maker)
    return double


@pytest.mark.parametrize("make", [make_scale, make_square, make_counter])
def test_sharp_topic_is_proved(make):
    proof = proof_of(make())
    assert proof.faults == []
    assert set(proof.right.values()) == {30}
    assert all(kill.margin > 10 for kill in proof.kills)


def test_topic_without_alternative_is_refused():
    declared = make_square()
    declared.alternatives.clear()
    assert any("no alternative" in fault for fault in proof_of(declared).faults)


def test_misconception_that_shows_nowhere_is_refused_by_name():
    declared = make_square()
    declared.misconception("order of the factors", ("2 * x / len(x)", "x * 2 / len(x)"), hint="-")
    faults = proof_of(declared).faults
    assert any("'order of the factors' passes every check" in fault for fault in faults)


def test_two_misconceptions_that_look_alike_are_refused_unless_declared():
    declared = make_square()
    declared.misconception("half a gradient", ("2 * x / len(x)", "0.5 * (2 * x / len(x))"), hint="-")
    assert any("tells 'factor two lost' from 'half a gradient'" in fault for fault in proof_of(declared).faults)
    declared = make_square()
    declared.misconception(
        "half a gradient", ("2 * x / len(x)", "x / len(x)"), hint="-", equivalent_to="factor two lost"
    )
    assert proof_of(declared).faults == []


def test_cases_of_ones_are_refused_because_knowing_nothing_earns():
    def maker(rng):
        for name in ("a", "b", "c"):
            yield case(name, x=np.ones((2, 2)), y=np.ones((2, 2)))

    declared = softmax_like(maker)
    declared.alternative(lambda x, y: (float(np.vdot(x, y)), 1.0 * y))
    faults = proof_of(declared).faults
    assert any("ones" in fault and "earns" in fault for fault in faults)


def test_block_that_is_always_zero_is_refused():
    def maker(rng):
        for name in ("a", "b", "c"):
            yield case(name, x=rng.normal(size=3), y=np.zeros(3))

    with pytest.raises(TopicError, match="can decide about loss"):
        proof_of(softmax_like(maker))


def test_right_implementations_that_disagree_are_refused():
    declared = make_square()
    declared.alternative(lambda x: ((x**2).mean() * 1.1, 2 * x / len(x)))
    with pytest.raises(TopicError, match="right implementations differ"):
        proof_of(declared)


def test_alternative_that_raises_is_refused_with_the_case():
    declared = make_square()
    declared.alternative(lambda x: 1 / 0)
    with pytest.raises(TopicError, match="failed on 'ordinary'"):
        proof_of(declared)


def test_every_null_and_every_spoiled_gradient_is_tried():
    declared = make_scale()
    names = [name for name, _ in null_battery(declared)]
    assert {"the starter", "zeros", "ones", "NaN", "an echo of x", "identity with identity"} <= set(names)
    spoiled = {name for name, _ in spoiled_gradients(declared)}
    assert {"zero", "halved", "sign-flipped", "transposed", "echoed", "summed instead of averaged"} <= spoiled


def test_seeds_differ_by_key_question_and_round():
    seeds = [seed_of(KEY, "a"), seed_of(KEY, "b"), seed_of(KEY[::-1], "a")]
    assert len({seed.entropy for seed in seeds}) == 3
    assert seed_of(KEY, "a").entropy == seeds[0].entropy
