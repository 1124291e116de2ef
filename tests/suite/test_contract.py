"""Each thing that a suite needs of a topic: who breaks it is refused with a sentence, who keeps it is not."""

import re

import numpy as np
import pytest

from autograder.cli.main import main
from autograder.course.load import load_assignment
from autograder.suite.compile import ProofFailed, compile_suite
from autograder.topic import Array, Float, case, layer, sampler, topic, trainer, update_rule
from tests.checks.samplers import make_mask, make_weights
from tests.checks.test_module import make_gate
from tests.checks.test_trajectory import make_hill, make_speed
from tests.checks.topics import make_counter, make_descent, make_distances, make_scale, make_slope, make_square
from tests.suite.helpers import function, sentences, with_cases


@pytest.mark.parametrize(
    "make",
    [
        make_scale,
        make_square,
        make_counter,
        make_descent,
        make_distances,
        make_mask,
        make_weights,
        make_speed,
        make_gate,
    ],
)
def test_topic_of_each_kind_that_keeps_everything_is_not_refused(make):
    assert sentences(make()) == []


@pytest.mark.parametrize("make", [make_slope, make_hill])
def test_topic_that_calls_a_function_breaks_nothing_but_its_docstring(make):
    declared = make()
    name = declared.name
    assert all(name in each and ("docstring" in each or "misconception" in each) for each in sentences(declared))


# What is done to the caller's arrays.


def test_function_that_works_in_place_is_refused_with_its_argument():
    def centred(x):
        """x less its mean.

        >>> centred(np.array([1.0, 3.0]))
        array([-1.,  1.])
        """
        x -= x.mean()
        return x

    (said,) = sentences(function(centred))
    assert said.startswith("centred changes x on the case 'ordinary'")
    assert "`x = x.copy()`" in said


def test_layer_that_spoils_the_upstream_gradient_or_by_its_cache_an_input_is_refused():
    def twice_forward(x):
        """out is twice x, and cache is x.

        >>> twice_forward(np.array([2.0]))
        (array([4.]), array([2.]))
        """
        return 2 * x, x

    def twice_backward(dout, cache):
        """Twice dout; cache is not needed.

        >>> twice_backward(np.array([1.0]), np.array([2.0]))
        array([2.])
        """
        cache *= 0
        dout *= 2
        return dout

    declared = with_cases(layer(twice_forward, twice_backward, lecture="tests", gradients=("x",)))
    declared.misconception("half", ("dout *= 2", "pass"), hint="-")
    said = sentences(declared)
    assert [each.split(" on the case")[0] for each in said] == [
        "twice_backward changes dout",
        "twice_backward changes x",
    ]


@pytest.mark.parametrize(("line", "argument"), [("w -= lr * dw", "w"), ("dw *= lr; w = w - dw", "dw")])
def test_update_rule_that_works_in_place_is_refused(line, argument):
    names = {}
    exec(f'def fall(w, dw, state, lr):\n    "-"\n    {line}\n    return w, None', names)
    declared = with_cases(
        update_rule(lecture="tests")(names["fall"]),
        lambda rng, n: {"w": rng.normal(size=n), "dw": rng.normal(size=(4, n)), "lr": 0.5},
    )
    assert any(each.startswith(f"fall changes {argument} ") for each in sentences(declared))


def test_trainer_and_sampler_that_work_in_place_are_refused():
    @trainer(lecture="tests", returns=("w",))
    def descend(w, lr):
        w -= lr * w
        return w

    @sampler(lecture="tests", returns=("order",))
    def shuffled(x, rng):
        rng.shuffle(x)
        return x

    trained = with_cases(descend, lambda rng, n: {"w": rng.normal(size=n), "lr": 0.1})
    assert any(each.startswith("descend changes w ") for each in sentences(trained))
    assert any(each.startswith("shuffled changes x ") for each in sentences(with_cases(shuffled)))


# What is shown when the same is asked twice.


def test_function_that_draws_for_itself_is_refused():
    def noisy(x):
        """x and noise.

        >>> noisy(np.zeros(2)).shape
        (2,)
        """
        return x + 1e-3 * np.random.default_rng().normal(size=x.shape)

    (said,) = sentences(function(noisy))
    assert said.startswith("noisy, asked twice for the same, shows two different y on the case 'ordinary'")
    assert "Whatever is random is an argument" in said


def test_class_that_remembers_other_objects_is_refused():
    declared = make_counter()
    made = []

    class Counter:
        """A number that can be added to.

        >>> Counter is not None
        True
        """

        def __init__(self, start):
            made.append(start)
            self.total = start + len(made)

        def add(self, amount):
            self.total += amount
            return self

    declared.reference["Counter"] = Counter
    (said,) = sentences(declared)
    assert said.startswith("Counter, asked twice for the same, shows two different total")


def test_sampler_that_does_not_draw_from_rng_is_refused():
    declared = make_mask()

    def mask(n, d, keep_prob, rng):
        """n, d, keep_prob, rng.

        >>> mask(0, 2, 0.5, None).shape
        (0, 2)
        """
        return (np.random.default_rng().random((n, d)) < keep_prob) * 1.0

    declared.reference["mask"] = mask
    said = [each for each in sentences(declared) if "shows two different generator" in each]
    assert len(said) == 1
    assert "Draw from rng alone" in said[0]


