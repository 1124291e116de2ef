"""Does every topic keep what a suite needs of it? One battery: a new topic is tested by being declared."""

import functools
import inspect
import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograder.checks.resemblance import resembles
from autograder.sandbox.inprocess import answer
from autograder.suite.contract import broken_contract
from autograder.suite.plans import MIN_DECIDING, Worth, draw_plan
from autograder.suite.right import show, single_precision
from autograder.topic.case import Case
from autograder.topic.kinds import complete, whole
from autograder.topic.standalone import executed
from tests.reference.helpers import MODULES, TOPICS, drawn, largest_distance, shown

pytestmark = pytest.mark.slow  # one battery over all topics: run this file alone while writing one

SEEDS = range(2)  # the proof of a suite takes thirty more
SEED = 11
ROOT = Path(__file__).parent.parent.parent
PARTS = ["Formula", "Arguments", "Returns", "Backward", "Numerics", "Convention", "Example", "Source"]

# What students of the first assignment were promised: signatures, and the shares of the edge cases.
EDGES = {
    "softmax": {"huge logits": 0.25},
    "softmax_cross_entropy": {"huge logits": 0.2},
    "affine": {},
    "relu": {"exact zeros": 0.2},
    "mse_loss": {},
    "minibatch_gradient_descent": {"short last batch": 0.3},
    "perceptron_fit": {},
    "Value": {"relu at exactly 0": 0.1, "5,000 nodes": 0.2},
    "gradient_check": {"right, a parameter without effect": 0.1},
    "mlp_train": {},
}
SIGNATURES = {
    "softmax": "logits",
    "softmax_cross_entropy": "logits, labels",
    "affine_forward": "x, w, b",
    "affine_backward": "dout, cache",
    "relu_forward": "x",
    "relu_backward": "dout, cache",
    "mse_loss": "w, b, x, y",
    "minibatch_gradient_descent": "x, y, w, b, lr, order, batch_size",
    "perceptron_fit": "x, y, epochs",
    "gradient_check": "f, grads, params",
    "mlp_train": "params, x, y, lr, order, batch_size",
}

# Right and wrong stand in the same places whatever is drawn: the answers are verdicts.
SAME_FROM_ANY_SEED = {"gradient_check"}
# Little can go wrong in these, so one misconception is enough.
SIMPLE: set[str] = set()

topics = pytest.mark.parametrize("name", TOPICS)
# A sampler draws for itself: two right ones differ, and none is held against values.
valued = pytest.mark.parametrize("name", [name for name, topic in TOPICS.items() if topic.kind != "sampler"])
promised = pytest.mark.parametrize("name", EDGES)


def planned(name):
    return draw_plan(TOPICS[name], Worth(name, 10.0, {}), np.random.SeedSequence(SEED))


@promised
def test_signature_is_the_contract(name):
    for function, definition in TOPICS[name].reference.items():
        if function != "Value":
            assert ", ".join(inspect.signature(definition).parameters) == SIGNATURES[function]


@promised
def test_edge_cases_have_the_promised_shares(name):
    edges = {case.name: case.edge for case in drawn(TOPICS[name], SEED).values() if case.edge}
    assert edges == EDGES[name]
    laws = {law.name: law.share for law in TOPICS[name].properties}
    assert laws == ({"shift invariance": 0.1} if name == "softmax" else {})


@topics
def test_docstring_has_its_parts_in_order(name):
    for definition in TOPICS[name].reference.values():
        found = re.findall(rf"^({'|'.join(PARTS)}):", inspect.getdoc(definition), flags=re.MULTILINE)
        assert found == [part for part in PARTS if part in found]
        assert {"Example", "Source"} <= set(found)


@topics
def test_contract_of_every_course_is_kept(name):
    assert broken_contract(TOPICS[name], drawn(TOPICS[name], SEED)) == []


@topics
def test_signature_is_annotated(name):
    topic = TOPICS[name]
    for definition in () if topic.is_class else topic.reference.values():
        signature = inspect.signature(definition)
        assert signature.return_annotation is not inspect.Signature.empty
        for parameter in signature.parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty, parameter.name


