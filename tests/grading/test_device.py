"""Is a question that asks for a GPU put to one, by the same suite with what was measured there, else to the processor?

No GPU is needed: the card of these tests has a processor behind it, which PyTorch also calls "cpu:0". All else is the
real way: a server of its own with the card's files and variables, a process of its own for each question.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from autograder.cli.main import main
from autograder.course.load import load_assignment, load_course
from autograder.sandbox import accelerator
from autograder.sandbox.accelerator import Accelerator
from autograder.suite.compile import load_suite
from autograder.suite.devices import on_device

pytestmark = pytest.mark.slow  # suites are compiled and servers started

CARD = "A card for tests"
REFERENCE = '''
"""How is a line fitted, and what is a line with a kink, wherever they are computed?"""

import numpy as np

from autograder.topic import Array, Float, case, torch_module, trainer


@trainer(lecture="tests", returns=("w",))
def fit(
    w: Float[Array, "D"], x: Float[Array, "N D"], y: Float[Array, "N"], steps: int, device: str
) -> Float[Array, "D"]:
    """Gradient descent on a mean of squares, with a rate of 0.1, on a device.

    Arguments:
        w: (D,). x: (N, D). y: (N,). steps: how many. device: PyTorch's name of where to compute.

    Returns:
        w: (D,), trained.

    Example:
        >>> fit(np.zeros(1), np.ones((1, 1)), np.ones(1), 1, "cpu").tolist()
        [0.2]
    """
    import torch

    w, x, y = (torch.tensor(each, device=device) for each in (w, x, y))
    for _ in range(steps):
        w = w - 0.2 * x.T @ (x @ w - y) / len(y)
    return w.cpu().numpy()


def draw(rng, steps, n=24):
    x = rng.normal(size=(n, 3))
    y = x @ rng.choice([-2.0, 2.0], size=3) + 0.05 * rng.normal(size=n)
    return {"w": np.zeros(3), "x": x, "y": y, "steps": steps}


@fit.cases
def _(rng):
    for steps in (1, 2, 3, 4):
        yield case(f"{steps} steps", **{**draw(rng, steps), "w": rng.normal(size=3)})


@fit.alternative
def _(w, x, y, steps, device):
    for _ in range(steps):
        w = w - 0.2 * np.mean(x * (x @ w - y)[:, None], axis=0)
    return w


def loss(given, w):
    return float(np.mean((given["x"] @ w - given["y"]) ** 2))


@fit.converges(loss=loss)
def _(rng):
    return draw(rng, 200)


@fit.converges(loss=loss, device="cuda")
def _(rng):
    return draw(rng, 300, n=240)


fit.misconception("uphill", ("w - 0.2", "w + 0.2"), hint="Does the loss come down?")


@torch_module(lecture="tests", inputs=("x",))
def Kinked():
    """A linear layer and a rectifier.

    Arguments:
        d, h: sizes. x: (N, D).

    Returns:
        out: (N, H).

    Example:
        >>> import torch
        >>> tuple(Kinked(2, 3)(torch.zeros(4, 2)).shape)
        (4, 3)
    """
    import torch

    class Kinked(torch.nn.Module):
        def __init__(self, d, h):
            super().__init__()
            self.dense = torch.nn.Linear(d, h)

        def forward(self, x):
            return torch.relu(self.dense(x))

    return Kinked


@Kinked.cases
def _(rng):
    for n, d, h in ((6, 4, 5), (9, 2, 7), (7, 6, 4), (8, 3, 5), (4, 5, 9)):
        yield case(f"{n} of {d}", x=rng.normal(size=(n, d)), d=d, h=h)


@Kinked.alternative
def _():
    import torch

    class Kinked(torch.nn.Module):
        def __init__(self, d, h):
            super().__init__()
            self.dense = torch.nn.Linear(d, h)

        def forward(self, x):
            return self.dense(x).clamp(min=0)

    return Kinked


Kinked.misconception("no rectifier", ("torch.relu(self.dense(x))", "self.dense(x)"), hint="What bends the line?")
'''
ASSIGNMENT = """
title = "On a card"

[[questions]]
id = "line"
topic = "fit"
points = 10
environment = "torch"
device = "cuda"

[[questions]]
id = "kinked"
topic = "Kinked"
points = 5
environment = "torch"
device = "cuda"

[[questions]]
id = "softmax"
topic = "softmax"
points = 10
"""
NOTEBOOK = """
# %%
import numpy as np
import torch


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


