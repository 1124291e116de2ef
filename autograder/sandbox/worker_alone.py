"""What does the process do in which a notebook is loaded without a jail?

The same loading and the same answers as in the jail, for the notebook's own author. Told what to do on
its standard input, in frames; it answers on its standard output. It uses nothing that only Linux has.
"""

import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import random
import struct
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import IO

import numpy as np

from autograder.sandbox.worker_answer import PUT, Desk, calling_out
from autograder.sandbox.worker_fence import FENCE, Fence
from autograder.sandbox.worker_load import Loader, Recipe
from autograder.sandbox.worker_output import Sink

CELL, REPORT, ANSWER, CALL = b"c", b"r", b"a", b"q"  # what a frame of ours begins with
_LENGTH = struct.Struct(">I")


def main() -> None:
    """Load what the first frame says, report, and answer asks until there are no more."""
    asks, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    told = json.loads(read_frame(asks) or b"{}")
    present = _Present(frozenset(told["modules"]))
    sys.meta_path[:] = [present if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
    sys.path.insert(0, os.getcwd())
    sys.argv = [""]
    sys.stdout, sys.stderr = Sink(), Sink()
    random.seed(0)
    np.random.seed(0)
    recipe = Recipe(
        [(number, source) for number, source in told["cells"]], frozenset(told["wanted"]), frozenset(told["skip"])
    )
    loader = Loader(recipe, lambda number: write_frame(replies, CELL + str(number).encode()))
    loader.load()
    loader.names[FENCE] = Fence(loader.names, recipe.cells)
    loader.names[PUT] = loader.names.update
    report = {"notes": loader.notes, "missing": sorted(loader.missing)}
    write_frame(replies, REPORT + json.dumps(report).encode())

    def exchange(payload: bytes) -> bytes:
        write_frame(replies, CALL + payload)
        return read_frame(asks) or b""

    desk = Desk(loader.names, calling_out(exchange), loader.missing)
    while (ask := read_frame(asks)) is not None:
        write_frame(replies, ANSWER + desk.answer(ask))
    os._exit(0)  # a thread that the notebook left must not keep it alive


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame; None at the end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def write_frame(stream: IO[bytes], body: bytes) -> None:
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


class _Present(importlib.abc.MetaPathFinder):
    """Finds modules where Python does, but for those that are installed here and not in the environment."""

    def __init__(self, modules: frozenset[str]) -> None:
        self._modules = modules

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        found = importlib.machinery.PathFinder.find_spec(name, path, target)
        if found is None or name.partition(".")[0] in self._modules:
            return found
        places = [found.origin or "", *(found.submodule_search_locations or ())]
        installed = any(part.endswith("-packages") for place in places for part in pathlib.Path(place).parts)
        return None if installed else found
