"""Whatever a submission started is killed, and reaped: nothing is left for the container's first process."""

import subprocess
import sys

from tests.conftest import ROOT

# A process of its own, since a sweep reaps all children. The child dies after the last reaping, before the next look.
SCRIPT = """
import os, signal
from autograder.sandbox import children, clocks, confine

child = os.fork()
if child == 0:
    signal.pause()
looks, kill = [], os.kill

def living(spared, user):
    looks.append(user)
    if len(looks) < 3:
        return [child]
    kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    return []

clocks.living, confine.signal_user, os.kill = living, lambda user, number: None, lambda pid, number: None
children.sweep(user=4711)
try:
    os.waitpid(child, os.WNOHANG)
    print("left")
except ChildProcessError:
    print("reaped")
"""


def test_what_ends_between_the_last_reaping_and_the_last_look_is_reaped() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("reaped\n", "")
