"""What is an act of the hostile corpus, and how is it known that it would work elsewhere?

An act is student code. Most define `attack`, which returns something true where it got what it wants;
`wave`, the attacked question, then answers rightly, and wrongly otherwise: so an attack that works is
seen in the points. The others define `wave` themselves, without doing its work.
"""

import functools
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

PREAMBLE = """
import ctypes, errno, os, sys
import numpy as np

libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = libc.syscall(number, *wide)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""
WAVE = "def wave(x):\n    return x * np.sin(x) if attack() else None\n"
SOFTMAX = """
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""

INT_80 = r"""
import ctypes, mmap
def attack():
    page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # call number 20: getpid for 32 bits, writev for 64
    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))() > 0
"""

# Where a control runs: a plain process; one in namespaces of its own, for what would change the machine.
OUTSIDE, APART = "outside", "apart"


@dataclass(frozen=True)
class Act:
    """One act.

    tries: what it tries. code: student code; `{root}`, `{port}`, `{pid}`, `{name}` are filled in by World.
    gets: outcomes that its checks may end in, one word each.
    control: OUTSIDE or APART: `attack()` is true there. A grader of `naive.py`, by its name: that one
    gives the points. Otherwise a sentence that says why there is none.
    also: whether the other question of the notebook keeps its points.
    """

    tries: str
    code: str
    gets: str
    control: str
    also: bool = True

    @property
    def defines_wave(self) -> bool:
        return "def wave(" in self.code or "wave =" in self.code


@dataclass(frozen=True)
class World:
    """What acts aim at. root: the course, with its key and suites. port: of a listener on the loopback, and
    the last part of the name of one among abstract sockets. pid: the examiner's."""

    root: Path
    port: int
    pid: int

    @property
    def name(self) -> str:
        """What acts call whatever they try to leave behind."""
        return f"autograder-hostile-{self.pid}"

    def cells(self, act: Act) -> list[str]:
        code = textwrap.dedent(act.code)
        for word, value in (("root", self.root), ("port", self.port), ("pid", self.pid), ("name", self.name)):
            code = code.replace("{" + word + "}", str(value))
        return [PREAMBLE, SOFTMAX, code, *([] if act.defines_wave else [WAVE])]


def notebook(cells: list[str]) -> bytes:
    parts = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in cells]
    return json.dumps({"cells": parts, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@functools.cache
def serves_int_80() -> bool:
    """Whether this kernel serves 32-bit calls to anybody: some are built or started without."""
    program = f"{INT_80}\nassert attack()"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def works_outside(cells: list[str], control: str, folder: Path) -> None:
    """Run the act where nothing stands around it: it must work. Skips where this machine refuses it to everybody."""
    if control in (OUTSIDE, APART):
        enter = _APART if control == APART else ""
        program = f"{enter}\n" + "\n".join(cells) + "\nassert attack(), 'it did nothing'\nprint('passed')"
    else:
        grader = (Path(__file__).parent / "naive.py").read_text(encoding="utf-8")
        program = f"CELLS = {cells!r}\nHOW = {control!r}\n{grader}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "AUTOGRADER_HOSTILE": "1", "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    said = done.stderr.strip().splitlines()
    refused = ("OSError: [Errno 38]", "PermissionError: [Errno 1]", "PermissionError: [Errno 13]")
    if said and said[-1].startswith(refused):
        pytest.skip(f"nobody may do this on this machine, or not this user: {said[-1]}")
    assert done.stdout.strip().splitlines()[-1:] == ["passed"], done.stdout + done.stderr


_APART = """
import ctypes as _c
assert _c.CDLL(None).unshare(0x00020000 | 0x04000000 | 0x08000000) == 0 or _c.CDLL(None).unshare(0x1C020000) == 0
_c.CDLL(None).mount(b"none", b"/", None, 16384 | (1 << 18), None)
"""
