"""Where does a submission run, for its warden? By itself, in namespaces of its own."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.sandbox import worker


class Place:
    """Its folders, and what is given up before its code runs.

    user: whose processes alone are the submission's, where others share the namespace. work: its working
    directory. disks: what it may fill.
    """

    user: int | None = None
    work = worker.WORK
    disks: Sequence[str] = ("/tmp", "/dev/shm")

    def give_up(self) -> None:
        """In the copy that will run student code: give up what this process still has."""

    def put(self, files: Mapping[str, bytes]) -> None:
        """Put a submission's files into its working directory, for reading."""
        for name, content in files.items():
            path = Path(self.work, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o444)

    def written_mib(self) -> float:
        """What lies on a submission's own disks, in MiB: files that were deleted and are still open count too."""
        disks = [os.statvfs(path) for path in self.disks]
        return sum((disk.f_blocks - disk.f_bfree) * disk.f_frsize for disk in disks) / 2**20
