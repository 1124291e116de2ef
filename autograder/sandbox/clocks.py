"""How much has student code used, seen from outside?

CPU time grades; asleep with the ball on the student's side counts the same. Wall time is a backstop: time in
which a process was ready and not let run does not count, up to ten times as long; what is not done by then is
our fault. Memory of one process is the kernel's to limit; that of many together is looked at here.
"""

import os
import time

LOOK_AFTER_S = 0.05  # shorter work is never looked at
_LONGEST_S = 0.25
_CLOSELY_EACH_S = 1.0
_CROWDED = 10  # times the wall time allowed: longer than that nobody is waited for
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def processes(user: int | None = None) -> list[int]:
    """All process ids of this namespace; or of one user, where others share the namespace."""
    found = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return found if user is None else [pid for pid in found if _user(pid) == user]


def living(spared: set[int], user: int | None = None) -> list[int]:
    """`processes` but those spared; what has ended and waits to be reaped is not alive.

    Where the first thread has ended before the others, a process looks so and cannot be reaped yet.
    """
    found = [pid for pid in processes(user) if pid not in spared]
    return [pid for pid in found if _state(f"/proc/{pid}/stat") not in "ZX" or thread_count(pid) > 1]


def thread_count(pid: int) -> int:
    """Number of threads of a process; 0 where it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def lasting_threads(pid: int) -> int:
    """Number of threads of a process, those left out that are about to end by themselves; 0 where it is gone.

    What a data loader has started ends a moment after its last batch: counted at once, the same notebook would
    have threads in one run and none in the next. So one that has run of late is given time, up to two seconds.
    """
    until = time.monotonic() + 2.0
    since, before = time.monotonic(), _switches(pid)
    while thread_count(pid) > 1 and time.monotonic() < until and time.monotonic() - since < 0.1:
        time.sleep(0.005)
        now = _switches(pid)
        if now != before or not _is_asleep(pid):
            since, before = time.monotonic(), now
    return thread_count(pid)


def process_cpu_s(pid: int) -> float:
    """CPU seconds of a living process, its threads included; 0 where it is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


