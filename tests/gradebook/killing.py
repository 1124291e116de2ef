"""A class that is graded by a process which is killed, again and again, at random moments."""

import json
import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.create import create_course

RIGHT = """import numpy as np

def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
KINDS = (
    RIGHT,
    RIGHT.replace("e.sum(axis=1", "e.sum(axis=0"),
    RIGHT.replace("    e =", "    raise ValueError\n    e ="),
    "def softmax(logits:\n",
)
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Term:
    """A course with a gradebook, its class handed in."""

    course: Path

    @property
    def gradebook(self) -> Path:
        return self.course / "gradebook.db"

    @property
    def out(self) -> Path:
        return self.course / "out"

    def command(self) -> list[str]:
        where = [str(self.course / "class"), "--course", str(self.course), "--out", str(self.out)]
        return [sys.executable, "-m", "autograder", "grade", "softmax", *where, "--jobs", "2", "--json"]

    def count(self) -> int:
        """How many gradings there are."""
        return len(self.rows("SELECT id FROM gradings"))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if not self.gradebook.exists():
            return []
        # Not `mode=ro`: after a kill amid a commit the next who opens it, reader or not, takes that commit back.
        connection = sqlite3.connect(f"file:{self.gradebook}?mode=rw", uri=True, timeout=60)
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # killed before, or still at, its first step
                return []
            raise
        finally:
            connection.close()


def make_term(folder: Path, students: int) -> Term:
    """No two notebooks are the same, so each has to be graded; one in ten cannot be read."""
    course = create_course(folder)
    with (course.dir / "course.toml").open("a", encoding="utf-8") as file:
        file.write("\n[gradebook]\n")
    handed_in = course.dir / "class"
    handed_in.mkdir()
    for number in range(students):
        text = f"# {number}\n{KINDS[number % len(KINDS)]}" if number % 10 else ""
        (handed_in / f"student{number:03}.py").write_text(text, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "autograder", "compile", "softmax", "--course", str(course.dir)],
        check=True, capture_output=True,
    )  # fmt: skip
    return Term(course.dir)


def run_to_the_end(term: Term) -> dict[str, Any]:
    done = subprocess.run(term.command(), capture_output=True, text=True)
    assert done.returncode == 1, done.stderr  # some cannot be read
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def run_and_kill(term: Term, after: int, delay_s: float) -> bool:
    """Kill the process by SIGKILL, `delay_s` after there are so many gradings; False where it ended before."""
    process = subprocess.Popen(term.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + PATIENCE_S
    try:
        while term.count() < after:
            if process.poll() is not None:
                return False
            assert time.monotonic() < limit, f"{term.count()} of {after} gradings after {PATIENCE_S} s"
            time.sleep(0.005)
        time.sleep(delay_s)
        return process.poll() is None
    finally:
        process.kill()
        process.wait()


def facts(term: Term) -> dict[str, list[Any]]:
    """What the gradebook and the results say, without times and the order in which it came."""
    queries = {
        "students": "SELECT student FROM students",
        "submissions": "SELECT digest, suffix, archive FROM submissions",
        "attempts": "SELECT assignment, student, number, submission FROM attempts",
        "records": "SELECT key, state, suite, points FROM records",
        "gradings": "SELECT student, number, record, regrade FROM gradings JOIN attempts ON attempts.id = attempt",
    }
    found: dict[str, list[Any]] = {name: sorted(term.rows(query), key=repr) for name, query in queries.items()}
    documents = [json.loads(document) for (document,) in term.rows("SELECT document FROM records ORDER BY key")]
    lines = (term.out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    for name, records in (("documents", documents), ("results", [json.loads(line) for line in lines])):
        found[name] = [{key: value for key, value in each.items() if key != "measured"} for each in records]
    found["table"] = (term.out / "grades.csv").read_text(encoding="utf-8").splitlines()
    return found


def kill_at_random(term: Term, students: int, kills: int, seed: int) -> int:
    """Kill `kills` runs, each further on than the one before; how many there were to kill.

    What was graded before a kill stays exactly as it was: `measured` too, so nothing is graded twice.
    """
    rng = random.Random(seed)
    killed = 0
    kept: dict[str, str] = {}
    for after in sorted(rng.randrange(students) for _ in range(kills)):
        killed += run_and_kill(term, after, rng.uniform(0.0, 0.2))
        found = dict(term.rows("SELECT key, document FROM records"))
        assert kept.items() <= found.items()
        kept = found
        pairs = "SELECT a.id FROM attempts a LEFT JOIN gradings g ON g.attempt = a.id WHERE g.id IS NULL"
        assert term.rows(pairs) == [], "an attempt without its grading"
    run_to_the_end(term)
    assert kept.items() <= dict(term.rows("SELECT key, document FROM records")).items()
    return killed
