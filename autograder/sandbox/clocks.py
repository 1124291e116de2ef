"""How much has student code used, seen from outside?

CPU time grades; asleep with the ball on the student's side counts the same. Wall time is a backstop:
when it is reached by a process that was kept from running, that is our fault.
"""

import os
import time

LOOK_AFTER_S = 0.05  # shorter work is never looked at
_LONGEST_S = 0.25
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def processes() -> list[int]:
    """All process ids of this namespace."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def living(spared: set[int]) -> list[int]:
    """Process ids of this namespace but those spared; what has ended and waits to be reaped is not alive."""
    return [pid for pid in processes() if pid not in spared and _state(f"/proc/{pid}/stat") not in "ZX"]


def thread_count(pid: int) -> int:
    """Number of threads of a process; 0 where it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def process_cpu_s(pid: int) -> float:
    """CPU seconds of a living process, its threads included; 0 where it is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


class Watch:
    """Watches one process, and all it starts, through one piece of work.

    bystanders: processes of the namespace that do not count.
    """

    def __init__(self, pid: int, *, cpu_s: float, wall_s: float, bystanders: frozenset[int]) -> None:
        self.pid = pid
        self.allowed_s = cpu_s
        self.wall_allowed_s = wall_s
        self._bystanders = bystanders
        self._base = process_cpu_s(pid)
        self._wall_before = 0.0
        self._since: float | None = None
        self._slept = 0.0
        self._delay_base = _run_delay_s(pid)
        self._cpu = self._base
        self._looked = 0.0

    def resume(self) -> None:
        """The ball goes to the student."""
        self._since = self._looked = time.monotonic()
        self._cpu = process_cpu_s(self.pid)

    def pause(self) -> None:
        """The ball comes back."""
        self._wall_before = self.wall_s()
        self._since = None

    def wall_s(self) -> float:
        """Wall seconds with the ball on the student's side."""
        running = time.monotonic() - self._since if self._since is not None else 0.0
        return self._wall_before + running

    def used_s(self) -> float:
        """CPU seconds since the start, with time asleep, of the process itself."""
        return process_cpu_s(self.pid) - self._base + self._slept

    def patience_s(self) -> float:
        """How long it is not worth looking."""
        if self._since is None:
            return _LONGEST_S
        left = min(self.allowed_s - self.used_s(), self.wall_allowed_s - self.wall_s())
        looked_before = time.monotonic() - self._since >= LOOK_AFTER_S
        return min(max(left / 2, 0.005), _LONGEST_S if looked_before else LOOK_AFTER_S)

    def spent(self) -> bool:
        """Whether the process's own CPU time is spent; costs next to nothing."""
        return self.used_s() >= self.allowed_s

    def verdict(self) -> str | None:
        """`timed_out` or `not_graded` when it is over, else None."""
        now = time.monotonic()
        own = process_cpu_s(self.pid)
        company = [pid for pid in processes() if pid not in self._bystanders]
        others = sum(_stat_cpu_s(pid) for pid in company if pid != self.pid)
        waited, gained = now - self._looked, own - self._cpu
        if all(_is_asleep(pid) for pid in company):
            self._slept += max(0.0, waited - gained)
        self._looked, self._cpu = now, own
        if own - self._base + others + self._slept >= self.allowed_s:
            return "timed_out"
        if self.wall_s() < self.wall_allowed_s:
            return None
        ran_or_waited_to = own - self._base + _run_delay_s(self.pid) - self._delay_base
        return "timed_out" if ran_or_waited_to < self.wall_s() / 2 else "not_graded"


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _stat_cpu_s(pid: int) -> float:
    """CPU seconds of a process and of the children it has waited for."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * _TICK_S if fields else 0.0


def _is_asleep(pid: int) -> bool:
    """Whether every thread of a process sleeps."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return True
    return all(_state(f"/proc/{pid}/task/{task}/stat") in "SZTX" for task in tasks)


def _state(path: str) -> str:
    fields = _read(path).rpartition(")")[2].split()
    return fields[0] if fields else "X"


def _run_delay_s(pid: int) -> float:
    """Seconds a process was ready and not let run; 0 where the kernel does not say."""
    fields = _read(f"/proc/{pid}/schedstat").split()
    return int(fields[1]) * 1e-9 if len(fields) == 3 else 0.0
