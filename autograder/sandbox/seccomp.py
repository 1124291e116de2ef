"""Which system calls may student code make?

A list of those that NumPy, torch, threads, forked data loaders and plots need. Every other one does not
exist there (ENOSYS, at which the C library falls back to an older one); those that somebody would only
make to get out are refused (EPERM), so that the answer says `forbidden` and not `raised`.

The filter is compiled here, once, by libseccomp. Its program goes to the server as bytes, and each
process that is about to load a notebook puts it over itself: microseconds, and nothing to be found in
the jail that could compile another.
"""

import errno
import functools
import tempfile
from types import ModuleType
from typing import Any

_FILES = """
read write readv writev pread64 pwrite64 preadv pwritev open openat openat2 creat close close_range
lseek stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd
chdir fchdir mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat
chmod fchmod fchmodat chown fchown lchown fchownat umask utime utimes utimensat futimesat truncate ftruncate fallocate
fadvise64 fsync fdatasync sync_file_range dup dup2 dup3 pipe pipe2 sendfile copy_file_range splice tee
statfs fstatfs getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
"""
_WAITING = """
poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
signalfd signalfd4 timerfd_create timerfd_settime timerfd_gettime futex futex_waitv nanosleep clock_nanosleep pause
alarm getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete restart_syscall
"""
_MEMORY = "brk mprotect munmap mremap msync madvise mlock munlock get_mempolicy membarrier"
_PROCESSES = """
fork vfork exit exit_group wait4 waitid kill tkill tgkill pidfd_open pidfd_send_signal rt_sigaction rt_sigprocmask
rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigqueueinfo sigaltstack getpid getppid gettid getpgid
getpgrp setpgid getsid setsid getuid geteuid getgid getegid getresuid getresgid getgroups capget set_tid_address
set_robust_list get_robust_list rseq arch_prctl getrlimit setrlimit getrusage getpriority
sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_min
sched_get_priority_max
"""
_KNOWING = "clock_gettime clock_getres gettimeofday time times sysinfo uname getcpu getrandom"
# Between one's own processes, as multiprocessing does; whom they can reach is a matter of namespaces.
_TALKING = """
connect accept accept4 bind listen shutdown send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg getsockname
getpeername getsockopt setsockopt
"""
ALLOWED = " ".join([_FILES, _WAITING, _MEMORY, _PROCESSES, _KNOWING, _TALKING]).split()

# What an attack, or a program that has no business in a notebook, begins with.
FORBIDDEN = """
ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp
execve execveat memfd_create memfd_secret userfaultfd personality modify_ldt iopl ioperm seccomp
bpf perf_event_open io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key
unshare setns chroot pivot_root mount umount2 mount_setattr open_tree move_mount fsopen fsconfig fsmount fspick
open_by_handle_at name_to_handle_at fanotify_init fanotify_mark quotactl quotactl_fd acct
shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
kexec_load kexec_file_load init_module finit_module delete_module swapon swapoff reboot syslog vhangup
settimeofday clock_settime clock_adjtime adjtimex stime sethostname setdomainname
setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset
setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr mbind migrate_pages move_pages
""".split()

# Of clone's flags; its low byte is a signal, so that the flag for a time namespace is none there.
_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_AF_UNIX = 1
_SHARED, _ANONYMOUS = 0x01, 0x20
_FILE_KIND, _FIFO = 0o170000, 0o010000
# Of a descriptor: is it a terminal (two ways), how wide, whose; how much waits; blocking and inheriting.
_IOCTLS = (0x5401, 0x802C542A, 0x5413, 0x540F, 0x541B, 0x5421, 0x5450, 0x5451)
# Of fcntl: copies of a descriptor, its flags, the size of a pipe. Everything about files that others may have open too,
# such as those of the tree, says something to another jail; so do preadv2 (is it in memory?) and mincore.
_FCNTLS = (0, 1, 2, 3, 4, 1030, 1031, 1032)
# A lock is granted at once and nobody sees it: a database in a file of one's own works, and carries nothing out.
_LOCKS = (6, 7, 37, 38)
# Of prctl: die with the parent, names of threads and of memory, privileges, the thread's number for a fork.
_PRCTLS = (1, 2, 3, 15, 16, 23, 38, 39, 40, 0x53564D41)


