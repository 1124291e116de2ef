"""Checks that earn together: a group earns what its worst check earns."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.grading.examiner import _record
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.points import ALL
from autograder.suite.right import show
from autograder.topic.parts import TopicError
from autograder.values.outcomes import Outcome
from tests.checks.topics import make_scale, make_square
from tests.report.test_who_sees_what import pages_of

SEED = 2_18
WRONG = "dw averaged"


def plan_of(*groups: tuple[str, ...], topic=None):
    declared = topic or make_scale()
    plan = draw_plan(declared, Worth(declared.name, 9.0, {}, None, groups), np.random.SeedSequence(SEED))
    return replace(plan, wrong={m.name: show(declared, m.names, plan.cases.values()) for m in declared.misconceptions})


def names_of(declared, misconception: str):
    (found,) = (each for each in declared.misconceptions if each.name == misconception)
    return found.names


@pytest.mark.parametrize(
    ("groups", "points"),
    [
        ((), {"out": 3.0, "dx": 3.0, "dw": 0.0}),
        ((("dx", "dw"),), {"out": 3.0, "dx": 0.0, "dw": 0.0}),
        ((("out", "dx"),), {"out": 3.0, "dx": 3.0, "dw": 0.0}),
        (((ALL,),), {"out": 0.0, "dx": 0.0, "dw": 0.0}),
    ],
    ids=["weights", "gradients together", "the other two together", "worst"],
)
def test_group_earns_what_its_worst_check_earns(groups, points):
    plan = plan_of(*groups)
    wrong = drive(plan, LocalQuestion(names_of(plan.topic, WRONG)).ask)
    assert {check.id: wrong.points(check) for check in plan.checks} == points
    assert wrong.total == sum(points.values())
    assert drive(plan, LocalQuestion(plan.topic.reference).ask).total == 9.0


def test_part_of_the_points_is_a_part_for_the_whole_group():
    declared = make_scale()
    tripled = {
        "scale_forward": lambda x, w: (3 * np.tanh(x) * w, (x, w)),
        "scale_backward": lambda dout, cache: (
            3 * dout * cache[1] / np.cosh(cache[0]) ** 2,
            (3 * dout * np.tanh(cache[0])).sum(axis=0),
        ),
    }
    plan = plan_of(("dx", "dw"), topic=declared)
    result = drive(plan, LocalQuestion(tripled).ask)
    assert {verdict.outcome for verdict in result.verdicts.values()} == {Outcome.WRONG_VALUE, Outcome.CARRIED}
    assert result.total == 3.0


def test_edge_case_belongs_to_the_group_of_its_block():
    plan = plan_of(("loss", "dx"), topic=make_square())
    assert {check.id: check.group for check in plan.checks if check.group} == dict.fromkeys(
        ("loss", "loss: large", "dx", "dx: large"), "loss, dx"
    )


def test_student_is_told_why_a_right_part_earns_nothing():
    plan = plan_of(("dx", "dw"))
    record = _record(drive(plan, LocalQuestion(names_of(plan.topic, WRONG)).ask))
    dx = next(check for check in record.checks if check.id == "dx")
    assert (dx.outcome, dx.points) == (Outcome.PASSED, 0.0)
    assert dx.message == "It earns what the worst of its group earns, which is dw."
    page, _, _ = pages_of(plan, names_of(plan.topic, WRONG))
    assert dx.message in page
    assert record.points == 3.0


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ((("dx", "dv"),), "groups names 'dv', which is no check; there are: dw, dx, out"),
        ((("dx", "dw"), ("out", "dx")), "twice"),
    ],
)
def test_group_of_what_is_not_there_is_refused(groups, sentence):
    with pytest.raises(TopicError, match=sentence):
        plan_of(*groups)
