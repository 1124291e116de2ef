"""Are files closed to everybody else, and does a jail by permissions start only where they are?"""

import asyncio
import os
from pathlib import Path

import pytest

from autograder.sandbox import permissions
from autograder.sandbox.isolation import CONTAINER, Isolation, start
from autograder.sandbox.limits import Environment, SandboxError


def test_close_files_takes_the_right_to_write_from_others(tmp_path: Path) -> None:
    folder, file, closed, link = (tmp_path / name for name in ("folder", "file", "closed", "link"))
    folder.mkdir()
    folder.chmod(0o1777)
    file.write_text("x")
    file.chmod(0o666)
    closed.write_text("x")
    closed.chmod(0o640)
    link.symlink_to(file)
    assert permissions.close_files(str(tmp_path)) == 2
    assert [path.stat().st_mode & 0o7777 for path in (folder, file, closed)] == [0o775, 0o664, 0o640]
    assert permissions.close_files(str(tmp_path)) == 0


def test_places_are_folders_and_leave_out_what_submissions_share() -> None:
    found = permissions.places()
    assert "/" in found
    assert all(os.path.isdir(place) for place in found)
    assert not [place for place in found if place.startswith(("/proc/", "/sys/", "/dev/shm"))]


def test_faults_are_what_may_be_read_and_written(tmp_path: Path) -> None:
    there, absent = tmp_path / "there", tmp_path / "absent"
    there.write_text("x")
    found = permissions.faults([str(there), str(absent)], [str(absent)], [str(there)])
    assert found[:3] == [
        f"{there} can be read",
        f"{absent} cannot be read",
        f"{there}, of another environment, can be read",
    ]


def test_jail_by_permissions_does_not_start_where_they_do_not_hold(tmp_path: Path) -> None:
    """This machine is no container of one submission: others may write into /tmp, and all libraries are open."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    with pytest.raises(SandboxError, match="student code would not be kept apart"):
        asyncio.run(start(Environment("numpy", ("numpy",)), Isolation(CONTAINER, closed=(str(secret),))))


def test_jail_by_permissions_does_not_start_where_a_secret_is_gone(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="is not there" if os.geteuid() == 0 else "only root"):
        asyncio.run(start(Environment("numpy", ("numpy",)), Isolation(CONTAINER, closed=(str(tmp_path / "gone"),))))
