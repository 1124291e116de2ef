"""How is a submission as a whole kept within memory and processes, with all it starts and writes?

By a control group of its own, which counts files in memory and children too. A server makes one a slot
and uses it again when it is empty. Only where groups are ours to make: below the root of a hierarchy
that nobody manages (version 1, or the machine's own of version 2), or below a group that was delegated to
us (version 2: `systemd-run --user --scope -p Delegate=yes`, or a container's). A group of somebody
else's is left alone, and limits of processes and looks from outside are all there is.
"""

import contextlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CONTROLLERS = ("memory", "pids")
_PREFIX = "autograder-"
_MAIN = f"{_PREFIX}main"  # where the processes of a delegated group go: only its leaves may hold any
_ROUNDS = 5
_ASK_S = 10.0
_ROOM_MIB = 256  # the warden's own, page tables, and copies of warm pages
_NOWHERE = "none: this kernel, or this container, offers no such control group"

# File names: where a process joins, what counts its kills for lack of memory, and the most it held.
_JOIN = {1: "tasks", 2: "cgroup.procs"}
_KILLS = {1: "memory.oom_control", 2: "memory.events"}
_PEAK = {1: "memory.max_usage_in_bytes", 2: "memory.peak"}


@dataclass(frozen=True)
class Place:
    """A group of ours, of one hierarchy, held open: its path is out of reach once the tree is entered."""

    version: int
    controllers: frozenset[str]
    folder: int


@dataclass(frozen=True)
class Group:
    """The group of one submission. join: files to write to. kills, peak: files to read, where memory is counted.

    killed_before: how many it had killed before this submission. allowed_mib: its memory.
    """

    join: tuple[int, ...] = ()
    kills: int | None = None
    peak: int | None = None
    killed_before: int = 0
    allowed_mib: float = 0.0

    def enter(self) -> None:
        """Put this process, which has one thread, into it. Raises OSError."""
        for descriptor in self.join:
            os.write(descriptor, b"0")

    def kept_open(self) -> tuple[int, ...]:
        """What the process that watches needs further on."""
        return tuple(descriptor for descriptor in (self.kills, self.peak) if descriptor is not None)

    def has_killed(self) -> bool:
        """Whether the kernel ended something of it for lack of memory."""
        return self.kills is not None and _kills(self.kills) > self.killed_before

    def peak_mib(self) -> float:
        """The most memory it held; where the kernel does not say of this submission alone, what it may hold."""
        if self.peak is None:
            return self.allowed_mib if self.kills is not None else 0.0
        return int(os.pread(self.peak, 64, 0)) / 2**20


@dataclass
class Groups:
    """All groups of a server. walls: what they hold up, in words, by controller."""

    places: list[Place]
    walls: Mapping[str, str]
    _slots: dict[int, list[int]] = field(default_factory=dict)

    def of(self, slot: int, *, memory_mib: int, disk_mib: int, processes: int) -> Group:
        """The group of a slot, empty and with these limits. Raises OSError where something still lives in it."""
        folders = self._slots.setdefault(slot, [])
        for place in self.places[len(folders) :]:
            name = f"slot-{slot}"
            os.mkdir(name, dir_fd=place.folder)
            folders.append(os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=place.folder))
        allowed = 2 * (memory_mib + disk_mib) + _ROOM_MIB
        join, kills, peak = [], None, None
        for place, folder in zip(self.places, folders, strict=True):
            if _read(folder, "cgroup.procs"):
                raise OSError(f"the control group of slot {slot} is not empty")
            if "pids" in place.controllers:
                _write(folder, "pids.max", str(processes + 4))
            if "memory" in place.controllers:
                _limit_memory(place.version, folder, allowed * 2**20)
                kills = os.open(_KILLS[place.version], os.O_RDONLY, dir_fd=folder)
                if place.version == 1:
                    _write(folder, _PEAK[1], "0")  # those of version 2 cannot be set back everywhere
                    peak = os.open(_PEAK[1], os.O_RDONLY, dir_fd=folder)
            join.append(os.open(_JOIN[place.version], os.O_WRONLY, dir_fd=folder))
        before = _kills(kills) if kills is not None else 0
        return Group(tuple(join), kills, peak, before, allowed)

    def remove(self) -> None:
        """Remove all groups, which are empty. What cannot be removed is left to the next server."""
        for slot, folders in self._slots.items():
            for place, folder in zip(self.places, folders, strict=True):
                os.close(folder)
                _remove(f"slot-{slot}", place.folder)
        for place in self.places:
            _remove(f"../{_PREFIX}{os.getpid()}", place.folder)


def open_groups(
    own: str = "/proc/self/cgroup", mounts: str = "/proc/self/mountinfo", *, needed: tuple[str, ...] = CONTROLLERS
) -> Groups:
    """Find where groups may be made, and make one for all of this server's. Never raises: what is not there is said."""
    places: list[Place] = []
    walls: dict[str, str] = {}
    for version, here, path, names in _hierarchies(Path(own).read_text(), Path(mounts).read_text()):
        there = names if version == 1 else _offered(here)
        wanted = [name for name in needed if name in there and name not in walls]
        if not wanted:
            continue
        try:
            _must_be_ours(version, here, path)
            _sweep(here)
            if version == 2:
                _offer(here, wanted)
            folder = here / f"{_PREFIX}{os.getpid()}"
            folder.mkdir()
            if version == 2:
                _write_path(folder / "cgroup.subtree_control", " ".join(f"+{name}" for name in wanted))
        except OSError as error:
            reason = f"none: {here}: {error.strerror or error}; limits hold for each process instead"
            walls |= dict.fromkeys((name for name in wanted if name not in walls), reason)
            continue
        places.append(Place(version, frozenset(wanted), os.open(folder, os.O_RDONLY | os.O_DIRECTORY)))
        walls |= dict.fromkeys(wanted, f"control group of version {version}")
    missing = dict.fromkeys(needed, _NOWHERE)
    return Groups(places, {f"cgroup {name}": text for name, text in (missing | walls).items()})


