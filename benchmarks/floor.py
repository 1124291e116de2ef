"""How much does grading cost over the least it could cost?

`make bench` grades the example class, loops left out, and lets bare forks of a warm Python do the same
loading and the same calls, alternating in one run. Prints the medians and their ratio.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.course.load import load_assignment, load_course
from autograder.grading.batch import grade_found, open_world
from autograder.grading.examiner import grade
from autograder.grading.record import Record
from autograder.grading.world import World
from autograder.notebook.find import Source, find
from autograder.notebook.read import read
from autograder.notebook.submission import Unreadable
from autograder.sandbox.environment import VARIABLES
from autograder.suite.compile import compile_suite
from autograder.topic.case import Bound
from autograder.values import codec
from autograder.values.asking import Ask, pack
from autograder.values.outcomes import Outcome
from benchmarks.transcript import Loading, RecordingServer

LEFT_OUT = frozenset({"stopped", "threads"})  # notes of submissions that no bare fork could serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--course", default=".")
    parser.add_argument("--assignment", default="foundations")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("paths", nargs="*", type=Path, default=[Path("examples/class")])
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(measure(arguments)), indent=2))
    return 0


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    course = load_course(arguments.course)
    assignment = load_assignment(course, arguments.assignment)
    suite = compile_suite(course, assignment)
    world = await open_world(course, assignment, suite)
    try:
        chosen, transcripts = await _record(find(arguments.paths), world)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "transcripts"
            packages = {name: list(course.environments[name]) for name in world.servers}
            path.write_bytes(codec.encode({"warm": packages, "submissions": transcripts}))
            environments = [{loading["environment"] for loading in loadings} for loadings in transcripts]
            bare = _Bare(path, list(world.servers), Path(arguments.course), arguments.jobs, environments)
            try:
                return await _alternate(chosen, world, bare, arguments)
            finally:
                bare.close()
    finally:
        await world.close()


async def _alternate(chosen: list[Source], world: World, bare: "_Bare", arguments: Any) -> dict[str, Any]:
    ours, floor = [], []
    for _ in range(arguments.rounds):
        began = time.perf_counter()
        await grade_found(chosen, world, arguments.jobs)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        await asyncio.to_thread(bare.run)
        floor.append(time.perf_counter() - began)
    ratio = statistics.median(ours) / statistics.median(floor)
    return {
        "submissions": len(chosen),
        "jobs": arguments.jobs,
        "ours_s": [round(each, 3) for each in ours],
        "floor_s": [round(each, 3) for each in floor],
        "ours_median_s": round(statistics.median(ours), 3),
        "floor_median_s": round(statistics.median(floor), 3),
        "ratio": round(ratio, 3),
        "ours_per_submission_s": round(statistics.median(ours) / len(chosen), 4),
    }


async def _record(found: list[Source], world: World) -> tuple[list[Source], list[Any]]:
    """Grade each submission once, noting down what it loads and is asked; leave out what loops."""
    chosen, transcripts = [], []
    for source in found:
        try:
            submission = read(source)
        except Unreadable:
            continue
        log: list[Loading] = []
        servers: dict[str, Any] = {name: RecordingServer(server, name, log) for name, server in world.servers.items()}
        record = await grade(submission, replace(world, servers=servers))
        if not _loops(record):
            chosen.append(source)
            transcripts.append([_plain(loading) for loading in log])
    return chosen, transcripts


def _loops(record: Record) -> bool:
    timed_out = any(c.outcome == Outcome.TIMED_OUT for q in record.questions for c in q.checks)
    return timed_out or any(note.kind in LEFT_OUT for note in record.notes)


def _plain(loading: Loading) -> dict[str, Any]:
    forks = [[_ask(ask) for ask in fork] for fork in loading.forks]
    cells = [[number, _translated(source)] for number, source in loading.cells]
    return {"environment": loading.environment, "cells": cells, "forks": forks}


def _ask(ask: Ask) -> dict[str, Any]:
    steps, constants = pack(ask.steps)
    functions = [_described(function) for _, function in sorted(ask.callables.items())]
    return {"steps": steps, "constants": constants, "keep": list(ask.keep), "functions": functions}


def _described(function: Any) -> list[Any]:
    assert isinstance(function, Bound)
    return [f"{function.function.__module__}:{function.function.__qualname__}", function.arguments]


def _translated(source: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    text: str = TransformerManager().transform_cell(source)
    return text


class _Bare:
    """The bare processes: one a slot and environment, so that slots never wait for each other."""

    def __init__(self, transcripts: Path, names: list[str], course: Path, jobs: int, needed: list[set[str]]) -> None:
        path = os.pathsep.join([str(Path.cwd()), str(course.absolute())])
        self._needed = needed
        self._slots = [{name: start_bare(transcripts, name, path) for name in names} for _ in range(jobs)]

    def run(self) -> None:
        """Do every submission's work, one in each slot at a time."""
        waiting = iter(range(len(self._needed)))
        lock = threading.Lock()

        def slot(processes: dict[str, subprocess.Popen[str]]) -> None:
            while True:
                with lock:
                    number = next(waiting, None)
                if number is None:
                    return
                for name in sorted(self._needed[number]):
                    exchange(processes[name], f"{number}\n")

        threads = [threading.Thread(target=slot, args=(processes,)) for processes in self._slots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        for process in (process for processes in self._slots for process in processes.values()):
            process.terminate()
            process.communicate()


def start_bare(transcripts: Path, environment: str, path: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare", str(transcripts), environment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**VARIABLES, "PYTHONPATH": path},
    )
    exchange(process, "")
    return process


def exchange(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    process.stdin.flush()
    if not process.stdout.readline():
        raise RuntimeError("a bare process ended")


if __name__ == "__main__":
    sys.exit(main())