class Watch:
    """Watches one process, and all it starts, through one piece of work.

    bystanders: processes of the namespace that do not count. user: whose alone count, where others share
    the namespace. memory_mib: what all that do may hold together. reached: after a verdict, the field of
    `limits.Limits` it is about, what was used and allowed.
    """

    def __init__(
        self,
        pid: int,
        *,
        cpu_s: float,
        wall_s: float,
        memory_mib: float,
        bystanders: frozenset[int],
        user: int | None = None,
    ) -> None:
        self.pid = pid
        self._user = user
        self.reached = "cpu_s", 0.0, cpu_s
        self._memory_mib = memory_mib
        self._look_again = 0.0
        self.allowed_s = cpu_s
        self._wall_allowed_s = wall_s
        self._bystanders = bystanders
        self._base = process_cpu_s(pid)
        self._wall_before = 0.0
        self._since: float | None = None
        self._slept = 0.0
        self._delay_base = self._delays = _run_delay_s(pid)
        self._our_delay_base = _run_delay_s(os.getpid())
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

    def asleep_s(self) -> float:
        """Seconds with the ball on its side in which the process neither ran nor waited to run; it must still live.

        Less than `LOOK_AFTER_S` is none: so much passes on a busy machine before an answer is noticed.
        """
        ready = _run_delay_s(self.pid) - self._delay_base + _run_delay_s(os.getpid()) - self._our_delay_base
        asleep = self.wall_s() - (process_cpu_s(self.pid) - self._base) - ready
        return asleep if asleep >= LOOK_AFTER_S else 0.0

    def patience_s(self) -> float:
        """How long it is not worth looking."""
        if self._since is None:
            return _LONGEST_S
        left, of_wall = self.allowed_s - self.used_s(), self._wall_allowed_s - self.wall_s()
        left = min(left, of_wall) if of_wall > 0 else left
        looked_before = time.monotonic() - self._since >= LOOK_AFTER_S
        return min(max(left / 2, 0.005), _LONGEST_S if looked_before else LOOK_AFTER_S)

    def spent(self) -> bool:
        """Whether the process's own CPU time is spent; costs next to nothing."""
        return self.used_s() >= self.allowed_s

    def verdict(self) -> str | None:
        """`timed_out`, `out_of_memory` or `not_graded` when it is over, else None."""
        now = time.monotonic()
        own = process_cpu_s(self.pid)
        company = [pid for pid in processes(self._user) if pid not in self._bystanders]
        others = sum(_stat_cpu_s(pid) for pid in company if pid != self.pid)
        # Time in which any of them was ready and not let run is no sleep: a crowded machine is no one's fault.
        delays = sum(_run_delay_s(pid) for pid in company)
        waited, gained, delayed = now - self._looked, own - self._cpu, max(0.0, delays - self._delays)
        if all(_is_asleep(pid) for pid in company):
            self._slept += max(0.0, waited - gained - delayed)
        self._looked, self._cpu, self._delays = now, own, delays
        charged = own - self._base + others + self._slept
        if charged >= self.allowed_s:
            self.reached = "cpu_s", charged, self.allowed_s
            return "timed_out"
        wall, kept_waiting = self.wall_s(), max(0.0, delays - self._delay_base)
        if wall - kept_waiting < self._wall_allowed_s and wall < _CROWDED * self._wall_allowed_s:
            return "out_of_memory" if len(company) > 1 and self._holds_too_much(company) else None
        self.reached = "wall_s", wall, self._wall_allowed_s
        ran_or_waited_to = own - self._base + others + kept_waiting
        return "timed_out" if ran_or_waited_to < wall / 2 else "not_graded"

    def _holds_too_much(self, company: list[int]) -> bool:
        """Whether processes together hold more than they may. What each holds is soon added up; what of it
        they only share takes long to find out, so that is seldom asked."""
        if sum(map(_resident_mib, company)) <= self._memory_mib or time.monotonic() < self._look_again:
            return False
        held = sum(map(_own_mib, company))
        self._look_again = time.monotonic() + _CLOSELY_EACH_S
        self.reached = "memory_mib", held, self._memory_mib
        return held > self._memory_mib


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _user(pid: int) -> int:
    """The real user of a process, which one without capabilities cannot change; -1 where it is gone."""
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[1])
    return -1


def _stat_cpu_s(pid: int) -> float:
    """CPU seconds of a process and of the children it has waited for."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * _TICK_S if fields else 0.0


def _resident_mib(pid: int) -> float:
    """Memory that a process has at hand and that is no file's, what it shares with its parent included."""
    fields = _read(f"/proc/{pid}/statm").split()
    return (int(fields[1]) - int(fields[2])) * _PAGE_MIB if fields else 0.0


def _own_mib(pid: int) -> float:
    """Its part of it: a page that several share counts once among them."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _is_asleep(pid: int) -> bool:
    """Whether every thread of a process sleeps."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return True
    return all(_state(f"/proc/{pid}/task/{task}/stat") in "SZTX" for task in tasks)


def _switches(pid: int) -> dict[str, list[str]]:
    """How often each thread of a process was let run."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return {}
    lines = {task: _read(f"/proc/{pid}/task/{task}/status").splitlines() for task in tasks}
    return {task: [line for line in status if "ctxt_switches" in line] for task, status in lines.items()}


def _state(path: str) -> str:
    fields = _read(path).rpartition(")")[2].split()
    return fields[0] if fields else "X"


def _run_delay_s(pid: int) -> float:
    """Seconds that the threads of a process were ready and not let run; 0 where the kernel does not say."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return 0.0
    read = (_read(f"/proc/{pid}/task/{task}/schedstat").split() for task in tasks)
    return sum(int(fields[1]) * 1e-9 for fields in read if len(fields) == 3)
