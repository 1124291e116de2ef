"""Run in a delegated group: starts servers, attacks each, prints what came of it. For test_delegated.py."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from autograder.sandbox import cgroups  # noqa: E402
from autograder.sandbox.session import Limits, Server  # noqa: E402
from tests.sandbox.conftest import NUMPY, call, cells  # noqa: E402

ACTS = """
import os, time
def group():
    return open("/proc/self/cgroup").read()
def children():
    for _ in range(12):
        if os.fork() == 0:
            kept = b"x" * (200 << 20)
            time.sleep(99)
    time.sleep(99)
def disks():
    for folder in ("/tmp", "/dev/shm"):
        try:
            open(folder + "/full", "wb").write(bytes(64 << 20))
        except OSError:
            pass
    return children()
def bomb():
    while True:
        os.fork()
def count():
    for number in range(200):
        try:
            if os.fork() == 0: time.sleep(99)
        except BlockingIOError: return number
"""
CPU_S = 60.0  # no other limit is a race
NAMES = ("group", "children", "disks", "bomb", "count")


async def attacked(server: Server, names: tuple[str, ...]) -> dict[str, object]:
    session = await server.open(Limits(memory_mib=256, disk_mib=16, processes=24))
    loaded = await session.load(cells(ACTS), {}, frozenset(names))
    ends: dict[str, object] = {"failed": loaded.failed}
    for name in names:
        question = await session.question(CPU_S)
        answer = await question.ask(call(name))
        ends[name] = [answer.status, answer.value if answer.returned else dict(answer.detail)]
        await question.close()
    await session.close()
    return ends


def by_the_kernel() -> dict[str, object]:
    """What becomes of a process in a group of ours that nobody watches: memory first, then processes."""
    ours = cgroups.open_groups()
    group = ours.of(0, memory_mib=16, disk_mib=1, processes=12)
    pid = os.fork()
    if pid == 0:
        group.enter()
        kept = [b"x" * (4 << 20) for _ in range(200)]
        os._exit(len(kept) % 2)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    told = {"killed": group.has_killed(), "ended": ended, "allowed": group.allowed_mib}
    pid = os.fork()
    if pid == 0:
        group.enter()
        children = []
        try:
            while len(children) < 99:
                children.append(os.fork())
                if children[-1] == 0:
                    time.sleep(99)
        except BlockingIOError:
            pass
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os._exit(len(children))
    told["children"] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    ours.remove()
    return told


def groups(server: Server) -> dict[str, str]:
    """The groups of a server, and who is in them."""
    found = Path("/sys/fs/cgroup").glob(f"**/autograder-{server.pid}/**/cgroup.procs")
    return {str(path): path.read_text() for path in found}


async def main() -> None:
    alone = by_the_kernel()
    servers = list(await asyncio.gather(Server.start(NUMPY), Server.start(NUMPY)))
    servers.append(await Server.start(NUMPY))  # a later one, of a process that has been moved
    attacks = (NAMES, NAMES[:1], NAMES[:1])
    ends = [await attacked(each, names) for each, names in zip(servers, attacks, strict=True)]
    await asyncio.sleep(1.0)  # what a submission leaves ends with it, a moment later
    told = [{"walls": dict(each.walls), "groups": groups(each)} for each in servers]
    for each in servers:
        await each.close()
    print(json.dumps({"alone": alone, "servers": told, "ends": ends, "left": [groups(each) for each in servers]}))


if __name__ == "__main__":
    asyncio.run(main())
