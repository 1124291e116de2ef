"""Does a lecturer whose declaration does not fit read what to change, and never that the fault is ours?"""

import shutil
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.topic import TopicError, layer

COURSE = Path(__file__).parent / "stranger"
# File, what stands there, what stands there instead, topic, and words of the sentence.
MISTAKES = {
    "a build that sets an attribute": (
        "modules.py", 'return {"y": layer.forward(x),', 'layer.W = W\n        return {"y": layer.forward(x),', "Linear",
        "the build of the case 'a batch' cannot be recorded: AttributeError: a case of a class topic may read",
    ),
    "a build that wants the inputs, too": (
        "modules.py", "def build(", "def build(x, ", "Linear", "the build of the case 'a batch' takes the class alone",
    ),
    "a build that leaves out a block": (
        "modules.py", '"db": layer.db}', "}", "Linear",
        "none of its ordinary cases shows db; let their build return it",
    ),
    "a cache before the output": (
        "normalization.py", "return gain * unit, (unit, size, gain)", "return (unit, size, gain), gain * unit",
        "rms_fwd",
        "the forward of a layer returns (out, cache), an array and what is its own; rms_fwd returned (tuple, ndarray)",
    ),
    "a cache that is not one": (
        "normalization.py", "return gain * unit, (unit, size, gain)", "return gain * unit, unit, size", "rms_fwd",
        "rms_fwd returned (ndarray, ndarray, ndarray)",
    ),
    "a dict in place of outputs": (
        "networks.py", "return loss, grads\n", 'return {"loss": loss, "grads": grads}\n', "two_layer_loss",
        "calling two_layer_loss: it returned a dict of length 2, not a tuple",
    ),
    "cases that raise": (
        "images.py", "bias=rng.normal(size=f)", "bias=rng.normal(size=g)", "conv2d",
        "images.py, line 38: NameError: name",
    ),
    "an input that is no parameter": (
        "images.py", "stride=stride,\n        )", "strides=stride,\n        )", "conv2d",
        "the case 'stride 1' has the unknown input 'strides' (did you mean 'stride'?); there are: images, filters",
    ),
    "two faults, on two lines": (
        "images.py", "bias=rng.normal(size=f)", "bias=np.zeros(f)", "conv2d",
        "is not written:\n  only: the input bias holds one number over and over",
    ),
    "gradients that are only rounding": (
        "networks.py", 'rng.normal(size=(h, k)) / np.sqrt(h)', "30 * rng.normal(size=(h, k))", "two_layer_loss",
        "which is compared by itself as the rows' sizes are far apart, has norm",
    ),
    "cases that return in place of yielding": (
        "embeddings.py", "        yield case(name,", "        return case(name,", "triplet_loss",
        "triplet_loss: its cases returned a Case; let them yield each case(...)",
    ),
    "cases that yield a dict": (
        "embeddings.py", "yield case(name, **triplets(rng, n, d, margin))", "yield triplets(rng, n, d, margin)",
        "triplet_loss", "triplet_loss: its cases yielded a dict; let them yield each case(...)",
    ),
    "cases that are drawn from elsewhere": (
        "embeddings.py", "**triplets(rng, n", "**triplets(np.random.default_rng(), n", "triplet_loss",
        "triplet_loss: its cases are others each time they are drawn; draw from their argument alone",
    ),
    "an input of objects": (
        "embeddings.py", "**triplets(rng, n, d, margin)", 'anchor=np.full((n, d), None)', "triplet_loss",
        "the input anchor of the case 'ordinary' is an array of object; draw one of numbers",
    ),
    "an input in another shape than annotated": (
        "embeddings.py", "case(name, **triplets(rng, n, d, margin))",
        "case(name, **(triplets(rng, n, d, margin) | {'negative': np.ones((2, n, d))}))", "triplet_loss",
        "negative has the shape (2, 8, 3) on the case 'ordinary', and is annotated 'N D': 2 axes. Mend the annotation",
    ),
    "a size that differs between inputs": (
        "embeddings.py", "case(name, **triplets(rng, n, d, margin))",
        "case(name, **(triplets(rng, n, d, margin) | {'negative': rng.normal(size=(1, d))}))", "triplet_loss",
        "and is annotated 'N D', where N is 8 in anchor. Mend the annotation",
    ),
    "an alternative that raises": (
        "embeddings.py", "loss, gradients = 0.0, np.zeros((3, *anchor.shape))", "raise KeyError", "triplet_loss",
        "triplet_loss: alternative 1 failed on 'ordinary'",
    ),
    "returns that are a text": (
        "normalization.py", 'gradients=("x", "gain")', 'gradients=("x")', "rms_fwd",
        "TopicError: gradients is the text 'x'; write a tuple of names, as (\"x\",)",
    ),
    "an edit that is no pair": (
        "embeddings.py", '("2 * active * far", "-2 * active * far")', '"2 * active * far", "-2 * active * far"',
        "triplet_loss", "an edit is a pair (old, new), not '2 * active * far'",
    ),
    "an edit that is no Python": (
        "embeddings.py", '"-2 * active * far"', '"-2 * active * far)"', "triplet_loss",
        "the edit makes no Python of the reference: unmatched ')'",
    ),
    "a module that exits": (
        "embeddings.py", "import numpy as np\n", "import numpy as np\n\nraise SystemExit(4)\n", "triplet_loss",
        "embeddings.py, line 5: SystemExit: 4",
    ),
    "edges alone": (
        "embeddings.py", "yield case(name, ", "yield case(name, edge=0.2, ", "triplet_loss",
        "none of its ordinary cases shows loss; yield three or more without edge",
    ),
    "a property that asks nothing": (
        "embeddings.py", "@triplet_loss.alternative",
        '@triplet_loss.property("law", share=0.1)\ndef _(inputs):\n    return True\n\n\n@triplet_loss.alternative',
        "triplet_loss", "the property 'law' returned a bool; let it yield the inputs of each call",
    ),
    "a property that says nothing": (
        "embeddings.py", "@triplet_loss.alternative",
        '@triplet_loss.property("law", share=0.1)\ndef _(inputs):\n    yield inputs\n\n\n@triplet_loss.alternative',
        "triplet_loss", "the property 'law' returned a NoneType; let it yield the inputs of each call",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "topic", "words"), MISTAKES.values(), ids=MISTAKES)
