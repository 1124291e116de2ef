"""Files, processes, other students and the network: is there anything to be reached?"""

from tests.hostile.act import OUTSIDE, Act

# The process that watches: the first of the namespace, and outside whoever started the control.
_ONE = "one = {pid} if 'AUTOGRADER_HOSTILE' in os.environ else 1\n"
_NOTED = "what stays is looked for on the host, when all have been graded"
NOTE = """
places = ["/dev/shm/{name}", "/tmp/{name}", os.path.expanduser("~/{name}"), "{name}"]
found = [place for place in places if os.path.exists(place)]
for place in places:
    open(place, "w").close()
def attack():
    return found
"""

ACTS = {
    "read the key": Act(
        "the key that seeds hidden inputs",
        "def attack():\n    return open('{root}/course.key').read()",
        "raised",
        OUTSIDE,
    ),
    "read the reference": Act(
        "how each topic is computed",
        "def attack():\n    return open('{root}/reference/waves.py').read()",
        "raised",
        OUTSIDE,
    ),
    "read the solution": Act(
        "the model solution",
        "def attack():\n    return open('{root}/solutions/hostile/hostile.py').read()",
        "raised",
        OUTSIDE,
    ),
    "read the suite": Act(
        "expected values",
        "def attack():\n    return os.listdir('{root}/.autograder/suites/hostile')",
        "raised",
        OUTSIDE,
    ),
    "read other submissions": Act(
        "another student's work",
        "def attack():\n    return open('{root}/class/honest-1.ipynb').read()",
        "raised",
        OUTSIDE,
    ),
    "find the course anywhere": Act(
        "walk the whole tree for anything of the course's",
        """
        def attack():
            top = "{root}" if "AUTOGRADER_HOSTILE" in os.environ else "/"
            wanted = {"course.key", "waves.py", "hostile.py", "course.toml", "results.jsonl"}
            return any(wanted & set(files) for folder, _, files in os.walk(top) if "/proc/" not in folder)
        """,
        "wrong_type timed_out",
        OUTSIDE,
    ),
    "by way of the examiner's root": Act(
        "/proc/PID/root of a process of the host",
        "def attack():\n    return os.listdir('/proc/{pid}/root{root}')",
        "raised",
        OUTSIDE,
    ),
    "by way of the warden's root": Act(
        "/proc/1/root and its working directory",
        _ONE + "def attack():\n    return os.listdir(f'/proc/{one}/cwd') and os.listdir(f'/proc/{one}/root')",
        "raised",
        OUTSIDE,
    ),
    "the warden's memory": Act(
        "the frames of the examiner in the memory of the process that watches",
        _ONE + "def attack():\n    return open(f'/proc/{one}/mem', 'rb')",
        "raised",
        OUTSIDE,
    ),
    "the warden's descriptors": Act(
        "the examiner's connection", _ONE + "def attack():\n    return os.listdir(f'/proc/{one}/fd')", "raised", OUTSIDE
    ),
    "environment of the examiner": Act(
        "secrets in environment variables",
        "def attack():\n    return open('/proc/{pid}/environ').read()",
        "raised",
        OUTSIDE,
    ),
    "environment of its own": Act(
        "whatever variable is not one of the fixed ones",
        "def attack():\n"
        "    fixed = 'NUM_THREADS THREAD_LIMIT PYTHON PYTORCH CUDA MPL IPYTHON XDG HOME TMPDIR LANG LC_CTYPE'.split()\n"
        "    return [name for name in os.environ if not any(word in name for word in fixed)]",
        "wrong_type",
        OUTSIDE,
    ),
    "command lines": Act(
        "what the examiner was called with",
        "def attack():\n    return b'python' in open('/proc/{pid}/cmdline', 'rb').read()",
        "raised",
        OUTSIDE,
    ),
    "home": Act(
        "files of whoever runs the grader", "def attack():\n    return os.listdir('/root') or True", "raised", OUTSIDE
    ),
    "passwords": Act("/etc/shadow", "def attack():\n    return open('/etc/shadow').read()", "raised", OUTSIDE),
    "facts of the machine": Act(
        "the kernel's command line and what else /proc tells of the whole machine",
        "def attack():\n    return open('/proc/cmdline').read() + open('/proc/meminfo').read()",
        "raised",
        OUTSIDE,
    ),
    "settings of the kernel": Act(
        "write /proc/sys",
        "def attack():\n    return os.path.exists('/proc/sys/kernel/core_pattern')",
        "wrong_type",
        OUTSIDE,
    ),
    "cgroups": Act("loosen its own limits", "def attack():\n    return os.listdir('/sys/fs')", "raised", OUTSIDE),
    "disks": Act(
        "the machine's block devices", "def attack():\n    return os.path.exists('/sys/block')", "wrong_type", OUTSIDE
    ),
    "a set-uid program": Act(
        "anything that would run as somebody else",
        """
        import stat
        def attack():
            for folder in ("/usr/bin", "/bin", "/usr/lib", "/lib", "/lib64", "/python"):
                for here, _, names in os.walk(folder):
                    for name in names:
                        path = os.path.join(here, name)
                        special = os.path.isfile(path) and os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID)
                        if special and not os.statvfs(path).f_flag & os.ST_NOSUID:
                            return path
        """,
        "wrong_type timed_out",
        OUTSIDE,
    ),
    "write to the libraries": Act(
        "change NumPy for everybody",
        """
        def attack():
            import numpy
            with open(os.path.join(os.path.dirname(numpy.__file__), "{name}"), "w"):
                pass
            os.remove(os.path.join(os.path.dirname(numpy.__file__), "{name}"))
            return True
        """,
        "raised",
        OUTSIDE,
    ),
    "write the page cache": Act(
        "map a shared library writable",
        "import mmap\ndef attack():\n"
        "    file = os.open(libc._name or np._core._multiarray_umath.__file__, os.O_RDWR)\n"
        "    return len(mmap.mmap(file, 4096, mmap.MAP_SHARED))",
        "raised",
        OUTSIDE,
    ),
    "a link out of the folder": Act(
        "a symbolic link, followed by whoever reads results",
        "def attack():\n    os.symlink('{root}/course.key', '{name}')\n"
        "    try: return open('{name}').read()\n    finally: os.remove('{name}')",
        "raised",
        OUTSIDE,
    ),
    "a hard link": Act(
        "keep a file of the tree under a name of its own",
        "def attack():\n    os.link(np.__file__, '/tmp/{name}')\n    os.remove('/tmp/{name}')\n    return True",
        "raised",
        "the folder of the libraries and /tmp may lie on different file systems anywhere",
    ),
    "signal to the examiner": Act(
        "end whoever grades", "def attack():\n    os.kill({pid}, 0)\n    return True", "raised", OUTSIDE
    ),
    "signal to everybody": Act(
        "kill(-1): only what is its own may end",
        "def attack():\n    os.kill(-1, 9)\n    return False",
        "crashed raised wrong_type",
        "outside it would end every process of the user",
    ),
    "signal to the warden": Act(
        "end or stop the process that watches: signals from below do not reach it",
        """
        import signal, time
        def attack():
            target = 1
            if "AUTOGRADER_HOSTILE" in os.environ:
                target = os.fork()
                if target == 0:
                    time.sleep(30)
                    os._exit(0)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
                os.kill(target, number)
            return target != 1 and os.waitpid(target, 0)
        """,
        "wrong_type",
        OUTSIDE,
    ),
    "network": Act(
        "send what it knows to a machine of its own",
        "import socket\ndef attack():\n    return socket.create_connection(('127.0.0.1', {port}), 3)",
        "forbidden",
        OUTSIDE,
    ),
    "datagrams": Act(
        "the same without a connection",
        "import socket\ndef attack():\n"
        "    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
        "forbidden",
        OUTSIDE,
    ),
    "names of machines": Act(
        "ask a name server: what is asked for is a message too",
        "import socket\ndef attack():\n    return socket.getaddrinfo('localhost', 80)",
        "raised",
        OUTSIDE,
    ),
    "netlink": Act(
        "ask the kernel about its network",
        "import socket\ndef attack():\n    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
        "forbidden",
        OUTSIDE,
    ),
    "packets": Act(
        "raw packets",
        "import socket\ndef attack():\n    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)",
        "forbidden",
        OUTSIDE,
    ),
    "abstract socket of the host": Act(
        "a listener that no file system hides",
        "import socket\ndef attack():\n"
        "    s = socket.socket(socket.AF_UNIX)\n    s.connect('\\0autograder-hostile-{port}')\n    return True",
        "raised",
        OUTSIDE,
    ),
    "socket of the host in a folder": Act(
        "services that listen in /run",
        "def attack():\n    return os.path.isdir('/run') or os.path.isdir('/var')",
        "wrong_type",
        OUTSIDE,
    ),
    "note to the next student": Act("leave files, and find those of the one before", NOTE, "wrong_type", _NOTED),
    "note of the one before": Act("the same notebook again", NOTE, "wrong_type", _NOTED),
}
