"""Is all memory counted that an answer uses, wherever it puts it?"""

import statistics

import pytest

from tests.sandbox.conftest import Jail
from tests.sandbox.test_metered import ask_alone

pytestmark = pytest.mark.slow  # seconds each: jails, servers or thousands of draws

MIB = 12  # what each of them uses; a submission has disks of 16
NUMPY = "import numpy as np\n"
NOTHING = NUMPY + "def f():\n    return 0\n"
HELD = NUMPY + f"held = np.ones({9 * MIB} * 2**17)\n" + "def f():\n    return int(held[0]) - 1\n"
PLAIN = NUMPY + f"def f():\n    used = np.ones({MIB} * 2**17)\n    return int(used[0]) - 1\n"
SCRATCH = NUMPY + f"space = np.ones({MIB} * 2**17)\ndef f():\n    space[:] = 2\n    return int(space[0]) - 2\n"
LET_GO = SCRATCH.replace("    space[:] = 2\n", "    global space\n    space[:] = 2\n    space = np.full(1, 2)\n")
MAPPED = (
    f"import mmap, os\nfile = open('/dev/shm/space', 'wb+')\nos.ftruncate(file.fileno(), {MIB} * 2**20)\n"
    f"def f():\n    with mmap.mmap(file.fileno(), {MIB} * 2**20) as space:\n"
    f"        for place in range({MIB}):\n            space.write(bytes(2**20))\n    return 0\n"
)
RESET = PLAIN.replace(
    "    return int(used[0]) - 1\n",
    "    del used\n    try:\n        open('/proc/self/clear_refs', 'w').write('5')\n    except OSError:\n        pass\n"
    "    return 0\n",
)
WRITES = f"def f():\n    open('/tmp/space', 'wb').write(bytes({MIB} * 2**20))\n    return 0\n"


def own_mib(jail: Jail, source: str) -> float:
    loading = jail.load(source)
    found = [ask_alone(loading) for _ in range(3)]
    assert [answer.value for answer, _ in found] == [0, 0, 0]
    return statistics.median(usage.peak_mib - usage.inherited_mib for _, usage in found)


def test_what_a_notebook_holds_is_not_its_answers(jail: Jail) -> None:
    assert abs(own_mib(jail, HELD) - own_mib(jail, NOTHING)) < 1


@pytest.mark.parametrize(
    "source", [PLAIN, SCRATCH, LET_GO, MAPPED, RESET], ids=["array", "at loading", "let go of", "mapped", "reset"]
)
def test_memory_counts_wherever_it_is(jail: Jail, source: str) -> None:
    assert own_mib(jail, source) - own_mib(jail, NOTHING) > MIB - 1


def test_nothing_can_be_put_into_files(jail: Jail) -> None:
    answer, _ = ask_alone(jail.load(WRITES))
    assert (answer.status, answer.detail["type"], answer.detail["limit"]) == ("raised", "OSError", "file_mib")
    # Only while it is measured: an ordinary question may.
    assert jail.load(WRITES.replace(f"{MIB} * 2**20", "2**20")).result() == 0
