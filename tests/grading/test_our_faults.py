"""Does a fault of ours at one submission end nothing but its own number?"""

import json

import pytest

from autograder.cli.main import main
from autograder.grading import examiner

pytestmark = pytest.mark.slow  # a suite is compiled

RIGHT = "import numpy as np\n\n\ndef softmax(logits):\n    e = np.exp(logits - logits.max(axis=1, keepdims=True))\n"
RIGHT += "    return e / e.sum(axis=1, keepdims=True)\n"


@pytest.mark.parametrize("always", [True, False])
def test_class_goes_on_and_whoever_met_it_is_graded_again_or_has_no_number(
    new_course, tmp_path, monkeypatch, capsys, always
):
    """As when nobody foresaw an answer: here, in the place of one that we do not know, a wrong one."""
    course = ["--course", str(new_course.dir)]
    assert main(["compile", "softmax", *course]) == 0
    handed, out = tmp_path / "class", tmp_path / "out"
    handed.mkdir()
    for name in ("ada", "carl", "dora"):
        (handed / f"{name}.py").write_text(RIGHT, encoding="utf-8")
    (handed / "bob.py").write_text(RIGHT.replace("e / e.sum", "2 * e / e.sum"), encoding="utf-8")
    judged, met = examiner.diagnose, []

    def stumbles(result):
        if result.total < result.plan.points and (always or not met):
            met.append(result)
            raise KeyError("a thing of ours")
        return judged(result)

    monkeypatch.setattr(examiner, "diagnose", stumbles)
    assert main(["grade", "softmax", str(handed), *course, "--out", str(out)]) == (1 if always else 0)
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    records = {record["student"]: record for record in map(json.loads, lines)}
    assert {name: records[name]["points"] for name in ("ada", "carl", "dora")} == dict.fromkeys(
        ("ada", "carl", "dora"), 10
    )
    assert len(met) == (2 if always else 1)  # once more, alone
    if not always:
        assert records["bob"]["state"] == "graded"
        return
    assert (records["bob"]["state"], records["bob"]["points"]) == ("not_graded", None)
    (note,) = records["bob"]["notes"]
    assert "a thing of ours" in note["private"]
    page = (out / "feedback" / "bob.html").read_text(encoding="utf-8")
    assert "a thing of ours" not in page
