"""Does our autograder zip grade in Gradescope's container, and keep student code apart there?

In a real engine's container with Docker's own defaults: root without the right to make namespaces. The course
is the one that `tests/hostile` attacks; its seeds come from a key that is made anew.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autograder.cli.main import main
from autograder.course.load import load_assignment
from autograder.suite.compile import compile_suite
from tests.exchange.gradescope import WHEELS, Gradescope, Ran
from tests.hostile import course as attacked
from tests.hostile.act import SOFTMAX
from tests.sandbox import engine

pytestmark = pytest.mark.slow

HEAD = f"import os, signal, socket, subprocess, time\nimport numpy as np\n{SOFTMAX}"
RIGHT = f"{HEAD}\ndef wave(x):\n    return x * np.sin(x)\n"
UNFILTERED = {"SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"]}
OPEN = UNFILTERED | {"MaskedPaths": [], "ReadonlyPaths": []}

# What student code tries; `wave` is right where one of them gets through.
ATTEMPTS = """
found = []

def tried(attempt, *arguments):
    try:
        found.append((attempt.__name__, arguments, attempt(*arguments)))
    except OSError:
        pass

def read(path):
    with open(path, "rb") as file:
        return file.read(1)

def write(path):
    with open(path, "w") as file:
        file.write("{}")

def others():
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and os.stat("/proc/" + name).st_uid == 0]

def attack():
    for folder in ("/autograder", "/autograder/source", "/autograder/source/course", "/autograder/results", "/root"):
        tried(os.listdir, folder)
    for path in ("source/course/course.key", "source/course/reference/waves.py", "submission_metadata.json",
                 "source/course/.autograder/suites/hostile/suite.bin"):
        tried(read, "/autograder/" + path)
    for path in ("/autograder/results/results.json", "/autograder/run_autograder", "/tmp/x", "/var/tmp/x", "/x",
                 "/opt/autograder/x", "/run/x", "/run/autograder-jails/x"):
        tried(write, path)
    for pid in others():
        for name in ("environ", "mem", "maps", "root/etc/shadow", "fd/0", "cwd/x"):
            tried(read, "/proc/%d/%s" % (pid, name))
        tried(os.kill, pid, 0)
    tried(os.setuid, 0)
    tried(os.seteuid, 0)
    tried(os.chroot, "/")
    tried(os.chown, ".", 0, 0)
    tried(socket.socket, socket.AF_INET)
    tried(subprocess.run, ["/bin/true"])
    for name in ("/proc/sys/kernel/core_pattern", "/proc/self/uid_map", "/sys/kernel/uevent_helper"):
        tried(write, name)
    return found
"""
WAVE = "\ndef wave(x):\n    return x * np.sin(x) if attack() else None\n"
LEAVES = """
def attack():
    for number in range(20):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            open("/dev/shm/left-%d" % os.getpid(), "w").close()
            time.sleep(60)
            os._exit(0)
    return []
