"""Do control groups of version 2 hold where systemd delegates one to us, for every server that starts in it?"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parent / "as_delegated.py"
DELEGATED = ["systemd-run", *([] if os.geteuid() == 0 else ["--user"]), "--scope", "--quiet", "-p", "Delegate=yes"]


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists() or shutil.which("systemd-run") is None:
        pytest.skip("there is no systemd here that has control groups of version 2")
    tried = subprocess.run([*DELEGATED, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"systemd delegates no group to us: {tried.stderr.strip()}")
    done = subprocess.run([*DELEGATED, sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=600)
    if "refuses user namespaces" in done.stderr:
        pytest.skip("this kernel gives ordinary users no namespaces")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_every_server_has_groups(told: dict[str, Any]) -> None:
    """Those that started beside or after the first saw themselves in its leaf, and took that for somebody else's."""
    walls = [{name: text for name, text in each["walls"].items() if "cgroup" in name} for each in told["servers"]]
    assert walls == 3 * [{f"cgroup {name}": "control group of version 2" for name in ("memory", "pids")}]
    assert all("/slot-" in ends["group"][1] for ends in told["ends"])


def test_kernel_holds_a_group_that_nobody_watches(told: dict[str, Any]) -> None:
    alone = told["alone"]
    assert (alone["killed"], alone["ended"]) == (True, -9), alone
    assert alone["children"] == 12 + 4 - 1


@pytest.mark.parametrize("act", ["children", "disks"])
def test_memory_of_children_and_disks_is_held_together(told: dict[str, Any], act: str) -> None:
    status, detail = told["ends"][0][act]
    assert (status, detail["limit"]) == ("out_of_memory", "memory_mib"), detail
    assert detail["used"] >= 0.9 * detail["allowed"]


def test_processes_are_held_together(told: dict[str, Any]) -> None:
    status, detail = told["ends"][0]["bomb"]
    assert (status, detail["limit"]) == ("raised", "processes"), detail
    status, number = told["ends"][0]["count"]
    assert (status, 16 <= number <= 26) == ("returned", True)  # 24 are allowed


def test_nothing_is_left_in_a_group_and_no_group_of_a_server_that_ended(told: dict[str, Any]) -> None:
    for each in told["servers"]:
        assert len(each["groups"]) >= 2  # of the server, and of its slot
        assert set(each["groups"].values()) == {""}
    assert told["left"] == 3 * [{}]


def test_group_that_was_not_delegated_is_left_alone(told: dict[str, Any]) -> None:
    look = "import json; from autograder.sandbox import cgroups; print(json.dumps(cgroups.prospects()))"
    plain = [word for word in DELEGATED if "Delegate" not in word and word != "-p"]
    for command, ours in ((plain, False), (DELEGATED, True)):
        done = subprocess.run([*command, sys.executable, "-c", look], capture_output=True, text=True, check=True)
        assert [text.startswith("none:") for text in json.loads(done.stdout).values()] == 2 * [not ours], done.stdout
