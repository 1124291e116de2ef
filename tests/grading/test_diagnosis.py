"""Naming the mistake: each misconception by its own name, and nothing rather than a wrong name."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.course.load import load_course
from autograder.course.references import load_topics
from autograder.grading.diagnosis import diagnose
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.calibrate import sample_size
from autograder.suite.draw import FEW_DRAWS, Worth, draw_plan, show
from tests.checks.topics import make_scale, make_square
from tests.conftest import ROOT

TOPICS = load_topics(load_course(ROOT))
SEED = 8


def plan_of(topic):
    seed = np.random.SeedSequence(SEED)
    draws = sample_size(topic, seed) if topic.kind == "sampler" else FEW_DRAWS
    plan = draw_plan(topic, Worth(topic.name, 10.0, {}), seed, draws=draws)
    return replace(plan, wrong={m.name: show(topic, m.names, plan.cases.values()) for m in topic.misconceptions})


def named(plan, names):
    result = drive(plan, LocalQuestion(names).ask)
    return result, {check: diagnosis.name for check, diagnosis in diagnose(result).items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TOPICS))
def test_each_misconception_of_the_course_is_called_by_its_name(name):
    topic = TOPICS[name]
    plan = plan_of(topic)
    for misconception in topic.misconceptions:
        _, found = named(plan, misconception.names)
        assert set(found.values()) == {misconception.equivalent_to or misconception.name}, misconception.name


def test_right_answer_has_no_diagnosis():
    scale = make_scale()
    _, found = named(plan_of(scale), scale.alternatives[0])
    assert found == {}


def test_unknown_mistake_has_no_diagnosis():
    square = make_square()
    result, found = named(plan_of(square), {"square": lambda x: ((x**2).mean(), 1.7 * x)})
    assert str(result.verdicts["dx"].outcome) == "wrong_value"
    assert found == {}


def test_misconception_in_one_block_beside_an_unknown_one_in_another_is_named_where_it_is():
    square = make_square()
    _, found = named(plan_of(square), {"square": lambda x: (-(x**2).mean(), 2 * x)})
    assert found["dx"] == "gradient summed"
    assert "loss" not in found


def test_misconception_in_float32_is_named():
    scale = make_scale()
    forward, backward = scale.misconceptions[1].names.values()

    def single(dout, cache):
        return tuple(part.astype(np.float32) for part in backward(dout, cache))

    _, found = named(plan_of(scale), {"scale_forward": forward, "scale_backward": single})
    assert set(found.values()) == {"dw averaged"}


def test_an_answer_that_is_right_on_some_cases_is_not_taken_for_a_misconception():
    square = make_square()
    calls = {"n": 0}

    def sometimes(x):
        calls["n"] += 1
        return (x**2).mean(), (2 * x if calls["n"] % 2 else 2 * x / len(x))

    _, found = named(plan_of(square), {"square": sometimes})
    assert "dx" not in found
