"""What can this machine isolate, limit, filter and accelerate, and what would mend what it cannot?

Looks, and changes nothing. That a wall is there is one thing; `escape` tries whether it holds.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from autograder.sandbox.isolation import DOCKER, NAMESPACES
from autograder.sandbox.limits import SandboxError

_UNSHARE = "from autograder.sandbox import confine as c; c.unshare(c.CLONE_NEWUSER | c.CLONE_NEWNS)"
# What keeps ordinary users from namespaces, by its file: the value that does, and the command that mends it.
_SWITCHES = (
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


@dataclass(frozen=True)
class Fact:
    """One thing that this machine has or lacks.

    area: isolate, limit, filter or accelerate. mend: the command that gives what is missing. optional:
    nothing is worse without it than slower.
    """

    area: str
    name: str
    ok: bool
    found: str
    mend: str = ""
    optional: bool = False


def facts(image: str = "") -> list[Fact]:
    """All of them. image: of `docker`, where it is not the usual one."""
    return [_namespaces(), *_docker(image), _rlimits(), _cgroups(), _seccomp(), _cuda()]


def _namespaces() -> Fact:
    if not sys.platform.startswith("linux"):
        return Fact("isolate", NAMESPACES, False, f"not on {sys.platform}", "use a Linux machine, or docker")
    who = "as root: each submission has a user id of its own" if os.geteuid() == 0 else "as an ordinary user"
    tried = subprocess.run(
        [sys.executable, "-c", _UNSHARE], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    if tried.returncode == 0:
        return Fact("isolate", NAMESPACES, True, who)
    why = (tried.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    for path, refusing, command in _SWITCHES:
        if _read(path) == refusing:
            return Fact("isolate", NAMESPACES, False, f"{path} is {refusing}", f"as root: {command}")
    return Fact(
        "isolate",
        NAMESPACES,
        False,
        f"the kernel refuses user namespaces ({why})",
        "inside a container, leave it or run it with --security-opt seccomp=unconfined "
        "--security-opt apparmor=unconfined --security-opt systempaths=unconfined; or use docker",
    )


def _docker(image: str) -> list[Fact]:
    from autograder.sandbox import docker_engine

    try:
        engine = docker_engine.client()
    except SandboxError as error:
        found, _, mend = str(error).partition(": ")
        return [Fact("isolate", DOCKER, False, found, mend)]
    try:
        about = engine.info()
        runtimes = ", ".join(sorted(name for name in about.get("Runtimes", {}) if not name.startswith("io.")))
        said = f"engine {about.get('ServerVersion')}, runtimes: {runtimes}"
        try:
            digest = docker_engine.digest(engine, image or docker_engine.IMAGE)
        except SandboxError as error:
            found, _, mend = str(error).partition(": ")
            return [Fact("isolate", DOCKER, False, f"{said}; {found}", mend)]
        return [Fact("isolate", DOCKER, True, f"{said}; image {digest[:19]}")]
    finally:
        engine.close()


def _rlimits() -> Fact:
    if not sys.platform.startswith("linux"):
        return Fact("limit", "rlimits", False, f"not on {sys.platform}", "use docker")
    return Fact("limit", "rlimits", True, "memory, files, descriptors, processes and CPU time of each process")


def _cgroups() -> Fact:
    """A bound on a submission as a whole; without, each of its processes has one of its own."""
    from autograder.sandbox import cgroups

    root = Path("/sys/fs/cgroup")
    is_root = sys.platform.startswith("linux") and os.geteuid() == 0
    if (root / "cgroup.controllers").exists():
        mend = f"systemd-run {'' if is_root else '--user '}--scope -p Delegate=yes autograder grade ..."
    elif (root / "memory").is_dir() and (root / "pids").is_dir():
        mend = f"echo $$ | tee {root}/memory/cgroup.procs {root}/pids/cgroup.procs" if is_root else "run as root"
    else:
        return Fact("limit", "cgroups", False, "none is mounted", "mount -t cgroup2 none /sys/fs/cgroup", optional=True)
    found = cgroups.prospects()
    ok = not any(text.startswith("none:") for text in found.values())
    said = "; ".join(f"{name}: {text}" for name, text in found.items())
    return Fact("limit", "cgroups", ok, said, mend, optional=True)


def _seccomp() -> Fact:
    from autograder.sandbox import seccomp

    if not Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        return Fact("filter", "seccomp", False, "this kernel has none", "a kernel with CONFIG_SECCOMP_FILTER")
    program, said = seccomp.program()
    if program:
        return Fact("filter", "seccomp", True, said)
    return Fact("filter", "seccomp", False, said.removeprefix("none: "), "apt install libseccomp2")


def _cuda() -> Fact:
    driver = Path("/proc/driver/nvidia/version")
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = ""
    if not driver.exists():
        return Fact("accelerate", "CUDA", False, "no NVIDIA driver is loaded", optional=True)
    if not torch or "+cpu" in torch:
        found = f"a driver, but torch {torch} has no CUDA" if torch else "a driver, but no torch"
        return Fact(
            "accelerate", "CUDA", False, found, "pip install torch, from the index for your CUDA", optional=True
        )
    devices = len(list(Path("/dev").glob("nvidia[0-9]*")))
    return Fact("accelerate", "CUDA", devices > 0, f"torch {torch}, {devices} devices", optional=True)


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
