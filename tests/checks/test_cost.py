"""The checks of CPU time and memory, driven by hand: each side costs what a test says; the answers are real ones."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.conduct import Result, conduct
from autograder.checks.cost import CPU_TIME, EMPTY, OF_MEMORY, drawn
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.draw import draw_cases
from autograder.suite.expect import expect
from autograder.suite.plans import Worth, costs_of, make_plan
from autograder.suite.right import show_right
from autograder.topic.parts import TopicError
from autograder.values.asking import Answer, Ask
from autograder.values.outcomes import Outcome
from tests.checks.topics import distances, make_distances, make_scale

SEED = 20_15
EMPTY_S, RIGHT_S, FACTOR = 0.004, 0.010, 5.0
Costing = Callable[[Ask, int], float]  # the cost of a call of the student's, given how many came before


def plan_of(declared=None, factor=FACTOR, memory=None, **weights):
    declared = declared or make_distances()
    worth = Worth(declared.name, 10.0, weights, factor, memory_factor=memory)
    cases = draw_cases(declared, np.random.SeedSequence(SEED))
    expectations = expect(declared, cases, show_right(declared, cases))
    return make_plan(
        declared, worth, cases, expectations, costs=costs_of(declared, worth, np.random.SeedSequence(SEED))
    )


class Class:
    """Answers for both sides; counts the pairs, and gives what each call is said to cost."""

    def __init__(self, theirs: Costing, function=distances, right_s: Costing = lambda ask, n: RIGHT_S) -> None:
        self.asked: list[Ask] = []
        self._costs = {False: theirs, True: right_s}
        self._function = function

    def put(self, plan) -> Result:
        run = conduct(plan)
        try:
            batch = next(run)
            while True:
                batch = run.send([self._answer(ask) for ask in batch])
        except StopIteration as stop:
            return stop.value

    def _answer(self, ask: Ask) -> Answer:
        right = ask.meter is not None and ask.meter.right
        answer = LocalQuestion({"distances": distances if right else self._function}).ask(ask)
        if ask.meter is None:
            return answer
        self.asked.append(ask)
        if ask.key.startswith("empty"):
            return replace(answer, cost_s=EMPTY_S)
        number = sum(not each.key.startswith("empty") and each.meter.right == right for each in self.asked) - 1
        return replace(answer, cost_s=EMPTY_S + self._costs[right](ask, number))

    @property
    def pairs(self) -> int:
        return sum(ask.key.startswith("cost") and not ask.meter.right for ask in self.asked)


@pytest.mark.parametrize(
    ("times", "outcome", "points"),
    [(1.0, Outcome.PASSED, 10.0), (4.9, Outcome.PASSED, 10.0), (5.1, Outcome.OVER_COST, 5.0)],
)
def test_median_of_paired_ratios_decides(times, outcome, points):
    sides = Class(lambda ask, n: times * RIGHT_S)
    result = sides.put(plan_of())
    assert result.verdicts["cost"].outcome == outcome
    assert result.verdicts["cost"].measured == pytest.approx(times)
    assert result.total == points
    assert sides.pairs == CPU_TIME.settled  # no other pair could change the median of 31


def test_machine_that_is_slow_for_a_while_decides_nothing():
    def theirs(ask, number):
        return (50 if number % 2 else 1) * RIGHT_S

    sides = Class(theirs)
    assert sides.put(plan_of()).verdicts["cost"].outcome == Outcome.PASSED
    assert sides.pairs == CPU_TIME.pairs


def test_machine_that_was_slow_while_nothing_was_computed_is_asked_again():
    class SlowAtFirst(Class):
        def _answer(self, ask):
            answer = super()._answer(ask)
            empty = sum(each.key.startswith("empty") for each in self.asked)
            slow = ask.key.startswith("empty") and empty <= 2 * EMPTY
            return replace(answer, cost_s=EMPTY_S + 2 * RIGHT_S) if slow else answer

    sides = SlowAtFirst(lambda ask, n: 3 * RIGHT_S)
    verdict = sides.put(plan_of()).verdicts["cost"]
    assert (verdict.outcome, verdict.measured) == (Outcome.PASSED, pytest.approx(3))
    assert sides.pairs == CPU_TIME.settled


def test_both_sides_get_the_same_inputs_and_every_pair_others():
    sides = Class(lambda ask, n: RIGHT_S)
    plan = plan_of()
    sides.put(plan)
    calls = [ask for ask in sides.asked if ask.key.startswith("cost")]
    assert [ask.meter.right for ask in calls[:4]] == [True, False, True, False]
    assert calls[0].payload() == calls[1].payload()
    assert len({ask.payload() for ask in calls}) == CPU_TIME.settled
    assert not np.array_equal(drawn(plan, "cost", 0).inputs["x"], drawn(plan, "cost", 1).inputs["x"])


def test_call_that_does_not_end_in_its_time_is_over():
    class Endless(Class):
        def _answer(self, ask):
            answer = super()._answer(ask)
            return replace(answer, status="timed_out", value=None) if _is_theirs(ask) else answer

    assert Endless(lambda ask, n: 0.0).put(plan_of()).verdicts["cost"].outcome == Outcome.OVER_COST


@pytest.mark.parametrize("side", [True, False], ids=["reference", "student"])
def test_too_few_pairs_are_our_fault_and_no_points(side):
    class Starved(Class):
        def _answer(self, ask):
            answer = super()._answer(ask)
            starved = ask.meter and ask.meter.right == side and ask.key.startswith("cost")
            return replace(answer, status="not_graded", value=None) if starved else answer

    verdict = Starved(lambda ask, n: RIGHT_S).put(plan_of()).verdicts["cost"]
    assert (verdict.outcome, verdict.fraction) == (Outcome.NOT_GRADED, 0.0)


def test_reference_too_quick_to_be_measured_is_our_fault():
    sides = Class(lambda ask, n: RIGHT_S, right_s=lambda ask, n: 1e-4)
    assert sides.put(plan_of()).verdicts["cost"].outcome == Outcome.NOT_GRADED


def test_giving_up_on_large_inputs_is_wrong_however_quick():
    def gives_up(x):
        return distances(x) if len(x) < 50 else np.zeros((len(x), len(x)))

    verdict = Class(lambda ask, n: 0.0, gives_up).put(plan_of()).verdicts["cost"]
    assert verdict.outcome == Outcome.WRONG_VALUE
    assert "0" not in verdict.message


def test_raising_on_large_inputs_is_told_without_its_text():
    def refuses(x):
        if len(x) > 50:
            raise ValueError(f"secret {x[0, 0]}")
        return distances(x)

    verdict = Class(lambda ask, n: 0.0, refuses).put(plan_of()).verdicts["cost"]
    assert verdict.outcome == Outcome.RAISED
    assert "ValueError" in verdict.message
    assert "secret" not in verdict.message


def test_wrong_answer_is_not_measured():
    sides = Class(lambda ask, n: 0.0, lambda x: 2 * distances(x))
    result = sides.put(plan_of())
    assert result.total == 0
    assert not sides.asked


def test_cost_hidden_in_the_call_of_nothing_is_not_taken_off():
    class Hiding(Class):
        def _answer(self, ask):
            answer = super()._answer(ask)
            hides = ask.meter and not ask.meter.right and ask.key.startswith("empty")
            return replace(answer, cost_s=10.0) if hides else answer

    assert Hiding(lambda ask, n: 6 * RIGHT_S).put(plan_of()).verdicts["cost"].outcome == Outcome.OVER_COST


def test_call_is_ended_at_twice_what_it_may_cost():
    sides = Class(lambda ask, n: RIGHT_S)
    sides.put(plan_of(factor=100.0))
    allowed = {ask.meter.allowed_s for ask in sides.asked if _is_theirs(ask)}
    assert list(allowed) == pytest.approx([EMPTY_S + 2 * 100.0 * RIGHT_S])


def test_weight_of_cost_is_the_authors():
    plan = plan_of(cost=3.0)
    assert {check.id: check.points for check in plan.checks} == {"squares": 2.5, "cost": 7.5}


def test_factor_without_inputs_is_refused():
    with pytest.raises(TopicError, match=r"add @scale\.costly"):
        plan_of(make_scale())


RIGHT_MIB = 20.0


class Memory(Class):
    """A class of which it is said how much memory each call took; CPU time is as it comes."""

    def _answer(self, ask: Ask) -> Answer:
        answer = super()._answer(ask)
        return replace(answer, cost_mib=1000 * answer.cost_s) if ask.meter else answer


def memory_of(
    times: Costing, function=distances, right: float = RIGHT_MIB, kind=Memory, **plan
) -> tuple[Result, Class]:
    """What the check of memory says where the student's calls take so many times the reference's."""
    scale = 1e-3  # the class counts in thousandths
    sides = kind(lambda ask, n: scale * times(ask, n) * right, function, right_s=lambda ask, n: scale * right)
    return sides.put(plan_of(factor=None, memory=4.0, **plan)), sides


@pytest.mark.parametrize(
    ("times", "outcome", "points"),
    [(0.1, Outcome.PASSED, 10.0), (3.9, Outcome.PASSED, 10.0), (4.1, Outcome.OVER_COST, 5.0)],
)
def test_median_of_three_ratios_of_memory_decides(times, outcome, points):
    result, sides = memory_of(lambda ask, n: times)
    assert set(result.verdicts) == {"squares", "memory"}
    assert result.verdicts["memory"].outcome == outcome
    assert result.verdicts["memory"].measured == pytest.approx(times)
    assert result.total == points
    assert len({ask.payload() for ask in sides.asked if _is_theirs(ask)}) == OF_MEMORY.settled == 2
    over = "What you return is right, but computing it takes more than 4 times the memory of our own way."
    assert result.verdicts["memory"].message == ("" if outcome == Outcome.PASSED else over)


def test_one_pair_that_is_far_off_decides_nothing_about_memory():
    result, sides = memory_of(lambda ask, n: 1.0 if n != 1 else 50.0)
    assert result.verdicts["memory"].outcome == Outcome.PASSED
    assert sum(map(_is_theirs, sides.asked)) == OF_MEMORY.pairs == 3


def test_reference_that_takes_less_memory_than_processes_differ_by_is_our_fault():
    result, _ = memory_of(lambda ask, n: 1.0, right=7.9)
    assert result.verdicts["memory"].outcome == Outcome.NOT_GRADED
    assert "The memory could not be measured" in result.verdicts["memory"].message


@pytest.mark.parametrize("status", ["timed_out", "out_of_memory", "crashed"])
def test_call_that_ends_without_an_answer_has_no_ratio_of_memory(status):
    class Ending(Memory):
        def _answer(self, ask):
            answer = super()._answer(ask)
            return replace(answer, status=status, value=None) if _is_theirs(ask) else answer

    verdict = memory_of(lambda ask, n: 1.0, kind=Ending)[0].verdicts["memory"]
    assert (verdict.outcome, verdict.measured, verdict.fraction) == (Outcome(status), None, 0.0)
    assert verdict.message.startswith("On the larger inputs on which memory is measured: calling distances")


def test_memory_hidden_in_the_call_of_nothing_is_not_taken_off():
    class Hiding(Memory):
        def _answer(self, ask):
            answer = super()._answer(ask)
            hides = ask.meter and not ask.meter.right and ask.key.startswith("empty")
            return replace(answer, cost_mib=1000.0) if hides else answer

    assert memory_of(lambda ask, n: 6.0, kind=Hiding)[0].verdicts["memory"].outcome == Outcome.OVER_COST


def test_both_costs_are_asked_where_both_factors_are_given_on_inputs_of_their_own():
    sides = Memory(lambda ask, n: RIGHT_S)
    plan = plan_of(memory=4.0)
    result = sides.put(plan)
    assert {check.id: check.points for check in plan.checks} == {"squares": 3.34, "cost": 3.33, "memory": 3.33}
    assert {name: verdict.outcome for name, verdict in result.verdicts.items()} == dict.fromkeys(
        ("squares", "cost", "memory"), Outcome.PASSED
    )
    assert not np.array_equal(drawn(plan, "cost", 0).inputs["x"], drawn(plan, "memory", 0).inputs["x"])


def _is_theirs(ask: Ask) -> bool:
    return ask.meter is not None and not ask.meter.right and not ask.key.startswith("empty")
