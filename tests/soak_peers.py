"""`python -m tests.soak_peers`: courses made by nbgrader and otter, graded by them and by us; attacks, graded by them;
and an assignment in PyTorch, graded by our zip in Gradescope's container.

Part of `make soak`. Otter is the one that `make bench-peers` installs; nbgrader is in our own environment. Each step
leaves a file under `.soak/`, named after the code that it was done with, so a killed run goes on where it was. Prints
one line of JSON a step.
"""

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.exchange import nbgrader_course, otter_course
from tests.exchange.gradescope import WHEELS, Gradescope
from tests.exchange.nbgrader_class import nbgrader, scores
from tests.exchange.peer_attacks import ATTACKS, THERE, Wins
from tests.exchange.test_peer_attacks import CLASS, FORMS, HONEST, attacked_course, file_of, otter_class
from tests.sandbox import engine

ROOT = Path(__file__).parents[1]
PYTORCH, FULL = "convolution", 100.0  # an assignment with modules of PyTorch, and all its points
# What ends a right notebook, by the question that it spoils.
SPOILT = {
    "residual-block": "import os\n\nResidualBlock.forward = lambda self, x: os._exit(0)",
    "lenet": "LeNet5.forward = lambda self, x: self.dense(torch.relu(torch.flatten(self.maps(x), start_dim=1)))",
}
LIMIT_S = 120.0  # of one notebook by otter, which has no limit of its own


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak_peers", description=__doc__)
    parser.add_argument("--otter", default=ROOT / ".venv-peers" / "otter" / "bin" / "otter", type=Path)
    parser.add_argument("--only", default="", help="steps whose names begin so")
    arguments = parser.parse_args()
    if not arguments.otter.exists():
        print(f"{arguments.otter} is not there: make .venv-peers/otter/.ready", file=sys.stderr)
        return 2
    kept = ROOT / ".soak" / f"peers-{_code()}"
    kept.mkdir(parents=True, exist_ok=True)
    steps: dict[str, Callable[[Path], dict[str, Any]]] = {"attacks-nbgrader": _attacks_nbgrader}
    steps["course-nbgrader"] = _course_nbgrader
    for form in FORMS:
        for lab in otter_course.LABS:
            steps[f"course-otter-{lab}-{form}"] = partial(_course_otter, lab, form, arguments.otter)
        steps[f"attacks-otter-{form}"] = partial(_attacks_otter, form, arguments.otter)
    steps["gradescope-pytorch"] = _gradescope
    failed = 0
    for name, step in steps.items():
        if not name.startswith(arguments.only):
            continue
        path = kept / f"{name}.json"
        if not path.exists():
            with tempfile.TemporaryDirectory() as folder:
                path.write_text(json.dumps({"step": name, **step(Path(folder))}) + "\n", encoding="utf-8")
        line = path.read_text(encoding="utf-8").strip()
        print(line, flush=True)
        failed += bool(json.loads(line)["failures"])
    return 1 if failed else 0


def _attacks_nbgrader(folder: Path) -> dict[str, Any]:
    course = attacked_course(folder)
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.Execute.timeout = 30\n", encoding="utf-8")
    nbgrader(course, "generate_assignment", "hw")
    nbgrader(course, "autograde", "hw")
    query = """
        select a.student_id, c.name, coalesce(g.manual_score, g.auto_score, 0) + coalesce(g.extra_credit, 0)
        from grade g join submitted_notebook s on g.notebook_id = s.id
        join submitted_assignment a on s.assignment_id = a.id join base_cell c on g.cell_id = c.id
    """
    with sqlite3.connect(course / "gradebook.db") as connection:
        rows = connection.execute(query).fetchall()
    won: dict[str, set[str]] = {file_of(name): set() for name in CLASS}
    for student, test, points in rows:
        won[student] |= {test} if points > 0 else set()
    return _compared(won, "nbgrader")


def _attacks_otter(form: str, otter: Path, folder: Path) -> dict[str, Any]:
    packed, handed = otter_class(folder, form)
    notebooks = {file_of(name): handed / file_of(name) / "hw.ipynb" for name in CLASS}
    points = run_otter(otter, packed, notebooks, folder / "out")
    won = {student: {test for test, got in tests.items() if got > 0} for student, tests in points.items()}
    return _compared(won, form)


def _compared(won: Mapping[str, set[str]], system: str) -> dict[str, Any]:
    """What each attack won, and where that is not what the table says."""
    said = {name: getattr(THERE.get(name, Wins()), system) for name in ATTACKS}
    failures = [
        f"{name}: {' '.join(sorted(won[file_of(name)])) or 'nothing'}"
        for name, tests in said.items()
        if won[file_of(name)] != set(tests.split())
    ]
    honest = sorted(won[file_of(HONEST)])
    return {
        "attacks": len(said),
        "winning": sum(bool(won[file_of(name)]) for name in said),
        "honest": honest,
        "failures": failures,
    }


