"""Which check of the assignment `classifier` fails each of the twelve training mistakes, and which would let it pass?

Nearly all of them learn: an accuracy on hidden images, by itself, pays for them. So there are gradients, and short runs
that are compared with the reference.
"""

import functools
from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.course.load import load_assignment, load_course
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.calibrate import calibrate_accuracy
from autograder.suite.plans import Worth, draw_plan
from autograder.values.outcomes import Outcome
from reference.classifier_training import train_classifier
from tests.conftest import ROOT
from tests.reference.helpers import TOPICS

pytestmark = pytest.mark.slow

SEED = 12
ASSIGNMENT = load_assignment(load_course(ROOT), "classifier")
QUESTIONS = {question.id: question for question in ASSIGNMENT.questions}

# The mistake -> the misconception that it is in each question, with the checks that fail it, those of edge cases apart.
WHOLE = frozenset({"loss", "dW1", "db1", "dW2", "db2"})
STEPS = frozenset({"params"})
MISTAKES = {
    "ReLU mask missing in backward": {
        "gradients": ("ReLU mask missing in backward", frozenset({"dW1", "db1"})),
        "training": ("ReLU mask missing in backward", STEPS),
    },
    "no bias correction": {"training": ("no bias correction", STEPS)},
    "epsilon inside the root": {"training": ("eps inside the root", STEPS)},
    "L2 in the gradient where decay is decoupled": {
        "training": ("decay in the gradient, so in the averages too", STEPS)
    },
    "decay left out": {"training": ("decay left out", STEPS)},
    "never shuffled": {"training": ("order ignored", STEPS)},
    "SGD where Adam is asked": {"training": ("plain gradient descent in place of Adam", STEPS)},
    "bias gradient missing": {
        "gradients": ("bias gradient missing", frozenset({"db1", "db2"})),
        "training": ("bias gradient missing", STEPS),
    },
    "dropout not rescaled": {
        "gradients": ("dropout not rescaled", WHOLE),
        "training": ("dropout not rescaled", STEPS),
    },
    "gradients not reset": {"training": ("gradients added up over the batches", STEPS)},
    "loss summed": {
        "gradients": ("loss summed over the batch", WHOLE),
        "training": ("loss summed over the batch", STEPS),
    },
    "db averaged": {
        "gradients": ("bias gradients averaged over the batch", frozenset({"db1", "db2"})),
        "training": ("bias gradients averaged over the batch", STEPS),
    },
}
ASKED = [(mistake, question) for mistake, asked in MISTAKES.items() for question in asked]
# What an exam notices: what hardly learns at all.
UNLEARNED = {"SGD where Adam is asked", "gradients not reset"}
# Its accuracy lies at the bar, on one side of it or the other.
AT_THE_BAR = {"ReLU mask missing in backward"}


def topic_of(question):
    return TOPICS[QUESTIONS[question].topic]


def mistaken(mistake, question):
    """The names that somebody with this mistake defines."""
    name, _ = MISTAKES[mistake][question]
    (found,) = (each for each in topic_of(question).misconceptions if each.name == name)
    return found.names


def failed(plan, names):
    """The checks that an implementation does not pass."""
    verdicts = drive(plan, LocalQuestion(names).ask).verdicts
    return {check for check, verdict in verdicts.items() if verdict.outcome != Outcome.PASSED}


@functools.cache
def plan_of(question):
    worth = Worth(question, QUESTIONS[question].points, {})
    return draw_plan(topic_of(question), worth, np.random.SeedSequence(SEED))


def test_there_are_twelve_and_two_questions():
    assert len(MISTAKES) == 12
    assert {question for _, question in ASKED} == QUESTIONS.keys()


@pytest.mark.parametrize(("mistake", "question"), ASKED)
def test_mistake_is_failed_by_the_checks_that_are_named(mistake, question):
    found = failed(plan_of(question), mistaken(mistake, question))
    assert {check for check in found if ": " not in check} == MISTAKES[mistake][question][1]


def test_gradients_that_a_mistake_leaves_right_are_paid():
    """A wrong db costs no dW."""
    plan = plan_of("gradients")
    result = drive(plan, LocalQuestion(mistaken("db averaged", "gradients")).ask)
    assert result.total == pytest.approx(plan.points * 3 / 5)


def test_where_eps_is_tiny_the_steps_miss_a_summed_loss_and_an_averaged_bias_gradient():
    """Adam divides a gradient by its own size. So the cases have an eps that is large enough to be seen."""
    cases = [each.at(eps=1e-11) for each in train_classifier.case_maker(np.random.default_rng(SEED)) if not each.edge]
    topic = replace(train_classifier, case_maker=lambda rng: cases)
    plan = draw_plan(topic, Worth("training", 10.0, {}), np.random.SeedSequence(SEED))
    missed = {mistake for mistake in MISTAKES if not failed(plan, mistaken(mistake, "training"))}
    assert missed == {"loss summed", "db averaged"}
    assert all((mistake, "gradients") in ASKED for mistake in missed)


def test_accuracy_alone_passes_most_of_them(capsys):
    mark = calibrate_accuracy(train_classifier, np.random.SeedSequence(SEED))
    plan = draw_plan(train_classifier, Worth("training", 10.0, {}), np.random.SeedSequence(SEED), mark=mark)
    alone = replace(plan, checks=tuple(check for check in plan.checks if check.kind == "accuracy"))
    assert failed(alone, train_classifier.reference) == set()
    passed = [mistake for mistake in MISTAKES if not failed(alone, mistaken(mistake, "training"))]
    with capsys.disabled():
        print(
            f"\naccuracy alone (all points from {mark.everything:.3f}) passes {len(passed)} of 12: {'; '.join(passed)}"
        )
    assert set(passed) - AT_THE_BAR == set(MISTAKES) - UNLEARNED - AT_THE_BAR
