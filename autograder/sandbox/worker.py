"""What does the process do in which student code runs?

Loads the cells, reports what came of it, and for each question makes a copy of itself that answers.
Everything it says is said by a process that student code may have changed, and is treated so.
"""

import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
import threading
from typing import Any, NoReturn

import numpy as np

from autograder.sandbox import confine, wire
from autograder.sandbox.worker_answer import PUT, Desk, calling_out
from autograder.sandbox.worker_fence import FENCE, Fence
from autograder.sandbox.worker_load import Loader, Recipe
from autograder.sandbox.worker_output import Sink
from autograder.sandbox.worker_tests import BENCH, Bench

WORK = "/tmp/work"  # the working directory of a notebook
FORK, ITSELF = b"f", b"i"  # who answers on a socket that is sent to the loader
_SEED = 0  # of the global generators: an unseeded notebook does the same every time


def load_and_serve(
    peer: socket.socket, recipe: Recipe, limits: dict[str, Any], calls: bytes, *, direct: bool, work: str = WORK
) -> NoReturn:
    """Load, report on `peer`, then serve.

    calls: the filter of system calls. work: the working directory. direct: answer asks on `peer` in this very
    process; else fork for each question whose socket comes.
    """
    _prepare(limits, work)
    confine.filter_calls(calls)
    loader = Loader(recipe, lambda number: wire.send(peer, wire.CONTROL, str(number).encode()))
    loader.load()
    loader.names[FENCE] = Fence(loader.names, recipe.cells)
    report = {"notes": loader.notes, "missing": sorted(loader.missing)}
    gc.freeze()
    wire.send(peer, wire.DATA, json.dumps(report).encode())
    if direct:
        _answer(peer, loader)
    _serve(peer, loader)


def _prepare(limits: dict[str, Any], work: str) -> None:
    confine.dumpable(True)
    confine.limit(**limits)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdout, sys.stderr = Sink(), Sink()
    sys.argv = [""]
    sys.path.insert(0, work)
    importlib.invalidate_caches()
    random.seed(_SEED)
    np.random.seed(_SEED)
    torch = sys.modules.get("torch")
    if torch:
        torch.manual_seed(_SEED)


def _serve(peer: socket.socket, loader: Loader) -> NoReturn:
    """Fork once for each socket that arrives; the copy answers there and is the warden's child.

    On the last socket this process answers itself.
    """
    while True:
        message, descriptors, _, _ = socket.recv_fds(peer, 1, 1)
        if not message or not descriptors:
            os._exit(0)
        if message == ITSELF:
            wire.send(peer, wire.CONTROL, str(os.getpid()).encode())
            peer.close()
            _answer(socket.socket(fileno=descriptors[0]), loader)
        state = random.getstate()  # Python seeds a copy's generator anew
        pid = confine.fork(confine.CLONE_PARENT)
        if pid == 0:
            peer.close()
            random.setstate(state)
            _answer(socket.socket(fileno=descriptors[0]), loader)
        os.close(descriptors[0])
        wire.send(peer, wire.CONTROL, str(pid).encode())


def _answer(peer: socket.socket, loader: Loader) -> NoReturn:
    """Answer asks until the socket closes."""
    process = os.getpid()
    turn = threading.Lock()  # a student's threads may call stubs at the same time
    nonce = b""

    def exchange(payload: bytes) -> bytes:
        with turn:
            wire.send(peer, wire.DATA, nonce, bytes([wire.CALL]), payload)
            _, body = wire.receive(peer)
        return body[wire.NONCE + 1 :]

    loader.names[BENCH] = Bench(loader.names)
    loader.names[PUT] = loader.names.update
    desk = Desk(loader.names, calling_out(exchange), loader.missing)
    while True:
        try:
            _, body = wire.receive(peer)
            nonce = body[: wire.NONCE]
            answer = desk.answer(body[wire.NONCE + 1 :])
            if os.getpid() != process:
                os._exit(0)  # a copy that student code made by os.fork has no say
            wire.send(peer, wire.DATA, nonce, bytes([wire.ANSWER]), answer)
        except wire.Closed:
            os._exit(0)
