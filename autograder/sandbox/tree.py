"""What can be seen of the file system from inside the jail?

A read-only tree with the standard library, the distributions of one environment, the shared objects
they need and next to nothing else. The server builds it once; every submission inherits it. Paths in
it are the same on every machine, wherever Python and the project are installed.
"""

import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from autograder.sandbox import confine

STDLIB = "/python/lib"
SITE = "/python/site"
CACHE = "/tmp"  # the server's own while it warms up; each submission covers it

_ROOT = Path("/tmp")  # where the tree grows until it becomes the root, on a mount of our own
# Not /dev/zero: shared memory made of it counts towards no limit of a process.
_DEVICES = ("null", "random", "urandom")
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
_CPU_FACTS = "/sys/devices/system/cpu"  # torch chooses its kernels by what it reads here
_PASSWD = "student:x:1000:1000::/tmp:/bin/false\n"


def build(entries: Iterable[str], shown: Iterable[str] = ()) -> None:
    """Build the tree in this process's own mount namespace and make it the root.

    entries: files and folders of the environment's distributions. shown: what else is there, as a GPU's device files,
    in the places where it is. Raises OSError where the kernel refuses.
    """
    confine.mount("none", "/", None, confine.MS_REC | confine.MS_PRIVATE)
    libraries = _library_folders()
    stdlib = sysconfig.get_path("stdlib")
    inside = {folder: folder for folder in libraries}
    inside |= {path: path for path in (_CPU_FACTS, *(f"/dev/{name}" for name in _DEVICES)) if os.path.exists(path)}
    inside |= {path: path for path in shown}
    inside |= {stdlib: STDLIB} | {path: f"{SITE}/{os.path.basename(path)}" for path in entries}
    links = {path: os.readlink(path) for path in _LIBRARIES if os.path.islink(path)}
    # Opened first: the mount that comes may cover some of them.
    opened = {path: os.open(path, os.O_PATH) for path in inside}
    confine.mount("tmpfs", str(_ROOT), "tmpfs", confine.MS_NOSUID, "mode=755,size=4m")
    for path, descriptor in opened.items():
        _bind(descriptor, inside[path])
        os.close(descriptor)
    for folder in libraries:
        _hide(folder, "python*")
    _hide(STDLIB, "*-packages")
    for path, target in links.items():
        _in_tree(path).parent.mkdir(parents=True, exist_ok=True)
        _in_tree(path).symlink_to(target)
    for path in ("tmp", "etc", "dev/shm", "proc"):
        _in_tree(path).mkdir(parents=True, exist_ok=True)
    _in_tree("/etc/passwd").write_text(_PASSWD)
    _in_tree("/dev/fd").symlink_to("/proc/self/fd")
    confine.read_only(str(_ROOT))
    # Not read-only: a submission's own proc may not be less restricted than the one it covers.
    confine.mount("/proc", str(_in_tree("/proc")), None, confine.MS_BIND | confine.MS_REC)
    flags = confine.MS_NOSUID | confine.MS_NODEV
    confine.mount("tmpfs", str(_in_tree(CACHE)), "tmpfs", flags, "mode=1777,size=64m")
    confine.enter_root(str(_ROOT))


def relocate(site_folders: Iterable[str]) -> None:
    """Point this process's modules and search path at the tree that is now its root."""
    moved = {sysconfig.get_path("stdlib"): STDLIB} | dict.fromkeys(site_folders, SITE)
    # Longest first: a site folder may lie inside the standard library.
    prefixes = sorted(moved, key=len, reverse=True)

    def new(path: str) -> str:
        for prefix in prefixes:
            if path == prefix or path.startswith(prefix + os.sep):
                return moved[prefix] + path[len(prefix) :]
        return path

    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        for places in (getattr(module, "__path__", None), getattr(spec, "submodule_search_locations", None)):
            if isinstance(places, list):
                places[:] = [new(place) for place in places]
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            module.__file__ = new(file)
    sys.path[:] = [STDLIB, f"{STDLIB}/lib-dynload", SITE]
    sys.path_importer_cache.clear()


def _in_tree(path: str) -> Path:
    return _ROOT / path.lstrip("/")


def _bind(descriptor: int, target: str) -> None:
    source, place = f"/proc/self/fd/{descriptor}", _in_tree(target)
    if os.path.isdir(source):
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    confine.mount(source, str(place), None, confine.MS_BIND | confine.MS_REC)


def _library_folders() -> list[str]:
    """Folders of shared objects: of this machine's kind alone where the system sorts them so."""
    kind = sysconfig.get_config_var("MULTIARCH")
    folders = [folder for folder in _LIBRARIES if os.path.isdir(folder) and not os.path.islink(folder)]
    return [f"{folder}/{kind}" if kind and os.path.isdir(f"{folder}/{kind}") else folder for folder in folders]


def _hide(folder: str, pattern: str) -> None:
    """Cover Python packages that lie about: they are no part of the environment."""
    for path in _in_tree(folder).glob(pattern):
        if path.is_dir() and not path.is_symlink():
            confine.mount("tmpfs", str(path), "tmpfs", confine.MS_NOSUID | confine.MS_NODEV, "mode=755,size=64k")
