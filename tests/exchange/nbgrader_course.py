"""A deep-learning course in nbgrader's own form: three notebooks of one assignment, files, and a class.

Tests with hidden parts, partial credit, an answer in code and one in words for a person, a task, a notebook in torch.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.exchange.nbgrader_class import answered, cell, document, graded_cell, hand_in, solution, write

Notebooks = dict[str, dict[str, Any]]


def solved(head: str, *body: str) -> str:
    lines = "\n".join(f"    {line}" for line in body)
    return f"{head}\n    ### BEGIN SOLUTION\n{lines}\n    ### END SOLUTION"


def hidden(shown: str, *tests: str) -> str:
    return "\n".join([shown, "### BEGIN HIDDEN TESTS", *tests, "### END HIDDEN TESTS"])


AFFINE = "def affine(x, w, b):\n    return x @ w + b"
BACKWARD = "def affine_backward(dout, x, w):\n    return dout @ w.T, x.T @ dout, dout.sum(axis=0)"
PARTIAL = """dx, dw, db = affine_backward(np.ones((2, 3)), np.eye(2), np.ones((2, 3)))
score = 0
score += 2 if dx.shape == (2, 2) and np.allclose(dx, 3) else 0
score += 1 if np.shape(dw) == (2, 3) and np.allclose(dw, 1) else 0
score += 1 if np.shape(db) == (3,) and np.allclose(db, 2) else 0
score"""
NUMPY = document(
    cell("# Layers\n\nRun every cell.", kind="markdown"),
    cell("import json\n\nimport numpy as np\nfrom layers import offset, same", locked=True, grade_id="imports"),
    cell("rates = json.loads(open('data/rates.json').read())", locked=True, grade_id="rates"),
    solution("affine", solved("def affine(x, w, b):", "return x @ w + b")),
    graded_cell("affine-shape", 1, "assert affine(np.ones((2, 3)), np.ones((3, 4)), np.zeros(4)).shape == (2, 4)"),
    graded_cell(
        "affine-values",
        3,
        hidden(
            "assert same(affine(np.eye(2), np.eye(2), np.ones(2)), [[2, 1], [1, 2]])",
            "assert same(affine(np.ones((1, 3)), np.ones((3, 2)), np.array([offset, 0])), [[4, 3]])",
        ),
    ),
    solution("backward", solved("def affine_backward(dout, x, w):", *BACKWARD.split("\n    ")[1:])),
    graded_cell("backward-parts", 4, PARTIAL),
    solution("rate", "### BEGIN SOLUTION\nrate = min(rates)\n### END SOLUTION\nrate"),
    graded_cell("rate-known", 1, hidden("assert rate in rates", "assert rate == 0.001")),
)
TORCH = document(
    cell("import torch", locked=True, grade_id="imports"),
    solution("relu", solved("def relu(x):", "return torch.clamp(x, min=0)")),
    graded_cell("relu-values", 2, "assert torch.equal(relu(torch.tensor([-1.0, 2.0])), torch.tensor([0.0, 2.0]))"),
    graded_cell(
        "relu-gradient",
        2,
        hidden(
            "x = torch.tensor([-1.0, 3.0], requires_grad=True)",
            "relu(x).sum().backward()",
            "assert x.grad is not None and x.grad.tolist() == [0.0, 1.0]",
        ),
    ),
    cell("seen = []", solution=True, grade_id="seen"),
    graded_cell("earlier-names", 1, "assert x.shape == (2,)"),
    cell(
        "### BEGIN SOLUTION\nprint('Plot the loss.')\n### END SOLUTION",
        grade=True,
        solution=True,
        points=3,
        grade_id="plot",
    ),
)
WORDS = document(
    cell("Why does it learn?", kind="markdown", grade=True, solution=True, points=5, grade_id="why"),
    cell("Draw the graph by hand.", kind="markdown", task=True, locked=True, points=2, grade_id="task"),
)
SOURCE = {"layers": NUMPY, "autograd": TORCH, "words": WORDS}
FILES = {
    "layers.py": "import numpy as np\n\noffset = 1\n\n\ndef same(a, b):\n    return bool(np.allclose(a, b))\n",
    "data/rates.json": "[0.1, 0.01, 0.001]",
}
RIGHT = {
    "affine": AFFINE,
    "backward": BACKWARD,
    "rate": "rate = min(rates)",
    "relu": "def relu(x):\n    return torch.clamp(x, min=0)",
    "seen": "seen = [1]",
    "plot": "print('a plot')",
    "why": "It goes downhill.",
}
OTHERS: Mapping[str, Mapping[str, str]] = {
    "right": {},
    "prints": {"affine": AFFINE.replace("    return", "    print(x.shape)\n    return")},
    "loops": {"affine": "def affine(x, w, b):\n    return np.array([[r @ c for c in w.T] for r in x]) + b"},
    "no-bias": {"affine": "def affine(x, w, b):\n    return x @ w"},
    "summed": {"backward": BACKWARD.replace("dout.sum(axis=0)", "dout.sum()")},
    "transposed": {"backward": BACKWARD.replace("x.T @ dout", "dout.T @ x")},
    "swapped": {"backward": BACKWARD.replace("dout @ w.T, x.T @ dout", "x.T @ dout, dout @ w.T")},
    "by-heart": {"affine": "def affine(x, w, b):\n    return np.array([[2, 1], [1, 2]])"},
    "detached": {"relu": "def relu(x):\n    return torch.clamp(x.detach(), min=0)"},
    "numpy": {"relu": "def relu(x):\n    return torch.tensor(x.detach().numpy().clip(0))"},
    "absolute": {"relu": "def relu(x):\n    return x.abs()"},
    "no-rate": {"rate": "1 / 0"},
    "early": {"affine": "def affine(x, w, b)\n    return x"},
    "no-words": {"why": "Why does it learn?"},
    "rebinds": {"rate": "rate = min(rates)\nrates = []"},
}


def make(folder: Path) -> Path:
    course = folder / "course"
    for name, notebook in SOURCE.items():
        write(course / "source" / "ps" / f"{name}.ipynb", notebook)
    for name, text in FILES.items():
        (course / "source" / "ps" / name).parent.mkdir(exist_ok=True)
        (course / "source" / "ps" / name).write_text(text, encoding="utf-8")
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'dl'\n")
    return course


def hand_in_all(course: Path) -> None:
    """Copies of what nbgrader released, answered; and what students do to notebooks besides."""
    released = {name: course / "release" / "ps" / f"{name}.ipynb" for name in SOURCE}
    for student, other in OTHERS.items():
        _hand_in(course, student, {name: answered(path, {**RIGHT, **other}) for name, path in released.items()})
    untouched = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in released.items()}
    _hand_in(course, "untouched", untouched)
    _hand_in(course, "one-alone", {"layers": answered(released["layers"], RIGHT)})
    for student, change in CHANGES.items():
        notebooks = {name: answered(path, RIGHT) for name, path in released.items()}
        change(notebooks)
        _hand_in(course, student, notebooks)


def _hand_in(course: Path, student: str, notebooks: Notebooks) -> None:
    folder = hand_in(course, student, "ps", notebooks)
    (folder / "data").mkdir()
    (folder / "data" / "rates.json").write_text("[5]", encoding="utf-8")  # replaced by the instructor's
    (folder / "notes.txt").write_text("mine", encoding="utf-8")


def _id(each: dict[str, Any]) -> str:
    return str(each["metadata"].get("nbgrader", {}).get("grade_id", ""))


def _tests_emptied(notebooks: Notebooks) -> None:
    for notebook in notebooks.values():
        for each in notebook["cells"]:
            if each["metadata"].get("nbgrader", {}).get("points") and each["cell_type"] == "code":
                each["source"] = "pass" if _id(each) != "plot" else each["source"]


def _test_removed(notebooks: Notebooks) -> None:
    notebooks["layers"]["cells"] = [each for each in notebooks["layers"]["cells"] if _id(each) != "affine-shape"]


def _cells_added(notebooks: Notebooks) -> None:
    for number, notebook in enumerate(notebooks.values()):
        notebook["cells"].insert(1, cell("extra = 1\nextra") | {"id": f"extra{number}"})
        notebook["cells"].append(cell("Notes.", kind="markdown") | {"id": f"notes{number}"})


def _points_raised(notebooks: Notebooks) -> None:
    for each in notebooks["layers"]["cells"]:
        if "points" in each["metadata"].get("nbgrader", {}):
            each["metadata"]["nbgrader"]["points"] = 100


def _answer_copied(notebooks: Notebooks) -> None:
    """The answer's cell twice, as Jupyter copies it: the later one has nothing in it."""
    cells = notebooks["layers"]["cells"]
    at = next(number for number, each in enumerate(cells) if _id(each) == "affine")
    cells.insert(at + 1, json.loads(json.dumps(cells[at])) | {"id": "copied", "source": AFFINE})


def _answer_in_another_cell(notebooks: Notebooks) -> None:
    cells = notebooks["layers"]["cells"]
    at = next(number for number, each in enumerate(cells) if _id(each) == "affine")
    cells[at]["source"] = "# see below"
    cells.insert(at + 1, cell(AFFINE) | {"id": "below"})


CHANGES: Mapping[str, Callable[[Notebooks], None]] = {
    "tests-emptied": _tests_emptied,
    "test-removed": _test_removed,
    "cells-added": _cells_added,
    "points-raised": _points_raised,
    "answer-copied": _answer_copied,
    "answer-below": _answer_in_another_cell,
}

# Where nbgrader errs: student, notebook, cell, and why.
DIFFERING: Mapping[str, str] = {
    "test-removed layers affine-shape": "a test that the student deleted waits for a person there; here it is run",
}
STOPS = "answer-copied"  # here nbgrader 0.9.6 says that the notebook is of an old version, and grades nobody after it
