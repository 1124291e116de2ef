"""How is a container made that student code, or a server of submissions, runs in?"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.sandbox import seccomp
from autograder.sandbox.docker_engine import IMAGE, START_S, errors, explained
from autograder.sandbox.environment import VARIABLES
from autograder.sandbox.limits import Environment, SandboxError
from autograder.sandbox.server_contained import SERVER, SOCKET

if TYPE_CHECKING:
    from docker import DockerClient

MESSAGE = 65536


@dataclass(frozen=True)
class Options:
    """How containers are made.

    image: of `Dockerfile`. runtime: another one of the engine's, such as `runsc` (gVisor) or `kata`; ""
    for its own. gpus: how many a container gets, -1 for all. nested: make namespaces inside, as far as
    the engine lets us; else one container a submission.
    """

    image: str = IMAGE
    runtime: str = ""
    gpus: int = 0
    nested: bool = True


def host_config(
    options: Options,
    folder: str,
    *,
    nested: bool,
    memory_mib: int,
    disk_mib: int = 0,
    processes: int,
    hidden: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What the engine is told about a container; everything that is not given is refused.

    folder: mounted to hold the socket. hidden: paths of the image to cover.
    """
    made: dict[str, Any] = {
        "AutoRemove": True,
        "NetworkMode": "none",
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "PidsLimit": processes,
        "Memory": memory_mib * 2**20,
        "MemorySwap": memory_mib * 2**20,
        "NanoCpus": (os.cpu_count() or 1) * 10**9,
        "OomScoreAdj": 500,
        "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
        "LogConfig": {"Type": "none", "Config": {}},
        "Mounts": [
            {"Type": "bind", "Source": folder, "Target": os.path.dirname(SOCKET), "ReadOnly": True},
            *(_cover(path) for path in hidden),
        ],
        "Tmpfs": {},
        "ShmSize": max(disk_mib, 1) * 2**20,
    }
    if nested:
        # A namespace inside may mount its own proc only where nothing of this one is covered. The filter
        # lets the server mount and unshare; it forbids student code both by its own. AppArmor's usual
        # profile refuses every mount.
        made["SecurityOpt"] += [f"seccomp={profile()}", "apparmor=unconfined"]
        made |= {"MaskedPaths": [], "ReadonlyPaths": []}
    else:
        made["Tmpfs"]["/tmp"] = f"rw,nosuid,nodev,size={disk_mib}m,mode=1777,nr_inodes=65536"
    if options.runtime:
        made["Runtime"] = options.runtime
    if options.gpus:
        request = {"Driver": "nvidia", "Count": options.gpus, "Capabilities": [["gpu"]]}
        made["DeviceRequests"] = [request]
    return made


def profile() -> str:
    """The filter of system calls for a container in which the server makes namespaces."""
    text = resources.files("autograder.sandbox").joinpath("profiles/server.json").read_text(encoding="utf-8")
    return json.dumps(json.loads(text))


def _cover(path: str) -> dict[str, Any]:
    """What takes the place of a folder, or by its suffix a file, that a submission must not have."""
    if Path(path).suffix in (".py", ".so", ".pth"):
        return {"Type": "bind", "Source": "/dev/null", "Target": path, "ReadOnly": True}
    return {"Type": "tmpfs", "Target": path, "TmpfsOptions": {"SizeBytes": 4096, "Mode": 0o555}}


