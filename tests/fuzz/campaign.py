"""How is a bounded time of fuzzing run, and which lines did its inputs reach?"""

import hashlib
import importlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
MAX_INPUT = 65_536  # bytes; the caps for larger ones have tests of their own
TIMEOUT_S = 10  # of one input


@dataclass(frozen=True)
class Campaign:
    """What came of it.

    read, passed: how many inputs were there to be read, and how many of these passed the first layer.
    broke: what the fuzzer said of an input that broke something; "" where none did. missed: lines of the
    module that no kept input reached.
    """

    kind: str
    runs: int
    read: int
    passed: int
    wall_s: float
    lines: int
    missed: tuple[int, ...]
    broke: str

    @property
    def share_passed(self) -> float:
        return self.passed / max(self.read, 1)

    @property
    def coverage(self) -> float:
        return 1 - len(self.missed) / self.lines

    def told(self) -> str:
        told = (
            f"{self.kind}: {self.runs:,} inputs in {self.wall_s:.0f} s; {self.share_passed:.0%} of the {self.read:,} "
            f"that were to be read passed the first layer; {self.coverage:.1%} of {self.lines} lines reached, missed: "
            f"{list(self.missed) or 'none'}"
        )
        return f"{told}\n{self.broke}" if self.broke else told


def fuzz(kind: str, folder: Path, *, seconds: int, runs: int = 0) -> Campaign:
    """Fuzz one kind of input. folder: holds what is kept from one time to the next."""
    target = importlib.import_module(f"tests.fuzz.{kind}")
    corpus, counts = folder / "corpus", folder / "counts.json"
    corpus.mkdir(parents=True, exist_ok=True)
    counts.unlink(missing_ok=True)
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    command = [
        sys.executable, "-m", "tests.fuzz.fuzzer", kind, str(counts), str(corpus),
        f"-max_total_time={seconds}", f"-timeout={TIMEOUT_S}", f"-max_len={MAX_INPUT}", f"-artifact_prefix={folder}/",
        "-rss_limit_mb=0", "-print_final_stats=1", "-verbosity=1", *([f"-runs={runs}"] if runs else []),
    ]  # fmt: skip
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    wall_s = time.monotonic() - began
    told = (
        json.loads(counts.read_text(encoding="utf-8"))
        if counts.exists()
        else dict.fromkeys(("runs", "read", "passed"), 0)
    )
    lines, missed = _reached(target, corpus)
    broke = "" if done.returncode == 0 else (done.stdout + done.stderr)[-3000:]
    return Campaign(kind, told["runs"], told["read"], told["passed"], wall_s, lines, missed, broke)


def _reached(target: Any, corpus: Path) -> tuple[int, tuple[int, ...]]:
    """How many lines the target's module has inside its functions, and which no input of the corpus reaches."""
    path = target.CODE.__file__
    source = Path(path).read_text(encoding="utf-8")
    whole = {line for code in _functions(compile(source, path, "exec")) for line in _lines(code)}
    seen: set[int] = set()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != path:
            return None
        if event == "line":
            seen.add(frame.f_lineno)
        return trace

    usual = sys.gettrace()
    sys.settrace(trace)
    try:
        for file in sorted(corpus.iterdir()):
            target.try_one(file.read_bytes())
    finally:
        sys.settrace(usual)
    return len(whole), tuple(sorted(whole - seen))


def _functions(code: CodeType) -> list[CodeType]:
    """The code of every function, at any depth; a class body and a module run once, at import."""
    below = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    here = [part for part in below if part.co_flags & 0x02]  # CO_NEWLOCALS: of functions alone
    return here + [part for each in below for part in _functions(each)]


def _lines(code: CodeType) -> set[int]:
    """Its lines, but for the one of its `def`, on which nothing of it runs."""
    return {line for _, _, line in code.co_lines() if line and line != code.co_firstlineno}
