"""One process of fuzzing, guided by coverage: `python -m tests.fuzz.fuzzer KIND COUNTS CORPUS [option ...]`.

libFuzzer never returns, so what there is to tell is written to COUNTS as it goes.
"""

import importlib
import json
import resource
import sys
from pathlib import Path

import atheris

KINDS = ("frames", "notebooks")
CAP_MIB = 192  # of memory beyond what the libraries take: three payloads of the largest size
_TELL_EVERY = 200


def main(argv: list[str]) -> None:
    kind, counts, *options = argv
    with atheris.instrument_imports(
        include=["autograder.values.codec", "autograder.notebook"], enable_loader_override=False
    ):
        target = importlib.import_module(f"tests.fuzz.{kind}")
    runs = read = passed = 0

    def one(data: bytes) -> None:
        nonlocal runs, read, passed
        got = target.try_one(data)
        runs += 1
        read += got is not None
        passed += bool(got)
        if runs % _TELL_EVERY == 0:
            told = {"runs": runs, "read": read, "passed": passed}
            Path(counts).write_text(json.dumps(told), encoding="utf-8")

    def mutated(data: bytes, size: int, seed: int) -> bytes:
        new: bytes = target.mutate(bytes(data), size, seed, atheris.Mutate)
        return new

    atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutated)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    held = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData:"))
    resource.setrlimit(resource.RLIMIT_DATA, (held * 1024 + CAP_MIB * 2**20,) * 2)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
