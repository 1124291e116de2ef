"""Who may read and write what, in a container whose files student code shares with us?

Where no namespace can be made, permissions of files are the wall: what a submission must not have belongs to
root or to a group, and nothing but its own folder can be written. Set when the container's image is made,
looked at again each time it starts. For throw-away containers only: it changes the machine it runs on.
"""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from autograder.sandbox.environment import settings
from autograder.sandbox.limits import Environment

_FIRST_GROUP = 30_000  # of the groups that libraries of some environments, and not of others, belong to
_USUAL = ("/tmp", "/var/tmp", "/dev/mqueue", "/run/lock", "/var/lock", "/run/shm", "/var/crash")
SHARED = "/dev/shm"  # what processes of one submission share, and torch's data loaders need
_KERNEL = ("/proc", "/sys")
_PACKAGES = ("dist-packages", "site-packages")


def close_files(root: str = "/") -> int:
    """Take the right to write from everybody but owner and group, for all below; how many had given it."""
    count = 0
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if os.path.join(folder, name) not in (*_KERNEL, "/dev")]
        count += _close(folder) + sum(_close(os.path.join(folder, name)) for name in files)
    return count


def close_places() -> None:
    """The same for the folders that a container gets when it starts."""
    for place in places():
        _close(place)


def clear_shared(user: int) -> None:
    """Remove what a submission has left in shared memory."""
    for entry in os.scandir(SHARED) if os.path.isdir(SHARED) else ():
        if entry.stat(follow_symlinks=False).st_uid == user:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


def places() -> list[str]:
    """Folders in which everybody may usually write: mounts, and those that systems agree on; but shared memory."""
    with open("/proc/self/mountinfo") as mounts:
        points = [line.split()[4] for line in mounts]
    found = [point for point in (*points, *_USUAL) if os.path.isdir(point)]
    apart = tuple(f"{each}/" for each in (*_KERNEL, SHARED))
    return [point for point in dict.fromkeys(found) if not f"{point}/".startswith(apart)]


def close_libraries(environments: Sequence[Environment]) -> None:
    """Let a library be read only by submissions of the environments that have it.

    Beside these, what lies in other folders of packages is for root alone. Raises SandboxError where a
    package is not installed, OSError where permissions cannot be set.
    """
    told = [settings(environment) for environment in environments]
    everybody = (1 << len(told)) - 1
    sites = {site for each in told for site in each["sites"]}
    for path in _in(sites):
        of = sum(1 << place for place, each in enumerate(told) if path in each["entries"])
        if of == everybody:
            continue
        os.chown(path, 0, _FIRST_GROUP + of if of else 0, follow_symlinks=False)
        if not os.path.islink(path):
            os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & (0o750 if of else 0o700))
    for root in ("/usr/lib", "/usr/local/lib"):
        for python in Path(root).glob("python*"):
            for name in _PACKAGES:
                if (python / name).is_dir() and str(python / name) not in sites:
                    (python / name).chmod(0o700)


def groups_of(entries: Iterable[str]) -> list[int]:
    """The groups that a submission has to be in, to read the libraries of its environment."""
    return sorted({group for path in entries if (group := os.lstat(path).st_gid) >= _FIRST_GROUP})


def foreign(entries: Iterable[str], sites: Iterable[str]) -> list[str]:
    """What lies beside an environment's own libraries."""
    return sorted(set(_in(sites)) - set(entries))


def faults(closed: Iterable[str], own: Iterable[str], others: Iterable[str]) -> list[str]:
    """What the calling process can do that student code must not, and the other way round, in words.

    closed: files and folders that it must not read. own, others: libraries that it must, and must not.
    """
    found = [f"{path} can be read" for path in closed if os.access(path, os.R_OK)]
    found += [f"{path} cannot be read" for path in (os.__file__, *own) if not os.access(path, os.R_OK)]
    found += [f"{path}, of another environment, can be read" for path in others if os.access(path, os.R_OK)]
    found += [f"{place} can be written" for place in places() if os.access(place, os.W_OK)]
    return found


def _in(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        names = os.listdir(folder)
        yield from (os.path.join(folder, name) for name in names if name != "__pycache__")


def _close(path: str) -> bool:
    try:
        mode = os.lstat(path).st_mode
        if mode & stat.S_IWOTH and (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            os.chmod(path, stat.S_IMODE(mode) & ~(stat.S_IWOTH | stat.S_ISVTX))
            return True
    except OSError:
        pass  # read-only, or gone: whether it can be written is tried before anything runs
    return False