def prospects(own: str = "/proc/self/cgroup", mounts: str = "/proc/self/mountinfo") -> dict[str, str]:
    """Of each controller, below which group `open_groups` would make ours, or after `none:` why nowhere. Makes none."""
    found = dict.fromkeys(CONTROLLERS, _NOWHERE)
    for version, here, path, names in _hierarchies(Path(own).read_text(), Path(mounts).read_text()):
        try:
            _must_be_ours(version, here, path)
            writable = os.access(here, os.W_OK)
            told = f"version {version}, {here}" if writable else f"none: {here}: it is not yours to divide"
        except OSError as error:
            told = f"none: {here}: {error}"
        there = names if version == 1 else _offered(here)
        found |= {name: told for name in CONTROLLERS if name in there and found[name].startswith("none:")}
    return found


def _hierarchies(own: str, mounts: str) -> list[tuple[int, Path, str, frozenset[str]]]:
    """Version, this process's group, its path below the root, and names of controllers, of each hierarchy."""
    paths = {frozenset(names.split(",")): path for _, names, path in (line.split(":", 2) for line in own.splitlines())}
    found = []
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, mounted = before.split()[3:5]
        if kind not in ("cgroup", "cgroup2") or root != "/":
            continue
        for names, path in paths.items():
            if (kind == "cgroup2") == (names == {""}) and (kind == "cgroup2" or names <= set(options.split(","))):
                # Ours lie beside that leaf, where an earlier server of the same delegated group has put this process.
                below = path.rstrip("/").removesuffix(f"/{_MAIN}")
                found.append((2 if kind == "cgroup2" else 1, Path(f"{mounted}{below}"), below, names))
    return found


def _offered(here: Path) -> set[str]:
    try:
        return set((here / "cgroup.controllers").read_text().split())
    except OSError:
        return set()


def _must_be_ours(version: int, here: Path, path: str) -> None:
    """Raise PermissionError for a group that somebody else made and looks after."""
    if not path:
        return  # of the machine, or a container's own
    if version == 2:
        for mark in ("user.delegate", "trusted.delegate"):
            try:
                if os.getxattr(here, mark) == b"1":
                    return
            except OSError:
                continue
        if _is_delegated_by_the_users_own(here):
            return
    raise PermissionError("this group belongs to whoever started us (systemd delegates one: -p Delegate=yes)")


def _is_delegated_by_the_users_own(here: Path) -> bool:
    """Whether systemd's manager of this user says so: unlike the machine's, it leaves no mark on what it delegates."""
    user = os.geteuid()
    if f"user@{user}.service" not in here.parts:
        return False
    ask = ["systemctl", "--user", "show", "--property=Delegate", "--value", "--", here.name]
    where = {"PATH": os.defpath, "XDG_RUNTIME_DIR": f"/run/user/{user}"}
    try:
        done = subprocess.run(
            ask, env=where, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == b"yes"


def _offer(here: Path, wanted: list[str]) -> None:
    """Let groups below use these controllers; the processes of a delegated group go into a leaf for that."""
    enabled = (here / "cgroup.subtree_control").read_text().split()
    if set(wanted) <= set(enabled):
        return
    if (here / "cgroup.type").exists():  # not the machine's root, which may hold processes all the same
        (here / _MAIN).mkdir(exist_ok=True)
        for _ in range(_ROUNDS):  # while they are moved, they end and start others
            for pid in (here / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    _write_path(here / _MAIN / "cgroup.procs", pid)
    _write_path(here / "cgroup.subtree_control", " ".join(f"+{name}" for name in wanted))


def _sweep(here: Path) -> None:
    """Remove what servers left that were killed: empty groups with the number of a process that is no more."""
    for left in here.glob(f"{_PREFIX}[0-9]*"):
        if Path("/proc", left.name.removeprefix(_PREFIX)).exists():
            continue
        for folder in [*left.glob("slot-*"), left]:
            _remove(str(folder))


def _limit_memory(version: int, folder: int, size: int) -> None:
    if version == 2:
        _write(folder, "memory.max", str(size))
        _write_if_there(folder, "memory.swap.max", "0")
        return
    # With swap may never be less than without: out of the way first, and back where the kernel has it.
    _write_if_there(folder, "memory.memsw.limit_in_bytes", "-1")
    _write(folder, "memory.limit_in_bytes", str(size))
    _write_if_there(folder, "memory.memsw.limit_in_bytes", str(size))


def _kills(descriptor: int) -> int:
    """The number of processes ended for lack of memory."""
    fields = dict(line.split() for line in os.pread(descriptor, 4096, 0).decode().splitlines())
    return int(fields.get("oom_kill", 0))


def _read(folder: int, name: str) -> bytes:
    descriptor = os.open(name, os.O_RDONLY, dir_fd=folder)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def _write(folder: int, name: str, text: str) -> None:
    descriptor = os.open(name, os.O_WRONLY, dir_fd=folder)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _write_if_there(folder: int, name: str, text: str) -> None:
    try:
        _write(folder, name, text)
    except FileNotFoundError:
        pass  # a kernel without accounting of swap has no such file


def _write_path(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)


def _remove(path: str, folder: int | None = None) -> None:
    try:
        os.rmdir(path, dir_fd=folder)
    except OSError:
        pass  # somebody else was faster, or it is not empty: the next server looks again
