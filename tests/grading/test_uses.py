"""A question that calls an earlier one's functions: right, wrong and hostile answers, from file to page."""

import asyncio
import json
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from autograder.course.errors import CourseError
from autograder.course.load import load_assignment, load_course
from autograder.grading.replay import replay
from autograder.notebook.find import find
from autograder.notebook.read import read
from autograder.suite.compile import load_suite
from autograder.values.outcomes import Outcome

TOPICS = '''
"""An affine layer, and a net that is made of it."""

import numpy as np

from autograder.topic import Array, Float, Opaque, case, layer


def affine_forward(x: Float[Array, "N D"], w: Float[Array, "D M"]) -> tuple[Float[Array, "N M"], Opaque]:
    """x w.

    >>> affine_forward(np.ones((1, 2)), np.ones((2, 1)))[0]
    array([[2.]])
    """
    return x @ w, (x, w)


def affine_backward(dout, cache):
    """Gradients by x and w."""
    x, w = cache
    return dout @ w.T, x.T @ dout


affine = layer(affine_forward, affine_backward, lecture="tests", gradients=("x", "w"))


@affine.cases
def _(rng):
    for name, n, d, m in (("ordinary", 4, 3, 2), ("wide", 3, 2, 5), ("tall", 6, 4, 3)):
        yield case(name, x=rng.normal(size=(n, d)), w=rng.normal(size=(d, m)))


@affine.alternative
def _():
    def forward(x, w):
        return np.einsum("nd,dm->nm", x, w), (x, w)

    def backward(dout, cache):
        x, w = cache
        return np.einsum("nm,dm->nd", dout, w), np.einsum("nd,nm->dm", x, dout)

    return forward, backward


affine.misconception("dw averaged", ("x.T @ dout", "x.T @ dout / len(x)"), hint="Is there a mean?")


def net_forward(
    x: Float[Array, "N D"], w: Float[Array, "D H"], v: Float[Array, "H M"]
) -> tuple[Float[Array, "N M"], Opaque]:
    """tanh(x w) v.

    >>> net_forward(np.zeros((1, 2)), np.ones((2, 1)), np.ones((1, 1)))[0]
    array([[0.]])
    """
    hidden, first = affine_forward(x, w)
    h = np.tanh(hidden)
    out, second = affine_forward(h, v)
    return out, (first, h, second)


def net_backward(dout, cache):
    """Gradients by x, w and v."""
    first, h, second = cache
    dh, dv = affine_backward(dout, second)
    dx, dw = affine_backward(dh * (1 - h**2), first)
    return dx, dw, dv


net = layer(net_forward, net_backward, lecture="tests", gradients=("x", "w", "v"))


@net.cases
def _(rng):
    for name, n, d, h, m in (("ordinary", 4, 3, 2, 3), ("wide", 3, 2, 5, 2), ("tall", 6, 4, 3, 2)):
        yield case(name, x=rng.normal(size=(n, d)), w=rng.normal(size=(d, h)), v=rng.normal(size=(h, m)))


@net.alternative
def _():
    def forward(x, w, v):
        e = np.exp(2 * np.einsum("nd,dh->nh", x, w))
        return np.einsum("nh,hm->nm", (e - 1) / (e + 1), v), (x, w, v)

    def backward(dout, cache):
        x, w, v = cache
        h = np.tanh(x @ w)
        dz = np.einsum("nm,hm->nh", dout, v) / np.cosh(x @ w) ** 2
        return dz @ w.T, x.T @ dz, h.T @ dout

    return forward, backward


net.misconception("slope of tanh forgotten", ("dh * (1 - h**2)", "dh"), hint="tanh has a slope.")
'''
ASSIGNMENT = """
title = "Uses"

[[questions]]
id = "affine"
topic = "affine"
points = 6

[[questions]]
id = "net"
topic = "net"
points = 8
uses = ["affine"]
"""
COURSE = 'title = "Uses"\n\n[environments.numpy]\npackages = ["numpy", "ipython"]\n'