def test_compile_tells_its_author(
    file: str, old: str, new: str, topic: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = tmp_path / "course"
    shutil.copytree(COURSE, course)
    path = course / "reference" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    (course / "assignments" / "vision" / "assignment.toml").write_text(
        f'title = "One question"\n[[questions]]\nid = "only"\ntopic = "{topic}"\npoints = 1\n', encoding="utf-8"
    )
    assert main(["compile", "vision", "--course", str(course)]) == 2
    assert words in capsys.readouterr().err


def test_alternative_of_a_layer_in_the_form_of_a_function_is_refused() -> None:
    scale = layer(lambda x: (x, None), lambda dout, cache: dout, lecture="tests", gradients=("x",))
    with pytest.raises(TopicError, match=r"a layer is a function without arguments that returns \(forward, backward\)"):
        scale.alternative(lambda x: (x, None))


def test_texts_are_read_as_utf_8_with_or_without_a_mark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course = tmp_path / "course"
    shutil.copytree(COURSE, course)
    file = course / "assignments" / "vision" / "assignment.toml"
    file.write_text(file.read_text(encoding="utf-8"), encoding="utf-8-sig")
    module = course / "reference" / "embeddings.py"
    module.write_bytes(module.read_bytes() + "# für".encode("latin-1"))
    assert main(["compile", "vision", "--course", str(course)]) == 2
    line = module.read_bytes().count(b"\n") + 1
    assert f"embeddings.py, line {line}, is not UTF-8 text: save it as UTF-8" in capsys.readouterr().err


def test_property_may_say_true_in_numpy(tmp_path: Path) -> None:
    course = tmp_path / "course"
    shutil.copytree(COURSE, course)
    path = course / "reference" / "embeddings.py"
    law = """

@triplet_loss.property("a loss is never negative", share=0.1)
def _(inputs):
    here = yield inputs
    return here["loss"] >= 0
"""
    path.write_text(path.read_text(encoding="utf-8") + law, encoding="utf-8")
    (course / "assignments" / "vision" / "assignment.toml").write_text(
        'title = "One question"\n[[questions]]\nid = "triplet"\ntopic = "triplet_loss"\npoints = 1\n', encoding="utf-8"
    )
    assert main(["compile", "vision", "--course", str(course)]) == 0
