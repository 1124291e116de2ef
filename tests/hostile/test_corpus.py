"""Does the jail hold against every act of the corpus, on the path by which a class is graded, on a host and in Docker?

All acts are handed in together, as a class, with honest students among them. Nobody gains a point by an
act, no honest record changes, no hidden number is told, and nothing is left when all is over.
"""

import asyncio
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.course.load import load_assignment, load_course
from autograder.grading.batch import grade_class
from autograder.grading.record import Record
from autograder.sandbox import server as server_module
from autograder.sandbox.isolation import DOCKER, NAMESPACES, Isolation
from autograder.sandbox.session import SandboxError, Server
from autograder.suite.compile import compile_suite
from tests.hostile import course as attacked
from tests.hostile.act import INT_80, SOFTMAX, Act, World, notebook, serves_int_80, works_outside
from tests.hostile.acts import calls, grader, leaks, resources, wire, world
from tests.sandbox import engine

pytestmark = pytest.mark.slow

KINDS = {"calls": calls, "world": world, "grader": grader, "wire": wire, "resources": resources, "leaks": leaks}
CORPUS: dict[str, Act] = {f"{kind}: {name}": act for kind, module in KINDS.items() for name, act in module.ACTS.items()}
HONEST = {
    "honest-1": ["import numpy as np", SOFTMAX, "def wave(x):\n    return x * np.sin(x)"],
    "honest-2": ["import numpy as np", "def wave(x):\n    return np.sin(x) * x", SOFTMAX],
    "zz-honest": ["import numpy as np", SOFTMAX, "def wave(x):\n    return x * np.cos(x)"],
}


@dataclass(frozen=True)
class Graded:
    """The class with the corpus in it, and the honest students of it graded alone; what was there before and after."""

    world: World
    records: dict[str, Record]
    alone: dict[str, Record]
    hidden: list[float]
    before: dict[str, set[str]]
    after: dict[str, set[str]]
    of_servers: set[str]


# What a worker image of the tests has; the acts against IPython find it absent there.
PACKAGES = {NAMESPACES: ("numpy", "ipython"), DOCKER: ("numpy",)}


def file_of(name: str) -> str:
    return re.sub(r"\W+", "-", name)


@pytest.fixture(scope="module", params=[NAMESPACES, DOCKER])
def isolation(request: pytest.FixtureRequest) -> Isolation:
    if request.param == DOCKER:
        request.getfixturevalue("host")
        return Isolation(DOCKER, engine.IMAGE)
    return Isolation(NAMESPACES)


@pytest.fixture(scope="module")
def aims(
    isolation: Isolation,
    tmp_path_factory: pytest.TempPathFactory,
    keep_reference: Callable[[], AbstractContextManager[None]],
) -> Iterator[World]:
    """Things to be reached, so that an act that does not reach them was stopped."""
    root = tmp_path_factory.mktemp("attacked") / "course"
    made = attacked.make(root, PACKAGES[isolation.kind])
    with keep_reference():
        compile_suite(made, load_assignment(made, "hostile"))
    for folder in ("honest", "class"):
        (root / folder).mkdir()
        for name, cells in HONEST.items():
            (root / folder / f"{name}.ipynb").write_bytes(notebook(cells))
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    hidden = socket.socket(socket.AF_UNIX)
    hidden.bind(f"\0autograder-hostile-{port}")
    hidden.listen()
    yield World(root, port, os.getpid())
    listening.close()
    hidden.close()


@pytest.fixture(scope="module")
def graded(isolation: Isolation, aims: World, keep_reference: Callable[[], AbstractContextManager[None]]) -> Graded:
    with keep_reference(), pytest.MonkeyPatch.context() as monkeypatch:
        the_course = load_course(aims.root)
        assignment = load_assignment(the_course, "hostile")
        suite = compile_suite(the_course, assignment)
        before = traces(aims)
        honest, everybody = aims.root / "honest", aims.root / "class"
        for name, act in CORPUS.items():
            (everybody / f"{file_of(name)}.ipynb").write_bytes(notebook(aims.cells(act)))
        servers = _remembered(monkeypatch)
        attacked.on_a_busy_machine(monkeypatch)
        try:
            classes = [
                asyncio.run(grade_class(the_course, assignment, suite, [p], jobs=2, isolation=isolation))
                for p in (everybody, honest)
            ]
        except* SandboxError as errors:
            pytest.skip(f"no jail on this machine: {errors.exceptions[0]}")
    hidden = [float(x) for plan in suite.plans for case in plan.cases.values() for x in _numbers(case.inputs)]
    records, alone = ({record.student: record for record in each.records} for each in classes)
    left = _of_servers(servers) if isolation.kind == NAMESPACES else _containers()
    return Graded(aims, records, alone, hidden, before, traces(aims), left)


