"""What takes the place of namespaces in a container that refuses them?

A user of its own for each submission, without capabilities, under the filter of system calls and the limits
of a process; what the container holds beside it is closed by permissions (`permissions`). The container
itself is the outer wall, and serves one submission. The warden stays root, so that student code can neither
end it nor look into it. Before anything else this is tried, and where it does not hold nothing starts.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from autograder.sandbox import cgroups, clocks, confine, permissions, server, warm, wire
from autograder.sandbox.server_contained import make_absent
from autograder.sandbox.warden import Warden
from autograder.sandbox.warden_place import Place

HOMES = "/run/autograder-jails"
_FIRST_USER, _USERS = 20_000, 20_000  # two a submission; containers may have no more than 65,536
_IN_HOME = {
    "HOME": "",
    "TMPDIR": "",
    "MPLCONFIGDIR": "/matplotlib",
    "IPYTHONDIR": "/ipython",
    "XDG_CACHE_HOME": "/cache",
}
_SHOWN = 5


def main(settings: dict[str, Any]) -> NoReturn:
    """Serve until the control socket closes.

    settings: as `server.main` has them, and closed: files and folders that student code must not read.
    """
    control = socket.socket(fileno=settings["control"])
    calls = bytes.fromhex(settings["calls"])
    try:
        confine.close_all_but(0, 1, 2, settings["control"])
        confine.adopt_orphans()  # a warden may be ended before it reaps, and the first process here never does
        warm.up(settings["packages"])
        groups = _close_off(settings)
        faults = _try(settings, calls, groups)
    except OSError as error:
        faults = [str(error)]
    if (threads := max(threading.active_count(), len(os.listdir("/proc/self/task")))) != 1:
        faults.append(f"the warm process has {threads} threads and cannot fork")
    if faults:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        said = f"student code would not be kept apart in this container: {'; '.join(faults[:_SHOWN])}{more}"
        control.send(json.dumps({"failed": said}).encode())
        os._exit(1)
    confine.standard_streams_to_null()
    wall = "a user of its own for each submission, in a container that it shares with the grader"
    control.send(json.dumps({"ready": True, "walls": {"container": wall}}).encode())
    Server(control, calls, groups).run()


def _close_off(settings: Mapping[str, Any]) -> list[int]:
    """Let modules be found in the environment alone; the groups of its libraries."""
    entries, sites = settings["entries"], settings["sites"]
    sys.path[:] = [path for path in sys.path if path in sites or path not in settings["path"]]
    make_absent(frozenset(os.path.basename(path).split(".")[0] for path in permissions.foreign(entries, sites)))
    return permissions.groups_of(entries)


def _try(settings: Mapping[str, Any], calls: bytes, groups: Sequence[int]) -> list[str]:
    """What a submission could do and must not, tried by a process that is given up as its would be."""
    if os.geteuid() != 0:
        return ["only root can give it another user"]
    if not calls:
        return ["there is no filter of system calls: install libseccomp (libseccomp2 on Debian and Ubuntu)"]
    if gone := [path for path in settings["closed"] if not os.path.exists(path)]:
        return [f"{path}, which was to be closed, is not there" for path in gone]
    others = permissions.foreign(settings["entries"], settings["sites"])
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            confine.become(_FIRST_USER, groups)
            found = permissions.faults(settings["closed"], settings["entries"], others)
            found += [f"{path} can be read" for path in ("/proc/1/environ", "/proc/1/root/root") if _opens(path)]
            confine.filter_calls(calls)
            found += ["the network can be used"] if _has_network() else []
            os.write(write, json.dumps(["tried", *found]).encode()[:65536])
        except Exception as error:
            os.write(write, json.dumps(["tried", f"{type(error).__name__}: {error}"]).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    tried = json.loads(said or b"[]")
    return list(tried[1:]) if tried else ["the trial ended without a word"]


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def _has_network() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


class Server(server.Server):
    """Forks wardens, each with another user for its submission, and clears up after them."""

    def __init__(self, control: socket.socket, calls: bytes, groups: Sequence[int]) -> None:
        super().__init__(control, calls, cgroups.Groups([], {}), own_ids=False)
        self._user_groups = groups
        self._users: dict[int, int] = {}  # by the descriptor of the warden
        # Processes of a user are counted for the whole machine: another container shall have others.
        self._next = 2 * (int.from_bytes(os.urandom(4)) % (_USERS // 2))

    def _start(self, message: dict[str, Any], connection: int) -> list[int]:
        user = _FIRST_USER + 2 + self._next
        self._next = (self._next + 2) % _USERS
        home = Path(HOMES, str(user))
        try:
            (home / "work").mkdir(parents=True)
            for folder in (home, home / "work"):
                os.chown(folder, user, user)
                folder.chmod(0o700)
            pid = os.fork()
            if pid == 0:
                try:
                    _be_warden(connection, user, home, self._calls, self._user_groups)
                finally:
                    os._exit(1)  # whatever went wrong there, the copy must not go on as a server
            descriptor = os.pidfd_open(pid)
        except OSError:
            return []
        finally:
            os.close(connection)
        self._running[descriptor] = pid, self._slots.pop()
        self._users[descriptor] = user
        return [descriptor]

    def _reap(self, descriptor: int) -> None:
        super()._reap(descriptor)
        user = self._users.pop(descriptor)
        while left := clocks.living(set(), user):  # nothing, where the warden ended as it should
            confine.signal_user(user, signal.SIGKILL)
            for pid in left:
                try:
                    os.waitpid(pid, 0)
                except ChildProcessError:
                    pass  # it went with a parent that reaped it
        for pid in clocks.processes(user):  # which had ended when it was looked for
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        shutil.rmtree(Path(HOMES, str(user)), ignore_errors=True)
        permissions.clear_shared(user)


class _Home(Place):
    """A folder of another user's, beside a warden that is root."""

    disks = ()

    def __init__(self, user: int, home: Path, groups: Sequence[int]) -> None:
        self.user: int = user
        self.work = str(home / "work")
        self._groups = groups

    def give_up(self) -> None:
        confine.become(self.user, self._groups)

    def put(self, files: Mapping[str, bytes]) -> None:
        """In the student's name, who could have left links where files are to be written."""
        os.setegid(self.user)
        os.seteuid(self.user)
        try:
            super().put(files)
        finally:
            os.seteuid(0)
            os.setegid(0)


def _be_warden(connection: int, user: int, home: Path, calls: bytes, groups: Sequence[int]) -> NoReturn:
    examiner = socket.socket(fileno=connection)
    try:
        confine.close_all_but(0, 1, 2, connection)
        confine.adopt_orphans()
        confine.dumpable(False)
        confine.die_with_parent()
        for number in (signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        os.environ.update({name: f"{home}{below}" for name, below in _IN_HOME.items()})
        tempfile.tempdir = None  # found anew where it is wanted
        os.chdir(home / "work")
    except OSError as error:
        wire.send(examiner, wire.CONTROL, json.dumps({"event": "failed", "text": str(error)}).encode())
        os._exit(1)
    wire.send(examiner, wire.CONTROL, json.dumps({"event": "ready"}).encode())
    Warden(examiner, calls, place=_Home(user, home, groups)).run()