class Container:
    """A container and the socket to its first process. Stands where a server's own process would."""

    def __init__(self, engine: "DockerClient", options: Options) -> None:
        self._engine = engine
        self._options = options
        self._id = ""
        self.ended: asyncio.Future[None] | None = None
        self.control: socket.socket | None = None
        self.facts: dict[str, Any] = {}

    async def start(self, environment: Environment, be: str, user: int, **limits: Any) -> None:
        """Start it and its server. Raises SandboxError where that does not come to be ready."""
        folder = tempfile.mkdtemp(prefix="autograder-")  # closed to others on this machine
        try:
            inside = Path(folder, "socket")
            inside.mkdir(mode=0o755)
            inside.chmod(0o755)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with listener:
                path = inside / os.path.basename(SOCKET)
                listener.bind(str(path))
                path.chmod(0o666)  # the container's user is none of this machine's
                listener.listen(1)
                listener.setblocking(False)
                made = host_config(self._options, str(inside), nested=be == SERVER, **limits)
                await asyncio.to_thread(self._create, made, user)
                await asyncio.to_thread(self._engine.api.start, self._id)
                self.ended = self._watched()
                self.control = await self._accept(listener)
            await self._greet(environment, be)
        except BaseException as error:
            await self.remove()
            if isinstance(error, errors()):
                raise SandboxError(f"the Docker engine refuses the container: {explained(error)}") from error
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # nothing else can connect, and nothing is left

    def _create(self, made: dict[str, Any], user: int) -> None:
        self._id = self._engine.api.create_container(
            self._options.image,
            user=f"{user}:{user}",
            environment=dict(VARIABLES),
            host_config=made,
            network_disabled=True,
            labels={"autograder.pid": str(os.getpid())},
        )["Id"]

    def _watched(self) -> "asyncio.Future[None]":
        """What is done when it ends. A thread of its own waits: those of asyncio are few, and all would wait."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()

        def end() -> None:
            if not ended.done():
                ended.set_result(None)

        def wait() -> None:
            with contextlib.suppress(*errors()):  # gone already, or the engine is
                self._engine.api.wait(self._id)
            with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                loop.call_soon_threadsafe(end)

        threading.Thread(target=wait, daemon=True).start()
        return ended

    async def _accept(self, listener: socket.socket) -> socket.socket:
        assert self.ended is not None
        accepted = asyncio.create_task(asyncio.get_running_loop().sock_accept(listener))
        try:
            waited: set[asyncio.Future[Any]] = {accepted, self.ended}
            done, _ = await asyncio.wait(waited, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
            if accepted in done:
                control, _ = accepted.result()
                control.setblocking(False)
                return control
        finally:
            accepted.cancel()
        how = "ended before it called" if self.ended in done else f"did not call within {START_S:.0f} s"
        raise SandboxError(
            f"the container {how}: `docker run --rm {self._options.image}` shows what goes wrong "
            "(it must end with a FileNotFoundError)"
        )

    async def _greet(self, environment: Environment, be: str) -> None:
        """Say what to be, and wait until it is that."""
        assert self.control is not None
        calls, _ = seccomp.program(devices=bool(self._options.gpus))
        told: dict[str, Any] = {"be": be, "name": environment.name, "packages": environment.packages}
        told |= {"calls": calls.hex(), "gpu": bool(self._options.gpus)}
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self.control, json.dumps(told).encode())
        reply: dict[str, Any] = {}
        try:
            async with asyncio.timeout(START_S):
                while not reply.get("ready"):
                    received = await loop.sock_recv(self.control, MESSAGE)
                    reply = json.loads(received) if received else {"failed": "it ended without a word"}
                    if "failed" in reply:
                        raise Refused(reply["failed"])
                    self.facts |= reply
        except TimeoutError as error:
            raise SandboxError(f"the server in the container was not ready within {START_S:.0f} s") from error

    async def remove(self) -> None:
        """End it, and wait until nothing of it is left."""
        if self.control is not None:
            self.control.close()
        if self._id:
            with contextlib.suppress(*errors()):  # it may be gone, or going, by itself
                await asyncio.to_thread(self._engine.api.remove_container, self._id, force=True)
        if self.ended is not None:
            await asyncio.wait({self.ended})

    # What `Server` asks of its process.

    @property
    def pid(self) -> int:
        """Of its first process, on this machine."""
        return int(self._engine.api.inspect_container(self._id)["State"]["Pid"])


class Refused(SandboxError):
    """The server in the container says that it cannot work there."""
