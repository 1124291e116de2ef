"""Automatic mutants: which there are, what becomes of them, and that nothing hangs."""

import json

import numpy as np
import pytest

from autograder.cli.main import main
from autograder.suite.bounded import each_bounded
from autograder.suite.draw import seed_of
from autograder.suite.mutants import mutants_of
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.survive import ENDLESS, survey
from autograder.topic import case, topic
from autograder.topic.edits import EditError, edited
from tests.checks.topics import make_counter, make_descent, make_scale, make_square

KEY = bytes(range(32))


def survey_of(declared):
    worth = Worth(declared.name, 10.0, {})
    return survey(draw_plan(declared, worth, seed_of(KEY, declared.name)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a + b", {"a - b", "a", "b"}),
        ("a - b", {"a + b", "a", "-b"}),
        ("(a + b) * c", {"(a - b) * c", "(a) * c", "(b) * c", "(a + b) / c", "(a + b)", "c"}),
        ("a ** 2", {"a * 2", "a", "a ** 3", "a ** 1"}),
        ("-a", {"a"}),
        ("a < b", {"a <= b", "a > b"}),
        ("a == b and c", {"a != b and c", "a == b or c"}),
        ("f.max(axis=1, keepdims=True)", None),
        ("a.T @ b", {"a @ b", "a.T * b"}),
        ("f'{a + 1}'", set()),
        ("'é' + a - b", {"'é' - a - b", "'é' - b", "a - b", "'é' + a + b", "('é' + a)", "-b"}),
    ],
)
def test_mutants_of_an_expression_are(line, expected):
    found = {
        mutant.source.strip().removeprefix("def f():\n    return ")
        for mutant in mutants_of(f"def f():\n    return {line}\n")
    }
    if expected is None:
        axes = ("0", "None", "2")
        expected = {f"f.max(axis={axis}, keepdims=True)" for axis in axes}
        expected |= {"f.max(axis=1, keepdims=False)", "f.min(axis=1, keepdims=True)"}
    assert found == expected


def test_every_mutant_is_an_edit_that_matches_once():
    source = "def f(x):\n    y = x + 1\n    y = x + 1\n    for i in range(3):\n        y += i\n    return y\n"
    mutants = list(mutants_of(source))
    assert len(mutants) == len({mutant.source for mutant in mutants}) > 10
    for mutant in mutants:
        assert edited(source, (mutant.edit,)) == mutant.source


def test_annotations_and_what_exceptions_say_are_left_alone():
    source = "def f(x: 'a' + 1 = 0) -> 2:\n    raise ValueError(3 + 4)\n"
    assert {mutant.source.partition("\n")[0] for mutant in mutants_of(source)} == {"def f(x: 'a' + 1 = 1) -> 2:"}


@pytest.mark.parametrize("make", [make_scale, make_square, make_counter, make_descent])
def test_sharp_topic_leaves_no_survivor(make):
    found = survey_of(make())
    assert found.mutants > 2
    assert found.survivors == []
    assert sum(found.killed.values()) == found.mutants


def shifted_mean(draw):
    @topic(lecture="tests", returns=("y",))
    def centred(x):
        """Rows less their mean, clipped."""
        y = x - x.mean(axis=1, keepdims=True)
        return np.where(y > -100.0, y, 0.0)

    @centred.cases
    def _(rng):
        for number, (rows, columns) in enumerate(((3, 4), (5, 2), (2, 6))):
            yield case(f"case {number}", x=draw(rng, rows, columns))

    return centred


def test_blunt_cases_leave_survivors_that_are_listed_as_edits():
    found = survey_of(shifted_mean(lambda rng, rows, columns: rng.normal(size=(rows, columns))))
    news = {mutant["new"] for mutant in found.survivors}
    assert "return np.where(y >= -100.0, y, 0.0)" in news  # no case comes near the bound
    assert "return np.where(y > -100.0, y, 1.0)" in news
    assert not any("axis=0" in new for new in news)
    assert found.mutants == sum(found.killed.values()) + len(found.survivors)


def test_sharp_cases_leave_only_the_boundary_itself():
    found = survey_of(shifted_mean(lambda rng, rows, columns: 300 * rng.normal(size=(rows, columns))))
    assert {mutant["new"] for mutant in found.survivors} == {"return np.where(y >= -100.0, y, 0.0)"}


def test_mutant_declared_harmless_is_not_listed_again_and_one_that_dies_is_told():
    declared = shifted_mean(lambda rng, rows, columns: 300 * rng.normal(size=(rows, columns)))
    declared.harmless(("y > -100.0", "y >= -100.0"), because="no number is exactly there")
    declared.harmless(("axis=1", "axis=0"), because="it is not")
    found = survey_of(declared)
    assert found.survivors == []
    assert [each["because"] for each in found.harmless] == ["no number is exactly there"]
    assert [each["because"] for each in found.stale] == ["it is not"]


def test_harmless_edit_that_matches_nothing_is_refused():
    declared = shifted_mean(lambda rng, rows, columns: rng.normal(size=(rows, columns)))
    with pytest.raises(EditError, match="matches 0 times"):
        declared.harmless(("y > 7", "y >= 7"), because="-")


@pytest.mark.slow
def test_mutants_that_never_end_are_ended():
    @topic(lecture="tests", returns=("y",))
    def halve(x, steps):
        """x, halved so many times."""
        while steps > 0:
            x = x / 2
            steps -= 1
        return x

    @halve.cases
    def _(rng):
        for number, steps in enumerate((1, 2, 4)):
            yield case(f"case {number}", x=rng.normal(size=3), steps=steps)

    found = survey_of(halve)
    assert found.killed[ENDLESS] >= 3  # += in place of -=, the statement left out, a step of zero
    assert found.mutants == sum(found.killed.values()) + len(found.survivors)


def test_what_ends_its_fork_costs_no_neighbour():
    def work(number):
        if number in (1, 2):
            raise RuntimeError(number)
        return str(number).encode()

    assert list(each_bounded(range(5), work, cpu_s=2)) == [b"0", None, None, b"3", b"4"]


def test_compile_with_mutants_tells_keeps_and_shows_them(new_course, capsys):
    path = new_course.dir / "reference" / "activations.py"
    source = path.read_text(encoding="utf-8")
    line = "    shifted = logits - logits.max(axis=1, keepdims=True)\n"
    assert line in source
    path.write_text(source.replace(line, line + "    shifted = shifted + 0.0 * len(shifted)\n"), encoding="utf-8")
    command = ["compile", "softmax", "--course", str(new_course.dir), "--mutants"]
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (found,) = document["mutants"]
    survivors = {mutant["new"] for mutant in found["survivors"]}
    assert "shifted = shifted + 0.0 / len(shifted)" in survivors
    assert main(command) == 0
    told = capsys.readouterr().out
    assert f"{len(survivors)} to judge" in told
    assert "+ shifted = shifted + 0.0 / len(shifted)" in told
    assert main(command[:-1]) == 0  # without --mutants, the page still shows what is known of this suite
    page = (new_course.dir / ".autograder" / "suites" / "softmax" / "proof.html").read_text(encoding="utf-8")
    assert "shifted + 0.0 / len(shifted)" in page