# %%
def fit(w, x, y, steps, device):
    w, x, y = (torch.tensor(each).to(device) for each in (w, x, y))
    for _ in range(steps):
        w = w - 0.2 * x.T @ (x @ w - y) / len(y)
    return w


# %%
class Kinked(torch.nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.dense = torch.nn.Linear(d, h)

    def forward(self, x):
        return torch.relu(self.dense(x))
"""
# Of these, each loses a question on one of the two devices alone.
SUBMISSIONS = {
    "right": NOTEBOOK,
    "knows-no-card": NOTEBOOK.replace(
        "torch.tensor(each).to(device)", 'torch.tensor(each).to({"cpu": device}[device])'
    ),
    "knows-no-processor": NOTEBOOK.replace("return w\n", 'return {"cpu:0": w}[device]\n'),
    "sees-the-variables": NOTEBOOK.replace(
        "return w\n", 'import os; return w * float(os.environ["CUDA_VISIBLE_DEVICES"] == "0")\n'
    ),
    "short-of-the-larger-run": NOTEBOOK.replace("range(steps)", "range(min(steps, 9))"),
    "ends-at-the-card": NOTEBOOK.replace("return w\n", 'import os; device == "cpu" or os._exit(0); return w\n'),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory, keep_reference):
    from autograder.course.create import create_course

    with keep_reference():
        folder = tmp_path_factory.mktemp("course")
        create_course(folder / "course")
        made = folder / "course"
        (made / "reference" / "placed.py").write_text(REFERENCE, encoding="utf-8")
        (made / "assignments" / "cards").mkdir()
        (made / "assignments" / "cards" / "assignment.toml").write_text(ASSIGNMENT, encoding="utf-8")
        with (made / "course.toml").open("a", encoding="utf-8") as toml:
            toml.write('\n[environments.torch]\npackages = ["numpy", "torch"]\n')
        handed = made / "handed"
        handed.mkdir()
        for name, text in SUBMISSIONS.items():
            (handed / f"{name}.py").write_text(text, encoding="utf-8")
        assert main(["compile", "cards", "--course", str(made)]) == 0
        yield load_course(made)


@pytest.fixture
def card(monkeypatch):
    """A card whose file is another device's, with a processor behind it."""
    made = Accelerator(CARD, "cpu:0", ("/dev/full",))
    monkeypatch.setattr(accelerator, "found", lambda: made)
    return made


def measured(course, *options):
    return main(["compile", "cards", "--course", str(course.dir), "--calibrate", "--device", "cuda", *options])


def graded(course, tmp_path, *options):
    out = tmp_path / "out"
    assert (
        main(["grade", "cards", str(course.dir / "handed"), "--course", str(course.dir), "--out", str(out), *options])
        == 0
    )
    records = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    return {record["student"]: record for record in records}


def full(record):
    return {each["id"]: each["points"] == each["max_points"] for each in record["questions"]}


def test_on_the_card_the_same_suite_grades_with_the_larger_run(course, card, tmp_path, capsys):
    assert measured(course, "--json") == 0
    (line, kinked) = json.loads(capsys.readouterr().out)["questions"]
    assert (line["parity"], kinked["parity"], line["device"]) == (1.0, 1.0, CARD)  # behind it is a processor
    assert [bar["new"] for bar in line["bars"]] == [30]
    records = graded(course, tmp_path, "--device", "cuda")
    right = records["right"]
    assert (right["points"], right["device"]) == (25.0, CARD)
    assert {each["id"]: each["device"] for each in right["questions"]} == {
        "line": CARD,
        "kinked": CARD,
        "softmax": "cpu",
    }
    assert not [note for note in right["notes"] if note["kind"] == "device"]
    assert {name: full(record)["line"] for name, record in records.items()} == {
        "right": True,
        "knows-no-card": False,
        "knows-no-processor": True,
        "sees-the-variables": True,
        "short-of-the-larger-run": False,
        "ends-at-the-card": False,
    }
    assert all(full(record)["softmax"] and full(record)["kinked"] for record in records.values())
    (ended,) = {check["outcome"] for each in records["ends-at-the-card"]["questions"][:1] for check in each["checks"]}
    assert ended == "crashed"


def test_on_the_processor_the_small_run_is_made_and_the_record_says_so(course, tmp_path):
    records = graded(course, tmp_path, "--device", "cpu")
    right = records["right"]
    assert (right["points"], right["device"]) == (25.0, "cpu")
    assert {each["device"] for each in right["questions"]} == {"cpu"}
    (note,) = [note for note in right["notes"] if note["kind"] == "device"]
    assert note["text"] == "line was asked on the processor, with its small run: there was no GPU for it."
    assert full(records["knows-no-card"])["line"]
    assert not full(records["knows-no-processor"])["line"]
    assert not full(records["sees-the-variables"])["line"]  # nobody else sees a card


def test_records_of_the_two_devices_are_two(course, card, tmp_path):
    assert measured(course) == 0
    there = graded(course, tmp_path / "there", "--device", "cuda")
    here = graded(course, tmp_path / "here", "--device", "cpu")
    assert there["right"]["key"] != here["right"]["key"]
    assert there["right"]["suite"] == here["right"]["suite"]


def test_a_card_that_was_not_measured_is_refused_or_passed_over(course, card, tmp_path, monkeypatch, capsys):
    assert measured(course) == 0
    monkeypatch.setattr(accelerator, "found", lambda: replace(card, name="Another card"))
    capsys.readouterr()
    assert graded(course, tmp_path)["right"]["device"] == "cpu"  # --device auto
    said = capsys.readouterr().err
    assert "The GPU of this machine was passed over: " in said
    assert "line was never measured on Another card" in said
    command = ["grade", "cards", str(course.dir / "handed"), "--course", str(course.dir), "--out", str(tmp_path / "o")]
    capsys.readouterr()
    assert main([*command, "--device", "cuda"]) == 2
    said = capsys.readouterr().err
    assert "line was never measured on Another card" in said
    assert "autograder compile cards --calibrate --device cuda" in said


def test_without_a_card_it_cannot_be_asked_for(course, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(accelerator, "found", lambda: None)
    command = ["grade", "cards", str(course.dir / "handed"), "--course", str(course.dir), "--out", str(tmp_path / "o")]
    assert main([*command, "--device", "cuda"]) == 2
    assert "there is no GPU here" in capsys.readouterr().err
    assert measured(course) == 2
    assert main(["compile", "cards", "--course", str(course.dir), "--device", "cuda"]) == 2
    assert "--device cuda is for --calibrate" in capsys.readouterr().err


def test_what_is_allowed_grows_with_what_was_measured(course, card):
    """As on a card whose sums are rounded in another order; written down by hand, since no such card is here."""
    assert measured(course) == 0
    assignment = load_assignment(course, "cards")
    suite = load_suite(course, assignment)
    path = course.dir / ".autograder" / "calibration" / "cards" / "kinked.parity.cuda.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    case = next(iter(kept["factors"]))
    kept["factors"][case]["out"] = 4.0
    usual = on_device(course, assignment, suite, card)
    path.write_text(json.dumps(kept), encoding="utf-8")
    wider = on_device(course, assignment, suite, card)
    assert wider.digest != usual.digest
    leaf, other = (each.plans["kinked"].expectations[case]["out"].leaves[""] for each in (wider, usual))
    np.testing.assert_array_equal(leaf.allowed64, 4 * other.allowed64)
    np.testing.assert_array_equal(leaf.value, other.value)
    assert measured(course) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("w.cpu().numpy()", 'w.cpu().numpy() + (device != "cpu") * 1e-3', "times as far off as is allowed"),
        (
            "    import torch\n\n    w, x",
            '    import torch\n    assert device == "cpu", "no card"\n    w, x',
            "no card",
        ),
    ],
)
def test_a_reference_that_is_another_on_the_card_is_refused(course, card, capsys, old, new, said):
    path = course.dir / "reference" / "placed.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    try:
        path.write_text(text.replace(old, new), encoding="utf-8")
        assert main(["compile", "cards", "--course", str(course.dir)]) == 0
        assert measured(course) == 2
        assert said in capsys.readouterr().err
    finally:
        path.write_text(text, encoding="utf-8")
        assert main(["compile", "cards", "--course", str(course.dir)]) == 0


def test_a_topic_without_a_device_cannot_ask_for_one(course, capsys):
    path = course.dir / "assignments" / "cards" / "assignment.toml"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text + 'device = "cuda"\n', encoding="utf-8")
        assert main(["compile", "cards", "--course", str(course.dir)]) == 2
        assert "softmax takes no device" in capsys.readouterr().err
        path.write_text(text + 'device = "cuda"\ncost_factor = 3\n', encoding="utf-8")
        assert main(["compile", "cards", "--course", str(course.dir)]) == 2
        assert "cost_factor works on the processor alone" in capsys.readouterr().err
    finally:
        path.write_text(text, encoding="utf-8")
