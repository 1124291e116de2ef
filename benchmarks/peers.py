"""How long do nbgrader, otter and this take for the same notebooks and the same tests, and who marks right?

`make bench-peers` installs both in environments of their own below `.venv-peers/`, makes one class, lets
each grade it in turn, round after round, and writes a table and a picture into docs/benchmarks.md. Wall
and CPU seconds and the largest memory are of the whole process tree; memory is the proportional share
(PSS), so that what forks share counts once.
"""

import argparse
import json
import math
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LIMIT_S = 10  # of one cell, for all that have a limit; otter has none and is killed from outside
PACKAGES = {"nbgrader": ("nbgrader==0.9.6", "ipykernel"), "otter": ("otter-grader==7.0.0", "ipykernel")}
PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "benchmarks-peers.svg"
ORDINARY, ODD_ONES = "Ordinary notebooks", "What ends badly as well"
PAGE_TEXT = """# Measured

## Beside nbgrader and otter

The same notebooks and the same tests, by each in its own way (`make bench-peers`). Each is started as a user would
start it, so imports and the start of servers are in the times: once a class for us, for each notebook with the peers.
A cell has {limit} s; otter has no limit, and is ended from outside after {ended} s of CPU. Every notebook imports NumPy
and PyTorch, but those for our own suite, which has ten questions on NumPy. Memory is of the whole process tree, what is
shared counted once.

### Ordinary notebooks

<!-- Ordinary notebooks -->

{ordinary}

<!-- end -->

![Wall time of a notebook](benchmarks-peers.svg)

### What ends badly as well

One student each is wrong, warns on stderr, prints, calls `os._exit`, loops for ever, prints 50 MB; the others are
right. A wrong mark is a student whose points are others than were earned.

<!-- What ends badly as well -->

{odd}

<!-- end -->
"""
OWN_AT_MOST = 100  # notebooks for our own suite

SOFTMAX = (
    "def softmax(z):\n    e = np.exp(z - z.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)"
)
LINEAR = "def linear(x, W, b):\n    return x @ W + b"
STEP = "def step(w, grad, lr):\n    return w - lr * grad"
QUESTIONS = {"softmax": 4.0, "linear": 3.0, "step": 3.0}
TESTS = {
    "softmax": """p = softmax(np.array([[0.0, 0.0], [1000.0, 0.0]]))
assert np.allclose(p, [[0.5, 0.5], [1.0, 0.0]])""",
    "linear": """y = linear(np.ones((2, 3)), np.ones((3, 2)), np.array([0.0, 1.0]))
assert np.allclose(y, [[3.0, 4.0]] * 2)""",
    "step": """w = step(torch.ones(3), torch.tensor([1.0, 0.0, -1.0]), 0.5)
assert torch.allclose(w, torch.tensor([0.5, 1.0, 1.5]))""",
}
RIGHT = {"softmax": SOFTMAX, "linear": LINEAR, "step": STEP}
WARNS = f"import warnings\n{STEP.replace('return', 'warnings.warn(str(grad)); return')}"
ODD: Mapping[str, tuple[dict[str, str], dict[str, float]]] = {
    "wrong": ({"softmax": SOFTMAX.replace("axis=1", "axis=0")}, {"softmax": 0.0}),
    "warns": ({"step": WARNS}, {}),
    "prints": ({"linear": LINEAR.replace("    return", "    print(x.shape)\n    return")}, {}),
    "exits": ({"linear": "import os\ndef linear(x, W, b):\n    os._exit(0)"}, {"linear": 0.0}),
    "loops": ({"softmax": "def softmax(z):\n    while True:\n        pass"}, {"softmax": 0.0}),
    "floods": ({"linear": f"{LINEAR}\nprint('x' * 50_000_000)"}, {}),
}


@dataclass(frozen=True)
class Run:
    """One grading of a class."""

    notebooks: int
    wall_s: float
    cpu_s: float
    peak_mib: float
    wrong: int  # students with another mark than they earned


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--peers-first",
        type=int,
        metavar="N",
        help="nbgrader and otter, which take one notebook after the other, get N",
    )
    parser.add_argument("--ordinary", action="store_true", help="leave out what loops, exits or floods")
    parser.add_argument("--peers", default=ROOT / ".venv-peers", type=Path)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md and its picture")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    names = _class(arguments.students, ordinary=arguments.ordinary)
    with tempfile.TemporaryDirectory() as folder:
        runs = _measure(Path(folder), names, arguments)
    table = _table(runs, arguments, load)
    print(table)
    if arguments.write:
        part = ORDINARY if arguments.ordinary else ODD_ONES
        PAGE.write_text(_page({part: table}), encoding="utf-8")
        if arguments.ordinary:
            _draw(runs)
    return 0


