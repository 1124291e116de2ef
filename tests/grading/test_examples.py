"""What students' code shows on public examples, asked as in the jail."""

import numpy as np
import pytest

from autograder.course.load import load_course
from autograder.course.references import load_topics
from autograder.grading.curves import curve
from autograder.grading.examples import MAX_SHOWN, play, played_by, source_of
from autograder.sandbox.inprocess import LocalQuestion
from autograder.topic.module import Made
from autograder.values.outcomes import Outcome
from tests.checks.topics import make_scale, make_square
from tests.conftest import ROOT

TOPICS = load_topics(load_course(ROOT))
# What is made of torch gets no second look: its objects stay in the jail.
ASKED = {name: topic for name, topic in TOPICS.items() if not isinstance(topic, Made)}
EXAMPLES = {f"{name}: {example.name}": (topic, example) for name, topic in ASKED.items() for example in topic.examples}
VALUE = TOPICS["Value"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_the_course_can_be_asked_and_the_reference_passes(name):
    topic, example = EXAMPLES[name]
    assert played_by(topic, example, topic.reference).outcome == Outcome.PASSED


@pytest.mark.parametrize("name", EXAMPLES)
def test_source_of_an_example_is_its_body(name):
    _, example = EXAMPLES[name]
    first, lines = source_of(example)
    compile("\n".join(lines), name, "exec")
    assert first > 1
    assert not lines[0].startswith((" ", "def", "@"))


def squared(body):
    """A small topic with one example."""
    square = make_square()
    square.worked("one and two", lecture="")(body)
    return square, square.examples[0]


def example_of_square():
    x = np.array([1.0, 2.0])
    loss, dx = square(x)
    x += 100  # in place, and run again for each answer
    close(loss, 2.5)
    close(dx, [1.0, 2.0])


def outcome_of(names, body=example_of_square):
    return played_by(*squared(body), names)


def test_example_that_differs_says_where_and_keeps_both_blocks():
    shown = outcome_of({"square": lambda x: ((x**2).mean(), 2 * x)})
    assert (shown.outcome, shown.line) == (Outcome.WRONG_VALUE, 6)
    assert shown.message == "expected [1.0, 2.0], got [2.0, 4.0]"
    assert shown.difference.actual == (2.0, 4.0)
    assert shown.difference.expected == (1.0, 2.0)
    assert shown.difference.line == 6


def test_example_keeps_no_number_that_json_does_not_know():
    shown = outcome_of({"square": lambda x: (2.5, np.array([np.nan, np.inf]))})
    assert shown.difference.actual == (None, None)
    assert outcome_of({"square": lambda x: (np.nan, x)}).difference is None


def test_example_keeps_no_large_block():
    def body():
        close(square(np.ones(4))[1], np.zeros(2000))

    assert outcome_of({"square": lambda x: (0.0, np.ones(2000))}, body).difference is None
    assert MAX_SHOWN < 2000


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (lambda x: x[7], Outcome.RAISED, "raised IndexError: index 7 is out of bounds"),
        (lambda x: x, Outcome.WRONG_TYPE, "array of dtype float64"),
        (lambda x: ("a", x), Outcome.WRONG_TYPE, "could not convert"),
        (lambda x: (2.5, None), Outcome.WRONG_VALUE, "got None"),
        (lambda x: (2.5, x[:1]), Outcome.WRONG_VALUE, "expected the shape (2,), got (1,)"),
    ],
)
def test_example_on_which_code_fails_says_how(answer, outcome, words):
    shown = outcome_of({"square": answer})
    assert shown.outcome == outcome
    assert words in shown.message


def test_example_of_what_is_missing_says_so():
    assert outcome_of({}).outcome == Outcome.MISSING


def test_plain_assertion_names_its_line():
    def body():
        loss, _ = square(np.array([2.0]))
        if loss != 4:  # as `assert` does, which pytest would rewrite
            raise AssertionError

    shown = outcome_of({"square": lambda x: (0.0, x)}, body)
    assert (shown.outcome, shown.line, shown.message) == (Outcome.WRONG_VALUE, 4, "")


def test_layer_keeps_its_cache_between_forward_and_backward():
    scale = make_scale()

    @scale.worked("by hand", lecture="")
    def _():
        out, cache = scale_forward(np.zeros((2, 1)), np.array([3.0]))
        close(out, np.zeros((2, 1)))
        dx, dw = scale_backward(np.ones((2, 1)), cache)
        close(dx, [[3.0], [3.0]])
        close(dw, [0.0])

    assert played_by(scale, scale.examples[0], scale.reference).outcome == Outcome.PASSED
    wrong = scale.misconceptions[1].names | {"scale_backward": lambda dout, cache: (dout, dout.sum(axis=0))}
    shown = played_by(scale, scale.examples[0], wrong)
    assert (shown.outcome, shown.difference.shape) == (Outcome.WRONG_VALUE, (2, 1))


@pytest.mark.parametrize("misconception", VALUE.misconceptions, ids=lambda each: each.name)
def test_class_that_is_wrong_never_breaks_an_example(misconception):
    outcomes = {played_by(VALUE, example, misconception.names).outcome for example in VALUE.examples}
    assert outcomes <= {Outcome.PASSED, Outcome.WRONG_VALUE, Outcome.RAISED, Outcome.WRONG_TYPE}


def test_class_whose_gradient_is_wrong_fails_an_example():
    names = next(m.names for m in VALUE.misconceptions if "overwritten" in m.name)
    assert Outcome.WRONG_VALUE in {played_by(VALUE, example, names).outcome for example in VALUE.examples}


def test_example_that_cannot_be_asked_is_not_a_student_s_fault():
    def body():
        square(object())

    topic, example = squared(body)
    assert played_by(topic, example, topic.reference).outcome == Outcome.WRONG_TYPE


def test_example_that_asks_for_ever_ends():
    def body():
        while True:
            square(np.ones(2))

    topic, example = squared(body)
    assert played_by(topic, example, topic.reference).outcome == Outcome.NOT_GRADED


def drawn(names):
    topic = TOPICS["mlp_train"]
    desk, run = LocalQuestion(names), curve(topic)
    try:
        ask = next(run)
        while True:
            ask = run.send(desk.ask(ask))
    except StopIteration as stop:
        return stop.value


def test_curve_of_the_reference_lies_in_its_band_and_falls():
    found = drawn(TOPICS["mlp_train"].reference)
    assert all(low <= loss <= high for low, loss, high in zip(found.low, found.loss, found.high, strict=True))
    assert found.loss[-1] < found.loss[0] / 5
    assert list(found.epochs) == sorted(set(found.epochs))


def test_curve_of_a_misconception_leaves_the_band():
    wrong = next(m for m in TOPICS["mlp_train"].misconceptions if "ReLU mask" in m.name)
    found = drawn(wrong.names)
    assert found.loss[-1] > found.high[-1]


def test_curve_has_gaps_where_nothing_of_use_came_back():
    assert set(drawn({"mlp_train": lambda *arguments: {"W1": 3}}).loss) == {None}


def test_play_asks_only_what_is_new():
    topic, example = squared(example_of_square)
    run = play(topic, example)
    first = next(run)
    with pytest.raises(StopIteration):
        run.send(LocalQuestion(topic.reference).ask(first))
