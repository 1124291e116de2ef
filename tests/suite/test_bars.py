"""Is a bar measured once, resumed after a kill, shown with where it is from, and refused when that has changed?"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from autograder.cli.main import main
from autograder.course.load import load_course
from autograder.course.references import load_topics
from autograder.course.sources import source_digest
from autograder.suite.calibrate import SEEDS, calibrate
from autograder.suite.runs import Run, kept_runs

pytestmark = pytest.mark.slow  # suites are compiled

SEED = 31
HELPER = """
import numpy as np

def slope(w, x, y):
    return 2 * x.T @ (x @ w - y) / len(y)
"""
TRAINER = '''
"""How is a line fitted by gradient descent?"""

import os
import time

import numpy as np

from autograder.topic import Array, Float, case, trainer
from reference.helper import slope


@trainer(lecture="tests", returns=("w",))
def fit(w: Float[Array, "D"], x: Float[Array, "N D"], y: Float[Array, "N"], lr: float, steps: int) -> Float[Array, "D"]:
    """Gradient descent on a mean of squares.

    Arguments:
        w: (D,). x: (N, D). y: (N,). lr: learning rate. steps: how many.

    Returns:
        w: (D,), trained.

    Example:
        >>> fit(np.zeros(1), np.ones((1, 1)), np.ones(1), 0.5, 1).tolist()
        [1.0]
    """
    w = w.copy()
    time.sleep(float(os.environ.get("A_RUN_TAKES_S", "0")))
    for _ in range(steps):
        w = w - lr * slope(w, x, y)
    return w


def draw(rng, steps):
    x = rng.normal(size=(12, 3))
    y = x @ rng.choice([-2.0, 2.0], size=3) + 0.1 * rng.normal(size=12)
    return {"w": rng.normal(size=3), "x": x, "y": y, "lr": 0.05, "steps": steps}


@fit.cases
def _(rng):
    for steps in (1, 2, 3, 4):
        yield case(f"{steps} steps", **draw(rng, steps))


@fit.alternative
def _(w, x, y, lr, steps):
    for _ in range(steps):
        w = w - lr * 2 * np.mean(x * (x @ w - y)[:, None], axis=0)
    return w


@fit.converges(loss=lambda given, w: float(np.mean((given["x"] @ w - given["y"]) ** 2)))
def _(rng):
    return draw(rng, 300)


fit.misconception("uphill", ("w - lr", "w + lr"), hint="Does the loss come down?")
'''
ASSIGNMENT = """
title = "Fitting"

