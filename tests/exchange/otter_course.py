"""A course in otter's own form: two notebooks for `otter assign`, with files, in both forms of tests, and a class.

What a test cell prints is what otter keeps of it for doctests; for the other form the same test is a function.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.exchange.nbgrader_class import cell, document, write


@dataclass(frozen=True)
class Case:
    """A test. code: an expression, and what it shows; names: what the function takes. config: of otter's, in YAML."""

    code: str
    shows: str
    names: str
    config: str = ""
    hidden: bool = False


def hidden(code: str, shows: str, names: str) -> Case:
    return Case(code, shows, names, hidden=True)


@dataclass(frozen=True)
class Question:
    config: str
    solution: str
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Lab:
    """classes: for each student the answers that are other than right, by question; None: left as it was given."""

    config: str
    head: str
    questions: Mapping[str, Question]
    students: Mapping[str, Mapping[str, str | None]]
    files: Mapping[str, str] = field(default_factory=dict)


def marked(*code: str) -> str:
    """Lines that students do not get."""
    return "\n".join(f"{line}  # SOLUTION" for line in code)


SOFTMAX = "def softmax(z):\n" + marked(
    "    e = np.exp(z - z.max(axis=1, keepdims=True))", "    return e / e.sum(axis=1, keepdims=True)"
)
LAB1 = Lab(
    config="name: lab1\nfiles: [data.csv, helper.py]\nexport_cell: false\n"
    "seed: {variable: seed, autograder_value: 7, student_value: 42}\ngenerate: {show_stdout: true}\n",
    head="import numpy as np\nfrom helper import scale\nseed = 42",
    files={"data.csv": "1,2\n3,4\n", "helper.py": "def scale(x):\n    return 10 * x\n"},
    questions={
        "q1": Question(
            "points: {each: 2}",
            SOFTMAX,
            (
                Case("softmax(np.zeros((1, 4))).tolist()", "[[0.25, 0.25, 0.25, 0.25]]", "softmax"),
                Case("round(float(softmax(np.array([[1000.0, 0.0]]))[0, 0]), 6)", "1.0", "softmax"),
                hidden("softmax(np.ones((2, 2))).tolist()", "[[0.5, 0.5], [0.5, 0.5]]", "softmax"),
            ),
        ),
        "q2": Question(
            "points: [1, 2, 3]",
            "def relu(x):\n" + marked("    return np.maximum(x, 0)"),
            (
                Case("relu(np.array([-1, 2])).tolist()", "[0, 2]", "relu"),
                Case("relu(np.array([[0.5]])).shape", "(1, 1)", "relu"),
                hidden("relu(np.array([-2.5, 0.0])).tolist()", "[0.0, 0.0]", "relu"),
            ),
        ),
        "q3": Question(
            "points: 4\nall_or_nothing: true",
            "def one_hot(y, n):\n" + marked("    return np.eye(n)[y]"),
            (
                Case("one_hot(np.array([1]), 3).tolist()", "[[0.0, 1.0, 0.0]]", "one_hot"),
                hidden("one_hot(np.array([], dtype=int), 2).shape", "(0, 2)", "one_hot"),
            ),
        ),
        "q4": Question(
            "points: 6",
            "def mean(x):\n" + marked("    return sum(x) / len(x)"),
            (
                Case("mean([1, 3])", "2.0", "mean", "points: 1\nsuccess_message: A mean."),
                Case("mean([4])", "4.0", "mean", "failure_message: Divide by how many there are."),
                Case("mean([1, 2, 6])", "3.0", "mean", "hidden: true\npoints: 3.5"),
            ),
        ),
        "q5": Question("points: 3\nmanual: true", marked("words = 'A mean is pulled by what lies far away.'")),
        "q6": Question(
            "",
            "table = ...\n" + marked("table = scale(np.loadtxt('data.csv', delimiter=','))"),
            (
                Case("table.shape", "(2, 2)", "table"),
                hidden("float(table.sum())", "100.0", "env"),
            ),
        ),
        "q7": Question(
            "points: 2",
            "sample = ...\n" + marked("sample = np.random.default_rng(seed).integers(100, size=3)"),
            (
                Case("sample.shape", "(3,)", "sample"),
                hidden("sample.tolist()", str(np.random.default_rng(7).integers(100, size=3).tolist()), "sample"),
            ),
        ),
        "q8": Question(
            "points: 2.5",
            "def loss(z, y):\n" + marked("    return -np.log(softmax(z)[np.arange(len(y)), y]).mean()"),
            (Case("round(float(loss(np.zeros((2, 4)), np.array([0, 3]))), 4)", "1.3863", "loss"),),
        ),
    },
    students={
        "right": {},
        "nothing": dict.fromkeys(("q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8")),
        "axis": {"q1": "def softmax(z):\n    e = np.exp(z - z.max())\n    return e / e.sum(axis=0)"},
        "overflow": {"q1": "def softmax(z):\n    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)"},
        "flat": {"q1": "def softmax(z):\n    return np.full(z.shape, 1 / z.shape[1])"},
        "absolute": {"q2": "def relu(x):\n    return np.abs(x)"},
        "in-place": {"q2": "def relu(x):\n    x[x < 0] = 0\n    return x"},
        "loops": {"q3": "def one_hot(y, n):\n    return np.array([[float(i == k) for i in range(n)] for k in y])"},
        "integers": {"q4": "def mean(x):\n    return sum(x) // len(x)"},
        "by-two": {"q4": "def mean(x):\n    return sum(x) / 2"},
        "no-file": {"q6": "table = scale(np.loadtxt('date.csv', delimiter=','))"},
        "no-scale": {"q6": "table = np.loadtxt('data.csv', delimiter=',')"},
        "own-seed": {"q7": "sample = np.random.default_rng(42).integers(100, size=3)"},
        "raises": {"q2": "def relu(x):\n    raise ValueError('not done')", "q3": "1 / 0", "q5": None},
        "warns": {"q8": "def loss(z, y):\n    import warnings\n    warnings.warn('slow')\n"
                  "    return -np.log(softmax(z)[np.arange(len(y)), y]).mean()"},
        "again": {"q4": "def mean(x):\n    return 0\n\ndef mean(x):\n    return sum(x) / len(x)"},
        "syntax": {"q2": "def relu(x)\n    return np.maximum(x, 0)"},
    },
)  # fmt: skip
TRAIN = """def train(x, y, steps):
    w = torch.zeros(x.shape[1], requires_grad=True)
    for _ in range(steps):
        loss = ((x @ w - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    return w.detach()"""
