"""Is a submission as a whole kept within a group of its own, where groups are ours to make, and nowhere else?"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import cgroups
from autograder.sandbox.limits import Limits
from autograder.sandbox.session import Server
from tests.sandbox.conftest import NUMPY, Jail

V1 = "7:pids:{path}\n4:memory:{path}\n0::/\n"
V1_MOUNTS = (
    "30 1 0:1 / {root}/pids rw,relatime - cgroup cgroup rw,pids\n"
    "31 1 0:2 / {root}/memory rw,relatime - cgroup cgroup rw,memory\n"
    "32 1 0:3 / / rw - ext4 /dev/root rw\n"
)
V2, V2_MOUNTS = "0::{path}\n", "30 1 0:1 / {root} rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def hierarchies(folder: Path, version: int, path: str) -> tuple[str, str]:
    """Files that say which groups there are; the groups themselves are folders, in which files may be written."""
    own, mounts = folder / "own", folder / "mounts"
    own.write_text((V1 if version == 1 else V2).format(path=path))
    mounts.write_text((V1_MOUNTS if version == 1 else V2_MOUNTS).format(root=folder))
    below = path.lstrip("/")
    for name in ("pids", "memory") if version == 1 else ("",):
        group = folder / name / below
        group.mkdir(parents=True, exist_ok=True)
        if version == 2:
            (group / "cgroup.controllers").write_text("cpu memory pids\n")
            (group / "cgroup.subtree_control").write_text("\n")
            (group / "cgroup.procs").write_text("")
    return str(own), str(mounts)


def fill(group: Path, version: int) -> None:
    """What the kernel puts into a new group."""
    files = {"cgroup.procs": "", "tasks": "", "pids.max": "max"}
    if version == 1:
        files |= {"memory.limit_in_bytes": "", "memory.max_usage_in_bytes": "0", "memory.oom_control": "oom_kill 3\n"}
    else:
        files |= {"memory.max": "", "memory.swap.max": "", "memory.events": "low 0\noom_kill 3\n"}
    for name, text in files.items():
        (group / name).write_text(text)


@pytest.mark.parametrize("version", [1, 2])
def test_group_of_a_slot_has_the_submissions_limits(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On folders that stand for groups, whose files the kernel would have made."""
    groups = cgroups.open_groups(*hierarchies(tmp_path, version, "/"))
    assert groups.walls == {f"cgroup {name}": f"control group of version {version}" for name in ("memory", "pids")}
    make = os.mkdir

    def made(name: str, *, dir_fd: int) -> None:
        make(name, dir_fd=dir_fd)
        fill(Path(os.readlink(f"/proc/self/fd/{dir_fd}"), name), version)

    monkeypatch.setattr(os, "mkdir", made)
    group = groups.of(3, memory_mib=100, disk_mib=10, processes=20)
    limit = {1: "memory.limit_in_bytes", 2: "memory.max"}[version]
    written = {path.read_text() for path in tmp_path.glob(f"**/autograder-{os.getpid()}/slot-3/pids.max")}
    assert written - {"max"} == {"24x"}  # no folder of ours empties a file that is opened for writing
    (memory,) = (path for path in tmp_path.glob(f"**/slot-3/{limit}") if path.read_text())
    assert int(memory.read_text()) == group.allowed_mib * 2**20 == (2 * (100 + 10) + 256) * 2**20
    assert not group.has_killed()
    events = memory.with_name({1: "memory.oom_control", 2: "memory.events"}[version])
    events.write_text("oom_kill 4\n")
    assert group.has_killed()
    assert group.peak_mib() == {1: 0, 2: group.allowed_mib}[version]  # that of version 2 has no beginning
    assert not groups.of(3, memory_mib=1, disk_mib=1, processes=1).has_killed()  # what was before does not count
    memory.with_name("cgroup.procs").write_text("77\n")
    with pytest.raises(OSError, match="slot 3 is not empty"):
        groups.of(3, memory_mib=1, disk_mib=1, processes=1)


