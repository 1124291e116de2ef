"""How does a process give up what it could do? Namespaces, mounts, capabilities and limits, on Linux."""

import ctypes
import os
import platform
import resource
import signal
from collections.abc import Callable, Iterable

CLONE_PARENT = 0x00008000
NEW_NAMESPACES = 0x10000000 | 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000  # user mnt pid net ipc uts
CLONE_NEWUSER = 0x10000000
CLONE_NEWNS = 0x00020000
_CLONE_CHILD_CLEARTID = 0x00200000
_CLONE_CHILD_SETTID = 0x01000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2
_ATTR_RDONLY, _ATTR_NOSUID = 1, 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 38, 39
_PR_GET_TID_ADDRESS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 40, 47, 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_INSTRUCTION = 8  # bytes of one, in a filter's program
_CAPABILITY_VERSION_3 = 0x20080522

_SYSCALLS = {  # machine: clone, pivot_root
    "x86_64": (56, 155),
    "aarch64": (220, 41),
}
_MOUNT_SETATTR = 442  # the same number on every machine
_LIBC = ctypes.CDLL(None, use_errno=True)


def supported() -> bool:
    """Whether this machine's system calls are known here."""
    return platform.machine() in _SYSCALLS


def _check(result: int, doing: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{doing}: {os.strerror(number)}")
    return result


def fork(flags: int) -> int:
    """Like os.fork, with clone flags, which Python does not offer. Needs a single thread.

    With CLONE_PARENT the child is the caller's sibling, so the warden can wait for it.
    """
    clone, _ = _SYSCALLS[platform.machine()]
    # The C library keeps the thread's number at this address, which its own fork would refresh.
    address = ctypes.c_void_p()
    if _LIBC.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(address), 0, 0, 0) == 0 and address.value:
        flags |= _CLONE_CHILD_CLEARTID | _CLONE_CHILD_SETTID
    child_tid = address if address.value else ctypes.c_void_p(0)
    nothing = ctypes.c_long(0)
    order = (child_tid, nothing) if platform.machine() == "x86_64" else (nothing, child_tid)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = int(_LIBC.syscall(clone, ctypes.c_long(flags | signal.SIGCHLD), nothing, nothing, *order))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    return _check(pid, "clone")