NET = """class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(2, 3)
"""
RELU = "    def forward(self, x):\n        return torch.relu(self.a(x))"
LAB2 = Lab(
    config="name: lab2\nexport_cell: false\ngenerate: {points_possible: 10}\n",
    head="import torch",
    questions={
        "forward": Question(
            "points: 4",
            "def forward(x, w, b):\n" + marked("    return x @ w + b"),
            (
                Case("forward(torch.ones(2, 3), torch.ones(3, 1), 0).tolist()", "[[3.0], [3.0]]", "forward"),
                hidden("forward(torch.zeros(2), torch.eye(2), torch.arange(2)).tolist()", "[0.0, 1.0]", "forward"),
            ),
        ),
        "net": Question(
            "points: 3",
            NET + marked(*RELU.split("\n")),
            (
                Case("sum(p.numel() for p in Net().parameters())", "9", "Net"),
                Case("tuple(Net()(torch.zeros(5, 2)).shape)", "(5, 3)", "env"),
                Case("bool((Net()(torch.randn(50, 2)) >= 0).all())", "True", "Net", hidden=True),
            ),
        ),
        "train": Question(
            "points: {each: 1.5}",
            "def train(x, y, steps):\n" + marked(*TRAIN.split("\n")[1:]),
            (
                Case("train(torch.eye(2), torch.ones(2), 0).tolist()", "[0.0, 0.0]", "train"),
                hidden("train(torch.eye(2), torch.ones(2), 200).round(decimals=2).tolist()", "[1.0, 1.0]", "train"),
            ),
        ),
        "why": Question("points: 2\nmanual: true", marked("words = 'Gradients add up.'")),
    },
    students={
        "right": {},
        "nothing": dict.fromkeys(("forward", "net", "train", "why")),
        "no-bias": {"forward": "def forward(x, w, b):\n    return x @ w"},
        "transposed": {"forward": "def forward(x, w, b):\n    return w.T @ x.T + b"},
        "linear": {"net": NET + "    def forward(self, x):\n        return self.a(x)"},
        "larger": {"net": NET.replace("(2, 3)", "(2, 4)") + RELU},
        "not-reset": {"train": TRAIN.replace("            w.grad.zero_()\n", "")},
        "one-step": {"train": TRAIN.replace("range(steps)", "range(min(steps, 1))")},
        "numbers": {"train": TRAIN.replace("loss.backward()", "loss.backward(); float(loss)")},
    },
)  # fmt: skip
_NAMES = re.compile(r"(def|class) \w+|\w+ =")  # how an answer's cell begins, with the solution and without
LABS = {"lab1": LAB1, "lab2": LAB2}
PRINTS = {"q2": "def relu(x):\n    print('relu of', x)\n    return np.maximum(x, 0)"}  # where otter errs, in doctests