def _class(students: int, *, ordinary: bool) -> dict[str, tuple[dict[str, str], dict[str, float]]]:
    """Answers and points of everybody: mostly right ones."""
    odd = {name: ODD[name] for name in ODD if not ordinary or name in ("wrong", "warns", "prints")}
    plain = {f"right{number:02}": ({}, {}) for number in range(max(students - len(odd), 0))}
    everybody = {**odd, **plain}
    return {name: (RIGHT | code, QUESTIONS | points) for name, (code, points) in everybody.items()}


def _measure(folder: Path, names: Mapping[str, Any], arguments: argparse.Namespace) -> dict[str, list[Run]]:
    first = dict([*names.items()][: arguments.peers_first])  # the odd ones among them
    course, handed, packed = _nbgrader_course(folder, names), _otter_class(folder, names), _otter_zip(folder)
    theirs = course if first == names else _nbgrader_course(folder / "first", first)
    own = folder / "own"
    own.mkdir()
    for name in [*names][:OWN_AT_MOST]:
        shutil.copy(ROOT / "solutions" / "foundations" / "foundations.py", own / f"{name}.py")
    _program(ROOT, "compile", "foundations")
    peers: dict[str, Callable[[], Run]] = {
        "nbgrader autograde": lambda: _nbgrader(theirs, arguments.peers, first),
        "otter run": lambda: _otter(handed, packed, arguments.peers, first, folder),
        "grade --format nbgrader": lambda: _ours_nbgrader(course, names),
        "grade --format otter": lambda: _ours_otter(handed, packed, names, folder),
        "our own suite (foundations)": lambda: _ours_suite(own, folder),
    }
    runs: dict[str, list[Run]] = {name: [] for name in peers}
    for _ in range(arguments.rounds):
        for name, run in peers.items():
            runs[name].append(run())
            print(f"{name}: {runs[name][-1]}", file=sys.stderr, flush=True)
    return runs


# The class, in the forms of both.