def _remembered(monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    """The servers that grading starts."""
    started: list[Server] = []
    start = Server.start

    async def remember(*arguments: Any, **keywords: Any) -> Server:
        started.append(await start(*arguments, **keywords))
        return started[-1]

    monkeypatch.setattr(Server, "start", remember)
    return started


def _of_servers(servers: list[Server]) -> set[str]:
    """Living processes with a user of one of the servers' slots, and control groups of theirs."""
    assert servers
    first = {server_module._FIRST_ID + server.pid % 4096 * server_module._SLOTS for server in servers}
    found = {str(path) for each in servers for path in Path("/sys/fs/cgroup").glob(f"**/autograder-{each.pid}")}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            user = entry.stat().st_uid
        except OSError:
            continue
        if any(0 <= user - number < server_module._SLOTS for number in first):
            found.add(entry.name)
    return found


def _containers() -> set[str]:
    """What the engine still holds."""
    import docker

    client = docker.from_env()
    try:
        return {each.name for each in client.containers.list(all=True, ignore_removed=True)}
    finally:
        client.close()


def _numbers(inputs: object) -> list[float]:
    return [number for part in dict(inputs).values() for number in part.ravel()]  # type: ignore[call-overload]


def traces(aims: World) -> dict[str, set[str]]:
    """What a submission could have left on this machine."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    servers = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            if stat[1] == str(os.getpid()):
                servers.add(entry.name)
        except OSError:
            continue
    named = [*Path("/dev/shm").glob(f"{aims.name}*"), *Path("/tmp").glob(f"{aims.name}*")]
    left = {path.name for path in aims.root.rglob("*") if path.is_file() and aims.name in path.name}
    ipc = [line for kind in ("shm", "sem", "msg") for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()]
    return {
        "mounts": {" ".join(each[2:5]) for each in mounts if each[4] in _COVERED or each[4].startswith(str(aims.root))},
        "children": servers,
        "files": left | {str(path) for path in named},
        "System V": {line for line in ipc if any(map(_is_of_a_slot, line.split()))},
    }


_COVERED = frozenset(["/", "/tmp", "/proc", "/dev", "/dev/shm", "/python", "/etc"])  # in a jail


def _is_of_a_slot(word: str) -> bool:
    return word.isdigit() and 0 <= int(word) - server_module._FIRST_ID < 4096 * server_module._SLOTS


def test_corpus_has_eighty_different_acts() -> None:
    assert len(CORPUS) >= 80
    assert len({act.code for act in CORPUS.values()}) >= len(CORPUS) - 1  # one is handed in twice on purpose
    assert len({file_of(name) for name in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("name", CORPUS)
def test_act_gains_nothing(graded: Graded, isolation: Isolation, name: str) -> None:
    _skip_where_unknown(name)
    act, record = CORPUS[name], graded.records[file_of(name)]
    assert record.state == "graded", record.notes
    wave, softmax = record.questions
    evidence = [(check.id, str(check.outcome), check.evidence) for check in (*wave.checks, *softmax.checks)]
    assert wave.points == 0, evidence
    outcomes = set(act.gets.split()) | ({"forbidden"} if "ipython" in act.code.lower() else set())
    assert {str(check.outcome) for check in wave.checks} <= outcomes, (evidence, record.notes)
    if act.also:
        assert softmax.points == 10, (evidence, record.notes)


@pytest.mark.parametrize("name", CORPUS)
def test_act_works_elsewhere(aims: World, name: str, tmp_path: Path) -> None:
    """The positive control: what was stopped is something that can be done."""
    act = CORPUS[name]
    control, _, _ = act.control.partition(":")
    if " " in control and control != "not wrong":
        assert len(act.control) > 20  # says why there is none
        return
    if os.uname().machine != "x86_64" and name.startswith("calls"):
        pytest.skip("numbers of system calls are those of x86_64")
    _skip_where_unknown(name)
    works_outside(aims.cells(act), control, tmp_path)


def _skip_where_unknown(name: str) -> None:
    if CORPUS[name].code == INT_80 and not serves_int_80():
        pytest.skip("this kernel serves no 32-bit calls")


@pytest.mark.parametrize("student", HONEST)
def test_honest_record_is_the_same_with_and_without_the_corpus(graded: Graded, student: str) -> None:
    with_corpus, alone = graded.records[student], graded.alone[student]
    assert with_corpus.model_dump(exclude={"measured"}) == alone.model_dump(exclude={"measured"})
    assert alone.points == (10 if student == "zz-honest" else 20)


def test_no_hidden_number_is_told(graded: Graded) -> None:
    """What students are shown of all acts holds no hidden input, to four places or more."""
    assert len(graded.hidden) > 50
    told = [(note.text, record.student) for record in graded.records.values() for note in record.notes]
    told += [
        (check.message + (check.diagnosis.hint if check.diagnosis else ""), record.student)
        for record in graded.records.values()
        for question in record.questions
        for check in question.checks
    ]
    numbers = [f"{abs(number):.17g}" for number in graded.hidden if 0.01 < abs(number) < 1000]
    digits = [number.replace(".", "").lstrip("0") for number in numbers]
    secrets = [number[:6] for number in numbers] + [f"cell {each[:4]}, line 1{each[4:8]}" for each in digits]
    assert secrets
    assert [(text, student) for text, student in told if any(secret in text for secret in secrets)] == []


@pytest.mark.parametrize("name", CORPUS)
def test_record_of_an_act_can_be_kept(graded: Graded, name: str) -> None:
    record = graded.records[file_of(name)]
    assert Record.model_validate_json(record.model_dump_json().encode()) == record


@pytest.mark.parametrize("what", ["mounts", "children", "files", "System V"])
def test_nothing_is_left(graded: Graded, what: str) -> None:
    assert graded.after[what] <= graded.before[what]


def test_no_process_and_no_group_of_a_submission_is_left(graded: Graded) -> None:
    assert graded.of_servers == set()


def test_examiner_is_what_it_was(graded: Graded) -> None:
    """Nothing that student code is was ever loaded here."""
    assert not any(
        "Yes" in type(value).__name__ for module in list(sys.modules.values()) for value in vars(module).values()
    )
