"""What does the jail add to a submission and to a question?

`python -m benchmarks.jail` loads a notebook of one small function and asks it one small question, or eleven, in the
jail and in bare forks of a warm Python, alternating in one run. Prints the medians of the paired differences in
milliseconds; a question's is a tenth of what ten more questions add. With `--docker` the same in the warm container
of `--isolation docker`, in an engine of its own as the tests start it, beside the jail without one.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder.sandbox.isolation import DOCKER, Isolation, Server, start
from autograder.sandbox.limits import Environment, Limits
from autograder.values import codec
from autograder.values.asking import Ask, Program, pack
from benchmarks.floor import exchange, start_bare

MORE = 10  # questions of the longer submission beyond the one of the shorter
PACKAGES = ("numpy",)
SOURCE = "import numpy as np\n\ndef double(x):\n    return 2 * x"


@dataclass(frozen=True)
class _Cell:
    number: int
    source: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jail", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--docker", action="store_true", help="also in a warm container")
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(measure(arguments.rounds, docker=arguments.docker)), indent=2))
    return 0


async def measure(rounds: int, *, docker: bool) -> dict[str, Any]:
    environment = Environment("numpy", PACKAGES)
    with tempfile.TemporaryDirectory() as folder, _image(docker) as image:
        servers = {"namespaces": (await start(environment, Isolation())).server}
        if image:
            servers["docker"] = (await start(environment, Isolation(DOCKER, image))).server
        bare = start_bare(_transcripts(Path(folder)), "numpy", str(Path.cwd()))
        try:
            ways: dict[str, Callable[[int], Awaitable[None]]] = {"bare": lambda n: _forked(bare, n)}
            for name, server in servers.items():
                ways[name] = lambda n, server=server: _jailed(server, n)
            return _told(await _alternate(ways, rounds))
        finally:
            bare.terminate()
            bare.communicate()
            await asyncio.gather(*(server.close() for server in servers.values()))


async def _alternate(
    ways: dict[str, Callable[[int], Awaitable[None]]], rounds: int
) -> dict[str, dict[int, list[float]]]:
    """Milliseconds of a submission of one question and of one with MORE, by the way it was run."""
    seen: dict[str, dict[int, list[float]]] = {name: {1: [], 1 + MORE: []} for name in ways}
    for number in range(rounds + 3):  # the first ones warm up
        for name, run in ways.items():
            for questions in (1, 1 + MORE):
                began = time.perf_counter()
                await run(questions)
                if number >= 3:
                    seen[name][questions].append(1000 * (time.perf_counter() - began))
    return seen


def _told(seen: dict[str, dict[int, list[float]]]) -> dict[str, Any]:
    def difference(one: str, other: str, questions: int) -> float:
        pairs = zip(seen[one][questions], seen[other][questions], strict=True)
        return statistics.median(a - b for a, b in pairs)

    def beside(one: str, other: str) -> dict[str, float]:
        """What `one` adds to `other`: the submission with its first question, and each further question."""
        first = difference(one, other, 1)
        return {
            "submission_ms": round(first, 2),
            "question_ms": round((difference(one, other, 1 + MORE) - first) / MORE, 2),
        }

    medians = {
        name: {f"{n} questions": round(statistics.median(ms), 2) for n, ms in each.items()}
        for name, each in seen.items()
    }
    told: dict[str, Any] = {"median_ms": medians, "jail_over_bare": beside("namespaces", "bare")}
    if "docker" in seen:
        told["docker_over_jail"] = beside("docker", "namespaces")
    return told


async def _jailed(server: Server, questions: int) -> None:
    session = await server.open(Limits())
    try:
        loaded = await session.load([_Cell(1, SOURCE)], {}, frozenset({"double"}))
        if loaded.failed or loaded.missing:
            raise RuntimeError(f"the notebook did not load: {loaded}")
        for number in range(questions):
            fork = await session.question(4.0)
            (answer,) = await fork.ask_all([_ask(number)])
            if not answer.returned:
                raise RuntimeError(f"no answer: {answer}")
            await fork.close()
    finally:
        await session.close()


async def _forked(bare: Any, questions: int) -> None:
    await asyncio.to_thread(exchange, bare, f"{int(questions > 1)}\n")


def _ask(number: int) -> Ask:
    program = Program()
    result = program.call(program.get("double"), np.arange(12.0).reshape(3, 4))
    return program.ask(f"ask {number}", result)


def _transcripts(folder: Path) -> Path:
    """What bare forks do: see `benchmarks.bare`."""
    steps, constants = pack(_ask(0).steps)
    ask = {"steps": steps, "constants": constants, "keep": [], "functions": []}
    submissions = [
        [{"environment": "numpy", "cells": [[1, SOURCE]], "forks": [[ask]] * questions}] for questions in (1, 1 + MORE)
    ]
    path = folder / "transcripts"
    path.write_bytes(codec.encode({"warm": {"numpy": list(PACKAGES)}, "submissions": submissions}))
    return path


@contextlib.contextmanager
def _image(wanted: bool) -> Iterator[str]:
    """The worker image in an engine that is ended afterwards; "" where none is wanted."""
    if not wanted:
        yield ""
        return
    from tests.sandbox import engine

    cache = Path(".autograder") / "bench-docker"
    cache.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            host = stack.enter_context(engine.running())
            os.environ["DOCKER_HOST"] = host
            engine.build(host, cache.absolute())
        except engine.Missing as why:
            print(f"without docker: {why}", file=sys.stderr)
            yield ""
            return
        yield engine.IMAGE


if __name__ == "__main__":
    sys.exit(main())
