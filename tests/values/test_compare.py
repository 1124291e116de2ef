"""Comparison: four levels in turn, and nothing hidden in what a student reads."""

import numpy as np
import pytest

from autograder.values.codec import Handle
from autograder.values.compare import Expectation, Leaf, compare, norm, precision, split
from autograder.values.outcomes import Outcome

RIGHT = np.random.default_rng(11).normal(size=(3, 4))


def expecting(value, allowed64=1e-7, allowed32=1e-4, deciding=True):
    value = np.asarray(value)
    leaf = Leaf(value, np.asarray(allowed64), np.asarray(allowed32), deciding)
    return Expectation("", {"": leaf}, "N C")


def outcome(actual, expected=None):
    return compare(actual=actual, expected=expected or expecting(RIGHT), what="dx").outcome


@pytest.mark.parametrize(
    "actual",
    [RIGHT, RIGHT + 1e-9, RIGHT.astype(np.float32), RIGHT.tolist(), RIGHT.astype(np.float32).astype(np.float64)],
    ids=["same", "rounding", "float32", "list", "float32 in float64"],
)
def test_right_answers_in_every_form_pass(actual):
    assert outcome(actual) == Outcome.PASSED


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (RIGHT * 1.001, Outcome.WRONG_VALUE),
        (RIGHT + 1e-5, Outcome.WRONG_VALUE),
        (RIGHT.T, Outcome.WRONG_SHAPE),
        (RIGHT[None], Outcome.WRONG_SHAPE),
        (1.0, Outcome.WRONG_SHAPE),
        (np.full((3, 4), np.nan), Outcome.NOT_FINITE),
        (np.full((3, 4), 1.7e308), Outcome.WRONG_VALUE),
        (RIGHT - 1e305, Outcome.WRONG_VALUE),
        (np.where(RIGHT > 1, np.inf, RIGHT), Outcome.NOT_FINITE),
        (None, Outcome.WRONG_TYPE),
        ("right", Outcome.WRONG_TYPE),
        (["a", "b"], Outcome.WRONG_TYPE),
        ([[1.0], [2.0, 3.0]], Outcome.WRONG_TYPE),
        ([[[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]]], Outcome.WRONG_TYPE),
        ([[[]], [1.0]], Outcome.WRONG_TYPE),
        (Handle(0, "Yes"), Outcome.WRONG_TYPE),
        ((RIGHT, RIGHT), Outcome.WRONG_TYPE),
        ({"x": RIGHT}, Outcome.WRONG_TYPE),
    ],
)
def test_first_level_that_fails_is_the_outcome(actual, expected):
    assert outcome(actual) == expected


@pytest.mark.parametrize("actual", [{"\x1b[2Jx": 1}, Handle(0, "\x1b[2Jx")], ids=["key", "type"])
def test_evidence_holds_nothing_that_a_terminal_obeys(actual):
    assert "?[2Jx" in compare(actual=actual, expected=expecting(RIGHT), what="dx").evidence


def test_one_wrong_entry_among_a_million_is_seen():
    value = np.random.default_rng(12).normal(size=10**6)
    size = float(norm(value))
    wrong = value.copy()
    wrong[777] = 0.0
    assert outcome(wrong, expecting(value, 1e-7 * size, 1e-4 * size)) == Outcome.WRONG_VALUE


def test_row_of_small_numbers_beside_large_ones_is_judged_by_itself():
    value = np.array([[1e6, 2e6], [1e-3, 2e-3]])
    rows = 1e-7 * norm(value, rows=True)
    wrong = value + np.array([[0, 0], [0, 1e-3]])
    assert outcome(wrong, expecting(value, rows, rows)) == Outcome.WRONG_VALUE
    assert outcome(value, expecting(value, rows, rows)) == Outcome.PASSED


def test_whole_numbers_must_be_exact():
    value = np.array([3, 1, 0])
    assert outcome([3, 1, 0], expecting(value, 0.0, 0.0)) == Outcome.PASSED
    assert outcome(np.array([3.0, 1.0, 0.0]), expecting(value, 0.0, 0.0)) == Outcome.PASSED
    assert outcome([3, 1, 1], expecting(value, 0.0, 0.0)) == Outcome.WRONG_VALUE


def test_case_that_cannot_decide_looks_at_shape_and_finiteness_only():
    tiny = expecting(np.zeros(3), deciding=False)
    assert outcome(np.full(3, 1e-9), tiny) == Outcome.PASSED
    assert outcome(np.full(3, np.nan), tiny) == Outcome.NOT_FINITE
    assert outcome(np.zeros(4), tiny) == Outcome.WRONG_SHAPE


def test_expected_infinity_must_stand_at_its_place_with_its_sign():
    value = np.array([1.0, np.inf, -np.inf])
    assert outcome(value.copy(), expecting(value)) == Outcome.PASSED
    assert outcome(np.array([1.0, -np.inf, np.inf]), expecting(value)) == Outcome.WRONG_VALUE
    assert outcome(np.array([1.0, 5.0, -np.inf]), expecting(value)) == Outcome.NOT_FINITE


def test_dict_of_arrays_is_compared_key_by_key():
    leaves = {key: expecting(RIGHT).leaves[""] for key in ("W1", "b1")}
    expected = Expectation("dict", leaves)
    assert outcome({"b1": RIGHT, "W1": RIGHT}, expected) == Outcome.PASSED
    assert outcome({"W1": RIGHT, "b1": RIGHT * 2}, expected) == Outcome.WRONG_VALUE
    assert outcome({"W1": RIGHT}, expected) == Outcome.WRONG_TYPE
    assert outcome([RIGHT, RIGHT], expected) == Outcome.WRONG_TYPE


def test_message_for_the_student_holds_no_number_of_the_case():
    found = compare(actual=RIGHT * 1.5, expected=expecting(RIGHT), what="dx")
    assert not any(character.isdigit() for character in found.message)
    assert "expected" in found.evidence
    assert any(character.isdigit() for character in found.evidence)


def test_ratio_says_how_many_times_the_allowed_difference():
    found = compare(actual=np.array([1.0 + 5e-3]), expected=expecting([1.0], 1e-3, 1e-3), what="x")
    assert found.ratio == pytest.approx(5.0)


def test_precision_is_that_of_the_numbers_not_of_the_container():
    third = np.array([1 / 3])
    assert precision(third) == 64
    assert precision(third.astype(np.float32)) == 32
    assert precision(third.astype(np.float32).astype(np.float64)) == 32
    assert precision(np.array([1, 2])) == 64


def test_norm_does_not_overflow():
    assert float(norm(np.full(4, 1e300))) == pytest.approx(2e300)
    assert float(norm(np.zeros((0, 3)))) == 0.0


def test_split_refuses_what_holds_no_numbers():
    with pytest.raises(TypeError, match="string"):
        split("x")
    assert split([np.zeros(2), np.ones(3)])[0] == "list"
    assert split([1.0, 2.0])[1][""].shape == (2,)
