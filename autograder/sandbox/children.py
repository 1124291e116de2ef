"""How does the warden kill and reap, so that nothing a submission started outlives its question?"""

import os
import select
import signal
import socket
import time
from dataclasses import dataclass

from autograder.sandbox import clocks, confine


@dataclass
class Dead:
    """How a process ended, and what it used. status: as wait4 gives it."""

    status: int
    cpu_s: float
    peak_mib: float

    @property
    def signal(self) -> int | None:
        """The signal that ended it, if one did."""
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None

    def said(self) -> str:
        """The end in words."""
        if self.signal is not None:
            return f"ended by {signal.Signals(self.signal).name}"
        return f"exited with status {os.waitstatus_to_exitcode(self.status)}"


@dataclass
class Child:
    """A process that runs student code, and our end of the socket to it. dead: once it is reaped."""

    pid: int
    peer: socket.socket
    dead: Dead | None = None

    def kill(self) -> Dead:
        """Kill it, if it still lives, and reap it."""
        if self.dead is None:
            os.kill(self.pid, signal.SIGKILL)  # ours until it is reaped, so the number is not another's
        self.peer.close()
        return self.reap()

    def reap(self) -> Dead:
        """Wait for its end, and remember it."""
        if self.dead is None:
            _, status, usage = os.wait4(self.pid, 0)
            self.dead = Dead(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
        return self.dead

    def ends_within(self, seconds: float) -> bool:
        """Whether it has ended, or does before so many seconds have passed."""
        if self.dead:
            return True
        descriptor = os.pidfd_open(self.pid)
        ended = bool(select.select([descriptor], [], [], seconds)[0])
        os.close(descriptor)
        return ended


def sweep(*kept: Child | None, user: int | None = None) -> float:
    """Kill and reap every process of the namespace but the caller and those kept; their CPU seconds.

    user: whose alone, where others share the namespace and the caller is root.
    """
    ours = [child for child in kept if child]
    spared = {1} | {child.pid for child in ours}
    if not clocks.living(spared, user):
        return _reap_orphans(ours)
    # All at once, so that nothing can fork on.
    if user is None:
        os.kill(-1, signal.SIGSTOP)
    else:
        confine.signal_user(user, signal.SIGSTOP)
    cpu_s = 0.0
    while left := clocks.living(spared, user):
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it went with a parent that reaped it
        time.sleep(0.0005)
        cpu_s += _reap_orphans(ours)
    cpu_s += _reap_orphans(ours)  # what had not quite ended then, and was no longer alive at the last look
    for child in ours:
        if child.dead is None:
            os.kill(child.pid, signal.SIGCONT)
    return cpu_s


def _reap_orphans(kept: list[Child]) -> float:
    """Reap what has ended, without waiting; its CPU seconds, those of what is kept left out."""
    cpu_s = 0.0
    while True:
        try:
            pid, status, usage = os.wait3(os.WNOHANG)
        except ChildProcessError:
            return cpu_s
        if pid == 0:
            return cpu_s
        seconds = usage.ru_utime + usage.ru_stime
        child = next((child for child in kept if child.pid == pid), None)
        if child:
            child.dead = Dead(status, seconds, usage.ru_maxrss / 1024)
        else:
            cpu_s += seconds
