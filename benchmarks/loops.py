"""What does an endless loop cost the class?

`python -m benchmarks.loops` grades a class of copies of the example class's right submissions, and the same class
with an endless loop in one of them, alternating in one run, with the loop among the first and among the last. Prints
what the loop added to the wall time, beside the cell's limit divided by the jobs.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat

from autograder.course.load import load_assignment, load_course
from autograder.grading.batch import grade_found, open_world
from autograder.notebook.find import find
from autograder.suite.compile import compile_suite

LOOP = "while True:\n    pass"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loops", description=__doc__)
    parser.add_argument("--course", default=".")
    parser.add_argument("--assignment", default="foundations")
    parser.add_argument("--notebook", type=Path, default=Path("examples/class/charlotte-dupont.ipynb"))
    parser.add_argument("--size", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    print(json.dumps(asyncio.run(measure(parser.parse_args())), indent=2))
    return 0


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    course = load_course(arguments.course)
    assignment = load_assignment(course, arguments.assignment)
    suite = compile_suite(course, assignment)
    world = await open_world(course, assignment, suite)
    places = {"without": None, "first": 0, "last": arguments.size - 1}
    walls: dict[str, list[float]] = {name: [] for name in places}
    try:
        with tempfile.TemporaryDirectory() as folder:
            classes = {name: _class(Path(folder, name), arguments, place) for name, place in places.items()}
            for _ in range(arguments.rounds):
                for name, path in classes.items():
                    began = time.perf_counter()
                    await grade_found(find([path]), world, arguments.jobs)
                    walls[name].append(time.perf_counter() - began)
    finally:
        await world.close()
    medians = {name: statistics.median(times) for name, times in walls.items()}
    return {
        "submissions": arguments.size,
        "jobs": arguments.jobs,
        "wall_s": {name: [round(each, 3) for each in times] for name, times in walls.items()},
        "added_first_s": round(medians["first"] - medians["without"], 3),
        "added_last_s": round(medians["last"] - medians["without"], 3),
        "limit_over_jobs_s": round(assignment.limits.cell_cpu_s / arguments.jobs, 3),
    }


def _class(folder: Path, arguments: argparse.Namespace, place: int | None) -> Path:
    """A class of copies of one notebook, the one at `place` with an endless loop in its second cell."""
    folder.mkdir()
    for number in range(arguments.size):
        notebook = nbformat.read(arguments.notebook, as_version=4)
        if number == place:
            notebook.cells.insert(1, nbformat.v4.new_code_cell(LOOP))
        nbformat.write(notebook, folder / f"student-{number:03}.ipynb")
    return folder


if __name__ == "__main__":
    sys.exit(main())
