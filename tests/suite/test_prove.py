"""The proof: sharp suites pass, and each way of being blunt is refused with its reason."""

import re
from dataclasses import replace

import numpy as np
import pytest

from autograder.suite.draw import draw_cases, seed_of
from autograder.suite.expect import expect
from autograder.suite.nulls import null_battery, spoiled_gradients
from autograder.suite.plans import Worth, costs_of, draw_plan, make_plan
from autograder.suite.prove import prove
from autograder.suite.right import show, show_right
from autograder.topic import case, topic
from autograder.topic.parts import TopicError
from tests.checks.topics import make_counter, make_distances, make_scale, make_square

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


@pytest.mark.slow
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


@pytest.mark.slow
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


def cost_proof_of(declared, factor=None, memory=None):
    worth = Worth(declared.name, 10.0, {}, factor, memory_factor=memory)
    cases = draw_cases(declared, seed_of(KEY, "suite"))
    expectations = expect(declared, cases, show_right(declared, cases))
    plan = make_plan(declared, worth, cases, expectations, costs=costs_of(declared, worth, seed_of(KEY, "cost")))
    return prove(plan, worth, lambda n: seed_of(KEY, declared.name, str(n)))


@pytest.mark.slow
def test_cost_is_proved_when_the_factor_lies_between_right_and_slow():
    proof = cost_proof_of(make_distances(), 8.0)
    assert proof.faults == []
    assert proof.costs["reference"] < 2 < 8 < proof.costs["a loop over pairs"]


@pytest.mark.slow
def test_factor_that_right_or_slow_ones_do_not_fit_is_refused_with_the_measured_ratio():
    declared = make_distances()
    declared.alternative(declared.slow_ones["a loop over pairs"]["distances"])
    (fault,) = cost_proof_of(declared, 8.0).faults
    said = re.match(r"alternative 2 is right, but costs ([\d.]+) times the reference, and cost_factor is 8;", fault)
    assert said is not None, fault
    assert float(said[1]) > 8
    declared = make_distances()
    declared.slow_ones["as quick"] = declared.reference
    (fault,) = cost_proof_of(declared, 8.0).faults
    assert fault.startswith("as quick is declared slow, but costs ")


@pytest.mark.slow
def test_cost_without_a_slow_one_or_with_tiny_inputs_is_refused():
    declared = make_distances()
    declared.slow_ones.clear()
    assert any("nothing shows that cost_factor = 8" in fault for fault in cost_proof_of(declared, 8.0).faults)
    declared.costly(lambda rng: {"x": rng.normal(size=(2, 2))})
    assert any("the cost of reference cannot be measured" in fault for fault in cost_proof_of(declared, 8.0).faults)


@pytest.mark.slow
def test_memory_is_proved_when_the_factor_lies_between_right_and_bulky():
    proof = cost_proof_of(make_distances(), memory=4.0)
    assert proof.faults == []
    assert proof.costs == {}
    assert proof.memory["alternative 1"] < 1 < 4 < proof.memory["every power at once"] < 20
    assert proof.memory["reference"] == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_memory_factor_that_does_not_fit_is_refused_with_the_measured_ratio():
    declared = make_distances()
    declared.alternative(declared.bulky_ones["every power at once"]["distances"])
    declared.bulky_ones["as lean"] = declared.reference
    right, bulky = cost_proof_of(declared, memory=4.0).faults
    found = r"alternative 2 is right, but takes 1\d(\.\d)? times the memory of the reference, and memory_factor is 4"
    assert re.match(found, right)
    assert bulky.startswith("as lean is declared bulky, but takes ")


@pytest.mark.slow
def test_memory_without_a_bulky_one_or_with_small_inputs_is_refused():
    declared = make_distances()
    declared.bulky_ones.clear()
    declared.costly(lambda rng: {"x": rng.normal(size=(50, 50))})
    faults = cost_proof_of(declared, memory=4.0).faults
    assert faults[0].startswith("nothing shows that memory_factor = 4 tells bulky answers from others; add one with @")
    assert "the memory of reference cannot be measured" in faults[1]
