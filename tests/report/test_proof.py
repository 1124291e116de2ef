"""The page of a proof: what it shows, that it needs nothing from outside, and that it is not for students."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from autograder.cli.main import main
from autograder.report.proof import expected_false_failures, least_margin, proof_page
from autograder.suite.calibrate import calibrate
from autograder.suite.draw import seed_of
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.prove import prove
from autograder.suite.right import show
from autograder.topic import case, topic
from tests.checks.topics import make_descent, make_square

KEY = bytes(range(32))
HEAD = {"course": "Course <1>", "assignment": "Squares", "suite": "abc", "fingerprint": "def", "points": 10.0}


def proof_of(declared):
    worth = Worth(declared.name, 10.0, {})
    bar = calibrate(declared, seed_of(KEY, declared.name, "bar")) if declared.training else None
    plan = draw_plan(declared, worth, seed_of(KEY, declared.name, "suite"), bar)
    wrong = {m.name: show(declared, m.names, plan.cases.values()) for m in declared.misconceptions}
    proof = prove(replace(plan, wrong=wrong), worth, lambda n: seed_of(KEY, declared.name, str(n)))
    return json.loads(json.dumps(proof.as_json()))


@pytest.fixture(scope="module")
def square():
    return proof_of(make_square())


def rows_of(proof, kind):
    return {row["name"]: row for row in proof["rows"] if row["kind"] == kind}


def test_matrix_has_a_row_for_everything_that_was_tried(square):
    right, wrong = rows_of(square, "right"), rows_of(square, "misconception")
    assert {row["runs"] for row in right.values()} == {30}
    assert set(right) == {"reference", "reference in float32", "alternative 1"}
    assert list(wrong) == ["gradient summed", "factor two lost"]
    assert len(rows_of(square, "null")) == square["nulls"]
    assert len(rows_of(square, "spoiled")) == square["spoiled"]
    assert square["verdicts"] == 3 * 30 * len(square["checks"])


def test_matrix_says_which_check_and_case_kills_and_by_how_much(square):
    checks = [check["id"] for check in square["checks"]]
    assert checks == ["loss", "loss: large", "dx", "dx: large", "even"]
    summed = rows_of(square, "misconception")["gradient summed"]
    assert summed["outcomes"] == ["passed", "passed", "wrong_value", "wrong_value", "passed"]
    ends = dict(zip(square["checks"][2]["cases"], summed["cells"][2], strict=True))
    assert list(ends) == ["ordinary", "longer", "two"]
    # The answer is 2x where 2x/n is right, and 1e-7 of its norm is allowed: (n - 1) / 1e-7 times off.
    assert {name: ratio for name, (_, ratio) in ends.items()} == {"ordinary": 4e7, "longer": 8e7, "two": 1e7}


def test_right_rows_show_how_much_of_what_is_allowed_they_use(square):
    single = rows_of(square, "right")["reference in float32"]
    ratios = [ratio for cells in single["cells"] for _, ratio in cells]
    assert 0 < max(ratios) < 0.2
    assert square["nearest"] == max(
        ratio for row in rows_of(square, "right").values() for c in row["cells"] for _, ratio in c
    )


def test_page_is_whole_and_asks_for_nothing(square):
    page = proof_page(HEAD, [square], students=200)
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)|url\(|@import|https?://""", page)
    assert "<script" not in page
    assert "not for students" in page
    assert "Course &lt;1&gt;" in page
    assert page.count('<th scope="row">') >= len(square["rows"])
    for name in ("gradient summed", "an echo of x", "sign-flipped", "alternative 1", "4e7", "prefers-color-scheme"):
        assert name in page
    assert "Nothing here is left to chance" in page


def test_page_counts_what_each_case_kills(square):
    page = proof_page(HEAD, [square], students=200)
    (foot,) = re.findall(r"<tfoot>(.*?)</tfoot>", page, re.DOTALL)
    # loss: a, b, c, and its edge; dx: three and its edge; the property
    assert re.findall(r">(\d+)</td>", foot) == ["0", "0", "0", "0", "2", "2", "2", "2", "0"]


def test_false_failures_grow_with_the_class_and_with_what_is_left_to_chance(square):
    descent = proof_of(make_descent())
    assert square["chance"] == 0
    assert [check["id"] for check in descent["checks"]] == ["w", "convergence"]
    reference = rows_of(descent, "right")["reference"]
    assert reference["outcomes"] == ["passed", "passed"]  # of 30 suites, in two of which it was trained to the end
    assert descent["verdicts"] == 3 * (30 + 2)
    assert expected_false_failures([square, descent], 1000) == pytest.approx(6e-4)
    assert "at most 0.0006 right answers" in proof_page(HEAD, [square, descent], students=1000)
    assert least_margin(square) == 5e6  # half of the gradient lost, where 1e-7 is allowed


def test_names_are_escaped():
    @topic(lecture="tests", returns=("y",))
    def double(x):
        """Twice x."""
        return 2 * x

    @double.cases
    def _(rng):
        for number in (2, 3, 4):
            yield case(f"<b>{number}</b>", x=rng.normal(size=number))

    double.alternative(lambda x: np.asarray(x) + x)
    double.misconception("<script>alert(1)</script>", ("2 * x", "3 * x"), hint="-")
    page = proof_page(HEAD, [proof_of(double)], students=10)
    assert "<script" not in page
    assert "&lt;b&gt;2&lt;/b&gt;" in page


def test_compile_writes_the_page_beside_the_suite(new_course, capsys):
    command = ["compile", "softmax", "--course", str(new_course.dir), "--class-size", "50"]
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    folder = new_course.dir / ".autograder" / "suites" / "softmax"
    assert document["page"] == str(folder / "proof.html")
    assert document["expected_false_failures"] == {"students": 50, "at_most": 0.0}
    assert {row["kind"] for row in document["proof"][0]["rows"]} == {"right", "null", "misconception"}
    page = (folder / "proof.html").read_text(encoding="utf-8")
    assert document["suite"] in page
    assert main(command) == 0
    assert str(folder / "proof.html") in capsys.readouterr().out


def test_page_says_what_right_implementations_cost(square):
    told = "in times of the reference"
    assert told not in proof_page(HEAD, [square], students=200)
    page = proof_page(HEAD, [{**square, "memory": {"reference": 1.0, "all <at> once": 14.2}}], students=200)
    assert "Memory, in times of the reference's: reference <b>1</b>" in page
    assert "all &lt;at&gt; once <b>14</b>" in page
