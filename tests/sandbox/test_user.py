"""Does the jail hold where the examiner is an ordinary user?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parent / "as_user.py"


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here runs as an ordinary user already")
def test_ordinary_user_has_the_same_jail() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=60)
    if "refuses user namespaces" in done.stderr:
        pytest.skip("this kernel gives ordinary users no namespaces")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["failed"] is None
    assert found["loop"] == "timed_out"
    assert found["uid"] == 1000
    assert found["map"] == ["1000", "0", "1"]
    assert set(found["capabilities"]) == {"0"}
    assert found["processes"] == [1, 2, 3]
    assert not {"root", "home", "work", "var"} & set(found["root"])
