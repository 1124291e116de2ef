"""How does a warden start the processes that run a submission, and name their ends?

The loader runs the cells once. A question is answered by a copy of it, the last one by the loader itself, and
where neither can be by a process that has loaded the cells again.
"""

import os
import select
import signal
import socket
from typing import Any

from autograder.sandbox import cgroups, clocks, confine, wire, worker
from autograder.sandbox.children import Child, Dead, sweep
from autograder.sandbox.warden_place import Place
from autograder.sandbox.worker_load import Recipe

_FORK_S = 10.0  # a loader that has not forked by then will not
_TOGETHER = 2  # times the memory of one process is what all of a question may hold


class Submission:
    """One submission's cells, limits and processes, which are forked from this pristine one.

    examiner: only listened to, for its going away. calls: the filter of system calls. group: where its memory
    is counted. proc: a descriptor of a /proc that can be written to, where the usual one cannot.
    """

    def __init__(
        self, examiner: socket.socket, place: Place, calls: bytes, group: cgroups.Group, proc: int | None
    ) -> None:
        self._examiner = examiner
        self._place = place
        self._calls = calls
        self._group = group
        self._proc = proc
        self._recipe: Recipe | None = None
        self._limits: dict[str, Any] = {}
        self._loader: Child | None = None

    def load(self, message: dict[str, Any], contents: list[bytes]) -> tuple[dict[str, Any], bytes | None]:
        """Run the cells of a message; how it ended, and the loader's report if there is one.

        contents: of the files that the message names.
        """
        self._limits = message["limits"]
        try:
            self._place.put(dict(zip(message["files"], contents, strict=True)))
        except (OSError, ValueError) as error:
            # Too much for the disk, or names that cannot stand beside each other: handed in so.
            detail = {"limit": "disk_mib", "allowed": message["disk_mib"], "text": f"its files: {error}"}
            return _stopped(None, "crashed", {}, detail), None
        cells = [(number, source) for number, source in message["cells"]]
        self._recipe = Recipe(cells, frozenset(message["wanted"]), frozenset(message["skip"]))
        child = self._start(direct=False)
        end, report = self._watch_load(child)
        if report is not None:
            self._loader = child
            end["threads"] = clocks.lasting_threads(child.pid)
        return end, report

    def load_again(self) -> tuple[Child, dict[str, Any]]:
        """A process that has run the cells and will answer one question itself; how the loading ended."""
        child = self._start(direct=True)
        return child, self._watch_load(child)[0]

    def fork(self, frame: memoryview, *, last: bool) -> tuple[Child, memoryview] | None:
        """Have the loader fork, or for the last question answer itself; what is unsent of the frame.

        None where that could not work: it has threads, or is gone.
        """
        loader = self._loader
        if loader is None or loader.dead or clocks.thread_count(loader.pid) != 1:
            self.drop_loader()  # its threads would only take time from the fresh load
            return None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        unsent = frame[ours.send(frame) :]  # sent ahead: no time is lost between fork and ask
        try:
            with theirs:
                socket.send_fds(loader.peer, [worker.ITSELF if last else worker.FORK], [theirs.fileno()])
            loader.peer.settimeout(_FORK_S)
            _, body = wire.receive(loader.peer)
            pid = _number(body)
            # The loader may lie: the process must not be the loader, and be our own child, which may have
            # ended already: what it was first asked may have ended it.
            if not pid or (pid == loader.pid) != last:
                raise ValueError(pid)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except (wire.Closed, wire.Malformed, ValueError, OSError):
            ours.close()
            self.drop_loader()
            return None
        if last:
            self._loader = None
            loader.peer.close()
        return Child(pid, ours), unsent

    def sweep(self, *kept: Child) -> float:
        """End every process of the submission's but the loader and those kept; their CPU seconds."""
        return sweep(self._loader, *kept, user=self._place.user)

    def drop_loader(self) -> None:
        """End the loader, and all that it has started."""
        loader, self._loader = self._loader, None
        if loader:
            loader.kill()
        self.sweep()

    def loader_cpu_s(self) -> float:
        """What the loader has used, in CPU seconds; 0 without one."""
        return clocks.process_cpu_s(self._loader.pid) if self._loader else 0.0

    def watch(self, pid: int, cpu_s: float) -> clocks.Watch:
        """A watch over a process and what it starts, for so many CPU seconds."""
        return clocks.Watch(
            pid,
            cpu_s=cpu_s,
            wall_s=cpu_s * self._limits["wall_factor"],
            memory_mib=_TOGETHER * self._limits["memory_mib"],
            bystanders=frozenset({1} | ({self._loader.pid} if self._loader else set())),
            user=self._place.user,
        )

    def why(self, dead: Dead, watch: clocks.Watch) -> tuple[str, dict[str, Any]]:
        """What an end that we did not bring about stands for, and its detail: see `limits.Limits` for `limit`."""
        text = {"text": dead.said()}
        match dead.signal:
            case signal.SIGXCPU:
                return "timed_out", {**spent(watch), **text}
            case signal.SIGXFSZ:
                return "crashed", {"limit": "file_mib", "allowed": self._limits["file_mib"], **text}
            case signal.SIGSYS:
                return "forbidden", {"signal": "SIGSYS", "text": "made a system call of another kind of machine"}
            case signal.SIGKILL if self._group.has_killed():
                memory = {"limit": "memory_mib", "allowed": self._group.allowed_mib, "used": self._group.peak_mib()}
                return "out_of_memory", {**memory, **text}
            case signal.SIGKILL if dead.peak_mib > 0.9 * self._limits["memory_mib"]:
                memory = {"limit": "memory_mib", "allowed": self._limits["memory_mib"], "used": dead.peak_mib}
                return "out_of_memory", {**memory, **text}
            case None:
                return "crashed", {"exit": os.waitstatus_to_exitcode(dead.status), **text}
            case number:
                return "crashed", {"signal": signal.Signals(number).name, **text}

    def _start(self, *, direct: bool) -> Child:
        """Fork this pristine process into one that loads the cells."""
        ours, theirs = socket.socketpair()
        names = ("memory_mib", "file_mib", "open_files", "processes")
        limits = {name: self._limits[name] for name in names} | {"cpu_s": 2 * self._limits["load_cpu_s"] + 5}
        recipe = self._recipe
        assert recipe is not None
        pid = os.fork()
        if pid == 0:
            try:
                confine.go_first(self._proc)
                confine.close_all_but(0, 1, 2, theirs.fileno())
                self._place.give_up()
                worker.load_and_serve(theirs, recipe, limits, self._calls, direct=direct, work=self._place.work)
            finally:
                os._exit(1)  # whatever student code brought about, the copy must not go on as the warden
        theirs.close()
        return Child(pid, ours)

    def _watch_load(self, child: Child) -> tuple[dict[str, Any], bytes | None]:
        """Wait for the cells; how it ended, with the cell at which it stopped, and a report where it did not."""
        whole = self.watch(child.pid, self._limits["load_cpu_s"])
        whole.resume()
        part, cell, begun = whole, None, False
        heavy: dict[int, float] = {}
        incoming = wire.Incoming(child.peer, wire.MAX_REPORT)
        child.peer.setblocking(False)
        poll = select.poll()
        poll.register(child.peer, select.POLLIN)
        poll.register(self._examiner, select.POLLRDHUP)
        while True:
            ready = dict(poll.poll(max(1, int(1000 * min(whole.patience_s(), part.patience_s())))))
            if self._examiner.fileno() in ready:
                raise wire.Closed
            try:
                done = incoming.read() if ready else None
            except (wire.Closed, wire.Malformed):
                why, detail = self.why(child.kill(), whole)
                if not begun:
                    why = "not_graded"  # no line of the student's had run
                return _stopped(cell, why, heavy, detail), None
            if done and done[0] == wire.DATA:
                child.peer.setblocking(True)
                return {"event": "loaded", "cpu_s": whole.used_s()}, done[1]
            if done:
                if cell is not None:
                    heavy[cell] = part.used_s()
                cell, begun = _number(done[1]), True
                part = self.watch(child.pid, self._limits["cell_cpu_s"])
                part.resume()
            for watch in () if done else (part, whole):
                verdict = watch.verdict()
                if verdict:
                    if cell is not None:
                        heavy[cell] = part.used_s()
                    detail = spent(watch)
                    child.kill()
                    return _stopped(cell, verdict, heavy, detail), None


def spent(watch: clocks.Watch) -> dict[str, Any]:
    """What ran out, and how far."""
    limit, used, allowed = watch.reached
    return {"limit": limit, "used": max(used, watch.used_s()) if limit == "cpu_s" else used, "allowed": allowed}


def _stopped(cell: int | None, why: str, heavy: dict[int, float], detail: dict[str, Any]) -> dict[str, Any]:
    return {"event": "stopped", "cell": cell, "why": why, "heavy": heavy, "detail": detail}


def _number(body: bytes) -> int | None:
    """A number that student code may have written; None for what is none, or larger than any we count."""
    return int(body) if body.isdigit() and len(body) < 9 else None
