"""What is the warm process of an environment, and how does it start a submission?

It is started by exec with a fixed environment and without secrets, builds the tree that every
submission sees, imports what notebooks use, and then forks a warden into namespaces of its own for
each connection that the examiner hands it. It never reads from a connection and never waits for one.
"""

import json
import os
import select
import signal
import socket
import threading
from typing import Any, NoReturn

from autograder.sandbox import cgroups, confine, tree, warm, wire, worker
from autograder.sandbox.warden import Warden

INSIDE_ID = 1000  # user and group of student code inside its namespaces
_FIRST_ID = 0x70000000  # of the host's ids that slots use; far from those of people and services
_SLOTS = 256
_REFUSED = (
    "this kernel refuses user namespaces ({error}); `autograder doctor` names what allows them: "
    "sysctl -w user.max_user_namespaces=15000, kernel.unprivileged_userns_clone=1 or "
    "kernel.apparmor_restrict_unprivileged_userns=0, or a container run with the rights to make them"
)


def main(settings: dict[str, Any]) -> NoReturn:
    """Serve until the control socket closes.

    settings: control (descriptor), packages, entries (paths of the distributions), sites (folders that
    hold them) and calls (the program of the filter of system calls, in hexadecimal digits).
    """
    control = socket.socket(fileno=settings["control"])
    try:
        confine.close_all_but(0, 1, 2, settings["control"])
        groups = cgroups.open_groups()
        server = Server(control, bytes.fromhex(settings["calls"]), groups, own_ids=_prepare(settings))
    except OSError as error:
        control.send(json.dumps({"failed": _REFUSED.format(error=error)}).encode())
        os._exit(1)
    threads = threading.active_count(), len(os.listdir("/proc/self/task"))
    if threads != (1, 1):
        control.send(json.dumps({"failed": f"the warm process has {max(threads)} threads and cannot fork"}).encode())
        os._exit(1)
    confine.standard_streams_to_null()
    control.send(json.dumps({"ready": True, "walls": dict(groups.walls)}).encode())
    server.run()


def _prepare(settings: dict[str, Any]) -> bool:
    """Enter the tree and warm up; whether slots have ids of their own on the host."""
    own_ids = _leave_host()
    tree.build(settings["entries"], settings["shown"])
    tree.relocate(settings["sites"])
    warm.up(settings["packages"])
    confine.collapse_memory()
    return own_ids


def _leave_host() -> bool:
    """Get a mount namespace of one's own; as an ordinary user, by way of a user namespace."""
    user = os.geteuid()
    if user == 0:
        try:
            confine.unshare(confine.CLONE_NEWNS)
            os.setgroups([])
            return True
        except PermissionError:
            pass  # root without the rights of root, as in many containers: go on like anybody else
    group = os.getegid()
    confine.unshare(confine.CLONE_NEWUSER | confine.CLONE_NEWNS)
    confine.map_ids(os.getpid(), (0, user), (0, group))
    return False


class Server:
    """Forks wardens and reaps them."""

    def __init__(self, control: socket.socket, calls: bytes, groups: cgroups.Groups, *, own_ids: bool) -> None:
        self._control = control
        self._calls = calls
        self._groups = groups
        self._own_ids = own_ids
        self._slots = list(range(_SLOTS - 1, -1, -1))
        self._running: dict[int, tuple[int, int]] = {}  # pidfd: pid, slot
        self._first_id = _FIRST_ID + os.getpid() % 4096 * _SLOTS

    def run(self) -> NoReturn:
        """Serve; when the examiner lets go, end all that still runs."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self._control.fileno():
                    message, descriptors, _, _ = socket.recv_fds(self._control, 65536, 1)
                    if not message:
                        self._end()
                    for started in self._start(json.loads(message), descriptors[0]):
                        poll.register(started, select.POLLIN)
                else:
                    poll.unregister(descriptor)
                    self._reap(descriptor)

    def _start(self, message: dict[str, Any], connection: int) -> list[int]:
        """Fork a warden for a connection; the descriptor that tells of its end.

        Where the kernel refuses one more, the connection closes and the examiner says so.
        """
        if not self._slots:
            os.close(connection)
            return []
        go, ready = os.pipe()
        pid, group = 0, cgroups.Group()
        try:
            group = self._groups.of(self._slots[-1], **message)
            pid = confine.fork(confine.NEW_NAMESPACES)
            if pid == 0:
                try:
                    os.close(ready)
                    _be_warden(connection, go, message["disk_mib"], self._calls, group)
                finally:
                    os._exit(1)  # whatever went wrong there, the copy must not go on as a server
            outside = self._first_id + self._slots[-1] if self._own_ids else 0
            confine.map_ids(pid, (INSIDE_ID, outside), (INSIDE_ID, outside))
            descriptor = os.pidfd_open(pid)
        except OSError:
            if pid:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            self._slots.insert(0, self._slots.pop())  # whatever is wrong with this one, the next may do
            return []
        finally:
            for done in (go, ready, connection, *group.join, *group.kept_open()):
                os.close(done)
        self._running[descriptor] = pid, self._slots.pop()
        return [descriptor]

    def _reap(self, descriptor: int) -> None:
        pid, slot = self._running.pop(descriptor)
        os.close(descriptor)
        os.waitpid(pid, 0)
        self._slots.append(slot)

    def _end(self) -> NoReturn:
        for descriptor, (pid, _) in list(self._running.items()):
            os.kill(pid, signal.SIGKILL)
            self._reap(descriptor)
        self._groups.remove()
        os._exit(0)


def _be_warden(connection: int, go: int, disk_mib: int, calls: bytes, group: cgroups.Group) -> NoReturn:
    """The first process of the new namespaces: give up everything, then serve the connection.

    calls: the filter of system calls, which each process puts over itself that will run student code.
    """
    os.read(go, 1)  # ends when our ids are mapped, or when the server gives up and kills
    examiner = socket.socket(fileno=connection)
    try:
        group.enter()
        confine.close_all_but(0, 1, 2, connection, *group.kept_open())
        proc = _enter(disk_mib)
    except OSError as error:
        wire.send(examiner, wire.CONTROL, json.dumps({"event": "failed", "text": str(error)}).encode())
        os._exit(1)
    wire.send(examiner, wire.CONTROL, json.dumps({"event": "ready"}).encode())
    Warden(examiner, calls, group, proc).run()


def _enter(disk_mib: int) -> int:
    """Make the jail around this process; a descriptor of its /proc that can be written to."""
    os.setresgid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
    os.setresuid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
    flags = confine.MS_NOSUID | confine.MS_NODEV
    options = f"mode=1777,size={disk_mib}m,nr_inodes=65536"
    confine.mount("tmpfs", "/tmp", "tmpfs", flags, options)
    confine.mount("tmpfs", "/dev/shm", "tmpfs", flags, options)
    confine.forbid_new_user_namespaces()
    proc = confine.mount_proc()
    confine.set_hostname("jail")
    confine.drop_privileges()
    confine.dumpable(False)
    confine.die_with_parent()
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    os.mkdir(worker.WORK)
    os.chdir(worker.WORK)
    return proc