def _course_nbgrader(folder: Path) -> dict[str, Any]:
    """Released, autograded and held in a gradebook by nbgrader; by us, in a copy of the same folder."""
    theirs = nbgrader_course.make(folder)
    said = nbgrader(theirs, "generate_assignment", "ps")
    nbgrader_course.hand_in_all(theirs)
    ours = folder / "ours"
    shutil.copytree(theirs, ours)
    _autograder("grade", "--format", "nbgrader", str(ours), "ps")
    shutil.rmtree(theirs / "submitted" / nbgrader_course.STOPS)
    said += nbgrader(theirs, "autograde", "ps")
    there, here = (scores(place / "gradebook.db") for place in (theirs, ours))
    # Its answer is right, as the one of `right` is.
    there |= {(nbgrader_course.STOPS, *key[1:]): marks for key, marks in there.items() if key[0] == "right"}
    differing = {
        " ".join(key): f"{there.get(key)} there, {here.get(key)} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    }
    return _told(len(there), differing, nbgrader_course.DIFFERING, "" if there else said[-500:])


def _course_otter(name: str, form: str, otter: Path, folder: Path) -> dict[str, Any]:
    """Made by `otter assign`, graded by `otter run`; by us, from the zip and from the source notebook."""
    lab = otter_course.LABS[name]
    source = otter_course.make(lab, folder / "source", form)
    said = _run_otter(otter, "assign", "--no-pdfs", str(source), str(folder / "made"))
    (packed,) = (folder / "made" / "autograder").glob("*.zip")
    handed = otter_course.hand_in(lab, folder / "made" / "student" / source.name, folder / "class")
    there = run_otter(otter, packed, handed, folder / "out")
    differing = {}
    for kind, assignment in (("zip", packed), ("source", source)):
        out = folder / f"out-{kind}"
        _autograder("grade", "--format", "otter", str(assignment), str(folder / "class"), "--out", str(out))
        for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            here = {question["id"]: question["points"] for question in record["questions"]}
            student = record["student"]
            for question in here.keys() | there[student].keys():
                if there[student].get(question) != here.get(question):
                    told = f"{there[student].get(question)} there, {here.get(question)} here"
                    differing[f"{student} {question} by {kind}"] = told
    known = {f"{each} by {kind}" for each in otter_course.DIFFERING[name, form] for kind in ("zip", "source")}
    count = sum(map(len, there.values()))
    return _told(count, differing, known, "" if count else said[-500:])


def _gradescope(folder: Path) -> dict[str, Any]:
    """The flagship's assignment with modules of PyTorch: a zip for a container of the wheels and Debian alone."""
    course, packed = ["--course", str(ROOT)], folder / "autograder.zip"
    _autograder("compile", PYTORCH, *course)
    _autograder("gradescope", "pack", PYTORCH, *course, "--out", str(packed), "--pip-options", WHEELS)
    right = (ROOT / "solutions" / PYTORCH / f"{PYTORCH}.py").read_text(encoding="utf-8")
    classes = {"right": right} | {name: f"{right}\n\n# %%\n{end}" for name, end in SPOILT.items()}
    cache = ROOT / ".pytest_cache" / "d" / "docker"
    cache.mkdir(parents=True, exist_ok=True)
    with engine.running() as host:
        gradescope = Gradescope(host, cache, packed.read_bytes())
        ran = {name: gradescope.grade({"hw.py": text.encode()}) for name, text in classes.items()}
        gradescope.close()
    failures = [f"{name}: {each.printed[-500:]}" for name, each in ran.items() if each.code]
    failures += [f"{name} left {', '.join(each.left)}" for name, each in ran.items() if each.left]
    points = {name: each.scores for name, each in ran.items() if not each.code}
    full = points.get("right", {})
    failures += [] if sum(full.values()) == FULL else [f"the solution got {full}"]
    for name, got in points.items():
        lost = {question for question in full if got[question] < full[question]}
        failures += [] if lost == ({name} if name in SPOILT else set()) else [f"{name} lost points for {lost}"]
    isolation = {line.rpartition("isolation: ")[2] for each in ran.values() for line in each.printed.splitlines()[-1:]}
    return {"points": points, "isolation": sorted(isolation), "failures": failures}


def _told(count: int, differing: Mapping[str, str], known: Collection[str], said: str) -> dict[str, Any]:
    """How many marks were compared; the differences that are not known, and the known ones that are not there."""
    failures = [f"{key}: {told}" for key, told in differing.items() if key not in known]
    failures += [f"{key}: no difference any more" for key in known if key not in differing]
    failures = failures[:40] + ([said] if said else [])
    return {"marks": count, "differing": len(differing), "failures": failures}


def _autograder(*arguments: str) -> None:
    command = [sys.executable, "-m", "autograder", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)


def _run_otter(otter: Path, *arguments: str, timeout: float = 600.0) -> str:
    path = os.pathsep.join([str(otter.parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path}
    command = [str(otter), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, env=environment)
    return done.stdout + done.stderr


def run_otter(otter: Path, packed: Path, notebooks: Mapping[str, Path], out: Path) -> dict[str, dict[str, float]]:
    """For each student the points of each question by `otter run`; none where it has no result."""
    wanted = [[str(path), str(out / student)] for student, path in notebooks.items()]
    for _, place in wanted:
        Path(place).mkdir(parents=True)
    told = json.dumps({"packed": str(packed), "limit_s": LIMIT_S, "wanted": wanted})
    path = os.pathsep.join([str(otter.parent), os.environ.get("PATH", "")])
    command = [str(otter.with_name("python")), "-c", _RUN, told]
    subprocess.run(command, capture_output=True, check=True, env=os.environ | {"PATH": path})
    points: dict[str, dict[str, float]] = {}
    for student in notebooks:
        results = out / student / "results.json"
        tests = json.loads(results.read_text(encoding="utf-8"))["tests"] if results.exists() else []
        points[student] = {test["name"]: test["score"] for test in tests if "score" in test}
    return points


# `otter run` for each notebook, in a fork: importing it takes longer than what it does.
_RUN = """
import json, os, signal, sys
from otter import run
told = json.loads(sys.argv[1])
for notebook, out in told["wanted"]:
    pid = os.fork()
    if pid == 0:
        signal.alarm(int(told["limit_s"]))
        run.main(notebook, autograder=told["packed"], output_dir=out, no_logo=True)
        os._exit(0)
    os.waitpid(pid, 0)
"""


def _code() -> str:
    hashed = hashlib.sha256()
    for folder in (ROOT / "autograder", ROOT / "tests" / "exchange"):
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
