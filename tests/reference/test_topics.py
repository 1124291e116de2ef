"""Does every topic keep what a suite needs of it? One battery: a new topic is tested by being declared."""

import doctest
import functools
import inspect
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograder.suite.draw import MIN_DECIDING, Worth, draw_plan, single_precision
from tests.reference.helpers import MODULES, TOPICS, drawn, largest_distance, shown

SEEDS = range(5)
SEED = 11
ROOT = Path(__file__).parent.parent.parent

# What students were promised: the shares of the edge cases and of the laws.
EDGES = {
    "softmax": {"huge logits": 0.25},
    "softmax_cross_entropy": {"huge logits": 0.2},
    "affine": {},
    "relu": {"exact zeros": 0.2},
    "mse_loss": {},
    "minibatch_gradient_descent": {"short last batch": 0.3},
    "perceptron_fit": {},
    "Value": {"5,000 nodes": 0.2},
    "gradient_check": {},
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

topics = pytest.mark.parametrize("name", TOPICS)


def test_topics_of_the_assignment_are_declared():
    assert TOPICS.keys() == EDGES.keys()


@topics
def test_signature_is_the_contract(name):
    for function, definition in TOPICS[name].reference.items():
        if function != "Value":
            assert ", ".join(inspect.signature(definition).parameters) == SIGNATURES[function]


@topics
def test_doctest_of_reference_holds(name):
    for definition in TOPICS[name].reference.values():
        module = inspect.getmodule(definition)
        (test,) = doctest.DocTestFinder(recurse=False).find(definition, globs=dict(vars(module)))
        assert test.examples
        assert doctest.DocTestRunner().run(test).failed == 0


@topics
def test_edge_cases_have_the_promised_shares(name):
    edges = {case.name: case.edge for case in drawn(TOPICS[name], SEED).values() if case.edge}
    assert edges == EDGES[name]
    laws = {law.name: law.share for law in TOPICS[name].properties}
    assert laws == ({"shift invariance": 0.1} if name == "softmax" else {})


@topics
def test_cases_are_the_same_from_the_same_seed(name):
    first, again = (shown(TOPICS[name], TOPICS[name].reference, drawn(TOPICS[name], SEED)) for _ in range(2))
    other = shown(TOPICS[name], TOPICS[name].reference, drawn(TOPICS[name], SEED + 1))
    assert largest_distance(first, again, first) == 0
    verdicts_only = name == "gradient_check"  # right and wrong stand in the same places whatever is drawn
    assert (largest_distance(first, other, first) == 0) == verdicts_only


@topics
@pytest.mark.parametrize("seed", SEEDS)
def test_alternatives_equal_the_reference(name, seed):
    topic, cases = TOPICS[name], drawn(TOPICS[name], seed)
    right = shown(topic, topic.reference, cases)
    assert topic.alternatives
    for alternative in topic.alternatives:
        assert largest_distance(shown(topic, alternative, cases), right, cases) < 1e-12
    if single := single_precision(topic):
        assert largest_distance(shown(topic, single, cases), right, cases) < 1e-5


@topics
def test_blocks_have_enough_ordinary_cases_that_decide(name):
    plan = draw_plan(TOPICS[name], Worth(name, 10.0, {}), np.random.SeedSequence(SEED))
    for block in TOPICS[name].blocks:
        core = [plan.expectations[case.name][block.name] for case in plan.cases.values() if not case.edge]
        assert sum(all(leaf.deciding for leaf in each.leaves.values()) for each in core) >= MIN_DECIDING


@topics
def test_misconceptions_differ_from_the_reference_and_from_each_other(name):
    topic, cases = TOPICS[name], drawn(TOPICS[name], SEED)
    implementations = {"the reference": topic.reference, **{each.name: each.names for each in topic.misconceptions}}
    ordinary = {case.name: case for case in cases.values() if not case.edge}
    edges = {case.name: case for case in cases.values() if case.edge}

    @functools.cache
    def outputs(implementation, on_edges):
        return shown(topic, implementations[implementation], edges if on_edges else ordinary)

    assert len(topic.misconceptions) >= 3
    for one, other in itertools.combinations(implementations, 2):
        # Edge cases are asked only where the ordinary ones do not tell the two apart: they are the long ones.
        assert largest_distance(outputs(one, False), outputs(other, False), ordinary) > 1e-3 or (
            edges and largest_distance(outputs(one, True), outputs(other, True), edges) > 1e-3
        ), f"{other} is like {one}"


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


def test_references_leave_their_inputs_alone():
    for topic in TOPICS.values():
        if topic.kind == "class":
            continue
        for case in drawn(topic, SEED).values():
            inputs = [case.inputs[name] for name in topic.parameters]
            before = [np.copy(each) for each in inputs if isinstance(each, np.ndarray)]
            topic.main(*inputs)
            after = [each for each in inputs if isinstance(each, np.ndarray)]
            assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
