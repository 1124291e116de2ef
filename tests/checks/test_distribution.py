"""Samplers: laws, the generator and distributions, on right, wrong and hostile implementations."""

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite import sample_size as sizing
from autograder.suite.draw import seed_of
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.prove import prove
from autograder.suite.right import show
from autograder.suite.sample_size import SAMPLE_SIZES, sample_size
from autograder.topic import Array, Float, TopicError, sampler
from tests.checks.samplers import make_coin, make_mask, make_weights

pytestmark = pytest.mark.slow  # seconds each: jails, servers or thousands of draws

SEED = 8


def plan_of(topic, draws=200, points=10.0):
    return draw_plan(topic, Worth(topic.name, points, {}), np.random.SeedSequence(SEED), draws=draws)


def grade(topic, function, draws=200):
    return drive(plan_of(topic, draws), LocalQuestion({topic.name: function}).ask)


def outcomes(result):
    return {check.id: str(result.verdicts[check.id].outcome) for check in result.plan.checks}


RATE, INDEPENDENCE = "each unit is kept at the rate keep_prob", "units are kept independently of each other"


@pytest.fixture
def mask():
    return make_mask()


@pytest.mark.parametrize("make", [make_mask, make_weights])
def test_right_samplers_that_draw_otherwise_earn_everything(make):
    topic = make()
    for names in (topic.reference, *topic.alternatives):
        result = drive(plan_of(topic), LocalQuestion(names).ask)
        assert result.total == 10.0, outcomes(result)


@pytest.mark.parametrize("make", [make_mask, make_weights])
def test_proof_holds_with_the_calibrated_sample_size(make):
    topic = make()
    plan = plan_of(topic, sample_size(topic, np.random.SeedSequence(SEED + 1)))
    plan.wrong.update({each.name: show(topic, each.names, plan.cases.values()) for each in topic.misconceptions})
    proof = prove(plan, Worth(topic.name, 10.0, {}), lambda number: seed_of(b"tests", str(number)))
    assert proof.faults == []
    assert {kill.misconception for kill in proof.kills} == {each.name for each in topic.misconceptions}


def test_wrong_rate_breaks_the_distribution_and_keeps_the_laws(mask):
    found = outcomes(grade(mask, lambda n, d, keep_prob, rng: (rng.random((n, d)) > keep_prob) * 1.0))
    assert found["draws"] == found["generator"] == "passed"
    assert found["draws: all"] == "passed"  # with keep_prob 1 no number is larger, and a mask of zeros is a mask
    assert found[RATE] == "wrong_distribution"


def test_dependent_units_have_the_right_rate(mask):
    found = outcomes(grade(mask, lambda n, d, keep_prob, rng: np.tile(rng.random(d) < keep_prob, (n, 1)) * 1.0))
    assert (found[RATE], found[INDEPENDENCE]) == ("passed", "wrong_distribution")


def test_message_names_the_law_and_evidence_the_counts(mask):
    result = grade(mask, lambda n, d, keep_prob, rng: (rng.random((n, d)) < 1 - keep_prob) * 1.0)
    assert result.verdicts[RATE].message == f"Over many draws this does not hold: {RATE}. Keep or drop?"
    assert "200 draws: 24 of 24 counts are too far" in result.verdicts[RATE].evidence


def test_laws_alone_earn_nothing_where_nothing_is_drawn(mask):
    result = grade(mask, lambda n, d, keep_prob, rng: np.ones((n, d)))
    assert result.total == 0
    assert result.verdicts["draws"].message.startswith("Two generators with different seeds")


def test_laws_alone_earn_their_share_where_the_author_says_so(mask):
    mask.structured = True
    found = outcomes(grade(mask, lambda n, d, keep_prob, rng: np.ones((n, d))))
    assert found.pop("draws") == found.pop("draws: all") == "passed"
    assert set(found.values()) == {"broken_property", "wrong_distribution"}


def test_broken_law_costs_what_builds_on_it(mask):
    result = grade(mask, lambda n, d, keep_prob, rng: rng.random((n, d)))
    assert set(outcomes(result).values()) == {"broken_property"}
    assert result.total == 0
    assert result.verdicts["draws"].message == (
        "This does not hold for what you draw: a mask holds zeros and ones. Nothing between them."
    )
    assert result.verdicts["draws"].evidence == "1 of 3 laws do not hold on 'most'"


def test_one_bad_draw_among_many_breaks_a_law(mask):
    calls = {"n": 0}

    def rarely(n, d, keep_prob, rng):
        calls["n"] += 1
        drawn = (rng.random((n, d)) < keep_prob) * 1.0
        return drawn * 2 if calls["n"] == 150 else drawn

    assert outcomes(grade(mask, rarely))["draws"] == "broken_property"


