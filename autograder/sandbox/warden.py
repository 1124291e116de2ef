"""Who watches a submission inside its own namespaces?

The warden is their first process. It runs no student code: it owns the one connection to the examiner,
passes frames on, watches the clocks and reaps. When it ends, everything in its namespaces ends.
"""

import json
import os
import resource
import select
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from autograder.sandbox import cgroups, clocks, confine, wire, worker
from autograder.sandbox.children import Child, Dead, sweep
from autograder.sandbox.memory import inherited_mib
from autograder.sandbox.worker_load import Recipe

_FORK_S = 10.0  # a loader that has not forked by then will not
_TOGETHER = 2  # times the memory of one process is what all of a question may hold
_NOTHING: Mapping[str, Any] = {}
_ENDING_S = 0.05  # a process whose socket is closed, and which still lives then, closed it on purpose


@dataclass
class _Question:
    """The open question.

    base_cpu_s: what its process had used before, at loading again. beside_cpu_s: what the loader had, which could
    be made to work for it. alone: nothing else works for it, and all that it uses is measured. unsent: frames that
    it has not taken yet. unanswered: asks that it still owes an answer.
    """

    number: int
    child: Child
    watch: clocks.Watch
    base_cpu_s: float
    beside_cpu_s: float
    alone: bool
    unsent: bytearray = field(default_factory=bytearray)
    unanswered: int = 0
    incoming: wire.Incoming = field(init=False)

    def __post_init__(self) -> None:
        self.child.peer.setblocking(False)
        self.incoming = wire.Incoming(self.child.peer, wire.MAX_BODY)


@dataclass(frozen=True)
class _Pending:
    """A question without its first ask; see `session.Session.question`."""

    number: int
    cpu_s: float
    last: bool
    alone: bool