@functools.cache
def program(*, devices: bool = False) -> tuple[bytes, str]:
    """The filter's program for this machine, and in words what it is; no program where none can be made.

    devices: for code that computes on a GPU, whose driver is spoken to by ioctl, with numbers of its own.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError) as error:
        return b"", f"none: libseccomp cannot be used ({error}); on Debian and Ubuntu: apt install libseccomp2"
    rules = _Rules(pyseccomp)
    counts = _state(rules, devices=devices)
    with tempfile.TemporaryFile() as file:
        rules.filter.export_bpf(file)
        file.seek(0)
        return file.read(), "{} calls allowed, {} refused, no other known".format(*counts)


class _Rules:
    """A filter that is being written, in the words of this library."""

    def __init__(self, library: ModuleType) -> None:
        self._library = library
        self._native = library.Arch.NATIVE
        self.filter = library.SyscallFilter(library.ERRNO(errno.ENOSYS))
        # Calls of another machine, 32-bit ones and x32 among them, would not mean what the rules say.
        self.filter.set_attr(library.Attr.ACT_BADARCH, library.KILL_PROCESS)

    def allow(self, name: str, *conditions: Any) -> bool:
        return self._add(self._library.ALLOW, name, conditions)

    def refuse(self, name: str, *conditions: Any, error: int = errno.EPERM) -> bool:
        return self._add(self._library.ERRNO(error), name, conditions)

    def masked(self, place: int, mask: int, value: int) -> Any:
        return self._library.Arg(place, self._library.MASKED_EQ, mask, value)

    def equal(self, place: int, value: int) -> Any:
        return self._library.Arg(place, self._library.EQ, value)

    def other(self, place: int, value: int) -> Any:
        return self._library.Arg(place, self._library.NE, value)

    def _add(self, action: int, name: str, conditions: tuple[Any, ...]) -> bool:
        """Whether there is such a call on this machine, as far as this libseccomp knows; if not, it is unknown."""
        try:
            number = self._library.resolve_syscall(self._native, name)
        except (OSError, ValueError):
            return False
        if number < 0:
            return False
        self.filter.add_rule(action, number, *conditions)
        return True


def _state(rules: _Rules, *, devices: bool) -> tuple[int, int]:
    """State the rules; how many calls are allowed whatever their arguments, and how many refused."""
    allowed = sum([rules.allow(name) for name in ALLOWED])
    refused = sum([rules.refuse(name) for name in FORBIDDEN])
    # No memory that is shared and has no file: it counts towards no limit of a process. /dev/shm is bounded.
    both = _SHARED | _ANONYMOUS
    for flags in (_SHARED, _ANONYMOUS, 0):
        rules.allow("mmap", rules.masked(3, both, flags))
    rules.refuse("mmap", rules.masked(3, both, both), error=errno.ENOMEM)
    for name in ("prlimit64", "sched_setaffinity"):
        rules.allow(name, rules.equal(0, 0))  # its own; the warden is of the same user
        rules.refuse(name, rules.other(0, 0))
    rules.allow("clone", rules.masked(0, _NAMESPACES, 0))
    for name in ("socket", "socketpair"):
        rules.allow(name, rules.equal(0, _AF_UNIX))
        rules.refuse(name, rules.other(0, _AF_UNIX))
    for command in () if devices else _IOCTLS:
        rules.allow("ioctl", rules.equal(1, command))
    if devices:
        rules.allow("ioctl")
    for command in _FCNTLS:
        rules.allow("fcntl", rules.equal(1, command))
    for command in _LOCKS:
        rules.refuse("fcntl", rules.equal(1, command), error=0)
    rules.refuse("flock", error=0)
    for option in _PRCTLS:
        rules.allow("prctl", rules.equal(0, option))
    for name, place in (("mknod", 1), ("mknodat", 2)):
        rules.allow(name, rules.masked(place, _FILE_KIND, _FIFO))
    return allowed, refused