def make(lab: Lab, folder: Path, form: str) -> Path:
    """The source notebook, with the files beside it."""
    raw = {"cell_type": "raw", "metadata": {}}

    def mark(text: str) -> dict[str, Any]:
        return raw | {"source": text}

    tests = f"tests: {{ok_format: {str(form == 'doctests').lower()}}}\n"
    cells = [mark(f"# ASSIGNMENT CONFIG\n{lab.config}{tests}"), cell(lab.head)]
    for name, question in lab.questions.items():
        cells += [mark(f"# BEGIN QUESTION\nname: {name}\n{question.config}"), mark("# BEGIN SOLUTION")]
        cells += [cell(question.solution), mark("# END SOLUTION")]
        if question.cases:
            cells += [mark("# BEGIN TESTS"), *(_test(case, name, n, form) for n, case in enumerate(question.cases))]
            cells += [mark("# END TESTS")]
        cells += [mark("# END QUESTION")]
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in lab.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    path = folder / "lab.ipynb"
    write(path, document(*cells))
    return path


def _test(case: Case, question: str, number: int, form: str) -> dict[str, Any]:
    head = f'""" # BEGIN TEST CONFIG\n{case.config}\n""" # END TEST CONFIG\n' if case.config else ""
    head += "# HIDDEN\n" if case.hidden and not case.config else ""
    if form == "doctests":
        shown = {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": {"text/plain": case.shows},
        }
        return cell(head + case.code) | {"outputs": [shown]}
    bound = "".join(
        f"    {name} = env[{name!r}]\n" for name in ("Net", "table") if case.names == "env" and name in case.code
    )
    libraries = "    import numpy as np, torch\n"
    test = f"def test_{question}_{number}({case.names}):\n{libraries}{bound}    assert {case.code} == {case.shows}"
    return cell(head + test)


def hand_in(lab: Lab, given: Path, folder: Path) -> dict[str, Path]:
    """Everybody's notebook, made from the one that otter gives out; each in a folder of its own, by student."""
    release = json.loads(given.read_text(encoding="utf-8"))
    made = {}
    for student, other in {**lab.students, **({"prints": PRINTS} if lab is LAB1 else {})}.items():
        cells = [dict(each) for each in release["cells"]]
        for name, question in lab.questions.items():
            answer = other.get(name, question.solution.replace("  # SOLUTION", ""))
            if answer is None:
                continue
            start = _NAMES.match(question.solution)
            assert start is not None
            ours = [each for each in cells if "".join(each["source"]).startswith(start.group())]
            assert ours, f"{name} of {student} has no cell that begins {start.group()!r}"
            for each in ours[:1]:
                each["source"] = answer
        made[student] = folder / student / given.name
        write(made[student], release | {"cells": cells})
        for name, text in lab.files.items():
            (made[student].parent / name).write_text(text, encoding="utf-8")
    return made


# Where otter errs, by lab and form of tests: student and question.
DIFFERING: Mapping[tuple[str, str], Collection[str]] = {
    ("lab1", "doctests"): ("prints q2",),
    ("lab1", "exceptions"): (),
    ("lab2", "doctests"): (),
    ("lab2", "exceptions"): (),
}