# Shapes and numbers.


def centred_as(annotation, result):
    def centred(x: annotation) -> result:
        """x less its mean.

        >>> centred(np.array([1.0, 3.0]))
        array([-1.,  1.])
        """
        return x - x.mean()

    return function(centred)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Float[Array, "M"], ""),
        (Float[Array, "..."], ""),
        (Float[Array, "N"], ""),
        (Float[Array, "N 1"], "y has the shape (5,) on the case 'ordinary', and is annotated 'N 1': 2 axes"),
        (Float[Array, ""], "is annotated '': a number without axes"),
        (Float[Array, "5"], "y has the shape (9,) on the case 'longer', and is annotated '5', where an axis is 5"),
    ],
)
def test_shape_that_the_signature_does_not_have_is_refused(result, reason):
    said = sentences(centred_as(Float[Array, "N"], result))
    assert (reason in said[0]) if reason else (said == [])


def test_axis_of_two_sizes_is_refused_with_both_places():
    def tail(x: Float[Array, "N"]) -> Float[Array, "N"]:
        """x without its first entry.

        >>> tail(np.array([1.0, 3.0]))
        array([3.])
        """
        return x[1:]

    (said,) = sentences(function(tail))
    assert said.startswith("y has the shape (4,) on the case 'ordinary', and is annotated 'N', where N is 5 in x")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (lambda dx: dx.T, "an array of shape (3, 5) on the case 'ordinary', and the input x an array of shape (5, 3)"),
        (lambda dx: {"x": dx}, "a dict of 'x' (5, 3) on the case 'ordinary', and the input x an array of shape (5, 3)"),
        (lambda dx: dx, ""),
    ],
)
def test_gradient_in_another_form_than_its_input_is_refused(form, said):
    def mean_square(x: Float[Array, "N D"]) -> tuple[Float[Array, ""], Float[Array, "..."]]:
        """loss: the mean of the squares of x over N. dx: its gradient.

        >>> float(mean_square(np.ones((2, 3)))[0])
        3.0
        """
        return (x * x).sum() / len(x), form(2 * x / len(x))

    gradients = {"dx": ("loss", "x")}
    declared = topic(lecture="tests", returns=("loss", "dx"), gradients=gradients)(mean_square)
    found = sentences(with_cases(declared, lambda rng, size: {"x": rng.normal(size=(size, 3))}))
    wanted = [f"the gradient dx is {said}. Return it in the form of its input, or leave it out of `gradients=`"]
    assert found[:1] == (wanted if said else [])


def exponential(x):
    """exp(x).

    >>> exponential(np.zeros(2))
    array([1., 1.])
    """
    return np.exp(x)


@pytest.mark.parametrize("number", [1000.0, np.nan])
def test_number_that_is_not_finite_on_an_edge_is_refused_unless_it_is_declared(number):
    x = np.array([0.0, number])
    (said,) = sentences(function(exponential, case("huge", edge=0.1, x=x)))
    ends = np.inf if number > 0 else np.nan
    assert said.startswith(f"the reference's y on the case 'huge' holds {ends} in 1 of 2 places")
    assert "case('huge', finite=False, ...)" in said
    assert sentences(function(exponential, case("huge", edge=0.1, finite=False, x=x))) == []


def test_topic_without_misconception_is_refused():
    declared = make_square()
    declared.misconceptions.clear()
    (said,) = sentences(declared)
    assert said.startswith("square has no misconception")
    assert "@square.wrong" in said


# What `compile` makes of it.


def test_compile_refuses_with_the_sentence_which_stands_in_the_proof(new_course, capsys):
    path = new_course.dir / "reference" / "activations.py"
    written = path.read_text(encoding="utf-8")
    assert "array([[0.5, 0.5]])" in written
    path.write_text(written.replace("array([[0.5, 0.5]])", "array([[0.4, 0.6]])"), encoding="utf-8")
    said = "the example in the docstring of softmax does not hold: `softmax(np.array([[1.0, 1.0]]))` prints"
    with pytest.raises(ProofFailed, match=re.escape(said)) as failed:
        compile_suite(new_course, load_assignment(new_course, "softmax"))
    (fault,) = failed.value.proofs[0].as_json()["faults"]
    assert fault.startswith(said)
    assert main(["compile", "softmax", "--course", str(new_course.dir), "--json"]) == 2
    assert said in capsys.readouterr().err
    assert not (new_course.dir / ".autograder").exists()


def test_reference_that_draws_for_itself_is_told_so_where_right_ones_differ(new_course, capsys):
    path = new_course.dir / "reference" / "activations.py"
    written = path.read_text(encoding="utf-8")
    noisy = written.replace(
        "    shifted = logits -", "    logits = logits + np.random.normal(size=logits.shape)\n    shifted = logits -"
    )
    assert noisy != written
    path.write_text(noisy, encoding="utf-8")
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 2
    said = capsys.readouterr().err
    assert "right implementations differ" in said
    assert "softmax, asked twice for the same, shows two different probabilities" in said