@pytest.mark.parametrize("name", [name for name, topic in TOPICS.items() if topic.cost_draw is not None])
def test_cost_is_measured_on_right_answers(name):
    topic = TOPICS[name]
    case = complete(topic, Case("large", topic.cost_draw(np.random.default_rng(SEED))), np.random.default_rng(SEED))
    expected = answer(topic.reference, whole(topic, case)).value
    for names in (executed(topic), *topic.alternatives, *topic.slow_ones.values(), *topic.bulky_ones.values()):
        found = answer(names, whole(topic, case)).value
        for block in expected:
            np.testing.assert_allclose(found[block], expected[block], rtol=1e-6, atol=1e-9)
    assert topic.slow_ones or topic.bulky_ones


@topics
def test_worked_examples_hold_for_every_right_implementation(name):
    topic = TOPICS[name]
    assert topic.examples, "declare at least one with .worked(...)"
    for example in topic.examples:
        assert re.match(r"00[0-4]: \w", example.lecture), example.lecture
        for names in (topic.reference, *topic.alternatives):
            example.run(names)


@topics
def test_worked_examples_fail_for_who_knows_nothing(name):
    topic = TOPICS[name]
    nothing = {function: lambda *_, **__: None for function in topic.reference}
    for example in topic.examples:
        with pytest.raises((AssertionError, TypeError, AttributeError, ValueError)):
            example.run(nothing)


@valued
def test_cases_are_the_same_from_the_same_seed(name):
    first, again = (shown(TOPICS[name], TOPICS[name].reference, drawn(TOPICS[name], SEED)) for _ in range(2))
    other = shown(TOPICS[name], TOPICS[name].reference, drawn(TOPICS[name], SEED + 1))
    assert largest_distance(first, again, first) == 0
    assert (largest_distance(first, other, first) == 0) == (name in SAME_FROM_ANY_SEED)


@valued
@pytest.mark.parametrize("seed", SEEDS)
def test_alternatives_equal_the_reference(name, seed):
    topic, cases = TOPICS[name], drawn(TOPICS[name], seed)
    right = shown(topic, topic.reference, cases)
    assert topic.alternatives
    # The allowed differences are measured between these, so a distance is a hole of ten times its size.
    double, single = (1e-12, 1e-5) if name in EDGES else (1e-8, 1e-4)
    for alternative in topic.alternatives:
        assert largest_distance(shown(topic, alternative, cases), right, cases) < double
    if not topic.is_class:
        assert largest_distance(shown(topic, single_precision(topic), cases), right, cases) < single


@valued
def test_blocks_have_enough_ordinary_cases_that_decide(name):
    plan = planned(name)
    for block in TOPICS[name].blocks:
        core = [plan.expectations[case.name][block.name] for case in plan.cases.values() if not case.edge]
        assert sum(all(leaf.deciding for leaf in each.leaves.values()) for each in core) >= MIN_DECIDING


@topics
def test_topic_has_enough_misconceptions(name):
    assert len(TOPICS[name].misconceptions) >= (1 if name in SIMPLE else 3)


@valued
def test_misconceptions_differ_from_the_reference_and_from_each_other(name):
    topic, plan = TOPICS[name], planned(name)
    implementations = {"the reference": topic.reference, **{each.name: each.names for each in topic.misconceptions}}
    called = {each.name: each.equivalent_to or each.name for each in topic.misconceptions}

    @functools.cache
    def outputs(implementation, on_edges):
        return show(
            topic, implementations[implementation], [c for c in plan.cases.values() if bool(c.edge) is on_edges]
        )

    def told_apart(one, other, on_edges):
        here, there = outputs(one, on_edges), outputs(other, on_edges)
        return any(
            not resembles(there[case].get(block), here[case].get(block), expectation, block)
            for case in here
            for block, expectation in plan.expectations[case].items()
        )

    for one, other in itertools.combinations(implementations, 2):
        if called.get(one, one) != called.get(other, other):
            # Edge cases are asked only where the ordinary ones do not tell the two apart: they are the long ones.
            assert told_apart(one, other, False) or told_apart(one, other, True), f"{other} is like {one}"


@topics
def test_hints_help_without_the_answer(name):
    hints = [each.hint for each in TOPICS[name].misconceptions]
    assert all(hint.endswith((".", "?")) and 20 < len(hint) < 200 for hint in hints)
    for each in TOPICS[name].misconceptions:
        assert not any(old in each.hint for old, _ in each.edits if len(old) > 6)


def test_references_import_without_torch():
    names = ", ".join(module.__name__ for module in MODULES)
    code = f"import sys; sys.modules['torch'] = None; import {names}"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
