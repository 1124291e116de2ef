"""Can student code see or reach anything but itself?"""

import os
from pathlib import Path

import pytest

from autograder.sandbox.limits import Environment, SandboxError
from autograder.sandbox.session import Server
from tests.sandbox.conftest import NUMPY, Jail, call

HERE = str(Path(__file__).parents[2])


def probe(jail: Jail, expression: str, *imports: str) -> object:
    lines = "".join(f"import {name}\n" for name in ("os", "sys", *imports))
    return jail.load(f"{lines}def f():\n    return {expression}").result()


def test_project_and_host_files_are_absent(jail: Jail) -> None:
    paths = [
        HERE,
        os.path.expanduser("~"),
        "/home",
        "/root",
        "/etc/shadow",
        "/etc/hostname",
        "/usr/bin",
        "/var",
        "/run",
        "/bin",
    ]
    assert probe(jail, f"[p for p in {paths!r} if os.path.exists(p)]") == []


def test_root_holds_the_tree_alone(jail: Jail) -> None:
    expected = {"python", "usr", "lib", "lib64", "tmp", "etc", "dev", "proc", "sys"}
    assert set(probe(jail, "os.listdir('/')")) <= expected  # type: ignore[call-overload]


def test_tree_cannot_be_written(jail: Jail) -> None:
    tried = (
        "def f():\n"
        "    done = []\n"
        "    for path in ['/x', '/python/lib/x.py', '/python/site/x.py', '/etc/x', '/dev/x']:\n"
        "        try:\n"
        "            open(path, 'w')\n"
        "            done.append(path)\n"
        "        except OSError:\n"
        "            pass\n"
        "    return done"
    )
    assert jail.load(tried).result() == []


def test_torch_is_in_neither_tree_nor_memory_of_numpy(jail: Jail) -> None:
    assert probe(jail, "'torch' in sys.modules") is False
    assert probe(jail, "importlib.util.find_spec('torch') is None", "importlib.util") is True
    assert "torch" not in probe(jail, "os.listdir('/python/site')")  # type: ignore[operator]


def test_no_capability_is_left(jail: Jail) -> None:
    status = str(probe(jail, "open('/proc/self/status').read()"))
    sets = dict(line.split(":\t") for line in status.splitlines() if line.startswith(("Cap", "NoNewPrivs")))
    assert {sets[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert sets["NoNewPrivs"] == "1"


def test_user_is_not_root_and_not_ours(jail: Jail) -> None:
    assert probe(jail, "[os.getuid(), os.geteuid(), os.getgid(), os.getgroups()]")[:3] == [1000, 1000, 1000]  # type: ignore[index]


@pytest.mark.skipif(os.geteuid() != 0, reason="slots have ids of their own only where the server is root")
def test_two_submissions_have_different_ids_on_the_host(jail: Jail) -> None:
    maps = [jail.load("def f():\n    return open('/proc/self/uid_map').read()").result() for _ in range(2)]
    assert maps[0] != maps[1]
    assert all(int(str(text).split()[1]) > 10**9 for text in maps)


def test_only_own_processes_are_seen(jail: Jail) -> None:
    assert probe(jail, "sorted(int(p) for p in os.listdir('/proc') if p.isdigit())") == [1, 2, 3]


def test_warden_cannot_be_looked_into_or_ended(jail: Jail) -> None:
    attack = """
import os, signal
def f():
    opened = []
    for path in ['/proc/1/mem', '/proc/1/environ', '/proc/1/maps', '/proc/1/fd/3']:
        try:
            os.close(os.open(path, os.O_RDONLY))
            opened.append(path)
        except OSError:
            pass
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        os.kill(1, number)
    return opened
"""
    loaded = jail.load(attack, "def g():\n    return 1")
    assert loaded.result("f") == []
    assert loaded.result("g") == 1


def test_network_is_out_of_reach(jail: Jail) -> None:
    connect = "import socket\ndef f():\n    socket.create_connection(('127.0.0.1', 80), 1)"
    assert jail.load(connect).ask(call("f")).status == "forbidden"
    devices = probe(jail, "open('/proc/self/net/dev').read()")
    assert [line.split(":")[0].strip() for line in str(devices).splitlines()[2:]] == ["lo"]


def test_new_user_namespace_gives_no_power(jail: Jail) -> None:
    attempt = "import ctypes\ndef f():\n    return ctypes.CDLL(None).unshare(0x10000000)"
    assert jail.load(attempt).result() == -1


def test_only_the_wire_is_an_open_descriptor(jail: Jail) -> None:
    look = """
import os

pytestmark = pytest.mark.slow
def f():
    links = []
    for number in range(256):
        try:
            links.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            pass
    return links
"""
    links = jail.load(look).result()
    assert links[:3] == ["/dev/null"] * 3
    assert len(links) == 4
    assert links[3].startswith("socket:")


def test_next_submission_sees_nothing_of_the_one_before(jail: Jail) -> None:
    write = (
        "for path in ['/tmp/x', '/tmp/work/x', '/dev/shm/x']:\n"
        "    open(path, 'w').write('secret')\n"
        "def f():\n"
        "    import os\n"
        "    return [p for p in ['/tmp/x', '/tmp/work/x', '/dev/shm/x'] if os.path.exists(p)]"
    )
    look = write.split("\n", 2)[2]
    first = jail.load(write)
    assert len(first.result()) == 3
    assert jail.load(look).result() == []
    first.close()
    assert jail.load(look).result() == []


def test_disk_is_limited(jail: Jail) -> None:
    fill = (
        "def f():\n"
        "    try:\n"
        "        with open('x', 'wb') as file:\n"
        "            for _ in range(64):\n"
        "                file.write(bytes(2**20))\n"
        "    except OSError as error:\n"
        "        return error.errno"
    )
    assert jail.load(fill).result() in (27, 28)


def test_environment_of_the_process_holds_no_path_of_ours(jail: Jail) -> None:
    seen = str(probe(jail, "[dict(os.environ), sys.path, open('/proc/self/cmdline').read()]"))
    assert HERE not in seen.replace(os.path.dirname(os.path.dirname(__import__("sys").executable)), "")


def test_unknown_package_is_an_error_that_says_what_to_do(jail: Jail) -> None:
    with pytest.raises(SandboxError, match="'no-such-package', which is not installed"):
        jail.run(Server.start(Environment("odd", (*NUMPY.packages, "no-such-package"))))


def test_unknown_isolation_is_an_error(jail: Jail) -> None:
    with pytest.raises(SandboxError, match="isolation 'hope'"):
        jail.run(Server.start(NUMPY, isolation="hope"))
