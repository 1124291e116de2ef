"""A question of memory, from assignment.toml to the record: right, bulky and hostile answers."""

import asyncio
import inspect

import pytest

from autograder.cli.main import main
from autograder.course.load import load_assignment
from autograder.grading.batch import grade_class as grade_submissions
from autograder.sandbox.session import SandboxError
from autograder.suite.compile import compile_suite
from tests.checks import topics
from tests.conftest import ROOT
from tests.grading.as_students import notebook_with
from tests.grading.test_cost import ASSIGNMENT, RIGHT, SLOW, grade_class

BULKY = "import numpy as np\n" + inspect.getsource(topics.bulky_distances).replace("bulky_distances", "distances")
PLAIN = "    return ((x[:, None] - x[None]) ** 2).sum(axis=2)\n"
HOLDS = "import numpy as np\ndata = np.ones(200 * 2**17)\ndef distances(x):\n" + PLAIN
# Space that was filled at loading, and a mapped file: what is used there is no less used.
SCRATCH = HOLDS.replace(PLAIN, "    if len(x) > 50:\n        data[:] = x[0, 0]\n" + PLAIN)
GREEDY = SCRATCH.replace("data[:] = x[0, 0]", "np.ones(4000 * 2**17)")
MAPPED = (
    """
import mmap, os
import numpy as np
file = open("/dev/shm/space", "wb+")
os.ftruncate(file.fileno(), 120 * 2**20)
def distances(x):
    if len(x) > 50:
        with mmap.mmap(file.fileno(), 120 * 2**20) as space:
            for _ in range(120):
                space.write(bytes(2**20))
"""
    + PLAIN
)
FORGETS = """
import numpy as np
def distances(x):
    shown = np.stack([(x[:, None] - x[None]) ** 2] * 16).mean(axis=0).sum(axis=2)
    try:
        with open("/proc/self/clear_refs", "w") as peak:
            peak.write("5")  # makes the kernel forget the peak, where it may
    except OSError:
        pass
    return shown
"""
WRONG = HOLDS.replace(PLAIN, "    if len(x) > 50:\n        return np.zeros((len(x), len(x)))\n" + PLAIN)
CLASS = {
    "right": (RIGHT, "passed", 10.0),
    "slow": (SLOW.replace("slow_distances", "distances"), "passed", 10.0),
    "holds": (HOLDS, "passed", 10.0),
    "bulky": (BULKY, "over_cost", 5.0),
    "scratch": (SCRATCH, "over_cost", 5.0),
    "mapped": (MAPPED, "over_cost", 5.0),
    "forgets": (FORGETS, "over_cost", 5.0),
    "greedy": (GREEDY, "out_of_memory", 5.0),
    "gives-up": (WRONG, "wrong_value", 5.0),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, keep_reference) -> dict[str, dict]:
    assignment = ASSIGNMENT.replace("cost_factor = 8", "memory_factor = 4")
    return grade_class(tmp_path_factory.mktemp("memory"), assignment, CLASS, keep_reference)


@pytest.mark.slow
@pytest.mark.parametrize("student", CLASS)
def test_outcome_of_memory(graded, student):
    record = graded[student]
    checks = {check["id"]: check for check in record["questions"][0]["checks"]}
    _, outcome, points = CLASS[student]
    assert set(checks) == {"squares", "memory"}
    assert checks["squares"]["outcome"] == "passed"
    assert (checks["memory"]["outcome"], record["points"]) == (outcome, points)
    assert (record["state"], record["questions"][0]["max_points"]) == ("graded", 10.0)


@pytest.mark.slow
def test_ratio_is_measured_beside_the_record_and_told_in_words_on_the_page(graded):
    ratios = {name: record["measured"]["memory_ratios"].get("distances") for name, record in graded.items()}
    assert ratios["right"] < 1
    assert ratios["holds"] == pytest.approx(1, abs=0.1)
    assert min(ratios[name] for name in ("bulky", "scratch", "mapped", "forgets")) > 5
    assert ratios["greedy"] is None
    assert graded["bulky"]["measured"]["cost_ratios"] == {}
    assert "more than 4 times the memory of our own way" in graded["bulky"]["page"]
    assert "one of them is far larger than its inputs" in graded["bulky"]["page"]
    assert "On the larger inputs on which memory is measured" in graded["greedy"]["page"]


# What the course declares as bulky, as a student would write it.
EVERY_WINDOW = """
import numpy as np
def conv2d_forward(x, w, b, stride, padding):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = (windows[:, None] * w[:, :, None, None]).sum(axis=(2, 5, 6))
    return out + b[:, None, None], (padded, w, stride, padding)
"""


@pytest.mark.slow
def test_convolution_of_the_flagship_is_measured_in_memory(flagship, tmp_path, capsys):
    solution = ROOT / "solutions" / "convolution" / "convolution.py"
    notebook_with(solution, [], tmp_path / "solution.ipynb")
    notebook_with(solution, [EVERY_WINDOW], tmp_path / "bulky.ipynb")
    assignment = load_assignment(flagship, "convolution")
    suite = compile_suite(flagship, assignment)
    assert main(["compile", "convolution", "--course", str(flagship.dir)]) == 0
    assert "  memory, in times of the reference's: reference " in capsys.readouterr().out
    try:
        graded = asyncio.run(grade_submissions(flagship, assignment, suite, [tmp_path], jobs=1))
    except* SandboxError as errors:
        pytest.skip(f"no jail on this machine: {errors.exceptions[0]}")
    records = {record.student: record for record in graded.records}
    bulky = {check.id: check.outcome for check in records["bulky"].questions[0].checks if check.outcome != "passed"}
    assert records["solution"].points == 100
    assert bulky == {"memory": "over_cost"}
    ratios = {name: record.measured.memory_ratios["conv2d"] for name, record in records.items()}
    assert ratios["solution"] < 3 < 8 < ratios["bulky"], ratios