def _cell(source: str, kind: str = "code", **metadata: Any) -> dict[str, Any]:
    made = {"cell_type": kind, "metadata": metadata, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _notebook(cells: list[dict[str, Any]]) -> str:
    numbered = [cell | {"id": f"c{number}"} for number, cell in enumerate(cells)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": numbered, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


def _nbgrader_cells(answers: Mapping[str, str]) -> list[dict[str, Any]]:
    usual = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    cells = [_cell("import numpy as np\nimport torch", nbgrader=usual | {"locked": True, "grade_id": "imports"})]
    for name, points in QUESTIONS.items():
        cells.append(_cell(answers[name], nbgrader=usual | {"solution": True, "grade_id": name}))
        test = {"grade": True, "locked": True, "grade_id": f"test-{name}", "points": points}
        cells.append(_cell(TESTS[name], nbgrader=usual | test))
    return cells


def _nbgrader_course(folder: Path, names: Mapping[str, Any]) -> Path:
    course = folder / "course"
    course.mkdir(parents=True)
    solved = {name: f"### BEGIN SOLUTION\n{code}\n### END SOLUTION" for name, code in RIGHT.items()}
    for place, answers in [("source/hw", solved), *((f"submitted/{s}/hw", names[s][0]) for s in names)]:
        (course / place).mkdir(parents=True)
        (course / place / "hw.ipynb").write_text(_notebook(_nbgrader_cells(answers)), encoding="utf-8")
    (course / "nbgrader_config.py").write_text(f"c = get_config()\nc.Execute.timeout = {LIMIT_S}\n", encoding="utf-8")
    return course


def _otter_class(folder: Path, names: Mapping[str, Any]) -> Path:
    handed = folder / "handed"
    for student, (answers, _) in names.items():
        cells = [_cell("import otter\ngrader = otter.Notebook('hw.ipynb')"), _cell("import numpy as np\nimport torch")]
        for name in QUESTIONS:
            cells += [_cell(answers[name]), _cell(f"grader.check({name!r})")]
        (handed / student).mkdir(parents=True)
        (handed / student / "hw.ipynb").write_text(_notebook(cells), encoding="utf-8")
    return handed


def _otter_zip(folder: Path) -> Path:
    made = folder / "made"
    (made / "tests").mkdir(parents=True)
    for name, points in QUESTIONS.items():
        code = "\n".join(f">>> {line}" for line in TESTS[name].split("\n"))
        suite = {"type": "doctest", "cases": [{"code": code, "hidden": False}]}
        test = {"name": name, "points": points, "suites": [suite]}
        (made / "tests" / f"{name}.py").write_text(f"OK_FORMAT = True\n\ntest = {test!r}\n", encoding="utf-8")
    (made / "otter_config.json").write_text('{"lang": "python"}', encoding="utf-8")
    for name in ("requirements.txt", "environment.yml"):
        (made / name).write_text("", encoding="utf-8")
    return Path(shutil.make_archive(str(folder / "hw-autograder"), "zip", made))


# Each grader.


def _nbgrader(course: Path, peers: Path, names: Mapping[str, Any]) -> Run:
    place = _copy(course)
    program = [str(peers / "nbgrader" / "bin" / "nbgrader")]
    path = {"PATH": os.pathsep.join([str(peers / "nbgrader" / "bin"), os.environ["PATH"]])}
    subprocess.run([*program, "generate_assignment", "hw"], cwd=place, env=os.environ | path, capture_output=True)
    return _timed([[*program, "autograde", "hw"]], lambda: _in_gradebook(place, names), len(names), cwd=place, env=path)


def _otter(handed: Path, packed: Path, peers: Path, names: Mapping[str, Any], folder: Path) -> Run:
    out = folder / "otter-out"
    shutil.rmtree(out, ignore_errors=True)
    program = str(peers / "otter" / "bin" / "otter")
    path = {"PATH": os.pathsep.join([str(peers / "otter" / "bin"), os.environ["PATH"]])}
    commands = []
    for student in names:
        (out / student).mkdir(parents=True)
        notebook = str(handed / student / "hw.ipynb")
        commands.append([program, "run", "--no-logo", "-a", str(packed), "-o", str(out / student), notebook])

    def wrong() -> int:
        given = {}
        for student in names:
            result = out / student / "results.json"
            tests = json.loads(result.read_text())["tests"] if result.exists() else []
            given[student] = {test["name"]: test["score"] for test in tests if "score" in test}
        return sum(given[student] != points for student, (_, points) in names.items())

    return _timed(commands, wrong, len(names), env=path, each_cpu_s=3 * LIMIT_S)


def _ours_nbgrader(course: Path, names: Mapping[str, Any]) -> Run:
    place = _copy(course)
    command = [*_own(), "grade", "--format", "nbgrader", str(place), "hw"]
    return _timed([command], lambda: _in_gradebook(place, names), len(names))


def _ours_otter(handed: Path, packed: Path, names: Mapping[str, Any], folder: Path) -> Run:
    out = folder / "ours-otter"
    seconds = ["--cell-seconds", str(LIMIT_S)]
    command = [*_own(), "grade", "--format", "otter", str(packed), str(handed), "--out", str(out), *seconds]
    return _timed([command], lambda: _in_results(out, names), len(names))


def _ours_suite(handed: Path, folder: Path) -> Run:
    out = folder / "ours-suite"
    shutil.rmtree(out, ignore_errors=True)

    def wrong() -> int:
        lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
        return sum(record["points"] != record["max_points"] for record in map(json.loads, lines))

    command = [*_own(), "grade", "foundations", str(handed), "--course", str(ROOT), "--out", str(out)]
    return _timed([command], wrong, len([*handed.iterdir()]))


def _own() -> list[str]:
    return [sys.executable, "-m", "autograder"]


def _program(place: Path, *arguments: str) -> None:
    subprocess.run([*_own(), *arguments], cwd=place, check=True, capture_output=True)


def _copy(course: Path) -> Path:
    """A fresh course: nobody gains by what an earlier run left."""
    place = course.with_name("graded")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(course, place)
    return place


def _in_gradebook(course: Path, names: Mapping[str, Any]) -> int:
    query = """
        select a.student_id, c.name, g.auto_score from grade g join submitted_notebook s on g.notebook_id = s.id
        join submitted_assignment a on s.assignment_id = a.id join base_cell c on g.cell_id = c.id
    """
    given: dict[str, dict[str, float]] = {name: {} for name in names}
    connection = sqlite3.connect(course / "gradebook.db")
    for student, cell, points in connection.execute(query):
        given[student][cell.removeprefix("test-")] = points
    connection.close()
    return sum(given[name] != points for name, (_, points) in names.items())


def _in_results(out: Path, names: Mapping[str, Any]) -> int:
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    given = {
        record["student"]: {question["id"]: question["points"] for question in record["questions"]}
        for record in map(json.loads, lines)
    }
    return sum(given.get(name) != points for name, (_, points) in names.items())


# Measuring.


def _timed(
    commands: list[list[str]],
    wrong: Callable[[], int],
    notebooks: int,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    each_cpu_s: float = math.inf,
) -> Run:
    peak = _Peak()
    before, began = os.times(), time.perf_counter()
    for command in commands:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=os.environ | dict(env or {}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        peak.watch(process.pid)
        while process.poll() is None:
            if _cpu_s(process.pid) > each_cpu_s:
                _end(process.pid)  # what has no limit of its own is ended from outside
            time.sleep(0.05)
    wall = time.perf_counter() - began
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(notebooks, wall, cpu, peak.stop(), wrong())


class _Peak:
    """Looks at a process tree four times a second and remembers the most that it held."""

    def __init__(self) -> None:
        self._pid = 0
        self._most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def watch(self, pid: int) -> None:
        self._pid = pid

    def stop(self) -> float:
        self._over.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._over.wait(0.25):
            self._most = max(self._most, sum(_pss_mib(pid) for pid in _tree(self._pid)))


def _tree(pid: int) -> Iterator[int]:
    if not pid:
        return
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))
    except OSError:
        return  # it has ended while we looked


def _end(pid: int) -> None:
    for each in [*_tree(pid)][::-1]:
        try:
            os.kill(each, 9)
        except ProcessLookupError:
            continue


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process tree: not of the clock, by which a busy machine would end what is only slow."""
    ticks = 0
    for each in _tree(pid):
        try:
            ticks += sum(map(int, Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:15]))
        except OSError:
            continue  # it has ended while we looked
    return ticks / os.sysconf("SC_CLK_TCK")


def _pss_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


# What is told.


def _table(runs: Mapping[str, list[Run]], arguments: argparse.Namespace, load: float) -> str:
    command = f"python -m benchmarks.peers --students {arguments.students} --rounds {arguments.rounds}"
    command += f" --peers-first {arguments.peers_first}" if arguments.peers_first else ""
    command += " --ordinary" if arguments.ordinary else ""
    rows = [
        f"Medians of {arguments.rounds} rounds, one grader after the other in each; three tests a notebook (ten "
        f"questions for our own suite). `{command}`, {time.strftime('%Y-%m-%d')}, {_machine()}, load average "
        f"{load:.1f} before the first (0: nobody else used it).",
        "",
        "| | notebooks | wall | a notebook | CPU a notebook | peak memory | wrong marks |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, each in runs.items():
        wall, cpu = _median(each, "wall_s"), _median(each, "cpu_s")
        notebooks, peak, wrong = each[0].notebooks, max(run.peak_mib for run in each), max(run.wrong for run in each)
        rows.append(
            f"| {name} | {notebooks} | {wall:.1f} s | {1000 * wall / notebooks:.0f} ms "
            f"| {1000 * cpu / notebooks:.0f} ms | {peak:.0f} MiB | {wrong} |"
        )
    return "\n".join([*rows, "", *_ratios(runs)]) + "\n"


def _median(runs: list[Run], of: str) -> float:
    return statistics.median(getattr(run, of) for run in runs)


def _ratios(runs: Mapping[str, list[Run]]) -> Iterator[str]:
    """How many times the throughput of each we have with the same tests, by the clock and by CPU time."""
    for theirs, ours in (("nbgrader autograde", "grade --format nbgrader"), ("otter run", "grade --format otter")):
        wall, cpu = (
            _median(runs[theirs], of) / runs[theirs][0].notebooks / (_median(runs[ours], of) / runs[ours][0].notebooks)
            for of in ("wall_s", "cpu_s")
        )
        yield f"`{ours}` has {wall:.1f} times the throughput of `{theirs}` by the clock, {cpu:.1f} by CPU time."


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return f"{len(os.sched_getaffinity(0))} cores of {model}, Python {platform.python_version()}"


def _page(new: Mapping[str, str]) -> str:
    """The page with a table of this run in the place of the one of its kind; the other stays."""
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    tables = {}
    for part in (ORDINARY, ODD_ONES):
        kept = old.partition(f"<!-- {part} -->")[2].partition("<!-- end -->")[0]
        tables[part] = new.get(part, kept).strip() or "Not measured yet."
    return PAGE_TEXT.format(limit=LIMIT_S, ended=3 * LIMIT_S, ordinary=tables[ORDINARY], odd=tables[ODD_ONES])


def _draw(runs: Mapping[str, list[Run]]) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    names = list(runs)[::-1]
    each = [1000 * _median(runs[name], "wall_s") / runs[name][0].notebooks for name in names]
    figure, axes = pyplot.subplots(figsize=(7, 2.6), layout="constrained")
    bars = axes.barh(names, each)
    axes.bar_label(bars, [f"{wall:.0f} ms" for wall in each], padding=3)
    axes.set_xscale("log")
    axes.set_xlim(right=3 * max(each))
    axes.set_xlabel("wall milliseconds a notebook, logarithmic")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
