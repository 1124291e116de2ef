"""Run as root: becomes an ordinary user, starts a server, and prints what a submission finds. For test_user.py."""

import asyncio
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from autograder.sandbox import confine  # noqa: E402
from autograder.sandbox.session import Limits, Server  # noqa: E402
from tests.sandbox.conftest import NUMPY, call, cells  # noqa: E402

SOMEBODY = 54321
LOOK = """
import os
def f():
    status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    return {
        "uid": os.getuid(),
        "map": open("/proc/self/uid_map").read().split(),
        "capabilities": status["CapEff"] + status["CapBnd"],
        "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "root": sorted(os.listdir("/")),
    }
"""


def open_the_way(*needed: str) -> None:
    """In a mount namespace of our own, make folders reachable that lie below one closed to others."""
    confine.unshare(confine.CLONE_NEWNS)
    confine.mount("none", "/", None, confine.MS_REC | confine.MS_PRIVATE)
    for path in needed:
        closed = [parent for parent in reversed(Path(path).parents) if not parent.stat().st_mode & 0o001]
        if closed:
            descriptor = os.open(path, os.O_PATH)
            confine.mount("tmpfs", str(closed[0]), "tmpfs", 0, "mode=755")
            Path(path).mkdir(parents=True)
            confine.mount(f"/proc/self/fd/{descriptor}", path, None, confine.MS_BIND)


async def main() -> None:
    server = await Server.start(NUMPY)
    session = await server.open(Limits())
    loaded = await session.load(cells(LOOK, "def g():\n    while True: pass"), {}, frozenset({"f"}))
    question = await session.question(1.0)
    found = (await question.ask(call("f"))).value
    await question.close()
    question = await session.question(0.2)
    loop = (await question.ask(call("g"))).status
    await session.close()
    await server.close()
    print(json.dumps({"failed": loaded.failed, "loop": loop, **found}))


if __name__ == "__main__":
    open_the_way(sys.base_prefix)
    os.setgroups([])
    os.setresgid(SOMEBODY, SOMEBODY, SOMEBODY)
    os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
    asyncio.run(main())
