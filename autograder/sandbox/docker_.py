"""How does student code run in a container, and what does the engine take from it?

One warm server an environment, in a container without network, capabilities, a writable file or our
files. It makes namespaces inside as it does on a host, so that a submission costs what it costs there.
Where the engine refuses that, each submission gets a container of its own, which takes seconds.

The container reaches us by one socket in a folder that is mounted into it, and is handed connections
over that; so the engine must run on this machine.
"""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from autograder.sandbox import seccomp
from autograder.sandbox.connection import Connection
from autograder.sandbox.environment import VARIABLES
from autograder.sandbox.limits import Environment, Limits, SandboxError
from autograder.sandbox.server_contained import SERVER, SOCKET, WARDEN
from autograder.sandbox.session import Server

if TYPE_CHECKING:
    import subprocess

    from docker import DockerClient

IMAGE = "autograder-worker"
LABEL = "autograder.worker"
_START_S = 120.0  # to import everything, on a slow disk
_MESSAGE = 65536
_USER = 10001
_FIRST_USER, _USERS = 20_000, 20_000  # of containers for one submission: the kernel counts processes by user
_WARM_MIB = 1024  # what the libraries take before a submission has anything
_BUILD = f"docker build -t {IMAGE} . (in the autograder's folder)"


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


def client() -> "DockerClient":
    """The engine that DOCKER_HOST or the usual socket leads to. Raises SandboxError, with the way out."""
    try:
        import docker
    except ImportError as error:
        raise SandboxError(
            "isolation by docker needs the Docker SDK: pip install 'gradient-autograder[docker]'"
        ) from error
    try:
        _knock()
        engine = docker.from_env(timeout=10)
        engine.ping()
        engine.api.timeout = _START_S
    except (docker.errors.DockerException, OSError) as error:
        raise SandboxError(
            "no Docker engine answers: start it (systemctl start docker), join its group, or name it by DOCKER_HOST"
        ) from error
    return engine


