"""Does an isolation hold on this machine, as far as a small attempt to get out can tell?

A notebook of a dozen acts is loaded as a student's would be: each tries to reach something that was put
there for it. The same acts run in an ordinary process first, where they must succeed; one that does not
proves nothing, and is said to. This is no proof that the jail holds, which is what tests/hostile/ is
for; it is a proof that the jail is there.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.sandbox.isolation import PROCESS, Isolation, Session, start
from autograder.sandbox.limits import Environment, Limits, SandboxError
from autograder.values.asking import Program

_LIMITS = Limits(cell_cpu_s=5.0, load_cpu_s=10.0, memory_mib=256, disk_mib=16, processes=24)
_CPU_S = 4.0
_DEVOURED_MIB = 600
_NAME = "escapes"  # of the environment

# What is tried, by the function of the notebook that does, in the words of the report.
ACTS = {
    "read_file": "read a file of the examiner's",
    "write_file": "write a file beside it",
    "read_variable": "read the examiner's environment variables",
    "see_process": "see a process of the examiner's",
    "end_process": "end that process",
    "use_network": "connect to a server on this machine",
    "use_abstract_socket": "connect to a socket that has no file",
    "run_program": "run another program",
    "gain_rights": "make a user namespace, in which one is root",
    "take_memory": f"take {_DEVOURED_MIB} MiB where {_LIMITS.memory_mib} are allowed",
    "stay_behind": "leave a process behind",
}

_NOTEBOOK = """
import ctypes, os, socket, subprocess, time
import numpy
path, token, pid, port = {path!r}, {token!r}, {pid}, {port}

def read_file():
    return open(path).read() == token

def write_file():
    with open(path + "." + token, "w") as file:
        file.write("was here")
    return True

def read_variable():
    return token in os.environ.values()

def line_of(number):
    try:
        return open("/proc/%s/cmdline" % number).read()
    except OSError:
        return ""

def see_process():
    return any(token in line_of(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid())

def end_process():
    if token not in line_of(pid):
        raise LookupError("it is not there")
    os.kill(pid, 9)
    return True

def use_network():
    socket.create_connection(("127.0.0.1", port), 1).close()
    return True

def use_abstract_socket():
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect("\\0" + token)
    return True

def run_program():
    return subprocess.run(["/bin/true"]).returncode == 0

def gain_rights():
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(0x10000000) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0

def take_memory():
    return len(numpy.zeros({devoured} << 20, "u1")) > 0  # asked for, and never touched

def stay_behind():
    if os.fork() == 0:
        with open("/proc/self/comm", "w") as name:
            name.write(token[:15])
        time.sleep(20)
        os._exit(0)
    return True
"""


@dataclass(frozen=True)
class Attempt:
    """One act in one isolation.

    stopped: whether it came to nothing. how: in words. proves: whether it succeeds without a jail.
    """

    act: str
    stopped: bool
    how: str
    proves: bool


@dataclass(frozen=True)
class Trial:
    """What came of the attempts in one isolation.

    failed: why there were none; "" where there were. walls: what stands there, in words, by its name.
    """

    isolation: str
    attempts: tuple[Attempt, ...] = ()
    failed: str = ""
    walls: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether everything that proves something was stopped, and something did."""
        deciding = [attempt for attempt in self.attempts if attempt.proves]
        return bool(deciding) and all(attempt.stopped for attempt in deciding)


async def trials(isolations: list[Isolation]) -> list[Trial]:
    """Try to escape from each."""
    control, _ = await _try(Isolation(PROCESS))
    succeeds = {attempt.act for attempt in control if not attempt.stopped}
    done = []
    for isolation in isolations:
        try:
            attempts, walls = await _try(isolation)
        except SandboxError as error:
            done.append(Trial(isolation.kind, failed=str(error)))
            continue
        proving = tuple(Attempt(a.act, a.stopped, a.how, a.act in succeeds) for a in attempts)
        done.append(Trial(isolation.kind, proving, walls=walls))
    return done


async def _try(isolation: Isolation) -> tuple[list[Attempt], Mapping[str, str]]:
    with _bait() as bait:
        started = await start(Environment(_NAME, ("numpy",)), isolation)
        try:
            attempts = []
            session = await started.server.open(_LIMITS)
            try:
                attempts = await _attempts(session, bait)
            finally:
                await session.close()
        finally:
            await started.server.close()
        return [_with_own_eyes(attempt, bait) for attempt in attempts], dict(started.server.walls)


async def _attempts(session: Session, bait: "_Bait") -> list[Attempt]:
    loaded = await session.load([_Cell(1, bait.notebook)], {}, frozenset(ACTS))
    if loaded.failed or loaded.missing:
        raise SandboxError(f"the notebook of the attempts was not loaded: {loaded}")
    attempts = []
    for act in ACTS:
        program = Program()
        ask = program.ask(act, program.call(program.get(act)))
        question = await session.question(_CPU_S)
        answer = await question.ask(ask)
        await question.close()
        through = answer.returned and answer.value is True
        how = "it succeeded" if through else "it found nothing" if answer.returned else ""
        how = how or str(answer.detail.get("text") or answer.status.replace("_", " "))
        attempts.append(Attempt(act, not through, how[:200], True))
    return attempts


def _with_own_eyes(attempt: Attempt, bait: "_Bait") -> Attempt:
    """What this side sees of it decides, where it sees anything: the other side may believe what it likes."""
    seen = {
        "write_file": bait.was_written,
        "end_process": lambda: bait.helper.poll() is not None,
        "stay_behind": bait.left_behind,
    }.get(attempt.act)
    if seen is None:
        return attempt
    through = seen()
    how = "it succeeded" if through else attempt.how if attempt.stopped else "nothing came of it"
    return Attempt(attempt.act, not through, how, attempt.proves)


@dataclass(frozen=True)
class _Cell:
    number: int
    source: str


@dataclass(frozen=True)
class _Bait:
    """What is put there to be reached."""

    path: Path
    token: str
    helper: "subprocess.Popen[bytes]"
    port: int

    @property
    def notebook(self) -> str:
        return _NOTEBOOK.format(
            path=str(self.path), token=self.token, pid=self.helper.pid, port=self.port, devoured=_DEVOURED_MIB
        )

    def was_written(self) -> bool:
        return Path(f"{self.path}.{self.token}").exists()

    def left_behind(self) -> bool:
        """Whether a process of that name still runs; it is ended."""
        found = False
        for name in Path("/proc").glob("[0-9]*/comm"):
            with contextlib.suppress(OSError):
                if name.read_text().strip() == self.token[:15]:
                    found = True
                    os.kill(int(name.parent.name), 9)
        return found


@contextlib.contextmanager
def _bait() -> Iterator[_Bait]:
    token = secrets.token_hex(12)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="autograder-doctor-"))
        os.chmod(folder, 0o777)  # nothing but the jail shall be in the way
        path = Path(folder, "secret")
        path.write_text(token)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        if sys.platform == "linux":
            abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
            abstract.bind(f"\0{token}")
            abstract.listen(1)
        helper = subprocess.Popen(
            [sys.executable, "-I", "-c", "import sys; sys.stdin.read()", token], stdin=subprocess.PIPE
        )
        os.environ["AUTOGRADER_DOCTOR"] = token
        try:
            yield _Bait(path, token, helper, listener.getsockname()[1])
        finally:
            os.environ.pop("AUTOGRADER_DOCTOR", None)
            helper.kill()
            helper.communicate()


def run(isolations: list[Isolation]) -> list[Trial]:
    """`trials`, from code that does not wait."""
    return asyncio.run(trials(isolations))