@pytest.mark.parametrize("version", [1, 2])
def test_group_of_somebody_else_is_left_alone(tmp_path: Path, version: int) -> None:
    groups = cgroups.open_groups(*hierarchies(tmp_path, version, "/user.slice/session-1.scope"))
    assert groups.places == []
    assert all(text.startswith("none:") and "Delegate=yes" in text for text in groups.walls.values())
    assert list(tmp_path.glob("**/autograder-*")) == []
    empty = groups.of(0, memory_mib=1, disk_mib=1, processes=1)
    empty.enter()
    assert (empty.kept_open(), empty.has_killed(), empty.peak_mib()) == ((), False, 0.0)


def test_server_after_the_first_finds_the_delegated_group(tmp_path: Path) -> None:
    """The first had moved all processes into a leaf, which the second took for somebody else's group."""
    hierarchies(tmp_path, 2, "/")
    groups = cgroups.open_groups(*hierarchies(tmp_path, 2, "/autograder-main"))
    assert set(groups.walls.values()) == {"control group of version 2"}
    assert (tmp_path / f"autograder-{os.getpid()}").is_dir()


@pytest.mark.parametrize("version", [1, 2])
def test_prospects_are_what_is_found(tmp_path: Path, version: int) -> None:
    for path in ("/", "/user.slice/session-1.scope"):
        files = hierarchies(tmp_path, version, path)
        told = cgroups.prospects(*files)
        assert list(tmp_path.glob("**/autograder-*")) == []
        made = cgroups.open_groups(*files) if path != "/" else None
        if made:
            assert all(text.startswith("none:") for text in (*told.values(), *made.walls.values()))
        else:
            assert all(text.startswith(f"version {version}, ") for text in told.values())


def test_groups_of_a_server_that_was_killed_are_removed(tmp_path: Path) -> None:
    paths = hierarchies(tmp_path, 1, "/")
    nobody = int(Path("/proc/sys/kernel/pid_max").read_text()) + 1
    for name in (nobody, os.getppid()):
        (tmp_path / "pids" / f"autograder-{name}" / "slot-0").mkdir(parents=True)
    cgroups.open_groups(*paths)
    left = {path.name for path in (tmp_path / "pids").glob("autograder-*")}
    assert left == {f"autograder-{os.getppid()}", f"autograder-{os.getpid()}"}


def test_machine_without_groups_says_so(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("")
    (tmp_path / "mounts").write_text("32 1 0:3 / / rw - ext4 /dev/root rw\n")
    walls = cgroups.open_groups(str(tmp_path / "own"), str(tmp_path / "mounts")).walls
    assert all(text.startswith("none:") for text in walls.values())
    assert set(walls) == {"cgroup memory", "cgroup pids"}


@pytest.mark.slow
def test_submission_is_in_its_group_and_the_group_goes_with_the_server(jail: Jail, run: Callable[..., Any]) -> None:
    ours = [name for name, text in jail.server.walls.items() if name.startswith("cgroup") and "none:" not in text]
    if not ours:
        pytest.skip(f"no control group is ours to make here: {dict(jail.server.walls)}")
    server = run(Server.start(NUMPY))
    other = Jail(server, run)
    for _ in range(3):  # the same slot again, empty
        loaded = other.load("def f():\n    return open('/proc/self/cgroup').read()")
        mine = f"/autograder-{server.pid}/slot-"
        assert mine in str(loaded.result())
        loaded.close()
    there = list(Path("/sys/fs/cgroup").glob(f"**/autograder-{server.pid}"))  # version 2: deep below the root
    assert there
    run(server.close())
    assert not any(path.exists() for path in there)


def test_processes_are_counted_by_the_group(jail: Jail) -> None:
    if "none:" in jail.server.walls["cgroup pids"]:
        pytest.skip(jail.server.walls["cgroup pids"])
    bomb = (
        "import os, time\n"
        "def f():\n"
        "    for number in range(200):\n"
        "        try:\n"
        "            if os.fork() == 0: time.sleep(99)\n"
        "        except BlockingIOError: return number"
    )
    limits = Limits(processes=16)
    assert 10 <= int(jail.load(bomb, limits=limits).result()) <= 18  # type: ignore[call-overload]
