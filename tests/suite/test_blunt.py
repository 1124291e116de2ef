"""A blunt topic is refused, with a sentence that tells its author why."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from autograder.cli.main import main
from autograder.suite.blunt import blunt_cases
from autograder.suite.draw import draw_cases
from autograder.topic import Array, Float, case, layer, topic
from autograder.topic.parts import TopicError

SEED = np.random.SeedSequence(4)
SOFTMAX_BACKWARD = '''
import numpy as np
from autograder.topic import Array, Float, case, topic


@topic(lecture="tests", returns=("dx",))
def softmax_backward({upstream}: Float[Array, "N C"], p: Float[Array, "N C"]) -> Float[Array, "N C"]:
    """Gradient of the scores, given that of the probabilities p, which is {upstream}.

    >>> softmax_backward(np.array([[1.0, 3.0]]), np.array([[0.5, 0.5]]))
    array([[-0.5,  0.5]])
    """
    return p * ({upstream} - ({upstream} * p).sum(axis=1, keepdims=True))


@softmax_backward.alternative
def _({upstream}, p):
    rows = [(np.diag(q) - np.outer(q, q)) @ g for g, q in zip({upstream}, p)]
    return np.array(rows)


softmax_backward.misconception("sum left out", ("- ({upstream} * p).sum(axis=1, keepdims=True)", ""), hint="-")


@softmax_backward.cases
def _(rng):
    for name, rows, columns in (("a", 3, 4), ("b", 5, 2), ("c", 4, 6)):
        p = rng.random((rows, columns))
        yield case(name, {upstream}={drawn}, p=p / p.sum(axis=1, keepdims=True))
'''


def compiled(course, source: str, name: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and words of `compile` for a course whose only question asks for this topic."""
    (course.dir / "reference" / "activations.py").unlink()
    (course.dir / "reference" / "blunt.py").write_text(source, encoding="utf-8")
    for folder in (course.dir / "assignments").iterdir():
        shutil.rmtree(folder)
    path: Path = course.dir / "assignments" / "blunt" / "assignment.toml"
    path.parent.mkdir()
    path.write_text(f'title = "Blunt"\n[[questions]]\nid = "q"\ntopic = "{name}"\npoints = 5\n', encoding="utf-8")
    code = main(["compile", "blunt", "--course", str(course.dir)])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("upstream", "drawn", "reason"),
    [
        ("dout", "np.ones((rows, columns))", "the upstream gradient dout of the case 'a' is 1 everywhere"),
        ("g", "np.ones((rows, columns))", "the input g holds one number over and over in every ordinary case"),
    ],
)
def test_softmax_gradient_under_ones_is_refused_for_it(new_course, capsys, upstream, drawn, reason):
    code, said = compiled(
        new_course, SOFTMAX_BACKWARD.format(upstream=upstream, drawn=drawn), "softmax_backward", capsys
    )
    assert code == 2
    assert reason in said
    assert not (new_course.dir / ".autograder").exists()


def test_softmax_gradient_under_what_is_drawn_compiles(new_course, capsys):
    source = SOFTMAX_BACKWARD.format(upstream="dout", drawn="rng.normal(size=(rows, columns))")
    code, said = compiled(new_course, source, "softmax_backward", capsys)
    assert code == 0, said


def test_square_shapes_are_refused_with_the_axes(new_course, capsys):
    source = SOFTMAX_BACKWARD.format(upstream="dout", drawn="rng.normal(size=(rows, columns))")
    square = source.replace('("a", 3, 4), ("b", 5, 2), ("c", 4, 6)', '("a", 3, 3), ("b", 5, 5), ("c", 4, 4)')
    code, said = compiled(new_course, square, "softmax_backward", capsys)
    assert code == 2
    assert "the axes C and N have the same size in every ordinary case" in said


def test_topic_without_alternative_is_refused_with_what_to_add(new_course, capsys):
    source = SOFTMAX_BACKWARD.format(upstream="dout", drawn="rng.normal(size=(rows, columns))")
    alone = source.replace("@softmax_backward.alternative\ndef _(", "def unused(")
    code, said = compiled(new_course, alone, "softmax_backward", capsys)
    assert code == 2
    assert "has no alternative" in said
    assert "@softmax_backward.alternative" in said


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return softmax_backward(dout, p)", "alternative 1 calls the reference for all that it returns"),
        ("return 1.0 * _again(dout, p)", "alternative 1 calls the reference for all that it returns"),
        ("return p * (dout - (dout * p).sum(axis=1, keepdims=True))", "alternative 1 is the code of the reference"),
    ],
)
def test_alternative_that_is_the_reference_is_none(new_course, capsys, body, reason):
    source = SOFTMAX_BACKWARD.format(upstream="dout", drawn="rng.normal(size=(rows, columns))")
    begin, end = source.index("    rows = ["), source.index("softmax_backward.misconception")
    again = "def _again(*given):\n    return softmax_backward(*given)\n"
    code, said = compiled(
        new_course, f"{source[:begin]}    {body}\n\n\n{again}\n\n{source[end:]}", "softmax_backward", capsys
    )
    assert code == 2
    assert reason in said
    assert "Compute in another way" in said


def scaled(annotation, draw):
    def scale(x, w):
        """x times w."""
        return x @ w

    scale.__annotations__ = annotation
    declared = topic(lecture="tests", returns=("y",))(scale)

    @declared.cases
    def _(rng):
        for number, size in enumerate((2, 3, 4)):
            yield case(f"case {number}", **draw(rng, size))

    return declared, draw_cases(declared, SEED)


def test_cases_of_ones_are_named_by_their_input():
    faults = list(blunt_cases(*scaled({}, lambda rng, n: {"x": np.ones((n, 5)), "w": rng.normal(size=(5, n))})))
    assert len(faults) == 1
    assert faults[0].startswith("the input x holds one number over and over")


def test_square_input_is_refused_unless_its_axes_have_one_name():
    def draw(rng, n):
        return {"x": rng.normal(size=(6, n)), "w": rng.normal(size=(n, n))}

    (fault,) = blunt_cases(*scaled({}, draw))
    assert fault.startswith("the input w is square in every ordinary case")
    annotated = {"x": Float[Array, "N D"], "w": Float[Array, "D D"]}
    assert list(blunt_cases(*scaled(annotated, draw))) == []


def test_only_axes_that_never_differ_are_refused():
    annotated = {"x": Float[Array, "N D"], "w": Float[Array, "D M"]}
    square = scaled(annotated, lambda rng, n: {"x": rng.normal(size=(n, n)), "w": rng.normal(size=(n, 3))})
    assert [fault[:17] for fault in blunt_cases(*square)] == ["the axes D and N "]


def test_layer_that_is_given_an_upstream_of_ones_is_told_to_leave_it_out():
    def same_forward(x):
        """x."""
        return x, None

    def same_backward(dout, cache):
        """Its gradient."""
        return dout

    same = layer(same_forward, same_backward, lecture="tests", gradients=("x",))

    @same.cases
    def _(rng):
        yield case("ordinary", x=rng.normal(size=(2, 3)), dout=np.ones((2, 3)))

    with pytest.raises(TopicError, match="leave it out, and it is drawn"):
        draw_cases(same, SEED)