def _knock() -> None:
    """Raises OSError where nobody listens at the engine's socket: the SDK would leave its own end open then."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(host.removeprefix("unix://"))


def digest(engine: "DockerClient", image: str) -> str:
    """What an image is, by its content. Raises SandboxError where it is not there, or no worker image."""
    import docker

    try:
        found = engine.images.get(image)
    except docker.errors.ImageNotFound as error:
        raise SandboxError(f"the Docker engine has no image {image!r}: {_BUILD}") from error
    if LABEL not in (found.labels or {}):
        raise SandboxError(f"the image {image!r} is none in which the autograder's server starts: {_BUILD}")
    return str(found.id)


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


class _Container:
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
            if isinstance(error, _docker_errors()):
                raise SandboxError(f"the Docker engine refuses the container: {_explained(error)}") from error
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
            with contextlib.suppress(*_docker_errors()):  # gone already, or the engine is
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
            done, _ = await asyncio.wait(waited, timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
            if accepted in done:
                control, _ = accepted.result()
                control.setblocking(False)
                return control
        finally:
            accepted.cancel()
        how = "ended before it called" if self.ended in done else f"did not call within {_START_S:.0f} s"
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
            async with asyncio.timeout(_START_S):
                while not reply.get("ready"):
                    received = await loop.sock_recv(self.control, _MESSAGE)
                    reply = json.loads(received) if received else {"failed": "it ended without a word"}
                    if "failed" in reply:
                        raise Refused(reply["failed"])
                    self.facts |= reply
        except TimeoutError as error:
            raise SandboxError(f"the server in the container was not ready within {_START_S:.0f} s") from error

    async def remove(self) -> None:
        """End it, and wait until nothing of it is left."""
        if self.control is not None:
            self.control.close()
        if self._id:
            with contextlib.suppress(*_docker_errors()):  # it may be gone, or going, by itself
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


class DockerServer(Server):
    """The server of one environment, in containers.

    facts: what the image holds: versions by distribution, and the environment's modules. digest: the
    image's.
    """

    def __init__(self, engine: "DockerClient", options: Options, environment: Environment, image: str) -> None:
        self._engine = engine
        self._options = options
        self._environment = environment
        self._warm: _Container | None = None
        self._cold: set[_Container] = set()
        self._users = itertools.cycle(range(_FIRST_USER, _FIRST_USER + _USERS))
        self.digest = image
        self.facts: Mapping[str, Any] = {}

    @classmethod
    async def open_engine(cls, environment: Environment, options: Options = Options()) -> "DockerServer":
        """Start. Raises SandboxError, which says what to do."""
        engine = await asyncio.to_thread(client)
        started = cls(engine, options, environment, await asyncio.to_thread(digest, engine, options.image))
        try:
            await started._begin()
        except BaseException:
            await started.close()
            raise
        return started

    async def _begin(self) -> None:
        _, filtering = seccomp.program(devices=bool(self._options.gpus))
        walls = {"docker": "one container for all submissions, each in namespaces of its own"}
        refused = await self._begin_nested() if self._options.nested else "not asked for"
        if refused:
            walls["docker"] = f"one container a submission, which takes seconds (namespaces inside: {refused})"
            await self._begin_single()
        self.walls = {**walls, "seccomp": filtering, **self.facts.get("walls", {})}

    async def _begin_nested(self) -> str:
        """Start the warm server; why not, where the engine or kernel refuses namespaces inside."""
        container = _Container(self._engine, self._options)
        try:
            await container.start(
                self._environment, SERVER, _USER, memory_mib=_machine_mib() * 4 // 5, processes=16_384
            )
        except Refused as refused:
            self.facts = container.facts
            if not container.facts:
                raise SandboxError(str(refused)) from refused  # of the environment, not of the walls
            return str(refused)
        assert container.control is not None
        self.facts = container.facts
        super().__init__(cast("subprocess.Popen[bytes]", container), container.control, {})
        self._warm = container
        try:
            (await super()._connect(Limits(disk_mib=1))).close()
        except SandboxError as refused:
            self._warm = None
            await container.remove()
            return str(refused)
        return ""

    async def _begin_single(self) -> None:
        """See once that a submission's own container works; its facts say what to hide from submissions."""
        connection = await self._connect(Limits(disk_mib=16))
        connection.close()

    async def _connect(self, limits: Limits) -> Connection:
        if self._warm is not None:
            return await super()._connect(limits)
        if not self.facts:
            await self._ask_for_facts()
        container = _Container(self._engine, self._options)
        hidden = tuple(self.facts["hidden"])
        self._cold.add(container)
        await container.start(
            self._environment,
            WARDEN,
            next(self._users),
            memory_mib=limits.memory_mib + _WARM_MIB,
            disk_mib=limits.disk_mib,
            processes=limits.processes + 8,
            hidden=hidden,
        )
        assert container.control is not None
        assert container.ended is not None
        container.ended.add_done_callback(lambda _: self._cold.discard(container))
        ours, theirs = socket.socketpair()
        with theirs, container.control:
            socket.send_fds(container.control, [b"{}"], [theirs.fileno()])
        ours.setblocking(False)
        return await Connection.over(ours)

    async def _ask_for_facts(self) -> None:
        container = _Container(self._engine, self._options)
        try:
            await container.start(
                self._environment, WARDEN, next(self._users), memory_mib=2 * _WARM_MIB, disk_mib=16, processes=64
            )
        except Refused as refused:
            raise SandboxError(str(refused)) from refused
        self.facts = container.facts
        await container.remove()

    @property
    def pid(self) -> int:
        """Of the server, on this machine; 0 where each submission has a container of its own."""
        return self._warm.pid if self._warm else 0

    async def close(self) -> None:
        """End every container of this server."""
        containers = [*self._cold, *([self._warm] if self._warm else [])]
        await asyncio.gather(*(container.remove() for container in containers))
        await asyncio.to_thread(self._engine.close)


def _machine_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def _docker_errors() -> tuple[type[BaseException], ...]:
    import docker
    import requests

    return docker.errors.DockerException, requests.RequestException


def _explained(error: BaseException) -> str:
    return str(getattr(error, "explanation", "") or error)[:500]
