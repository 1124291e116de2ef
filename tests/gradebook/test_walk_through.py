"""Does docs/term.md tell of a term that can be gone through, command by command?"""

import csv
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.exchange.lms import Canvas, Person
from tests.guides import Command, Reader, steps

GUIDE = "term.md"
RIGHT = """
import numpy as np

def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
WITH_TEMPERATURE = RIGHT.replace(
    "np.exp(logits - logits.max(axis=1, keepdims=True))", "np.exp(2 * (logits - logits.max(axis=1, keepdims=True)))"
)
COLUMNS = RIGHT.replace("e.sum(axis=1", "e.sum(axis=0")
ANSWERS = {
    "ada": RIGHT,
    "bob": COLUMNS,
    "eve": WITH_TEMPERATURE,
    "kim": f"{RIGHT}\n# late",
    "lilei": f"{RIGHT}\n# 李雷",
}


def handed_out(folder: Path, notebook: Callable[..., bytes]) -> Canvas:
    """What the guide says lies beside the course: the two files that come from the LMS."""
    names = {"ada": ("Ada", "Nagy"), "bob": ("Bob", "O'Hara, Jr."), "eve": ("Eve", "Weber"), "kim": ("Kim", "Doe")}
    names |= {"lilei": ("雷", "李"), "zoe": ("Zoë", "Ruiz")}
    people = [Person(n, login, f"00{n}", *names[login]) for n, login in enumerate(names, 101)]
    canvas = Canvas(people, {"Softmax": 10})
    (folder / "roster.csv").write_bytes(canvas.export())
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for person in people:
            if person.login in ANSWERS:
                stem = re.sub(r"[^\w]", "", f"{person.last}{person.first}").lower()
                late = "LATE_" if person.login == "kim" else ""
                name = f"{stem}_{late}{person.number}_{person.number + 5000}_softmax.ipynb"
                archive.writestr(name, notebook(ANSWERS[person.login]))
    return canvas


@pytest.mark.slow
def test_the_walk_through_runs_and_ends_as_it_says(tmp_path: Path, notebook: Callable[..., bytes]) -> None:
    found = steps(GUIDE)
    assert len(found) > 20
    (verify,) = [place for place, each in enumerate(found) if isinstance(each, Command) and "--verify" in each.line]
    canvas = handed_out(tmp_path, notebook)
    reader = Reader(tmp_path)
    reader.follow(found[:verify])
    course = tmp_path / "course"
    canvas.upload((course / "out" / "send.csv").read_bytes())
    # bob is wrong by either test; kim came a day after her extension; zoe handed in nothing.
    grades = {person.login: person.grades.get("Softmax") for person in canvas.people}
    assert grades == {"ada": "10.00", "bob": "0.00", "eve": "10.00", "kim": "9.00", "lilei": "10.00", "zoe": None}
    (tmp_path / "after.csv").write_bytes(canvas.export())
    reader.follow(found[verify:])

    pages = {path.stem: path.read_text(encoding="utf-8") for path in (course / "out/softmax/feedback").iterdir()}
    assert set(pages) == set(ANSWERS)
    assert "look again before the exam" in pages["eve"]
    assert "1 day late: 1 point was taken off" in pages["kim"]
    assert "<b>10</b> <span>of 10 points</span>" in pages["ada"]  # by hand and by the tests of now
    assert "right; the test has a temperature" not in pages["ada"]
    with zipfile.ZipFile(course / "out" / "feedback.zip") as archive:
        told = [json.loads(archive.read(name))["cells"][0]["source"] for name in archive.namelist()]
    assert sum("10.00 of 10 points" in text for text in told) == 3
    assert (course / "out/softmax-report/report.html").is_file()
    with (course / "out" / "totals.csv").open(encoding="utf-8", newline="") as file:
        totals = {row["student"]: row["total"] for row in csv.DictReader(file)}
    assert totals["ada"] == "90.40"  # 40 % of 100 and 60 % of 84
    assert totals["bob"] == ""
