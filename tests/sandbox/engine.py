"""A Docker engine of the tests' own, on its own socket and data, with a worker image made from the Dockerfile.

Debian's `docker.io` makes the engine and `debootstrap` the base image, which is kept in pytest's cache.
Where one of them cannot be had, `Missing` says which and how to get it.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
BASE, IMAGE = "autograder-test-base", "autograder-test-worker"
LIBRARIES = ("numpy", "safetensors", "tqdm")  # tqdm: what an environment of NumPy alone must not have
_PACKAGES = "python3,python3-pip"
_START_S = 60.0
_MEMORY_GIB = 6  # of images and containers, at most


class Missing(Exception):
    """There can be no engine here; the message says why."""


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start an engine; its DOCKER_HOST."""
    if os.geteuid() != 0:
        raise Missing("an engine of the tests' own needs root")
    if shutil.which("dockerd") is None or shutil.which("setpriv") is None:
        raise Missing("there is no dockerd, or no setpriv; on Debian: apt install docker.io debootstrap util-linux")
    folder = Path(tempfile.mkdtemp(prefix="ag-engine-"))
    try:
        said = ""
        for driver in ("overlay2", "vfs"):  # overlay2 does not work on top of every file system
            process = _start(folder, driver)
            try:
                said = _wait(process, folder)
                if not said:
                    yield f"unix://{folder}/socket"
                    return
            finally:
                process.terminate()
                process.wait(timeout=60)
        raise Missing(f"dockerd does not start here: {said}")
    finally:
        with open("/proc/self/mountinfo") as mounts:
            left = [line.split()[4] for line in mounts if line.split()[4].startswith(f"{folder}/")]
        for point in reversed(left):
            subprocess.run(["umount", "--lazy", point], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, driver: str) -> "subprocess.Popen[bytes]":
    (folder / "daemon.json").write_text("{}")  # this machine's own engine, if it has one, is set up otherwise
    data = folder / f"data-{driver}"
    data.mkdir()
    command = [
        *("setpriv", "--pdeathsig", "TERM"),  # a run of tests that is killed takes its engine along
        *_in_memory(data),
        "dockerd",
        f"--config-file={folder}/daemon.json",
        f"--host=unix://{folder}/socket",
        f"--data-root={data}",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        f"--storage-driver={driver}",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
    ]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def _in_memory(data: Path) -> tuple[str, ...]:
    """What has the engine keep images in memory, where there is room: a disk takes minutes to write and remove them.

    The mount is in a namespace of the engine's, and ends with it.
    """
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    if int(memory["MemAvailable"].split()[0]) < 2 * _MEMORY_GIB * 2**20:
        return ()
    script = f'mount -t tmpfs -o size={_MEMORY_GIB}g ag-engine {data}; exec "$@"'
    return ("unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh")


def _wait(process: "subprocess.Popen[bytes]", folder: Path) -> str:
    """Until it answers; why not, where it ends before."""
    import docker

    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            lines = (folder / "log").read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else "it ended without a word"
        # Its socket file comes before it answers, and says nothing.
        if b"API listen on" in (folder / "log").read_bytes():
            client = docker.DockerClient(base_url=f"unix://{folder}/socket")
            client.ping()
            client.close()
            return ""
        time.sleep(0.1)
    return f"no answer within {_START_S:.0f} s"


def build(host: str, cache: Path) -> None:
    """Make the worker image, without a network but for what is in the cache or has to come into it."""
    import_base(host, cache / "bookworm.tar", BASE, _PACKAGES)
    with tempfile.TemporaryDirectory(prefix="ag-context-") as context:
        for name in ("Dockerfile", ".dockerignore", "constraints.txt", "autograder"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, Path(context, name), ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, context)
        shutil.copytree(_wheels(cache), Path(context, "wheels"))
        arguments = {
            "BASE": BASE, "VARIANT": "none", "LIBRARIES": " ".join(LIBRARIES), "PIP_OPTIONS": "--no-index",
        }  # fmt: skip
        import docker

        client = docker.DockerClient(base_url=host, timeout=300)
        client.images.build(path=context, tag=IMAGE, buildargs=arguments, network_mode="none", rm=True)
        client.close()


def _wheels(cache: Path) -> Path:
    folder = cache / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), "--constraint", str(ROOT / "constraints.txt")]
    done = subprocess.run([*command, *LIBRARIES], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"the image's wheels cannot be had: {done.stderr.strip()[-200:]}")
    return folder


def import_base(host: str, tar: Path, name: str, packages: str) -> None:
    """Make an image of Debian with these packages. tar: where what is in it is kept."""
    if not tar.exists():
        if shutil.which("debootstrap") is None:
            raise Missing("there is no debootstrap; on Debian: apt install debootstrap")
        with tempfile.TemporaryDirectory(prefix="ag-base-") as root:
            command = ["debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", root]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Missing(f"debootstrap makes no base image: {done.stdout.strip()[-200:]}")
            part = tar.with_suffix(f".{os.getpid()}")  # another run may be making it, too
            leave = ["--exclude=./var/cache/apt", "--exclude=./var/lib/apt/lists", "--exclude=./usr/share/doc"]
            subprocess.run(["tar", "-C", root, *leave, "-cf", str(part), "."], check=True)
            part.rename(tar)
    import docker

    client = docker.DockerClient(base_url=host, timeout=300)
    client.api.import_image_from_file(str(tar), repository=name, tag="latest")
    client.close()
