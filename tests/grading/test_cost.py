"""A question of cost, from assignment.toml to the record: right, slow and hostile answers."""

import inspect
import json
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from autograder.course.load import load_course
from autograder.course.references import load_topics
from tests.checks import topics

TOPIC = "import numpy as np\n\nfrom autograder.topic import Array, Float, case, topic\n\n\n" + "\n\n".join(
    inspect.getsource(part)
    for part in (topics.distances, topics.slow_distances, topics.bulky_distances, topics.make_distances)
)
ASSIGNMENT = """
title = "Cost"

[[questions]]
id = "distances"
topic = "distances"
points = 10
cost_factor = 8
"""
COURSE = 'title = "Cost"\n\n[environments.numpy]\npackages = ["numpy", "ipython"]\n'

RIGHT = "import numpy as np\ndef distances(x):\n    return np.array([((x - row) ** 2).sum(axis=1) for row in x])\n"
SLOW = "import numpy as np\n" + inspect.getsource(topics.slow_distances)
AWAY = """
import os, pickle, signal
def distances(x):
    if len(x) < 50:
        return slow_distances(x)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    there, here = os.pipe()
    if os.fork() == 0:
        with os.fdopen(here, "wb") as pipe:
            pickle.dump(slow_distances(x), pipe)
        os._exit(0)
    os.close(here)
    with os.fdopen(there, "rb") as pipe:
        return pickle.load(pipe)
"""
CACHE = """
import hashlib, os, pickle
def distances(x):
    name = "/tmp/" + hashlib.sha256(x.tobytes()).hexdigest()
    if not os.path.exists(name):
        with open(name, "wb", 0) as file:
            file.write(b"begun")  # before the time that a call has is over
            pickle.dump(slow_distances(x), file)
    with open(name, "rb") as file:
        file.seek(len(b"begun"))
        return pickle.load(file)
"""
SLEEP = """
import time
def distances(x):
    if len(x) > 50:
        time.sleep(0.3)
    return np.array([((x - row) ** 2).sum(axis=1) for row in x])
"""
# The reference, if it were here, would be in a cell, in memory or in a file.
LOOKS = """
import glob
def distances(x):
    found = [name for name in glob.glob("/tmp/**", recursive=True) if name.endswith((".py", ".bin"))]
    with open("/proc/self/maps") as maps:
        places = [line.split()[0] for line in maps if " rw" in line and "[heap]" in line]
    with open("/proc/self/mem", "rb", 0) as memory:
        for place in places:
            begin, end = (int(each, 16) for each in place.split("-"))
            memory.seek(begin)
            if b"(x[:, None] - x[None])" + b" ** 2)" in memory.read(end - begin):
                found.append(place)
    return slow_distances(x) if not found else np.array([((x - row) ** 2).sum(axis=1) for row in x])
"""
CLASS = {
    "right": (RIGHT, "passed", 10.0),
    "slow": (SLOW.replace("slow_distances", "distances"), "over_cost", 5.0),
    "away": (SLOW + AWAY, "raised", 5.0),
    "cache": (SLOW + CACHE, "raised", 5.0),
    "sleep": (SLOW + SLEEP, "over_cost", 5.0),
    "looks": (SLOW + LOOKS, "over_cost", 5.0),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, keep_reference) -> dict[str, dict]:
    return grade_class(tmp_path_factory.mktemp("cost"), ASSIGNMENT, CLASS, keep_reference)


def grade_class(folder: Path, assignment: str, sources: dict[str, tuple], keep_reference) -> dict[str, dict]:
    """The records of a class by student, each with its page, in a course of its own."""
    course = create_course(folder / "course")
    (course.dir / "course.toml").write_text(COURSE, encoding="utf-8")
    (course.dir / "reference" / "distances.py").write_text(f"{TOPIC}\n\ntold = make_distances()\n", encoding="utf-8")
    (course.dir / "assignments" / "cost").mkdir()
    (course.dir / "assignments" / "cost" / "assignment.toml").write_text(assignment, encoding="utf-8")
    for name, (source, *_) in sources.items():
        (folder / "class").mkdir(exist_ok=True)
        (folder / "class" / f"{name}.py").write_text(source, encoding="utf-8")
    with keep_reference():
        assert "distances" in load_topics(load_course(course.dir))
        assert main(["compile", "cost", "--course", str(course.dir)]) == 0
        command = ["grade", "cost", str(folder / "class"), "--course", str(course.dir), "--out", str(folder / "out")]
        assert main(command) == 0
        records = [json.loads(line) for line in (folder / "out" / "results.jsonl").read_text().splitlines()]
    return {record["student"]: {**record, "page": _page(folder, record["student"])} for record in records}


def _page(folder: Path, student: str) -> str:
    return (folder / "out" / "feedback" / f"{student}.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("student", CLASS)
def test_outcome_of_cost(graded, student):
    record = graded[student]
    checks = {check["id"]: check for check in record["questions"][0]["checks"]}
    _, outcome, points = CLASS[student]
    assert checks["squares"]["outcome"] == "passed"
    assert (checks["cost"]["outcome"], record["points"]) == (outcome, points)
    assert (record["state"], record["questions"][0]["max_points"]) == ("graded", 10.0)


@pytest.mark.slow
def test_ratio_is_measured_beside_the_record_and_told_in_words_on_the_page(graded):
    assert graded["right"]["measured"]["cost_ratios"]["distances"] < 4
    assert graded["slow"]["measured"]["cost_ratios"]["distances"] > 8
    assert "more than 8 times the CPU time of our own way" in graded["slow"]["page"]
    assert "no process and no thread can be started" in graded["away"]["page"]
    assert "no file can be written" in graded["cache"]["page"]