class Warden:
    """Serves one connection; see `session` for what is said on it.

    user: whose processes alone are the submission's, where others share the namespace. work: its working
    directory. disks: what it may fill.
    """

    user: int | None = None
    work = worker.WORK
    disks: Sequence[str] = ("/tmp", "/dev/shm")

    def __init__(
        self, examiner: socket.socket, calls: bytes, group: cgroups.Group | None = None, proc: int | None = None
    ) -> None:
        """proc: a descriptor of a /proc that can be written to, where the usual one cannot."""
        self._examiner = examiner
        self._proc = proc
        self._calls = calls
        self._group = group or cgroups.Group()  # none: its memory is counted elsewhere, or not at all
        self._recipe: Recipe | None = None
        self._loader: Child | None = None
        self._question: _Question | None = None
        self._pending: _Pending | None = None
        self._limits: dict[str, Any] = {}

    def run(self) -> NoReturn:
        """Serve until the examiner lets go."""
        try:
            while True:
                self._step()
        except wire.Closed:
            self.leave()
            os._exit(0)

    # What is otherwise where a submission has no namespaces of its own.

    def give_up(self) -> None:
        """In the copy that will run student code: give up what this process still has."""

    def put(self, files: Mapping[str, bytes]) -> None:
        """Put a submission's files into its working directory, for reading."""
        for name, content in files.items():
            path = Path(self.work, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o444)

    def leave(self) -> None:
        """End what would outlive this process: in namespaces of its own, nothing does."""

    def _written_mib(self) -> float:
        """What lies on a submission's own disks, in MiB: files that were deleted and are still open count too."""
        disks = [os.statvfs(path) for path in self.disks]
        return sum((disk.f_blocks - disk.f_bfree) * disk.f_frsize for disk in disks) / 2**20

    def _step(self) -> None:
        question = self._question
        poll = select.poll()
        poll.register(self._examiner, select.POLLIN)
        if question:
            poll.register(question.child.peer, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll()}
        if question and question.child.peer.fileno() in ready:
            self._end_by_itself(question)  # nothing may come from it now
        elif self._examiner.fileno() in ready:
            channel, body = wire.receive(self._examiner)
            if channel == wire.CONTROL:
                self._obey(json.loads(body))
            else:
                self._ask(body)

    def _obey(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case "load":
                self._load(message)
            case "question":
                if self._question:
                    self._end(self._question, "closed")
                self._pending = _Pending(message["number"], message["cpu_s"], message["last"], message["alone"])
            case "close":
                if self._question and self._question.number == message["number"]:
                    self._end(self._question, "closed")
                elif self._pending and self._pending.number == message["number"]:
                    self._pending = None
                    self._say_ended(message["number"], "closed", {}, [])

    def _say(self, **message: Any) -> None:
        wire.send(self._examiner, wire.CONTROL, json.dumps(message).encode())

    # Loading

    def _load(self, message: dict[str, Any]) -> None:
        self._limits = message["limits"]
        contents = [wire.receive(self._examiner)[1] for _ in message["files"]]
        try:
            self.put(dict(zip(message["files"], contents, strict=True)))
        except (OSError, ValueError) as error:
            # Too much for the disk, or names that cannot stand beside each other: handed in so.
            detail = {"limit": "disk_mib", "allowed": message["disk_mib"], "text": f"its files: {error}"}
            return self._say(event="stopped", cell=None, why="crashed", heavy={}, detail=detail)
        cells = [(number, source) for number, source in message["cells"]]
        self._recipe = Recipe(cells, frozenset(message["wanted"]), frozenset(message["skip"]))
        child = self._start(direct=False)
        end = self._watch_load(child)
        if end.get("event") == "loaded":
            self._loader = child
            wire.send(self._examiner, wire.DATA, end.pop("report"))
            end["threads"] = clocks.lasting_threads(child.pid)
        self._say(**end)

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
                self.give_up()
                worker.load_and_serve(theirs, recipe, limits, self._calls, direct=direct, work=self.work)
            finally:
                os._exit(1)  # whatever student code brought about, the copy must not go on as the warden
        theirs.close()
        return Child(pid, ours)

    def _watch_load(self, child: Child) -> dict[str, Any]:
        """Wait for the cells; how it ended, with the cell at which it stopped."""
        factor = self._limits["wall_factor"]
        whole = self._watch(child.pid, self._limits["load_cpu_s"], factor)
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
                why, detail = self._why(child.kill(), whole)
                if not begun:
                    why = "not_graded"  # no line of the student's had run
                return {"event": "stopped", "cell": cell, "why": why, "heavy": heavy, "detail": detail}
            if done and done[0] == wire.DATA:
                child.peer.setblocking(True)
                return {"event": "loaded", "report": done[1], "cpu_s": whole.used_s()}
            if done:
                if cell is not None:
                    heavy[cell] = part.used_s()
                cell, begun = _number(done[1]), True
                part = self._watch(child.pid, self._limits["cell_cpu_s"], factor)
                part.resume()
            for watch in () if done else (part, whole):
                verdict = watch.verdict()
                if verdict:
                    if cell is not None:
                        heavy[cell] = part.used_s()
                    detail = _spent(watch)
                    child.kill()
                    return {"event": "stopped", "cell": cell, "why": verdict, "heavy": heavy, "detail": detail}

    def _watch(self, pid: int, cpu_s: float, factor: float) -> clocks.Watch:
        bystanders = {1} | ({self._loader.pid} if self._loader else set())
        memory_mib = _TOGETHER * self._limits["memory_mib"]
        return clocks.Watch(
            pid,
            cpu_s=cpu_s,
            wall_s=cpu_s * factor,
            memory_mib=memory_mib,
            bystanders=frozenset(bystanders),
            user=self.user,
        )

    def _why(self, dead: Dead, watch: clocks.Watch) -> tuple[str, dict[str, Any]]:
        """What an end that we did not bring about stands for, and its detail: see `limits.Limits` for `limit`."""
        text = {"text": dead.said()}
        match dead.signal:
            case signal.SIGXCPU:
                return "timed_out", {**_spent(watch), **text}
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

    # Questions

    def _open(self, asked: _Pending, frame: memoryview) -> memoryview:
        """Make the process of a question, its first ask waiting for it; what is still unsent of that."""
        number, cpu_s = asked.number, asked.cpu_s
        sweep(self._loader, user=self.user)
        forked = self._fork_loader(frame[:0] if asked.alone else frame, last=asked.last)
        base = 0.0
        if forked:
            child, unsent = forked
            base = clocks.process_cpu_s(child.pid) if asked.last else 0.0
        else:
            child, unsent = self._start(direct=True), frame
            end = self._watch_load(child)
            if end["event"] != "loaded":
                detail = end["detail"] | {"text": f"loading again: {end['detail'].get('text', end['why'])}"}
                self._say_ended(number, end["why"], detail, [])
                return unsent
            base = clocks.process_cpu_s(child.pid)
        if asked.alone:
            unsent = self._keep_alone(child, frame)
        watch = self._watch(child.pid, cpu_s, self._limits["wall_factor"])
        self._backstop(child.pid, base + cpu_s)
        beside = clocks.process_cpu_s(self._loader.pid) if self._loader else 0.0
        self._question = _Question(number, child, watch, base, beside, asked.alone)
        return unsent

    def _keep_alone(self, child: Child, frame: memoryview) -> memoryview:
        """Let the process start no other and put nothing into files, and end all that could work for it, before it
        learns what is asked."""
        try:
            resource.prlimit(child.pid, resource.RLIMIT_NPROC, (1, 1))
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (0, 0))
        except (OSError, ValueError):
            pass  # gone already, which shows in how it ends
        sweep(self._loader, child, user=self.user)
        return frame

    def _backstop(self, pid: int, cpu_s: float) -> None:
        """A CPU limit of the kernel's own, well above ours."""
        soft = int(cpu_s * 1.5) + 5
        try:
            resource.prlimit(pid, resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            pass  # gone already, or the student lowered the limit: both show in how it ends

    def _fork_loader(self, frame: memoryview, *, last: bool) -> tuple[Child, memoryview] | None:
        """Have the loader fork, or for the last question answer itself; None where that could not work: it
        has threads, or is gone."""
        loader = self._loader
        if loader is None or loader.dead or clocks.thread_count(loader.pid) != 1:
            self._drop_loader()  # its threads would only take time from the fresh load
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
            self._drop_loader()
            return None
        if last:
            self._loader = None
            loader.peer.close()
        return Child(pid, ours), unsent

    def _drop_loader(self) -> None:
        loader, self._loader = self._loader, None
        if loader:
            loader.kill()
        sweep(self._loader, user=self.user)

    def _ask(self, body: bytes) -> None:
        """Pass an ask, or the result of a call, on; then see to what comes back."""
        frame = memoryview(wire.frame(wire.DATA, body))
        if self._pending:
            pending, self._pending = self._pending, None
            frame = self._open(pending, frame)
        elif self._question and select.select([self._question.child.peer], [], [], 0)[0]:
            self._end_by_itself(self._question)
        question = self._question
        if question is None:
            return  # it has ended, and the examiner has been told or will read it next
        question.unsent += frame
        question.unanswered += body[wire.NONCE] == wire.ASK
        if question.watch.spent():
            self._end(question, "timed_out", _spent(question.watch))
        else:
            self._pump(question)

    def _pump(self, question: _Question) -> None:
        """Send what is unsent and pass on what comes back, until nothing is owed or the question ends.

        The ball is the student's side's while an answer is owed, but for the time of a call.
        """
        peer, watch = question.child.peer, question.watch
        poll = select.poll()
        poll.register(peer, select.POLLIN)
        poll.register(self._examiner, select.POLLIN)
        watch.resume()
        while True:
            if question.unsent and not self._send_on(question):
                return self._end_by_itself(question)
            poll.modify(peer, select.POLLIN | (select.POLLOUT if question.unsent else 0))
            ready = dict(poll.poll(max(1, int(1000 * watch.patience_s()))))
            if ready.get(peer.fileno(), 0) & ~select.POLLOUT:
                try:
                    done = question.incoming.read()
                except (wire.Closed, wire.Malformed):
                    return self._end_by_itself(question)
                if done:
                    if done[0] != wire.DATA or len(done[1]) <= wire.NONCE or not question.unanswered:
                        return self._end_by_itself(question)
                    wire.send(self._examiner, wire.DATA, done[1])
                    question.unanswered -= done[1][wire.NONCE] != wire.CALL
                    if not question.unanswered or done[1][wire.NONCE] == wire.CALL:
                        return watch.pause()
            if self._examiner.fileno() in ready:
                channel, body = wire.receive(self._examiner)
                if channel == wire.CONTROL:
                    return self._obey(json.loads(body))
                question.unsent += wire.frame(wire.DATA, body)
                question.unanswered += 1
            if not ready or watch.spent():
                verdict = watch.verdict()
                if verdict:
                    return self._end(question, verdict, _spent(watch))

    @staticmethod
    def _send_on(question: _Question) -> bool:
        """Send what the question's process takes now; whether it still listens."""
        try:
            del question.unsent[: question.child.peer.send(question.unsent)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def _end_by_itself(self, question: _Question) -> None:
        """The process died, or said something when it was not asked."""
        if not question.child.ends_within(_ENDING_S):
            return self._end(question, "crashed", {"text": "spoke out of turn"})
        self._end(question, *self._why(question.child.reap(), question.watch))

    def _end(self, question: _Question, status: str, detail: Mapping[str, Any] = _NOTHING) -> None:
        """Kill the question and all it left behind, and say what it used."""
        self._question = None
        wall = question.watch.wall_s()
        asleep = 0.0 if question.child.dead else question.watch.asleep_s()
        inherited = inherited_mib(question.child.pid) if question.alone and not question.child.dead else 0.0
        dead = question.child.kill()
        stragglers = sweep(self._loader, user=self.user)
        beside = clocks.process_cpu_s(self._loader.pid) - question.beside_cpu_s if self._loader else 0.0
        cpu = dead.cpu_s + stragglers - question.base_cpu_s + max(0.0, beside)
        if detail.get("limit") == "cpu_s":
            detail = {**detail, "used": max(detail["used"], cpu)}
        usage = [cpu, wall, dead.peak_mib, self._written_mib(), asleep, inherited]
        self._say_ended(question.number, status, dict(detail), usage)

    def _say_ended(self, number: int, status: str, detail: dict[str, Any], usage: list[float]) -> None:
        self._say(event="ended", number=number, status=status, detail=detail, usage=usage)


def _number(body: bytes) -> int | None:
    """A number that student code may have written; None for what is none, or larger than any we count."""
    return int(body) if body.isdigit() and len(body) < 9 else None


def _spent(watch: clocks.Watch) -> dict[str, Any]:
    """What ran out, and how far."""
    limit, used, allowed = watch.reached
    return {"limit": limit, "used": max(used, watch.used_s()) if limit == "cpu_s" else used, "allowed": allowed}
