"""What is used up: time, memory, processes, disk, descriptors, output. The neighbours must not feel it."""

from tests.hostile.act import Act

_HARM = "outside it is the machine that ends"


def _act(tries: str, body: str, gets: str, *, also: bool = True) -> Act:
    return Act(tries, body, gets, _HARM, also=also)


ACTS = {
    "endless loop": _act("never answer", "def wave(x):\n    while True: pass", "timed_out"),
    "endless loop at loading": _act("never load", "def wave(x):\n    return x\nwhile True: pass", "wrong_value"),
    "loop that catches all": _act(
        "not even stop when asked",
        "import signal\nfor n in (2, 15, 24, 14): signal.signal(n, signal.SIG_IGN)\n"
        "def wave(x):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        "timed_out",
    ),
    "sleep": _act("cost no CPU time", "import time\ndef wave(x):\n    time.sleep(999)", "timed_out"),
    "stopped by itself": _act(
        "SIGSTOP: neither run nor sleep",
        "import signal\ndef wave(x):\n    os.kill(os.getpid(), signal.SIGSTOP)",
        "timed_out",
    ),
    "loop inside the library": _act(
        "where no signal handler of Python runs",
        "def wave(x):\n    np.ones((3000, 3000)) @ np.ones((3000, 90000))",
        "timed_out out_of_memory",
    ),
    "fork bomb": _act(
        "os.fork without end",
        "def wave(x):\n    while True:\n        try: os.fork()\n        except OSError: pass",
        "timed_out",
    ),
    "fork bomb at loading": _act(
        "the same before a question is asked",
        "def wave(x):\n    return x\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        "wrong_value",
    ),
    "threads": _act(
        "as many as there are",
        "import threading, time\ndef wave(x):\n    while True: threading.Thread(target=time.sleep, args=(99,)).start()",
        "raised",
    ),
    "daemon": _act(
        "a process that outlives the run",
        "import time\ndef wave(x):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0: time.sleep(9999)\n"
        "        os._exit(0)\n    os.wait()",
        "wrong_type",
    ),
    "daemon at loading": _act(
        "the same, from a cell",
        "import time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(9999)\ndef wave(x):\n    return x",
        "wrong_value",
    ),
    "thread at exit": _act(
        "a thread that keeps the process alive",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9999,)).start()\ndef wave(x):\n    return x",
        "wrong_value",
    ),
    "memory": _act("take all", "def wave(x):\n    return bytearray(2**33)", "out_of_memory"),
    "memory at loading": _act(
        "the same before a question",
        "def wave(x):\n    return x\nkept = [bytearray(2**28) for _ in range(999)]",
        "wrong_value",
    ),
    "memory of many": _act(
        "a little less than allowed, many times",
        "import time\ndef wave(x):\n    for _ in range(40):\n        if os.fork() == 0:\n            kept = b'x' * (100 * 2**20)\n            time.sleep(99)\n    time.sleep(99)",
        "timed_out out_of_memory crashed",
    ),
    "stack": _act("recursion without end", "def wave(x):\n    return wave(x)", "raised"),
    "stack of C": _act(
        "recursion that Python does not count",
        "sys.setrecursionlimit(10**9)\ndef wave(x):\n    class A:\n        def __repr__(self): return repr(self)\n    return repr(A())",
        "crashed raised out_of_memory",
    ),
    "disk": _act(
        "fill the disk",
        "def wave(x):\n    for n in range(10**6):\n        with open(f'/tmp/{n}', 'wb') as f: f.write(bytes(2**22))",
        "raised",
    ),
    "shared memory": _act(
        "fill /dev/shm",
        "def wave(x):\n    for n in range(10**6):\n        with open(f'/dev/shm/{n}', 'wb') as f: f.write(bytes(2**22))",
        "raised",
    ),
    "files": _act(
        "as many files as names",
        "def wave(x):\n    n = 0\n    while True:\n        n += 1\n        open(f'/tmp/{n}', 'w').close()",
        "raised timed_out",
    ),
    "one file": _act(
        "one that is too large", "def wave(x):\n    with open('/tmp/x', 'wb') as f: f.truncate(2**40)", "raised"
    ),
    "descriptors": _act(
        "as many as there are",
        "kept = []\ndef wave(x):\n    while True: kept.append(os.open('/dev/null', 0))",
        "raised",
    ),
    "pipes": _act(
        "memory of the kernel in pipes",
        "kept = []\ndef wave(x):\n    while True:\n        kept.append(os.pipe())\n        os.set_blocking(kept[-1][1], False)\n        os.write(kept[-1][1], bytes(65536))",
        "raised",
    ),
    "output": _act("50 megabytes of it", "def wave(x):\n    for _ in range(50): print('x' * 2**20)", "wrong_type"),
    "output past the sink": _act(
        "straight to the descriptors",
        "def wave(x):\n    for n in (1, 2): os.write(n, b'passed 10/10\\n' * 10**6)",
        "wrong_type",
    ),
    "an answer that is too large": _act(
        "a hundred megabytes of it", "def wave(x):\n    return np.zeros(13 * 2**20)", "raised"
    ),
    "a list of all that may cross": _act(
        "as many numbers as a structure may hold, one by one, to be read by whoever compares",
        "def wave(x):\n    return [0.5] * 399_000",
        "wrong_shape",
    ),
    "a list as deep as may cross": _act(
        "more axes than NumPy gives an array",
        "def wave(x):\n    answer = [1.0]\n    for _ in range(44): answer = [answer]\n    return answer",
        "wrong_shape wrong_type",
    ),
    "an exception that is too large": _act(
        "a message of fifty megabytes", "def wave(x):\n    raise ValueError('x' * 50 * 2**20)", "raised"
    ),
    "an exception that cannot be printed": _act(
        "fail while failing",
        "class Bad(Exception):\n    def __str__(self): raise Bad\n    __repr__ = __str__\ndef wave(x):\n    raise Bad",
        "raised",
    ),
    "segmentation fault": _act("read where nothing is", "def wave(x):\n    ctypes.string_at(0)", "crashed"),
    "abort": _act("abort", "def wave(x):\n    os.abort()", "crashed"),
    "core": _act(
        "leave a core file",
        "import resource\ndef wave(x):\n    resource.setrlimit(resource.RLIMIT_CORE, (2**30, 2**30))",
        "raised",
    ),
    "loosen a limit": _act(
        "setrlimit above what was given",
        "import resource\ndef wave(x):\n    resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999))\n    return x * np.sin(x)",
        "raised",
    ),
    "loosen a limit of the warden": _act(
        "prlimit of process 1",
        "import resource\ndef wave(x):\n    resource.prlimit(1, resource.RLIMIT_NOFILE, (5, 5))\n    return x * np.sin(x)",
        "raised forbidden",
    ),
    "pin the warden": _act(
        "let the process that watches wait for a core",
        "def wave(x):\n    os.sched_setaffinity(1, {0})\n    return x * np.sin(x)",
        "forbidden",
    ),
    "collect garbage in between": _act(
        "change what is gathered and finalised",
        "import gc, weakref\nclass Last:\n    def __del__(self): os._exit(0)\ngc.set_threshold(1)\ngc.unfreeze()\nlast = Last()\n"
        "def wave(x):\n    globals().pop('last', None)",
        "crashed",
    ),
}
