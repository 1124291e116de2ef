"""Gradescope's container, on a Docker engine of the tests' own: its folders, its root, and the engine's defaults.

The zip lies in /autograder/source; `setup.sh` makes the image, once, with a real venv and real wheels, and
`run_autograder` runs in a container of its own for each submission, as root. No network: the wheels are fetched
before. The engine's filter of system calls and its capabilities are Docker's own, which refuse namespaces.
"""

import contextlib
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sandbox import engine

BASE, IMAGE = "autograder-test-gradescope-base", "autograder-test-gradescope"
PACKAGES = "python3,python3-venv,libseccomp2"
WHEELS = "--no-index --find-links /wheels"
METADATA = {"id": 7, "users": [{"email": "ada@example.org", "id": 4711, "name": "Ada"}], "previous_submissions": []}

_LEFT = """
import os, pathlib
folders = map(pathlib.Path, ("/dev/shm", "/tmp", "/run"))
for path in [*pathlib.Path("/proc").glob("[0-9]*"), *(path for each in folders for path in each.rglob("*"))]:
    try:
        if path.lstat().st_uid >= 20_000:
            stat = path / "stat"
            print(path, stat.read_text().rpartition(")")[2].split()[:3] if stat.exists() else "")
    except FileNotFoundError:
        pass
"""


@dataclass(frozen=True)
class Ran:
    """One run of run_autograder: its results, or None where it left none, its exit code and all that it printed.

    left: what there is of students' users afterwards: processes, and files outside of /proc.
    """

    results: dict[str, Any] | None
    code: int
    printed: str
    left: tuple[str, ...]

    @property
    def scores(self) -> dict[str, float]:
        assert self.results is not None, self.printed
        return {test["name"]: test["score"] for test in self.results["tests"]}


class Gradescope:
    """An assignment whose autograder zip was set up. Raises engine.Missing where wheels cannot be had."""

    def __init__(self, host: str, cache: Path, packed: bytes) -> None:
        import docker

        self._client = docker.DockerClient(base_url=host, timeout=600)
        engine.import_base(host, cache / "gradescope.tar", BASE, PACKAGES)
        container = self._container(BASE)
        self.said = ""
        try:
            container.put_archive("/", _tar({"autograder/results/.here": b"", "autograder/submission/.here": b""}))
            container.put_archive("/", _unzipped(packed, "autograder/source"))
            container.put_archive("/", _tar({f"wheels/{w.name}": w.read_bytes() for w in _wheels(packed, cache)}))
            code, said = container.exec_run(["/autograder/source/setup.sh"])
            self.said = said.decode(errors="replace")
            assert code == 0, self.said
            assert container.exec_run(["cp", "/autograder/source/run_autograder", "/autograder/"])[0] == 0
            assert container.exec_run(["rm", "-r", "/autograder/submission", "/wheels"])[0] == 0
            container.commit(repository=IMAGE, tag="latest")
        finally:
            container.remove(force=True)

    def grade(self, files: Mapping[str, bytes], **options: Any) -> Ran:
        """Hand these files in. options: of the container, by the names of the engine's HostConfig."""
        container = self._container(IMAGE, **options)
        try:
            handed = {f"autograder/submission/{name}": content for name, content in files.items()}
            metadata = {"autograder/submission_metadata.json": json.dumps(METADATA).encode()}
            container.put_archive("/", _tar({"autograder/submission/.here": b"", **handed, **metadata}))
            code, said = container.exec_run(["/autograder/run_autograder"], workdir="/autograder")
            _, left = container.exec_run(["python3", "-c", _LEFT])
            printed = said.decode(errors="replace")
            return Ran(_results(container), code, printed, tuple(left.decode(errors="replace").splitlines()))
        finally:
            container.remove(force=True)

    def tell(self, *command: str, **options: Any) -> str:
        """What a command prints in a container as it is for a submission."""
        container = self._container(IMAGE, **options)
        try:
            return str(container.exec_run(list(command))[1].decode(errors="replace"))
        finally:
            container.remove(force=True)

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._client.images.remove(IMAGE, force=True)
        self._client.close()

    def _container(self, image: str, **options: Any) -> Any:
        config = self._client.api.create_host_config(network_mode="none") | options
        made = self._client.api.create_container(image, ["sleep", "600"], host_config=config)["Id"]
        self._client.api.start(made)
        return self._client.containers.get(made)


def _results(container: Any) -> dict[str, Any] | None:
    code, said = container.exec_run(["cat", "/autograder/results/results.json"])
    return None if code else dict(json.loads(said))


def _wheels(packed: bytes, cache: Path) -> list[Path]:
    """What requirements.txt names, fetched once."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        requirements = archive.read("requirements.txt")
    folder = cache / f"gradescope-wheels-{hashlib.sha256(requirements).hexdigest()[:12]}"
    complete = folder / "complete"
    if complete.exists():
        return sorted(folder.glob("*.whl"))
    folder.mkdir(exist_ok=True)
    (folder / "requirements.txt").write_bytes(requirements)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), "-r", str(folder / "requirements.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise engine.Missing(f"the zip's wheels cannot be had: {done.stderr.strip()[-200:]}")
    complete.touch()
    return sorted(folder.glob("*.whl"))


def _unzipped(packed: bytes, below: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        modes = {f"{below}/{each.filename}": each.external_attr >> 16 & 0o777 for each in archive.infolist()}
        return _tar({f"{below}/{name}": archive.read(name) for name in archive.namelist()}, modes)


def _tar(files: Mapping[str, bytes], modes: Mapping[str, int] = {}) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), modes.get(name, 0o644)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
