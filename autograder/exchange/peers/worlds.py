"""In which environment does a notebook of another system run?

Such a course has no list of libraries, so it gets what is installed here of those that courses use, or
what the lecturer names, and IPython. torch makes every fork dearer, and is there only for notebooks that mention it.
"""

import asyncio
import importlib.metadata
from collections.abc import Iterable, Sequence

from autograder.course.errors import CourseError, listed
from autograder.sandbox.isolation import Isolation, Server, Started, start
from autograder.sandbox.limits import Environment

USUAL = ("numpy", "scipy", "pandas", "matplotlib", "tqdm", "ipython", "torch")
HEAVY = "torch"
IPYTHON = "ipython"  # without it, a cell with `%matplotlib inline` is no Python


class Worlds:
    """Warm servers, each started when the first notebook needs it. Close it at the end.

    packages: what the lecturer names. Raises CourseError for what is not installed.
    """

    def __init__(self, isolation: Isolation, packages: Sequence[str] = ()) -> None:
        self._isolation = isolation
        if missing := [name for name in packages if not _installed(name)]:
            raise CourseError(f"--packages names {listed(missing)}, not installed here: install it, or leave it out")
        named = [*packages, IPYTHON] if packages else USUAL
        self._packages = tuple(name for name in dict.fromkeys(named) if _installed(name))
        self._started: dict[bool, Started] = {}
        self._turn = asyncio.Lock()

    async def server(self, sources: Iterable[str]) -> Server:
        """The server for notebooks of these cells. Raises SandboxError."""
        heavy = HEAVY in self._packages and any(HEAVY in source for source in sources)
        async with self._turn:
            if heavy not in self._started:
                packages = tuple(name for name in self._packages if heavy or name != HEAVY)
                name = "torch" if heavy else "numpy"
                self._started[heavy] = await start(Environment(name, packages), self._isolation)
        return self._started[heavy].server

    @property
    def versions(self) -> str:
        found = {name: version for each in self._started.values() for name, version in each.versions.items()}
        return " ".join(f"{name}=={version}" for name, version in sorted(found.items()))

    async def close(self) -> None:
        await asyncio.gather(*(each.server.close() for each in self._started.values()))


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