def unshare(flags: int) -> None:
    """Leave the namespaces shared with others. Raises OSError where the kernel refuses."""
    _check(_LIBC.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """mount(2). Raises OSError."""
    arguments = (source.encode(), target.encode(), kind.encode() if kind else None)
    _check(_LIBC.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def read_only(target: str) -> None:
    """Make a mount and all below it read-only and deaf to set-uid bits."""
    wanted = (ctypes.c_uint64 * 4)(_ATTR_RDONLY | _ATTR_NOSUID, 0, 0, 0)
    call = (_MOUNT_SETATTR, ctypes.c_int(_AT_FDCWD), target.encode(), ctypes.c_uint(_AT_RECURSIVE))
    _check(_LIBC.syscall(*call, ctypes.byref(wanted), ctypes.c_size_t(32)), f"mount_setattr {target}")


def enter_root(root: str) -> None:
    """Make `root` the root of the mount namespace and let go of the old one."""
    os.chdir(root)
    _, pivot_root = _SYSCALLS[platform.machine()]
    _check(_LIBC.syscall(pivot_root, b".", b"."), "pivot_root")
    _check(_LIBC.umount2(b".", _MNT_DETACH), "umount")
    os.chdir("/")


def map_ids(pid: int, user: tuple[int, int], group: tuple[int, int]) -> None:
    """Give a process in a new user namespace one user and one group: (inside, outside) of each."""
    try:
        _write(f"/proc/{pid}/setgroups", "deny")
    except FileNotFoundError:
        pass  # kernels before 3.19 have no such file, and need none
    _write(f"/proc/{pid}/uid_map", f"{user[0]} {user[1]} 1")
    _write(f"/proc/{pid}/gid_map", f"{group[0]} {group[1]} 1")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def mount_proc() -> int:
    """A proc of this namespace's own processes and nothing of the machine, for reading: who could write to it could
    have the kernel forget how much memory was used. Returned is the descriptor of one below, for writing."""
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    _mount_proc(flags)
    below = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    _mount_proc(flags | MS_RDONLY)
    return below


def _mount_proc(flags: int) -> None:
    try:
        mount("proc", "/proc", "proc", flags, "subset=pid")
    except OSError:
        mount("proc", "/proc", "proc", flags)  # kernels before 5.8 show the whole machine


def go_first(proc: int | None) -> None:
    """Let this process and what it starts end before anything of ours does, where memory runs out.

    proc: a descriptor of the /proc to write to; without, the usual one.
    """
    dumpable(True)  # or its own files there are root's
    score = os.open("/proc/self/oom_score_adj" if proc is None else "self/oom_score_adj", os.O_WRONLY, dir_fd=proc)
    os.write(score, b"1000")
    os.close(score)


def set_hostname(name: str) -> None:
    encoded = name.encode()
    _check(_LIBC.sethostname(encoded, len(encoded)), "sethostname")


def forbid_new_user_namespaces() -> None:
    """Close the way by which a process without capabilities gets new ones. Needs all of /proc."""
    try:
        _write("/proc/sys/user/max_user_namespaces", "0")
    except OSError:
        pass  # not offered here: a new namespace gives power over nothing outside it


def drop_privileges() -> None:
    """Give up every capability for good, the bounding set included, and the way to gain any."""
    _check(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _empty_bounding_set()
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_LIBC.capset(ctypes.byref(header), ctypes.byref(nothing)), "capset")


def _empty_bounding_set() -> None:
    capability = 0
    while _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1


class _Program(ctypes.Structure):
    """The kernel's `struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_calls(program: bytes) -> None:
    """Put a filter of system calls over this process and all that it will start, for good.

    An empty program is none. Raises OSError, also where privileges could still be gained.
    """
    if _check(_LIBC.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), "no_new_privs") != 1:
        raise PermissionError("a process that may gain privileges must not run student code")
    if program:
        filled = _Program(len(program) // _INSTRUCTION, program)
        _check(_LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filled), 0, 0), "seccomp")


def dumpable(allowed: bool) -> None:
    """Whether processes of the same user may look into this one, by ptrace or /proc."""
    _check(_LIBC.prctl(_PR_SET_DUMPABLE, int(allowed), 0, 0, 0), "dumpable")


def die_with_parent() -> None:
    _check(_LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "pdeathsig")


def adopt_orphans() -> None:
    """Become the parent of what a child of ours leaves behind, as the first process of a namespace is."""
    _check(_LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "subreaper")


def become(user: int, groups: Iterable[int]) -> None:
    """From root to a user without capabilities, for good. Raises OSError."""
    _empty_bounding_set()
    os.setgroups(list(groups))
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    drop_privileges()


def signal_user(user: int, number: int) -> None:
    """As root, send a signal to all processes of a user at once, and to no others.

    A copy of this process sends it in that user's name. Its real user is nobody's (`user + 1`), so that none
    of those who get the signal can end it first.
    """
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresuid(user + 1, user, user + 1)
            os.kill(-1, number)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def close_all_but(*kept: int) -> None:
    """Close every descriptor that is not named."""
    low = 0
    for descriptor in sorted(kept):
        if low < descriptor:  # an empty range would close everything (Python 3.11)
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 2**31 - 1)


def standard_streams_to_null() -> None:
    """Descriptors 0, 1 and 2 become /dev/null, whatever they were."""
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in range(3):
        if null != descriptor:
            os.dup2(null, descriptor)
    if null > 2:
        os.close(null)


def limit(*, memory_mib: int, file_mib: int, open_files: int, processes: int, cpu_s: float) -> None:
    """Set this process's limits; `memory_mib` counts beyond what it has now.

    RLIMIT_DATA, not RLIMIT_AS: torch reserves address space that it never uses.
    """
    memory = (_data_kib() + memory_mib * 1024) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_mib * 2**20, file_mib * 2**20))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s) + 1, resource.RLIM_INFINITY))


def _data_kib() -> int:
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1])
    return 0


def collapse_memory() -> None:
    """Ask for huge pages under what this process holds: a fork copies page tables, and takes half as long.

    A kernel that does not know the request refuses it, which costs only the time saved.
    """
    huge, collapse = 2**21, 25
    advise: Callable[..., int] = _LIBC.madvise
    with open("/proc/self/maps") as maps:
        ranges = [line.split() for line in maps]
    for fields in ranges:
        anonymous = len(fields) < 6 or fields[5] == "[heap]"
        if not anonymous or fields[1] != "rw-p":
            continue
        start, end = (int(bound, 16) for bound in fields[0].split("-"))
        for address in range(-(-start // huge) * huge, end // huge * huge, huge):
            advise(ctypes.c_void_p(address), ctypes.c_size_t(huge), collapse)
