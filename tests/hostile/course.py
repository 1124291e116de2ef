"""A course of two small questions: one that is attacked, and one that must not suffer by it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course.create import create_course
from autograder.course.load import Course
from autograder.grading import asked, examiner

WAVES = '''
"""Which topic is attacked?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, topic


@topic(lecture="tests", returns=("wave",))
def wave(x: Float[Array, "N"]) -> Float[Array, "N"]:
    """x sin x.

    >>> wave(np.zeros(2))
    array([0., 0.])
    """
    return x * np.sin(x)


@wave.cases
def _(rng):
    yield case("ordinary", x=rng.uniform(0.5, 2.5, size=5))
    yield case("longer", x=rng.uniform(0.5, 2.5, size=9))
    yield case("short", x=rng.uniform(0.5, 2.5, size=3))


@wave.alternative
def _(x):
    return np.array([math.sin(number) * number for number in map(float, x)])


wave.misconception("cosine", ("np.sin", "np.cos"), hint="Which of the two is 0 at 0?")
wave.misconception("not multiplied", ("x * np.sin(x)", "np.sin(x)"), hint="What grows with x?")
'''

ASSIGNMENT = """
title = "Attacked"

[[questions]]
id = "wave"
topic = "wave"
points = 10
cpu_s = 0.6
memory_mib = 256

[[questions]]
id = "softmax"
topic = "softmax"
points = 10
cpu_s = 4.0
memory_mib = 256

[limits]
cell_cpu_s = 0.6
load_cpu_s = 2.0
"""

COURSE = """
title = "Attacked"

[environments.numpy]
packages = PACKAGES
"""


def make(folder: Path, packages: Sequence[str] = ("numpy", "ipython")) -> Course:
    course = create_course(folder)
    for name, text in (
        ("course.toml", COURSE.replace("PACKAGES", json.dumps(packages))),
        ("reference/waves.py", WAVES),
        ("assignments/hostile/assignment.toml", ASSIGNMENT),
        ("solutions/hostile/hostile.py", "def wave(x):\n    return x * np.sin(x)\n"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return course


def on_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer before a loop that other processes keep from running is called a fault of ours."""
    usual = examiner.limits_of
    for module in (examiner, asked):  # which load submissions, and the reference beside them
        monkeypatch.setattr(module, "limits_of", lambda *given: replace(usual(*given), wall_factor=60.0))
