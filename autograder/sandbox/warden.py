"""Who watches a submission inside its own namespaces?

The warden is their first process. It runs no student code: it owns the one connection to the examiner,
passes frames on, watches the clocks and reaps. When it ends, everything in its namespaces ends.
"""

import json
import os
import resource
import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from autograder.sandbox import cgroups, clocks, wire
from autograder.sandbox.children import Child
from autograder.sandbox.memory import inherited_mib
from autograder.sandbox.warden_load import Submission, spent
from autograder.sandbox.warden_place import Place

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
    """Serves one connection; see `session` for what is said on it, and `Submission` for the parameters."""

    def __init__(
        self,
        examiner: socket.socket,
        calls: bytes,
        group: cgroups.Group | None = None,
        proc: int | None = None,
        place: Place | None = None,
    ) -> None:
        """group, None: memory is counted elsewhere, or not at all."""
        self._examiner = examiner
        self._place = place or Place()
        self._submission = Submission(examiner, self._place, calls, group or cgroups.Group(), proc)
        self._question: _Question | None = None
        self._pending: _Pending | None = None

    def run(self) -> NoReturn:
        """Serve until the examiner lets go."""
        try:
            while True:
                self._step()
        except wire.Closed:
            if self._place.user is not None:  # namespaces of its own end with this process
                self._submission.drop_loader()
            os._exit(0)

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

    def _load(self, message: dict[str, Any]) -> None:
        contents = [wire.receive(self._examiner)[1] for _ in message["files"]]
        end, report = self._submission.load(message, contents)
        if report is not None:
            wire.send(self._examiner, wire.DATA, report)
        self._say(**end)

    def _open(self, asked: _Pending, frame: memoryview) -> memoryview:
        """Make the process of a question, its first ask waiting for it; what is still unsent of that."""
        number, cpu_s = asked.number, asked.cpu_s
        self._submission.sweep()
        forked = self._submission.fork(frame[:0] if asked.alone else frame, last=asked.last)
        base = 0.0
        if forked:
            child, unsent = forked
            base = clocks.process_cpu_s(child.pid) if asked.last else 0.0
        else:
            (child, end), unsent = self._submission.load_again(), frame
            if end["event"] != "loaded":
                detail = end["detail"] | {"text": f"loading again: {end['detail'].get('text', end['why'])}"}
                self._say_ended(number, end["why"], detail, [])
                return unsent
            base = clocks.process_cpu_s(child.pid)
        if asked.alone:
            self._keep_alone(child)
            unsent = frame
        watch = self._submission.watch(child.pid, cpu_s)
        self._backstop(child.pid, base + cpu_s)
        beside = self._submission.loader_cpu_s()
        self._question = _Question(number, child, watch, base, beside, asked.alone)
        return unsent

    def _keep_alone(self, child: Child) -> None:
        """Let the process start no other and put nothing into files, and end all that could work for it, before it
        learns what is asked."""
        try:
            resource.prlimit(child.pid, resource.RLIMIT_NPROC, (1, 1))
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (0, 0))
        except (OSError, ValueError):
            pass  # gone already, which shows in how it ends
        self._submission.sweep(child)

    def _backstop(self, pid: int, cpu_s: float) -> None:
        """A CPU limit of the kernel's own, well above ours."""
        soft = int(cpu_s * 1.5) + 5
        try:
            resource.prlimit(pid, resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            pass  # gone already, or the student lowered the limit: both show in how it ends

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
            self._end(question, "timed_out", spent(question.watch))
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
                    return self._end(question, verdict, spent(watch))

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
        self._end(question, *self._submission.why(question.child.reap(), question.watch))

    def _end(self, question: _Question, status: str, detail: Mapping[str, Any] = _NOTHING) -> None:
        """Kill the question and all it left behind, and say what it used."""
        self._question = None
        wall = question.watch.wall_s()
        asleep = 0.0 if question.child.dead else question.watch.asleep_s()
        inherited = inherited_mib(question.child.pid) if question.alone and not question.child.dead else 0.0
        dead = question.child.kill()
        stragglers = self._submission.sweep()
        beside = self._submission.loader_cpu_s() - question.beside_cpu_s
        cpu = dead.cpu_s + stragglers - question.base_cpu_s + max(0.0, beside)
        if detail.get("limit") == "cpu_s":
            detail = {**detail, "used": max(detail["used"], cpu)}
        usage = [cpu, wall, dead.peak_mib, self._place.written_mib(), asleep, inherited]
        self._say_ended(question.number, status, dict(detail), usage)

    def _say_ended(self, number: int, status: str, detail: dict[str, Any], usage: list[float]) -> None:
        self._say(event="ended", number=number, status=status, detail=detail, usage=usage)
