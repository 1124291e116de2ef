"""Is there a GPU here, and what of the machine must student code be shown to compute on it?

Nothing here imports PyTorch or asks the driver for a context: a process that has one can no longer be forked.
"""

from dataclasses import dataclass
from pathlib import Path

PROCESSOR, CUDA = "cpu", "cuda"  # as PyTorch calls them
_FILES = ("nvidiactl", "nvidia-uvm", "nvidia0")  # of /dev; what else a driver makes there is for administrators
_LIBRARY = "libcuda.so.1"
# Where drivers put it, beside the system's own folders: containers, WSL.
_FOLDERS = ("/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/wsl/lib")


@dataclass(frozen=True)
class Accelerator:
    """A device beside the processor; the first card, where there are several.

    name: the card's, as its driver says it. torch: what PyTorch calls the device. files: of /dev. libraries: folders of
    the driver's that are none of the system's.
    """

    name: str
    torch: str = CUDA
    files: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """What the jail must show, in the places where it is."""
        return (*self.files, *self.libraries)

    @property
    def variables(self) -> dict[str, str]:
        """What must be set in the environment of a process that may see the card."""
        found = {"LD_LIBRARY_PATH": ":".join(self.libraries)} if self.libraries else {}
        return {"CUDA_VISIBLE_DEVICES": "0", **found}


def found(root: Path = Path("/")) -> Accelerator | None:
    """The GPU of this machine; None where there is none, or its driver is not loaded. root: of the file system."""
    files = [root / "dev" / name for name in _FILES]
    if not all(path.exists() for path in files):
        return None
    libraries = [folder for folder in _FOLDERS if (root / folder[1:] / _LIBRARY).exists()]
    return Accelerator(_model(root), CUDA, tuple(f"/dev/{name}" for name in _FILES), tuple(libraries))


def _model(root: Path) -> str:
    """The card's name; of several, the first's, which is the one that is used."""
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "Model":
                return value.strip()
    return "NVIDIA GPU"
