"""System calls that lead out, or into other processes. Numbers are those of x86_64."""

from tests.hostile.act import APART, INT_80, OUTSIDE, Act

_HARM = "it would change the machine itself"

ACTS = {
    "ptrace of another process": Act(
        "attach to a process of its own user and take it over",
        """
        import signal, time
        def attack():
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
            try:
                call(101, 16, child, 0, 0)  # PTRACE_ATTACH
                return True
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        """,
        "forbidden",
        OUTSIDE,
    ),
    "traced by a copy": Act(
        "PTRACE_TRACEME, so that a parent drives it",
        "def attack():\n    call(101, 0, 0, 0, 0)\n    return True",
        "forbidden",
        OUTSIDE,
    ),
    "read another's memory": Act(
        "process_vm_readv of the process that loaded the notebook",
        """
        def attack():
            class Vector(ctypes.Structure):
                _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
            secret, out = ctypes.create_string_buffer(b"secret"), ctypes.create_string_buffer(7)
            vectors = [Vector(ctypes.addressof(each), 7) for each in (out, secret)]
            call(310, os.getpid(), ctypes.byref(vectors[0]), 1, ctypes.byref(vectors[1]), 1, 0)
            return out.value == b"secret"
        """,
        "forbidden",
        OUTSIDE,
    ),
    "take another's descriptor": Act(
        "pidfd_getfd", "def attack():\n    return call(438, os.pidfd_open(os.getpid()), 0, 0) > 0", "forbidden", OUTSIDE
    ),
    "compare kernel objects": Act(
        "kcmp, which shows addresses of the kernel in order",
        "def attack():\n    return call(312, os.getpid(), os.getpid(), 2, 0, 0) == 0",
        "forbidden",
        OUTSIDE,
    ),
    "kernel keyring": Act(
        "leave a note for the next student in the kernel's keyring",
        "def attack():\n    return call(248, b'user', b'{name}', b'note', 4, -2) > 0",
        "forbidden",
        OUTSIDE,
    ),
    "read the keyring": Act("keyctl", "def attack():\n    return call(250, 0, -3, 1) != 0", "forbidden", OUTSIDE),
    "load a program into the kernel": Act(
        "bpf: make a map",
        "def attack():\n    return call(321, 0, (ctypes.c_uint32 * 18)(2, 4, 8, 1), 72) > 0",
        "forbidden",
        OUTSIDE,
    ),
    "watch the kernel": Act(
        "perf_event_open of a software clock",
        "def attack():\n    return call(298, (ctypes.c_uint32 * 32)(1, 128), 0, -1, -1, 0) > 0",
        "forbidden",
        OUTSIDE,
    ),
    "stop the kernel at a page": Act(
        "userfaultfd, with which holes of the kernel are used",
        "def attack():\n    return call(323, 1) > 0",
        "forbidden",
        OUTSIDE,
    ),
    "io_uring": Act(
        "make calls that no filter sees",
        "def attack():\n    return call(425, 1, (ctypes.c_char * 120)()) > 0",
        "forbidden",
        OUTSIDE,
    ),
    "file without a name": Act(
        "memfd_create: memory that no limit of a process counts, and a program to start",
        "def attack():\n    return os.memfd_create('x') > 0",
        "forbidden",
        OUTSIDE,
    ),
    "shared memory without a name": Act(
        "mmap: memory that no limit of a process counts",
        "import mmap\ndef attack():\n    return len(mmap.mmap(-1, 2**20))",
        "out_of_memory",
        OUTSIDE,
    ),
    "another personality": Act(
        "switch off the kernel's random addresses",
        "def attack():\n    return call(135, 0x0040000) >= 0",
        "forbidden",
        OUTSIDE,
    ),
    "segments of its own": Act(
        "modify_ldt", "def attack():\n    return call(154, 0, (ctypes.c_char * 64)(), 64) >= 0", "forbidden", OUTSIDE
    ),
    "ports of the machine": Act("iopl", "def attack():\n    return call(172, 0) == 0", "forbidden", OUTSIDE),
    "new user namespace": Act(
        "become root of a new user namespace by unshare",
        "def attack():\n    return call(272, 0x10000000) == 0",
        "forbidden",
        OUTSIDE,
    ),
    "new user namespace by clone": Act(
        "the same by clone",
        """
        def attack():
            child = call(56, 0x10000000 | 17, 0, 0, 0, 0)
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            return True
        """,
        "raised",
        OUTSIDE,
    ),
    "new user namespace by clone3": Act(
        "the same by clone3, whose flags a filter cannot read",
        """
        def attack():
            child = call(435, (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17), 88)
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
            return True
        """,
        "raised",
        OUTSIDE,
    ),
    "enter a namespace": Act(
        "setns", "def attack():\n    return call(308, os.open('/proc/self/ns/uts', 0), 0) == 0", "forbidden", OUTSIDE
    ),
    "mount": Act(
        "cover a folder with one of its own",
        "def attack():\n    return call(165, b'none', b'/tmp', b'tmpfs', 0, None) == 0",
        "forbidden",
        APART,
    ),
    "mount the new way": Act("fsopen", "def attack():\n    return call(430, b'tmpfs', 0) > 0", "forbidden", APART),
    "uncover": Act(
        "umount its /proc, under which the server's lies",
        """
        def attack():
            if "AUTOGRADER_HOSTILE" in os.environ:
                call(165, b"none", b"/tmp", b"tmpfs", 0, None)
                return call(166, b"/tmp", 2) == 0
            return call(166, b"/proc", 2) == 0
        """,
        "forbidden",
        APART,
    ),
    "make a mount writable": Act(
        "remount the tree",
        "def attack():\n    return call(165, None, b'/', None, 32 | 4096, None) == 0",
        "forbidden",
        APART,
    ),
    "chroot": Act(
        "chroot, as the first half of a way out",
        "def attack():\n    os.chroot('/tmp')\n    return True",
        "forbidden",
        OUTSIDE,
    ),
    "another root": Act(
        "pivot_root",
        "def attack():\n    return call(155, b'/tmp', b'/tmp') == 0",
        "forbidden",
        "it takes a folder that is a mount, which is made by the act 'mount'",
    ),
    "open a file by its number": Act(
        "name_to_handle_at, then open_by_handle_at, which know no root",
        """
        def attack():
            handle = (ctypes.c_uint32 * 34)(128)
            call(303, -100, b"/tmp", handle, ctypes.byref(ctypes.c_int()), 0)
            return call(304, os.open("/", 0), handle, 0) > 0
        """,
        "forbidden",
        OUTSIDE,
    ),
    "watch all files": Act("fanotify_init", "def attack():\n    return call(300, 0, 0) > 0", "forbidden", OUTSIDE),
    "become root": Act("setuid(0)", "def attack():\n    os.setuid(0)\n    return True", "forbidden", OUTSIDE),
    "take capabilities": Act(
        "capset of all of them",
        "def attack():\n"
        "    return call(126, (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(1, 1, 0, 0, 0, 0)) == 0",
        "forbidden",
        OUTSIDE,
    ),
    "start a program": Act(
        "os.execv of the loader of programs, the one program in the tree",
        """
        def attack():
            child = os.fork()
            if child == 0:
                try:
                    os.execv("/lib64/ld-linux-x86-64.so.2", ["ld", "--version"])
                finally:
                    os._exit(9)
            return os.waitpid(child, 0)[1] == 0
        """,
        "wrong_type",
        OUTSIDE,
    ),
    "start a native program of its own": Act(
        "bring an ELF file in the notebook and start it",
        """
        import subprocess
        def attack():
            with open("{name}", "wb") as file, open("/lib64/ld-linux-x86-64.so.2", "rb") as native:
                file.write(native.read())
            os.chmod("{name}", 0o755)
            try:
                return subprocess.run([os.path.abspath("{name}"), "--version"], capture_output=True).returncode == 0
            finally:
                os.remove("{name}")
        """,
        "forbidden",
        OUTSIDE,
    ),
    "a device of its own": Act(
        "mknod of the machine's memory",
        """
        import stat
        def attack():
            os.mknod("{name}", 0o600 | stat.S_IFCHR, os.makedev(1, 1))
            os.remove("{name}")
            return True
        """,
        "raised",
        OUTSIDE,
    ),
    "a lock on a file of the tree": Act(
        "whoever has the same file open elsewhere sees it: one bit for another jail",
        """
        import fcntl
        def attack():
            mine, theirs = os.open(np.__file__, os.O_RDONLY), os.open(np.__file__, os.O_RDONLY)
            fcntl.flock(mine, fcntl.LOCK_EX)
            try: fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError: return True
        """,
        "wrong_type",
        OUTSIDE,
    ),
    "a number in a lock": Act(
        "the place of a lock of bytes is a number of 63 bits, which F_GETLK tells everybody",
        """
        import fcntl, struct, time
        FORM = "hhqqi4x"
        def attack():
            file = os.open(np.__file__, os.O_RDONLY)
            if os.fork() == 0:
                fcntl.fcntl(file, fcntl.F_SETLK, struct.pack(FORM, fcntl.F_RDLCK, 0, 1425235433698, 1, 0))
                time.sleep(0.3)
                os._exit(0)
            time.sleep(0.1)
            asked = struct.pack(FORM, fcntl.F_WRLCK, 0, 0, 0, 0)
            return struct.unpack(FORM, fcntl.fcntl(file, fcntl.F_GETLK, asked))[2] == 1425235433698
        """,
        "raised",
        OUTSIDE,
    ),
    "notice of who reads": Act(
        "F_NOTIFY: a signal when somebody, in whatever jail, reads in a folder of the tree",
        """
        import fcntl
        def attack():
            folder = os.open(os.path.dirname(np.__file__), os.O_RDONLY)
            fcntl.fcntl(folder, fcntl.F_NOTIFY, fcntl.DN_ACCESS)
            return True
        """,
        "raised",
        OUTSIDE,
    ),
    "what others have read": Act(
        "RWF_NOWAIT says whether a page of a file is in memory already: somebody else may have put it there",
        """
        def attack():
            file = os.open(np.__file__, os.O_RDONLY)
            os.read(file, 10)
            return os.preadv(file, [bytearray(10)], 0, os.RWF_NOWAIT) > 0
        """,
        "raised",
        OUTSIDE,
    ),
    "which pages are in memory": Act(
        "mincore, for a file that is mapped",
        """
        import mmap
        def attack():
            page = mmap.mmap(os.open(np.__file__, os.O_RDONLY), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
            start = ctypes.addressof(ctypes.c_char.from_buffer(page))
            return call(27, start, 4096, ctypes.create_string_buffer(9)) == 0
        """,
        "raised",
        OUTSIDE,
    ),
    "shared memory of System V": Act(
        "leave a note that outlives every process",
        """
        def attack():
            there = call(29, 0, 4096, 0o1600)
            call(31, there, 0, 0)
            return True
        """,
        "forbidden",
        OUTSIDE,
    ),
    "semaphores of System V": Act(
        "the same by semget",
        "def attack():\n    there = call(64, 0, 1, 0o1600)\n    call(66, there, 0, 0)\n    return True",
        "forbidden",
        OUTSIDE,
    ),
    "messages of System V": Act(
        "the same by msgget",
        "def attack():\n    there = call(68, 0, 0o1600)\n    call(71, there, 0, 0)\n    return True",
        "forbidden",
        OUTSIDE,
    ),
    "message queue of POSIX": Act(
        "the same by mq_open",
        "def attack():\n    call(240, b'{name}', 0o102, 0o600, None)\n    call(241, b'{name}')\n    return True",
        "forbidden",
        OUTSIDE,
    ),
    "time of day": Act("settimeofday", "def attack():\n    return call(164, None, None) == 0", "forbidden", OUTSIDE),
    "name of the machine": Act(
        "sethostname", "def attack():\n    return call(170, b'eve', 3) == 0", "forbidden", APART
    ),
    "words of the kernel": Act("syslog", "def attack():\n    return call(103, 10, None, 0) > 0", "forbidden", OUTSIDE),
    "swap": Act("swapoff", "def attack():\n    return call(168, b'/x') == 0", "forbidden", _HARM),
    "restart": Act(
        "reboot", "def attack():\n    return call(169, 0xFEE1DEAD, 672274793, 0, 0) == 0", "forbidden", _HARM
    ),
    "another kernel": Act("kexec_load", "def attack():\n    return call(246, 0, 0, 0, 0) == 0", "forbidden", _HARM),
    "a module of the kernel": Act(
        "init_module", "def attack():\n    return call(175, b'', 0, b'') == 0", "forbidden", _HARM
    ),
    "quotas": Act(
        "quotactl", "def attack():\n    return call(179, 0x800001 << 8, b'/', 0, 0) == 0", "forbidden", _HARM
    ),
    "accounts": Act("acct", "def attack():\n    return call(163, None) == 0", "forbidden", _HARM),
    "a real-time clock to run by": Act(
        "sched_setscheduler: run before everybody else",
        "def attack():\n    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))\n    return True",
        "forbidden",
        OUTSIDE,
    ),
    "another filter": Act(
        "put a filter of its own over itself, which answers what it likes",
        "def attack():\n    libc.prctl(38, 1, 0, 0, 0)\n"
        "    code = (ctypes.c_uint64 * 1)(0x7FFF000000000006)\n"
        "    class P(ctypes.Structure): _fields_ = [('n', ctypes.c_ushort), ('c', ctypes.c_void_p)]\n"
        "    return libc.prctl(22, 2, ctypes.byref(P(1, ctypes.addressof(code))), 0, 0) == 0",
        "wrong_type",
        OUTSIDE,
    ),
    "32-bit calls": Act(
        "int 0x80: the same calls by other numbers",
        INT_80,
        "forbidden",
        OUTSIDE,
    ),
    "x32 calls": Act(
        "numbers of a third kind",
        "def attack():\n    return call(0x40000000 + 39) > 0",
        "forbidden",
        "few kernels have them",
    ),
}
