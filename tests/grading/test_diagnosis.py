"""Naming the mistake: each misconception by its own name, and nothing rather than a wrong name."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.checks.resemblance import resembles
from autograder.course.load import load_course
from autograder.course.references import load_topics
from autograder.grading.diagnosis import diagnose
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.draw import FEW_DRAWS
from autograder.suite.pairs import names_of, pairs_of, show_pairs
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.right import show
from autograder.suite.sample_size import sample_size
from autograder.topic import case
from autograder.topic import topic as declare_topic
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
    _, found = named(plan_of(square), {"square": lambda x: ((x**2).mean() + x[0], 2 * x)})
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


def with_pairs(topic):
    plan = plan_of(topic)
    return replace(plan, pairs=show_pairs(plan))


def same(plan, shown, misconception):
    """Whether one misconception alone shows the same in every block of every case."""
    return all(
        resembles(blocks[block], plan.wrong[misconception.name][name].get(block), expectation, block)
        for name, blocks in shown.items()
        for block, expectation in plan.expectations[name].items()
    )


def make_two_places():
    """A topic whose misconceptions meet in one block."""

    @declare_topic(lecture="tests", returns=("y",))
    def line(x, w, b):
        """Weighted sum of the rows, shifted."""
        scaled = x * w
        return scaled.sum(axis=1) + b

    @line.cases
    def _(rng):
        for name, rows, columns in (("a", 3, 4), ("b", 5, 2), ("c", 4, 6)):
            yield case(name, x=rng.normal(size=(rows, columns)), w=rng.normal(size=columns), b=float(rng.normal()))

    line.misconception("bias subtracted", ("+ b", "- b"), hint="Which way does the bias shift?")
    line.misconception("weights left out", ("x * w", "x"), hint="Where do the weights go?")
    line.misconception("mean of the rows", (".sum(axis=1)", ".mean(axis=1)"), hint="Sum or mean?")
    line.misconception("bias left out", ("+ b", ""), hint="Is anything added?")

    @line.wrong("answers nothing", hint="-")
    def _(x, w, b):
        return np.zeros(len(x))

    return line


def test_two_mistakes_at_once_are_named_together():
    plan = with_pairs(make_two_places())
    _, found = named(plan, {"line": lambda x, w, b: x.mean(axis=1) - b + 0 * w[0]})
    assert found == {}  # three mistakes: neither one nor two of those that are known
    result, found = named(plan, {"line": lambda x, w, b: (x * w).mean(axis=1) - b})
    assert found == {"y": "bias subtracted and mean of the rows"}
    diagnosis = diagnose(result)["y"]
    assert diagnosis.hint == "Which way does the bias shift? Sum or mean?"
    assert diagnosis.misconceptions == ("bias subtracted", "mean of the rows")


def test_one_mistake_is_not_taken_for_two():
    topic = make_two_places()
    plan = with_pairs(topic)
    for misconception in topic.misconceptions:
        result, found = named(plan, misconception.names)
        assert found == {"y": misconception.name}
        assert diagnose(result)["y"].parts == ()


def test_changed_arguments_alone_are_not_taken_for_two_mistakes():
    """A cache that is emptied fails where a spoiled one does and where it does not: two names explained that once."""
    topic = TOPICS["mlp"]
    forward, backward = topic.reference.values()

    def emptied(dout, cache):
        params, inputs = cache
        found = backward(dout, (params, list(inputs)))
        inputs.clear()
        return found

    result, found = named(with_pairs(topic), {"mlp_forward": forward, "mlp_backward": emptied})
    assert str(result.verdicts["dx"].outcome) == "broken_property"
    assert found == {}


def test_another_argument_changed_is_another_mistake():
    topic = TOPICS["loss_and_gradients"]
    right = topic.main

    def shifted(params, x, y):
        result = right(params, x.copy(), y)
        x -= x.mean(axis=0)
        return result

    result, found = named(plan_of(topic), {"loss_and_gradients": shifted})
    assert str(result.verdicts["loss"].outcome) == "broken_property"
    assert found == {}


def test_edits_of_one_place_make_no_pair():
    pairs = {(one.name, other.name) for one, other, _ in pairs_of(make_two_places())}
    assert pairs == {
        ("bias subtracted", "weights left out"),
        ("bias subtracted", "mean of the rows"),
        ("weights left out", "mean of the rows"),
        ("weights left out", "bias left out"),
        ("mean of the rows", "bias left out"),
    }


@pytest.mark.slow
def test_pair_that_never_ends_is_left_out_and_the_others_are_not(monkeypatch):
    monkeypatch.setattr("autograder.suite.pairs.PAIR_CPU_S", 1)

    @declare_topic(lecture="tests", returns=("y",))
    def halve(x, steps):
        """x, halved so many times, and one more."""
        step = 1
        n = steps
        while n > 0:
            x = x / 2
            n = n - step
        return x + 1

    @halve.cases
    def _(rng):
        for name, steps in (("a", 2), ("b", 3), ("c", 5)):
            yield case(name, x=rng.normal(size=3), steps=steps)

    halve.misconception("one step fewer", ("n = steps", "n = steps - 1"), hint="-")
    halve.misconception("step turned", ("n - step", "n + step"), hint="-")  # alone, it never ends
    halve.misconception("multiplied", ("x / 2", "x * 2"), hint="-")
    turned = [each for each in halve.misconceptions if each.name != "step turned"]
    plan = draw_plan(halve, Worth("halve", 10.0, {}), np.random.SeedSequence(SEED))
    wrong = {m.name: show(halve, m.names, plan.cases.values()) for m in turned}
    wrong["step turned"] = wrong["multiplied"]
    assert set(show_pairs(replace(plan, wrong=wrong))) == {("one step fewer", "multiplied")}


def test_mistake_that_shows_on_an_edge_alone_is_named_beside_another():
    @declare_topic(lecture="tests", returns=("y",))
    def share(x):
        """Exponentials of the rows, each with the sum 1."""
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    @share.cases
    def _(rng):
        for name, rows, columns in (("a", 3, 4), ("b", 5, 2), ("c", 4, 6)):
            yield case(name, x=rng.normal(size=(rows, columns)))
        yield case("huge", edge=0.2, x=1000.0 * rng.normal(size=(3, 4)))

    share.misconception("overflow", ("x - x.max(axis=1, keepdims=True)", "x"), hint="-")
    share.misconception("over the columns", ("e.sum(axis=1, keepdims=True)", "e.sum(axis=0, keepdims=True)"), hint="-")

    def both(x):
        e = np.exp(x)
        return e / e.sum(axis=0, keepdims=True)

    _, found = named(with_pairs(share), {"share": both})
    assert set(found.values()) == {"overflow and over the columns"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["affine", "batchnorm", "mlp", "softmax_cross_entropy", "adam"])
def test_each_pair_is_called_by_both_names_or_not_at_all(name):
    plan = with_pairs(TOPICS[name])
    sources = {(one.name, other.name): source for one, other, source in pairs_of(plan.topic)}
    known = 0
    for names in plan.pairs:
        _, found = named(plan, names_of(plan.topic, sources[names]))
        alone = {m.equivalent_to or m.name for m in plan.topic.misconceptions if same(plan, plan.pairs[names], m)}
        assert set(found.values()) <= (alone or {" and ".join(names)}), names
        known += bool(found)
    assert known >= 0.8 * len(plan.pairs)
