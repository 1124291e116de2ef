"""Is a GPU found by its files, and does the jail show it to whom it is for, and to nobody else?"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from autograder.sandbox import accelerator
from autograder.sandbox.accelerator import Accelerator
from autograder.sandbox.session import Server
from tests.sandbox.conftest import NUMPY, Jail

# A device that every machine has and no jail shows: it stands in for a card's. A driver's own ioctl brings on it: no
# such call. Where the filter lets none through it is: no ioctl.
DEVICE = "/dev/full"
LOOK = """
import errno, fcntl, os

def f(path):
    try:
        descriptor = os.open(path, os.O_RDWR)
        fcntl.ioctl(descriptor, 0x4601)
    except OSError as error:
        return errno.errorcode[error.errno], os.environ["CUDA_VISIBLE_DEVICES"]
"""


def test_card_is_there_for_a_server_that_may_see_it(jail: Jail, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
    card = Accelerator("A card", files=(DEVICE,))
    server = run(Server.start(replace(NUMPY, accelerator=card)))
    seeing = Jail(server, run)
    try:
        assert seeing.load(LOOK).result("f", DEVICE) == ("ENOTTY", "0")
    finally:
        for session in seeing.open_sessions:
            run(session.close())
        run(server.close())
    assert jail.load(LOOK).result("f", DEVICE) == ("ENOENT", "")
    assert jail.load(LOOK).result("f", "/dev/null") == ("ENOSYS", "")  # of ioctl, a few numbers alone


def test_card_of_a_machine_is_found_by_its_files(tmp_path):
    assert accelerator.found(tmp_path) is None
    for path in ("dev/nvidiactl", "dev/nvidia-uvm", "dev/nvidia0", "usr/local/nvidia/lib64/libcuda.so.1"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    card = accelerator.found(tmp_path)
    assert card is not None
    assert (card.name, card.torch) == ("NVIDIA GPU", "cuda")
    assert card.paths == ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0", "/usr/local/nvidia/lib64")
    assert card.variables == {"CUDA_VISIBLE_DEVICES": "0", "LD_LIBRARY_PATH": "/usr/local/nvidia/lib64"}
    information = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0/information"
    information.parent.mkdir(parents=True)
    information.write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 27\n", encoding="utf-8")
    card = accelerator.found(tmp_path)
    assert card is not None
    assert card.name == "NVIDIA H100 80GB HBM3"