"""
ENDS = {
    "leaves": LEAVES,
    "kills": "def attack():\n    os.kill(-1, signal.SIGKILL)",
    "loops": "def attack():\n    while True:\n        pass",
    "exits": "def attack():\n    os._exit(0)",
    "memory": "def attack():\n    return np.ones((1 << 28,)).sum() < 0",
    "forks": "def attack():\n    while True:\n        os.fork()",
}
UNREADABLE: dict[str, dict[str, bytes]] = {
    "no notebook": {"hw.ipynb": b"{"},
    "nothing": {"notes.txt": b"x"},
    "two": {"a.ipynb": b"{}", "b.ipynb": b"{}"},
}
CODE = {
    "right": RIGHT,
    "wrong": RIGHT.replace("np.sin", "np.cos"),
    "attempts": f"{HEAD}{ATTEMPTS}{WAVE}",
    **{name: f"{HEAD}{attack}{WAVE}" for name, attack in ENDS.items()},
}
OPTIONS: dict[str, dict[str, Any]] = {"open": OPEN, "unfiltered": UNFILTERED, "no setuid": {"CapDrop": ["SETUID"]}}


@pytest.fixture(scope="module")
def gradescope(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, docker_engine: str
) -> Iterator[Gradescope]:
    folder = tmp_path_factory.mktemp("gradescope")
    course = attacked.make(folder / "course")
    compile_suite(course, load_assignment(course, "hostile"))
    out = folder / "autograder.zip"
    pack = ["gradescope", "pack", "hostile", "--course", str(course.dir), "--out", str(out)]
    assert main([*pack, "--visibility", "after_published", "--pip-options", WHEELS]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    try:
        made = Gradescope(docker_engine, Path(request.config.cache.mkdir("docker")), out.read_bytes())
    except engine.Missing as why:
        pytest.skip(str(why))
    yield made
    made.close()


@pytest.fixture(scope="module")
def ran(gradescope: Gradescope) -> dict[str, Ran]:
    """Every submission in a container of its own; two at a time, but for those that take all they can get."""
    submissions = {name: ({"hw.py": code.encode()}, {}) for name, code in CODE.items()}
    submissions |= {name: (files, {}) for name, files in UNREADABLE.items()}
    submissions |= {name: ({"hw.py": RIGHT.encode()}, options) for name, options in OPTIONS.items()}
    with ThreadPoolExecutor(2) as pool:
        running = {
            name: pool.submit(gradescope.grade, files, **options)
            for name, (files, options) in submissions.items()
            if name not in ENDS
        }
        done = {name: each.result() for name, each in running.items()}
    return done | {name: gradescope.grade(submissions[name][0]) for name in ENDS}


def test_image_is_made_and_closed_to_student_code(gradescope: Gradescope) -> None:
    assert "The suite of hostile fits" in gradescope.said
    assert gradescope.tell("stat", "-c", "%a %U", "/autograder/source") == "700 root\n"


def test_right_and_wrong_answers_get_their_points(ran: dict[str, Ran]) -> None:
    right, wrong = ran["right"], ran["wrong"]
    assert (right.code, right.scores, right.left) == (0, {"wave": 10.0, "softmax": 10.0}, ()), right.printed
    assert "isolation: container" in right.printed
    assert wrong.scores == {"wave": 0.0, "softmax": 10.0}
    assert wrong.results is not None
    assert (wrong.results["score"], wrong.results["visibility"]) == (10.0, "after_published")
    assert wrong.results["stdout_visibility"] == "hidden"
    wave = wrong.results["tests"][0]
    assert (wave["max_score"], wave["status"], wave["visibility"]) == (10.0, "failed", "after_published")
    assert "Which of the two is 0 at 0?" in wave["output"]


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_has_no_score(ran: dict[str, Ran], name: str) -> None:
    assert ran[name].code == 1
    results = ran[name].results
    assert results is not None
    assert not {"score", "tests"} & results.keys()
    assert "hand" in results["output"]


def test_attempts_get_nothing(ran: dict[str, Ran]) -> None:
    attempts = ran["attempts"]
    assert (attempts.scores, attempts.left) == ({"wave": 0.0, "softmax": 10.0}, ()), attempts.printed


def test_attempts_succeed_where_nothing_keeps_them_apart(gradescope: Gradescope) -> None:
    told = gradescope.tell("python3", "-c", f"{HEAD.split('import numpy')[0]}{ATTEMPTS}\nprint(len(attack()))")
    assert int(told.splitlines()[-1]) > 20


@pytest.mark.parametrize("name", ENDS)
def test_what_ends_badly_costs_its_question_alone(ran: dict[str, Ran], name: str) -> None:
    ended = ran[name]
    assert (ended.code, ended.scores, ended.left) == (0, {"wave": 0.0, "softmax": 10.0}, ()), ended.printed


@pytest.mark.parametrize(("name", "kind"), [("open", "namespaces"), ("unfiltered", "container")])
def test_namespaces_are_taken_where_a_jail_can_be_made_of_them(ran: dict[str, Ran], name: str, kind: str) -> None:
    assert ran[name].scores == {"wave": 10.0, "softmax": 10.0}
    assert f"isolation: {kind}" in ran[name].printed


def test_without_isolation_there_is_no_score(ran: dict[str, Ran]) -> None:
    without = ran["no setuid"]
    assert without.code == 1
    assert without.results is not None
    assert not {"score", "tests"} & without.results.keys()
    assert "lies with the autograder and not with you" in without.results["output"]
    assert "no isolation holds here" in without.printed
