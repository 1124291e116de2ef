"""Does docs/tutorial.md lead from an empty folder to graded notebooks, by what stands in it and nothing else?"""

import csv
import json
import os
from pathlib import Path

import pytest

from tests.guides import Changed, Command, Quoted, Reader, Written, steps


@pytest.mark.slow
def test_the_tutorial_is_followed_to_the_letter(tmp_path: Path) -> None:
    found = steps("tutorial.md")
    kinds = [type(step) for step in found]
    assert [kinds.count(kind) for kind in (Written, Changed, Quoted)] == [6, 1, 1]
    assert sum(isinstance(step, Command) and bool(step.shown) for step in found) > 15
    home, folder = tmp_path / "home", tmp_path / "empty"
    home.mkdir()
    folder.mkdir()
    reader = Reader(folder, {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"})
    reader.follow(found)

    course = folder / "mycourse"
    assert reader.at == course
    with (course / "out/losses/grades.csv").open(encoding="utf-8", newline="") as file:
        points = {row["student"]: row["points"] for row in csv.DictReader(file)}
    assert points == {"ada": "10", "bob": "5", "cleo": "0"}
    lines = (course / "out/losses/results.jsonl").read_text(encoding="utf-8").splitlines()
    outcomes = {
        record["student"]: {check["id"]: check["outcome"] for check in record["questions"][0]["checks"]}
        for record in map(json.loads, lines)
    }
    assert outcomes["ada"] == {"loss": "passed", "dpredictions": "passed"}
    assert outcomes["bob"] == {"loss": "passed", "dpredictions": "wrong_value"}
    assert outcomes["cleo"] == {"loss": "missing", "dpredictions": "missing"}
    assert {path.name for path in folder.iterdir()} == {"mycourse", "backup-of-course.key"}
    assert not list(home.iterdir())  # nothing is left where nobody looks for it