HEAD = "import numpy as np\n"
AFFINE = """
def affine_forward(x, w):
    return x @ w, (x, w)
def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout
"""
NET = """
def net_forward(x, w, v):
    hidden, first = affine_forward(x, w=w)
    h = np.tanh(hidden)
    out, second = affine_forward(h, v)
    return out, {"first": first, "h": h, "second": second}
def net_backward(dout, cache):
    h = cache["h"]
    dh, dv = affine_backward(dout, cache["second"])
    dx, dw = affine_backward(dh * (1 - h**2), cache["first"])
    return dx, dw, dv
"""
ALONE = """
def net_forward(x, w, v):
    h = np.tanh(x @ w)
    return h @ v, (x, w, v, h)
def net_backward(dout, cache):
    x, w, v, h = cache
    dz = dout @ v.T * (1 - h**2)
    return dz @ w.T, x.T @ dz, h.T @ dout
"""
WRONG = AFFINE.replace("x.T @ dout", "x.T @ dout / len(x)").replace("x @ w,", "2 * x @ w,")
NET_WRONG = NET.replace("(1 - h**2)", "h")
FLOOD = """
def net_forward(x, w, v):
    while True:
        affine_forward(x, w)
def net_backward(dout, cache):
    return 0, 0, 0
"""
PATIENT = """
def net_forward(x, w, v):
    while True:
        try:
            affine_forward()
        except Exception:
            pass
def net_backward(dout, cache):
    return 0, 0, 0
"""
BOMB = """
def net_forward(x, w, v):
    try:
        affine_forward(np.ones((60000, 1)), np.ones((1, 60000)))
    except RuntimeError as error:
        raise LookupError(str(error))
def net_backward(dout, cache):
    return 0, 0, 0
"""
PRETEND = NET.replace('affine_backward(dout, cache["second"])', "affine_backward(dout, '<1 of nothing>')")
CLASS = {  # source, points of affine, points of net, whether it was replaced
    "right": (HEAD + AFFINE + NET, 6.0, 8.0, False),
    "wrong": (HEAD + WRONG + NET, 2.0, 8.0, True),
    "missing": (HEAD + NET, 0.0, 8.0, True),
    "stops": (HEAD + "import os\ndef affine_forward(x, w):\n    os._exit(1)\n" + NET, 0.0, 8.0, True),
    "alone": (HEAD + WRONG + ALONE, 2.0, 8.0, False),
    "net_wrong": (HEAD + WRONG + NET_WRONG, 2.0, 4.0, True),
    "right_affine_wrong_net": (HEAD + AFFINE + NET_WRONG, 6.0, 4.0, False),
    "flood": (HEAD + WRONG + FLOOD, 2.0, 0.0, False),
    "patient": (HEAD + WRONG + PATIENT, 2.0, 0.0, False),
    "bomb": (HEAD + WRONG + BOMB, 2.0, 0.0, False),
    "pretend": (HEAD + WRONG + PRETEND, 2.0, 2.0, True),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uses")


@pytest.fixture(scope="module")
def graded(folder: Path, keep_reference) -> dict[str, dict]:
    course = made(folder / "course", ASSIGNMENT)
    for name, (source, *_) in CLASS.items():
        (folder / "class").mkdir(exist_ok=True)
        (folder / "class" / f"{name}.py").write_text(source, encoding="utf-8")
    with keep_reference():
        assert main(["compile", "uses", "--course", str(course)]) == 0
        command = ["grade", "uses", str(folder / "class"), "--course", str(course), "--out", str(folder / "out")]
        assert main(command) == 0
    records = [json.loads(line) for line in (folder / "out" / "results.jsonl").read_text().splitlines()]
    return {record["student"]: record for record in records}


def made(folder: Path, assignment: str) -> Path:
    course = create_course(folder)
    (course.dir / "course.toml").write_text(COURSE, encoding="utf-8")
    (course.dir / "reference" / "nets.py").write_text(TOPICS, encoding="utf-8")
    (course.dir / "assignments" / "uses").mkdir()
    (course.dir / "assignments" / "uses" / "assignment.toml").write_text(assignment, encoding="utf-8")
    return course.dir


@pytest.mark.slow
@pytest.mark.parametrize("student", CLASS)
def test_points_of_what_is_used_and_of_what_uses(graded, student):
    affine, net = graded[student]["questions"]
    _, of_affine, of_net, replaced = CLASS[student]
    assert graded[student]["state"] == "graded"
    assert (affine["points"], net["points"]) == (of_affine, of_net)
    assert net["replaced"] == (["affine"] if replaced else [])
    assert affine["replaced"] == []


@pytest.mark.slow
def test_student_is_told(graded, folder):
    told = "net: your answer to affine was not right, so it was replaced by a right one here."
    for student, (*_, replaced) in CLASS.items():
        page = (folder / "out" / "feedback" / f"{student}.html").read_text(encoding="utf-8")
        assert (told in page) == replaced


@pytest.mark.slow
@pytest.mark.parametrize(("student", "outcome"), [("wrong", Outcome.PASSED), ("net_wrong", Outcome.WRONG_VALUE)])
def test_replay_puts_it_as_it_was_graded(graded, folder, keep_reference, student, outcome):
    with keep_reference():
        course = load_course(folder / "course")
        assignment = load_assignment(course, "uses")
        suite = load_suite(course, assignment)
        (source,) = find([folder / "class" / f"{student}.py"])
        replayed = asyncio.run(replay(course, assignment, suite, "net", read(source)))
    assert replayed.record.questions[0].replaced == ("affine",)
    assert replayed.question.points == graded[student]["questions"][1]["points"]
    assert replayed.result.total == replayed.question.points
    assert replayed.result.verdicts["dx"].outcome == outcome


@pytest.mark.slow
def test_functions_are_lent_without_a_jail_too(graded, folder, keep_reference, tmp_path):
    command = ["grade", "uses", str(folder / "class" / "wrong.py"), "--course", str(folder / "course")]
    with keep_reference():
        assert main([*command, "--out", str(tmp_path), "--isolation", "process", "--unsafe"]) == 0
    (record,) = map(json.loads, (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines())
    assert [question["points"] for question in record["questions"]] == [2.0, 8.0]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'uses = ["affine"]',
            'uses = ["afine"]',
            "'afine' is no earlier question with a topic (did you mean 'affine'?)",
        ),
        ('uses = ["affine"]', 'uses = ["net"]', "'net' is no earlier question"),
        ('uses = ["affine"]', 'uses = ["affine"]\ncost_factor = 8', "a question with a cost_factor uses nothing"),
        ('uses = ["affine"]', 'uses = ["affine"]\nmemory_factor = 4', "a question with a memory_factor uses nothing"),
    ],
)
def test_what_cannot_be_used_is_the_lecturers_mistake(tmp_path, old, new, sentence):
    course = load_course(made(tmp_path / "course", ASSIGNMENT.replace(old, new)))
    with pytest.raises(CourseError, match="question 2 \\(net\\): uses: ") as raised:
        load_assignment(course, "uses")
    assert sentence in str(raised.value)