[[questions]]
id = "line"
title = "A line"
topic = "fit"
points = 10
"""


@pytest.fixture
def course(new_course):
    (new_course.dir / "reference" / "helper.py").write_text(HELPER, encoding="utf-8")
    (new_course.dir / "reference" / "fitting.py").write_text(TRAINER, encoding="utf-8")
    folder = new_course.dir / "assignments" / "lines"
    folder.mkdir()
    (folder / "assignment.toml").write_text(ASSIGNMENT, encoding="utf-8")
    return load_course(new_course.dir)


def calibrated(course, capsys, *options):
    assert main(["compile", "lines", "--calibrate", "--course", str(course.dir), "--json", *options]) == 0
    (bar,) = json.loads(capsys.readouterr().out)["bars"]
    return bar


def compiled(course, capsys):
    assert main(["compile", "lines", "--course", str(course.dir), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def kept_in(course):
    return json.loads((course.dir / ".autograder" / "calibration" / "lines" / "line.convergence.json").read_text())


def test_runs_are_made_once_and_serve_the_suite(course, capsys):
    first = calibrated(course, capsys)
    assert (first["runs"], first["new"]) == (SEEDS, SEEDS)
    again = calibrated(course, capsys)
    assert (again["runs"], again["new"], again["bar"]) == (SEEDS, 0, first["bar"])
    (proof,) = compiled(course, capsys)["proof"]
    (shown,) = proof["calibrated"]
    assert (shown["new"], shown["bar"], shown["measured"]) == (0, first["bar"], first["measured"])
    assert first["provenance"].keys() == {"reference", "key", "numpy", "torch"}
    page = (course.dir / ".autograder" / "suites" / "lines" / "proof.html").read_text(encoding="utf-8")
    assert f"passes up to a loss of {first['bar']:.3g} nats" in page


def test_the_same_is_measured_with_and_without_a_break(course, capsys):
    whole = calibrated(course, capsys)
    path = course.dir / ".autograder" / "calibration" / "lines" / "line.convergence.json"
    kept = kept_in(course)
    path.write_text(json.dumps({**kept, "runs": kept["runs"][:7]}), encoding="utf-8")
    rest = calibrated(course, capsys)
    assert (rest["new"], rest["bar"]) == (SEEDS - 7, whole["bar"])


def test_a_killed_calibration_goes_on_with_what_is_missing(course, capsys):
    command = [sys.executable, "-m", "autograder", "compile", "lines", "--calibrate", "--course", str(course.dir)]
    environment = os.environ | {"A_RUN_TAKES_S": "0.2"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
    path = course.dir / ".autograder" / "calibration" / "lines" / "line.convergence.json"
    deadline = time.monotonic() + 60
    while not (path.exists() and len(kept_in(course)["runs"]) >= 3):
        assert time.monotonic() < deadline
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = len(kept_in(course)["runs"])
    assert 3 <= before < SEEDS
    assert calibrated(course, capsys)["new"] == SEEDS - before


@pytest.mark.parametrize("changed", ["fitting.py", "helper.py"])
def test_runs_of_another_reference_are_refused(course, capsys, changed):
    calibrated(course, capsys)
    path = course.dir / "reference" / changed
    path.write_text(path.read_text(encoding="utf-8") + "\nOTHER = 1\n", encoding="utf-8")
    bar = calibrated(course, capsys)
    assert (bar["refused"], bar["new"]) == (["reference"], SEEDS)


def test_runs_outlive_changes_elsewhere_in_the_course(course, capsys):
    calibrated(course, capsys)
    path = course.dir / "reference" / "activations.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nOTHER = 1\n", encoding="utf-8")
    assert calibrated(course, capsys)["new"] == 0


@pytest.mark.parametrize("what", ["numpy", "torch", "key"])
def test_a_bar_of_other_libraries_or_another_key_is_refused(course, capsys, what):
    calibrated(course, capsys)
    path = course.dir / ".autograder" / "calibration" / "lines" / "line.convergence.json"
    kept = kept_in(course)
    kept["provenance"][what] = "0.1"
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert calibrated(course, capsys)["refused"] == [what]


def test_a_suite_whose_bar_was_measured_with_other_libraries_is_made_again(course, capsys, monkeypatch):
    compiled(course, capsys)
    kept = kept_in(course)["measured"]
    monkeypatch.setattr("autograder.suite.runs._torch", lambda: "0.1")
    assert main(["grade", "lines", str(course.dir), "--course", str(course.dir), "--out", str(course.dir / "out")]) == 2
    assert "there is no suite of lines that fits" in capsys.readouterr().err
    (proof,) = compiled(course, capsys)["proof"]
    (shown,) = proof["calibrated"]
    assert (shown["refused"], shown["new"]) == (["torch"], SEEDS)
    assert kept.keys() == {"began", "python", "machine"}


def test_anew_measures_all_again(course, capsys):
    calibrated(course, capsys)
    assert calibrated(course, capsys, "--again")["new"] == SEEDS


def test_an_assignment_without_trainers_has_nothing_to_calibrate(course, capsys):
    assert main(["compile", "softmax", "--calibrate", "--course", str(course.dir)]) == 0
    assert "nothing to calibrate" in capsys.readouterr().out


def test_a_reference_that_diverges_in_one_seed_is_refused(course, capsys):
    path = course.dir / "reference" / "fitting.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("return draw(rng, 300)", 'return draw(rng, 300) | {"lr": rng.choice([0.05, 1e9])}'), "utf-8"
    )
    with np.errstate(all="ignore"):
        assert main(["compile", "lines", "--calibrate", "--course", str(course.dir)]) == 2
    assert "line: fit: a reference run ended at a loss of" in capsys.readouterr().err


def test_an_unreadable_file_of_runs_is_as_none(tmp_path):
    path = tmp_path / "line.convergence.json"
    kept = kept_runs(path, {"reference": "r"})
    kept.add(Run(0.5, None, {"w": {"": (3,)}}, 0.1))
    assert kept_runs(path, {"reference": "r"}).runs == kept.runs
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert kept_runs(path, {"reference": "r"}).runs == []


def test_sources_of_a_topic_are_its_module_and_what_it_imports(course):
    topic = load_topics(course)["fit"]
    before = source_digest(course.dir, topic)
    for name, changes in (("data.csv", True), ("activations.py", False), ("helper.py", True), ("__init__.py", True)):
        path: Path = course.dir / "reference" / name
        path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + "# more\n", encoding="utf-8")
        assert (source_digest(course.dir, topic) != before) is changes, name
        before = source_digest(course.dir, topic)


def test_runs_that_were_made_before_are_not_made_again(course):
    topic = load_topics(course)["fit"]
    made: list[Run] = []
    whole = calibrate(topic, np.random.SeedSequence(SEED), keep=made.append)
    more: list[Run] = []
    assert calibrate(topic, np.random.SeedSequence(SEED), made[:20], more.append) == whole
    assert len(more) == SEEDS - 20