def test_draws_that_are_not_from_rng_are_told(mask):
    other = np.random.default_rng(SEED)
    result = grade(mask, lambda n, d, keep_prob, rng: (other.random((n, d)) < keep_prob) * 1.0)
    assert outcomes(result)["generator"] == "broken_property"
    assert "same seed" in result.verdicts["generator"].message
    assert outcomes(result)[RATE] == "passed"


def test_same_draw_at_each_call_is_no_distribution(mask):
    mask.structured = True

    def frozen(n, d, keep_prob, rng):
        return (np.random.default_rng(5).random((n, d)) < keep_prob) * 1.0

    found = outcomes(grade(mask, frozen))
    assert found["generator"] == "broken_property"
    assert found[RATE] == found[INDEPENDENCE] == "wrong_distribution"


def test_several_outputs_and_lists_of_numbers_are_right():
    result = grade(make_weights(), lambda fan_in, rng: [(rng.normal(size=400) / fan_in**0.5).tolist(), [0, 0, 0]])
    assert result.total == 10.0


@pytest.mark.parametrize(
    ("function", "outcome"),
    [
        (lambda n, d, keep_prob, rng: None, "wrong_type"),
        (lambda n, d, keep_prob, rng: (row for row in np.ones((n, d))), "wrong_type"),
        (lambda n, d, keep_prob, rng: rng, "wrong_type"),
        (lambda n, d, keep_prob, rng: np.full((n, d), np.nan), "broken_property"),
        (lambda n, d, keep_prob, rng: np.ones(n), "broken_property"),
        (lambda n, d, keep_prob: np.ones(n), "raised"),
        (lambda n, d, keep_prob, rng: rng.no_such_law(n), "raised"),
    ],
    ids=["none", "a generator", "rng itself", "nan", "shape", "no rng", "attribute"],
)
def test_other_ends_have_their_own_outcome(mask, function, outcome):
    result = grade(mask, function, draws=8)
    assert set(outcomes(result).values()) == {outcome}
    assert result.total == 0


def test_message_says_what_came_in_place_of_a_draw(mask):
    message = grade(mask, lambda n, d, keep_prob, rng: None, draws=8).verdicts["draws"].message
    assert message == "calling mask returned None, not what was agreed."


def test_law_that_a_wrong_form_makes_raise_does_not_hold():
    mask = make_mask()
    mask.laws[0:0] = [mask.laws.pop()]  # now the law about entries is the first to meet an array of no shape

    @mask.law("the first row has d entries")
    def _(inputs, drawn):
        return len(drawn[0]) == inputs["d"]

    assert outcomes(grade(mask, lambda n, d, keep_prob, rng: 1.0, draws=8))["draws"] == "broken_property"


def test_patched_generator_in_the_worker_changes_nothing(mask, monkeypatch):
    """What makes the generators was taken before student code ran."""
    plan = plan_of(mask)
    monkeypatch.setattr(np.random, "default_rng", lambda *_: None)
    assert drive(plan, LocalQuestion(mask.reference).ask).total == 10.0


def test_sampler_without_a_law_is_an_error(mask):
    mask.laws.clear()
    with pytest.raises(TopicError, match="no law is declared"):
        plan_of(mask)


class TestSampleSize:
    def test_smaller_mistakes_need_more_draws(self):
        sizes = [sample_size(make_coin(bias), np.random.SeedSequence(SEED)) for bias in (0.2, 0.1, 0.05)]
        assert sizes == sorted(set(sizes))
        assert set(sizes) <= set(SAMPLE_SIZES)

    def test_mistake_that_no_sample_shows_stops_the_compilation(self, monkeypatch):
        monkeypatch.setattr(sizing, "SAMPLE_SIZES", (16, 24))
        with pytest.raises(TopicError, match=r"'unfair' cannot be told from right draws"):
            sample_size(make_coin(0.001), np.random.SeedSequence(SEED))

    def test_right_program_passes_with_any_number_of_draws(self):
        mask = make_mask()
        for draws in (1, 2, 5, 900):
            assert drive(plan_of(mask, draws), LocalQuestion(mask.reference).ask).verdicts[RATE].earned == 1.0


def test_sampler_needs_its_generator():
    with pytest.raises(TopicError, match="'rng'"):

        @sampler(lecture="tests", returns=("x",))
        def _(n: int) -> Float[Array, "N"]:
            return np.zeros(n)
