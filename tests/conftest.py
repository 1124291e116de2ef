"""What do all tests share? Determinism, and ways to make a course and a notebook."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from autograder.course.create import create_course
from autograder.course.load import Course, load_course
from autograder.notebook.quick import without_addresses

with without_addresses():
    import nbformat  # noqa: F401 - each process of the fast tests would take seconds for it

ROOT = Path(__file__).parent.parent

# The same examples on every machine and in every run: a failure is found where it was made.
settings.register_profile("deterministic", derandomize=True, deadline=None, database=None)
settings.load_profile("deterministic")

# Files that one process takes one after the other: they share a Docker engine, which takes a minute to come by, or the
# suites of this repository's course, which two processes would both compile.
TOGETHER = {
    "tests/sandbox/test_docker.py": "engine",
    "tests/hostile/test_corpus.py": "engine",
    "tests/exchange/test_gradescope_container.py": "engine",
    "tests/grading/test_example_class.py": "suites",
    "tests/grading/test_misconceptions.py": "suites",
    "tests/reference/test_solution.py": "suites",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long begin first, so that no process is left alone with one of them at the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.nodeid.partition("::")[0] not in TOGETHER, item.path not in long))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """What one process of several takes at a time: a file, for what its tests share, or several."""
    return _ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


class _ByFile(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return TOGETHER.get(path, path)


@contextmanager
def reference_kept() -> Iterator[None]:
    """Leave the package `reference` as it was, for the tests that have imported this course's."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "reference"}
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "reference"]:
            del sys.modules[name]
        sys.modules.update(before)


@pytest.fixture(autouse=True)
def _reference_kept() -> Iterator[None]:
    with reference_kept():
        yield


@pytest.fixture(scope="session")
def keep_reference() -> Callable[[], AbstractContextManager[None]]:
    """For fixtures of a wider scope that load another course."""
    return reference_kept


@pytest.fixture(scope="session")
def flagship() -> Course:
    """This repository's own course."""
    return load_course(ROOT)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[str]:
    """DOCKER_HOST of an engine of the tests' own, without an image; skips where there can be none."""
    from tests.sandbox import engine

    try:
        with engine.running() as host:
            yield host
    except engine.Missing as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest, docker_engine: str) -> Iterator[str]:
    """DOCKER_HOST of that engine, which has the worker image now."""
    from tests.sandbox import engine

    try:
        engine.build(docker_engine, request.config.cache.mkdir("docker"))
    except engine.Missing as why:
        pytest.skip(str(why))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", docker_engine)
        yield docker_engine


@pytest.fixture
def new_course(tmp_path: Path) -> Course:
    """A course as `autograder init` makes it."""
    return create_course(tmp_path / "course")


@pytest.fixture
def notebook() -> Callable[..., bytes]:
    """`notebook("x = 1", "y = 2")`: the bytes of a notebook with these code cells."""

    def make(*sources: str) -> bytes:
        cells = [
            {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
            for source in sources
        ]
        return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()

    return make
