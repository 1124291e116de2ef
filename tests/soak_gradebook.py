"""`python -m tests.soak_gradebook`: a class of 200 killed 50 times, and 1,000 submissions of a CPU-second each.

Part of `make soak`. Each step leaves a file under `.soak/`, named after the code that it was done with, so a killed
run goes on where it was. Prints one line of JSON a step.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.gradebook.killing import RIGHT, Term, facts, kill_at_random, make_term, run_to_the_end

ROOT = Path(__file__).parents[1]
WALL_FACTOR = 1.3  # of student code's own CPU time divided by the cores
GROWTH_MIB = 16.0  # what memory may grow by after the first hundred: noise of the allocator, and names of students
JOBS = 2  # cores that `Term.command` keeps busy
WARM = 100  # submissions until everything is loaded


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak_gradebook", description=__doc__)
    parser.add_argument("--killed", type=int, default=200, help="students of the class that is killed")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--class", type=int, default=1000, dest="students", help="students of the large class")
    parser.add_argument("--burn", type=float, default=1.0, help="CPU seconds of each of its submissions, at least")
    arguments = parser.parse_args()
    kept = ROOT / ".soak" / f"gradebook-{_code()}"
    kept.mkdir(parents=True, exist_ok=True)
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        f"killed-{arguments.kills}-of-{arguments.killed}": lambda: _killed(arguments.killed, arguments.kills),
        f"class-of-{arguments.students}-at-{arguments.burn:g}": lambda: _large(arguments.students, arguments.burn),
    }
    failed = 0
    for name, step in steps.items():
        path = kept / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps({"step": name, **step()}) + "\n", encoding="utf-8")
        line = path.read_text(encoding="utf-8").strip()
        print(line, flush=True)
        failed += bool(json.loads(line)["failures"])
    return 1 if failed else 0


def _killed(students: int, kills: int) -> dict[str, Any]:
    """The same gradebook and the same results as an undisturbed run."""
    with tempfile.TemporaryDirectory() as folder:
        undisturbed, killed = make_term(Path(folder) / "one", students), make_term(Path(folder) / "two", students)
        kept = [f".autograder/suites/softmax/{name}" for name in ("suite.bin", "proof.json")]
        for name in ("course.key", *kept):
            (killed.course / name).write_bytes((undisturbed.course / name).read_bytes())
        run_to_the_end(undisturbed)
        count = kill_at_random(killed, students, kills, seed=200)
        one, other = facts(undisturbed), facts(killed)
        failures = [name for name in one if one[name] != other[name]]
        if count < kills * 0.8:
            failures.append(f"only {count} of {kills} runs were there to be killed")
    return {"students": students, "killed": count, "failures": failures}


def _large(students: int, burn_s: float) -> dict[str, Any]:
    """Wall time beside the CPU time of student code; memory while it is graded, and to the end.

    The end, where tables and pages are written, is held against that of a class of a hundred.
    """
    with tempfile.TemporaryDirectory() as folder:
        *_, small_peak = _measured(make_term(Path(folder) / "small", 1), WARM, 0.0)
        records, wall_s, seen, peak = _measured(make_term(Path(folder) / "large", 1), students, burn_s)
    cpu_s = sum(record["measured"]["cpu_s"] for record in records)
    warm = max(mib for done, mib in seen if WARM <= done < 2 * WARM)
    late = max(mib for done, mib in seen if students - WARM <= done < students)
    failures = []
    if [record["points"] for record in records] != [10.0] * students:
        failures.append("not everybody has full points")
    if burn_s >= 1 and wall_s > WALL_FACTOR * cpu_s / JOBS:
        failures.append(f"{wall_s:.0f} s of wall time, more than {WALL_FACTOR} x {cpu_s:.0f} s / {JOBS}")
    if late - warm > GROWTH_MIB:
        failures.append(f"memory grew by {late - warm:.1f} MiB after the first {WARM}")
    if peak - small_peak > GROWTH_MIB:
        failures.append(f"at its peak {peak - small_peak:.1f} MiB more than a class of {WARM}")
    return {
        "students": students,
        "wall_s": round(wall_s, 1),
        "student_cpu_s": round(cpu_s, 1),
        "factor": round(wall_s * JOBS / cpu_s, 3) if cpu_s else None,
        "mib_after_100": round(warm, 1),
        "mib_at_the_last_100": round(late, 1),
        "peak_mib": round(peak, 1),
        "peak_mib_of_100": round(small_peak, 1),
        "failures": failures,
    }


def _measured(
    term: Term, students: int, burn_s: float
) -> tuple[list[dict[str, Any]], float, list[tuple[int, float]], float]:
    """Records, wall seconds, memory of the grader by how many were graded, and its peak."""
    _hand_in(term, students, burn_s)
    began = time.perf_counter()
    process = subprocess.Popen(term.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen: list[tuple[int, float]] = []
    while process.poll() is None:
        if (mib := _resident_mib(process.pid)) is not None:
            seen.append((term.count(), mib))
        time.sleep(0.2)
    wall_s = time.perf_counter() - began
    lines = (term.out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], wall_s, seen, max(mib for _, mib in seen)


def _hand_in(term: Term, students: int, burn_s: float) -> None:
    """Right notebooks, no two the same, which take their time over each of the five cases."""
    burning = RIGHT.replace(
        "    e =", f"    import time\n    end = time.process_time() + {burn_s / 5}\n"
        "    while time.process_time() < end:\n        pass\n    e =", 1,
    )  # fmt: skip
    handed_in = term.course / "class"
    for path in handed_in.iterdir():
        path.unlink()
    for number in range(students):
        text = f"# {number}\n{burning if burn_s else RIGHT}"
        (handed_in / f"student{number:04}.py").write_text(text, encoding="utf-8")


def _resident_mib(pid: int) -> float | None:
    """Memory of the grader itself; the jails are processes of their own."""
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return None
    return int(found[1]) / 1024 if found else None


def _code() -> str:
    hashed = hashlib.sha256()
    for path in sorted(p for p in (ROOT / "autograder").rglob("*.py") if "__pycache__" not in p.parts):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
