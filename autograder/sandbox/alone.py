"""How does a student check their own notebook on a machine where no jail can be made?

In an ordinary process, which protects nobody from the notebook: for its author, never for grading.
Cells and answers are limited by the clock on the wall, as nothing else is the same on every system.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.sandbox import loading
from autograder.sandbox.environment import VARIABLES
from autograder.sandbox.limits import Cell, Limits, Loaded
from autograder.sandbox.replies import Callables, TooManyCalls, payload_of, read_answer
from autograder.sandbox.worker_alone import ANSWER, CALL, CELL, read_frame, write_frame
from autograder.values.asking import Answer, Ask
from autograder.values.codec import CodecError

PATIENCE = 3.0  # seconds on the wall for a second of CPU time
_START_S = 60.0  # until the first cell: Python and NumPy, on a slow disk
_BOOT = "from autograder.sandbox.worker_alone import main; main()"
_SAME = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONHASHSEED", "MPLBACKEND")


class Alone:
    """One submission in a process of its own, started again where it stopped.

    modules: what can be imported beside the standard library and the submission's own files.
    """

    def __init__(self, limits: Limits, modules: frozenset[str]) -> None:
        self._limits = limits
        self._modules = modules
        self._folder = tempfile.TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._pump: threading.Thread | None = None
        self._frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._again: tuple[list[tuple[int, str]], frozenset[str], set[int]] = ([], frozenset(), set())

    def load(self, cells: Sequence[Cell], files: Mapping[str, bytes], wanted: frozenset[str]) -> Loaded:
        """Run the cells, as `Session.load` does."""
        for name, content in files.items():
            path = Path(self._folder.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        policy = loading.Policy(self._limits, [(cell.number, cell.source) for cell in cells], frozenset())
        while not policy.over:
            self._again = policy.cells, wanted, policy.skip
            policy.note(*self._load_once())
        return policy.result(wanted)

    def ask(self, ask: Ask, *, cpu_s: float) -> Answer:
        """Put one ask. After one that looped or ended the process, the cells are loaded again."""
        if self._process is None and self._load_once()[0]["event"] != "loaded":
            return Answer("crashed", detail={"text": "the notebook cannot be loaded a second time"})
        self._send(payload_of(ask))
        callables = Callables(ask.callables)
        patience = time.monotonic() + cpu_s * PATIENCE
        try:
            while True:
                frame = self._frames.get(timeout=max(0.0, patience - time.monotonic()))
                if frame is None or frame[:1] not in (ANSWER, CALL):
                    raise CodecError("no answer")
                if frame[:1] == ANSWER:
                    return read_answer(ask, frame[1:], callables.calls)
                self._send(callables.answer(frame[1:]))
        except queue.Empty:
            self._end()
            return Answer("timed_out", detail={"allowed": cpu_s})
        except (CodecError, TooManyCalls):
            self._end()
            return Answer("crashed")

    def close(self) -> None:
        self._end()
        self._folder.cleanup()

    def _load_once(self) -> tuple[dict[str, Any], bytes]:
        """One load; how it ended, in a warden's words, and the report."""
        self._start()
        cells, wanted, skip = self._again
        told = {"cells": cells, "wanted": sorted(wanted), "skip": sorted(skip), "modules": sorted(self._modules)}
        self._send(json.dumps(told).encode())
        began, cell = time.monotonic(), None
        heavy: dict[str, float] = {}
        patience = _START_S
        while True:
            since = time.monotonic()
            try:
                frame = self._frames.get(timeout=patience)
                why = "crashed"
            except queue.Empty:
                frame, why = None, "timed_out"
            if cell is not None:
                heavy[str(cell)] = time.monotonic() - since
            if frame is None:
                detail: dict[str, Any] = {"text": self._end(by_itself=why == "crashed")}
                if why == "timed_out":
                    detail |= {"limit": "wall_s", "allowed": self._limits.cell_cpu_s * PATIENCE}
                return {"event": "stopped", "cell": cell, "why": why, "heavy": heavy, "detail": detail}, b""
            if frame[:1] != CELL:
                return {"event": "loaded", "threads": 1}, frame[1:]
            if cell is None:
                began = time.monotonic()
            cell = int(frame[1:])
            left_s = began + self._limits.load_cpu_s * PATIENCE - time.monotonic()
            patience = max(0.01, min(self._limits.cell_cpu_s * PATIENCE, left_s))

    def _start(self) -> None:
        self._end()
        environment = {**os.environ, **{name: VARIABLES[name] for name in _SAME}}
        process = subprocess.Popen(
            [sys.executable, "-P", "-B", "-X", "utf8", "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env=environment,
        )
        frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._pump = threading.Thread(target=_pump, args=(process, frames), daemon=True)
        self._pump.start()
        self._process, self._frames = process, frames

    def _send(self, body: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            write_frame(self._process.stdin, body)
        except OSError:
            pass  # it has ended; reading will say so

    def _end(self, *, by_itself: bool = False) -> str:
        """End the process, unless it is about to end by itself; how it ended, in a warden's words."""
        process, self._process = self._process, None
        if process is None or self._pump is None:
            return ""
        try:
            process.wait(timeout=1.0 if by_itself else 0.0)
        except subprocess.TimeoutExpired:
            process.kill()
        status = process.wait()
        assert process.stdin is not None
        try:
            process.stdin.close()
        except OSError:
            pass  # what it had not read yet is of no interest
        self._pump.join(timeout=1.0)  # longer only where a process that the notebook started holds the pipe
        if -status in set(signal.Signals):
            return f"ended by {signal.Signals(-status).name}"
        return f"exited with status {status}"


def _pump(process: "subprocess.Popen[bytes]", frames: "queue.SimpleQueue[bytes | None]") -> None:
    """Reading a pipe with a time limit, on every system, takes a thread."""
    assert process.stdout is not None
    with process.stdout as stream:
        while (frame := read_frame(stream)) is not None:
            frames.put(frame)
    frames.put(None)
