"""How does a server start that is the first process of a container?

Whoever started the container listens on the one socket that is mounted into it; this process connects,
is told what to be, says what the image holds, and is from then on the server of an environment as
anywhere else. Where the engine lets no namespaces be made inside, it becomes the warden of a single
submission instead: then the container itself is the jail.
"""

import importlib.machinery
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from types import ModuleType
from typing import Any, NoReturn

from autograder.sandbox import accelerator, confine, environment, server, warm, wire, worker
from autograder.sandbox.limits import Environment, SandboxError
from autograder.sandbox.warden import Warden

SOCKET = "/run/autograder/control"  # mounted into the container
LIBRARIES = "/opt/libraries"  # where the image has its distributions
SERVER, WARDEN = "server", "warden"  # what a container may be told to be
_OURS = ("numpy", "safetensors")  # what the codec needs, whatever the environment
_MESSAGE = 65536


def main() -> NoReturn:
    """Connect, and be what the other side says."""
    if "PATH" in os.environ:
        # The image's own variables would be seen by students: begin anew with the fixed ones alone.
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment.VARIABLES)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(SOCKET)
    try:
        _serve(control)
    except Exception as error:
        text = str(error) if isinstance(error, SandboxError) else f"{type(error).__name__}: {error}"
        control.send(json.dumps({"failed": text[:1000]}).encode())
        os._exit(1)


def _serve(control: socket.socket) -> NoReturn:
    told = json.loads(control.recv(_MESSAGE))
    card = accelerator.found() if told["gpu"] else None
    if told["gpu"] and card is None:
        raise SandboxError("the engine gave the container no GPU: install the NVIDIA Container Toolkit beside it")
    if card is not None:
        os.environ.update(card.variables)  # read when PyTorch is imported, which is later
    packages = Environment(told["name"], tuple(told["packages"]), card)
    settings = environment.settings(packages) | {"control": control.fileno(), "calls": told["calls"]}
    facts: dict[str, Any] = {
        "versions": {"python": sys.version.split()[0], **_versions()},
        "modules": sorted(environment.module_names(packages)),
        "hidden": _foreign(settings["entries"]),
    }
    control.send(json.dumps(facts).encode())
    if told["be"] == WARDEN:
        make_absent(frozenset(os.path.basename(path).split(".")[0] for path in facts["hidden"]))
        _be_warden(control, settings)
    server.main(settings)


def _versions() -> dict[str, str]:
    """By distribution; one that is covered for this submission has no name."""
    found = {each.metadata["Name"]: each for each in distributions(path=[LIBRARIES])}
    return {environment.plain(name): each.version for name, each in found.items() if name}


def _foreign(entries: list[str]) -> list[str]:
    """What lies beside the environment's own distributions, and must not be there for a submission."""
    beside = {f"{LIBRARIES}/{name}" for name in os.listdir(LIBRARIES) if not name.startswith(_OURS)}
    return sorted(beside - set(entries))


def make_absent(names: frozenset[str]) -> None:
    """A folder that is covered, or may not be read, Python takes for an empty package: let nobody find it."""

    class Present(importlib.machinery.PathFinder):
        @classmethod
        def find_spec(
            cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
        ) -> importlib.machinery.ModuleSpec | None:
            return None if path is None and name in names else super().find_spec(name, path, target)

    usual = importlib.machinery.PathFinder
    sys.meta_path[:] = [Present if finder is usual else finder for finder in sys.meta_path]


def _be_warden(control: socket.socket, settings: dict[str, Any]) -> NoReturn:
    """Serve one submission in this very container, whose root is read-only and whose engine sets the limits."""
    warm.up(settings["packages"])
    confine.standard_streams_to_null()
    control.send(json.dumps({"ready": True}).encode())
    _, descriptors, _, _ = socket.recv_fds(control, _MESSAGE, 1)
    if not descriptors:
        os._exit(0)
    (connection,) = descriptors
    confine.close_all_but(0, 1, 2, connection)
    confine.drop_privileges()
    confine.dumpable(False)
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    os.mkdir(worker.WORK)
    os.chdir(worker.WORK)
    examiner = socket.socket(fileno=connection)
    wire.send(examiner, wire.CONTROL, json.dumps({"event": "ready"}).encode())
    Warden(examiner, bytes.fromhex(settings["calls"])).run()
