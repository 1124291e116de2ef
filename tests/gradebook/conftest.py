"""A gradebook in SQLite, and the same one in a real PostgreSQL, where there is one to be started."""

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from autograder.gradebook.database import Gradebook, open_gradebook

_NUMBERS = count(1)


def _programs() -> Path | None:
    """The folder of `initdb` and `postgres`: Debian keeps it out of the path."""
    found = [Path(path).parent for path in (shutil.which("initdb"),) if path]
    return next(iter([*found, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server of our own, without a database. PostgreSQL refuses to run as root."""
    pytest.importorskip("psycopg")
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine: apt install postgresql")
    user = getpass.getuser()
    if os.geteuid() == 0:
        known = {entry.pw_name for entry in pwd.getpwall()}
        user = next(name for name in ("postgres", "nobody") if name in known)
    folder = Path(tempfile.mkdtemp(prefix="autograder-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    become = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    data = folder / "data"
    server = None

    def control(*arguments: str) -> None:
        done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, **become)
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        control(str(programs / "initdb"), "-D", str(data), "-U", "ta", "-A", "trust", "--no-sync", "-E", "UTF8")
        settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(data), *options], stdout=log, stderr=log, **become
            )
        url = f"postgresql://ta@/{{}}?host={folder}"
        _wait_for(server, url.format("postgres"), folder / "log")
        yield url
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # at once: nothing of it is to be kept
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    import psycopg

    limit = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text("utf-8", "replace")
            assert time.monotonic() < limit, "PostgreSQL does not answer"
            time.sleep(0.05)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a gradebook that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gradebook.db'}"
    import psycopg

    server = request.getfixturevalue("postgres")
    name = f"term{next(_NUMBERS)}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return str(server.format(name))


@pytest.fixture
def book(url: str) -> Iterator[Gradebook]:
    with open_gradebook(url) as opened:
        yield opened


@pytest.fixture
def open_book(url: str) -> Callable[[], Gradebook]:
    return lambda: open_gradebook(url)
