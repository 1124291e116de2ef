"""Which Docker engine is there, which image, and what do its refusals mean?"""

import os
import socket
from typing import TYPE_CHECKING

from autograder.sandbox.limits import SandboxError

if TYPE_CHECKING:
    from docker import DockerClient

IMAGE = "autograder-worker"
LABEL = "autograder.worker"
START_S = 120.0  # to import everything, on a slow disk
_BUILD = f"docker build -t {IMAGE} . (in the autograder's folder)"


def client() -> "DockerClient":
    """The engine that DOCKER_HOST or the usual socket leads to. Raises SandboxError, with the way out."""
    try:
        import docker
    except ImportError as error:
        raise SandboxError(
            "isolation by docker needs the Docker SDK: pip install 'gradient-autograder[docker]'"
        ) from error
    try:
        _knock()
        engine = docker.from_env(timeout=10)
        engine.ping()
        engine.api.timeout = START_S
    except (docker.errors.DockerException, OSError) as error:
        raise SandboxError(
            "no Docker engine answers: start it (systemctl start docker), join its group, or name it by DOCKER_HOST"
        ) from error
    return engine


def _knock() -> None:
    """Raises OSError where nobody listens at the engine's socket: the SDK would leave its own end open then."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(host.removeprefix("unix://"))


def digest(engine: "DockerClient", image: str) -> str:
    """What an image is, by its content. Raises SandboxError where it is not there, or no worker image."""
    import docker

    try:
        found = engine.images.get(image)
    except docker.errors.ImageNotFound as error:
        raise SandboxError(f"the Docker engine has no image {image!r}: {_BUILD}") from error
    if LABEL not in (found.labels or {}):
        raise SandboxError(f"the image {image!r} is none in which the autograder's server starts: {_BUILD}")
    return str(found.id)


def errors() -> tuple[type[BaseException], ...]:
    import docker
    import requests

    return docker.errors.DockerException, requests.RequestException


def explained(error: BaseException) -> str:
    return str(getattr(error, "explanation", "") or error)[:500]
