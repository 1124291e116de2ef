"""Do containers hold what namespaces hold, on a real engine, and is nothing left of them?"""

import ast
import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autograder.cli.main import main
from autograder.course.create import create_course
from autograder.sandbox import docker_container, escape, seccomp
from autograder.sandbox.docker_ import DockerServer
from autograder.sandbox.docker_container import Options, host_config
from autograder.sandbox.environment import VARIABLES
from autograder.sandbox.isolation import DOCKER, Isolation, start
from autograder.sandbox.limits import Environment, Limits, SandboxError
from tests.cli.test_grade import RIGHT, WRONG
from tests.sandbox import engine
from tests.sandbox.conftest import Jail, call, cells

ROOT = Path(__file__).parents[2]
NUMPY = Environment("numpy", ("numpy",))
LIMITS = Limits(cell_cpu_s=0.5, load_cpu_s=2.0, memory_mib=256, disk_mib=16, processes=24, wall_factor=40.0)
LOOK = """
import os, socket
def opened(number):
    try:
        return os.readlink(f"/proc/self/fd/{number}").split(":")[0]
    except OSError:
        return ""
def f():
    status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    written = []
    for path in ["/x", "/etc/x", "/opt/x", "/opt/libraries/x", "/opt/worker/autograder/x.py", "/run/x", "/python/x"]:
        try:
            open(path, "w").close()
            written.append(path)
        except OSError:
            pass
    return {
        "capabilities": {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16},
        "no_new_privs": status["NoNewPrivs"],
        "root": 0 in (os.getuid(), os.getgid(), *os.getgroups()),
        "variables": dict(os.environ),
        "devices": [line.split(":")[0].strip() for line in open("/proc/self/net/dev").read().splitlines()[2:]],
        "written": written,
        "socket": os.path.exists("/run/autograder/control"),
        "ours": [p for p in ("HERE", "/opt/worker/autograder/cli", "HOME") if os.path.exists(p)],
        "open": [link for link in map(opened, range(3, 64)) if link],
    }
def loop():
    while True: pass
def devour():
    return len(bytearray(600 << 20))
def leave():
    os._exit(3)
def missing():
    import tqdm
def fill():
    with open("x", "wb") as file:
        file.write(bytes(64 << 20))
def many():
    for _ in range(200):
        if os.fork() == 0:
            import time
            time.sleep(30)
            os._exit(0)
""".replace("HERE", str(ROOT)).replace("HOME", str(Path.home() / ".ssh"))


@pytest.fixture(scope="module", params=["nested", "single"])
def contained(host: str, request: pytest.FixtureRequest, run: Callable[..., Any]) -> Iterator[DockerServer]:
    server = run(DockerServer.open_engine(NUMPY, Options(engine.IMAGE, nested=request.param == "nested")))
    assert (server.pid > 0) is (request.param == "nested"), server.walls
    yield server
    run(server.close())


@pytest.fixture
def jail(contained: DockerServer, run: Callable[..., Any]) -> Iterator[Jail]:
    jail = Jail(contained, run)
    yield jail
    for session in jail.open_sessions:
        run(session.close())


def containers(host: str) -> list[Any]:
    import docker

    client = docker.DockerClient(base_url=host)
    try:
        return client.containers.list(all=True, ignore_removed=True)
    finally:
        client.close()


# With an engine


@pytest.mark.slow
def test_student_code_has_nothing_to_hold_on_to(jail: Jail) -> None:
    found = jail.load(LOOK, limits=LIMITS).result()
    assert found == {
        "capabilities": True,
        "no_new_privs": "1",
        "root": False,
        "variables": VARIABLES,
        "devices": ["lo"],
        "written": [],
        "socket": found["socket"],
        "ours": [],
        "open": ["socket"],
    }
    assert not (found["socket"] and jail.server.pid), (
        "only a container of its own has the folder, of a socket that is gone"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "status", "limit"),
    [
        ("loop", "timed_out", "cpu_s"),
        ("devour", "out_of_memory", "memory_mib"),
        ("leave", "crashed", None),
        ("missing", "forbidden", None),
        ("fill", "raised", "disk_mib"),
        ("many", "raised", "processes"),
    ],
)
def test_ends_have_the_names_they_have_without_docker(jail: Jail, act: str, status: str, limit: str | None) -> None:
    answer = jail.load(LOOK, wanted=frozenset({act}), limits=LIMITS).ask(call(act))
    assert (answer.status, answer.detail.get("limit")) == (status, limit), answer


@pytest.mark.slow
def test_cell_that_loops_costs_a_fresh_jail_and_no_more(jail: Jail) -> None:
    loaded = jail.load("def f():\n    return 1", "while True: pass", limits=LIMITS)
    assert loaded.kinds == ["stopped"]
    assert loaded.result() == 1


@pytest.mark.slow
def test_escapes_are_stopped(host: str) -> None:
    (trial,) = escape.run([Isolation(DOCKER, engine.IMAGE)])
    assert trial.holds, trial
    assert all(attempt.stopped for attempt in trial.attempts)


@pytest.mark.slow
def test_engine_was_told_to_refuse_everything(contained: DockerServer, jail: Jail, host: str) -> None:
    jail.load("def f():\n    return 1", limits=LIMITS)
    (container, *_) = containers(host)
    made, set_up = container.attrs["HostConfig"], container.attrs["Config"]
    assert made["NetworkMode"] == "none"
    assert made["ReadonlyRootfs"]
    assert made["CapDrop"] == ["ALL"]
    assert not made["CapAdd"]
    assert not made["Privileged"]
    assert "no-new-privileges:true" in made["SecurityOpt"]
    assert made["PidsLimit"] > 0
    assert made["Memory"] == made["MemorySwap"] > 0
    assert made["NanoCpus"] > 0
    assert set_up["User"].split(":")[0].isdigit()
    assert int(set_up["User"].split(":")[0]) > 0
    sources = [mount["Source"] for mount in container.attrs["Mounts"] if mount["Type"] == "bind"]
    assert [source for source in sources if source != "/dev/null"] == [sources[0]]
    assert not os.path.exists(sources[0])  # the socket's folder is gone as soon as the server has called
    if not contained.pid:
        assert "/proc/kcore" in made["MaskedPaths"]
        assert not any("unconfined" in option for option in made["SecurityOpt"])


@pytest.mark.slow
def test_engine_that_refuses_namespaces_gets_a_container_a_submission(
    host: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = json.loads(docker_container.profile())
    for rule in strict["syscalls"]:
        rule["names"] = [name for name in rule["names"] if name != "unshare"]
    monkeypatch.setattr(docker_container, "profile", lambda: json.dumps(strict))
    server = run(DockerServer.open_engine(NUMPY, Options(engine.IMAGE)))
    try:
        assert server.pid == 0
        assert "one container a submission" in server.walls["docker"]
        jail = Jail(server, run)
        assert jail.load("def f():\n    return 1", limits=LIMITS).result() == 1
    finally:
        run(server.close())
    assert containers(host) == []


@pytest.mark.slow
def test_more_containers_at_a_time_than_asyncio_has_threads(host: str, run: Callable[..., Any]) -> None:
    async def together() -> list[Any]:
        server = await DockerServer.open_engine(NUMPY, Options(engine.IMAGE, nested=False))
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2))

        async def one(number: int) -> Any:
            session = await server.open(LIMITS)
            await session.load(cells(f"def f():\n    return {number}"), {}, frozenset({"f"}))
            question = await session.question(1.0)
            answer = await question.ask(call("f"))
            await question.close()
            return session, answer.value

        try:
            found = await asyncio.gather(*(one(number) for number in range(5)))
            return [value for _, value in found]
        finally:
            await server.close()

    assert asyncio.run(together()) == list(range(5))
    assert containers(host) == []


@pytest.mark.slow
def test_examiner_that_is_killed_leaves_no_container(host: str) -> None:
    from docker.errors import NotFound

    script = f"""
import asyncio
from autograder.sandbox.docker_ import DockerServer
from autograder.sandbox.docker_container import Options
from autograder.sandbox.limits import Environment
async def main():
    server = await DockerServer.open_engine(Environment("numpy", ("numpy",)), Options({engine.IMAGE!r}))
    print(server.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as examiner:
        assert examiner.stdout is not None
        pid = int(examiner.stdout.readline())
        server = os.pidfd_open(pid)
        examiner.send_signal(signal.SIGKILL)
    waiting = select.poll()
    waiting.register(server, 1)
    assert waiting.poll(10_000), "the server outlived its examiner"
    os.close(server)
    for container in containers(host):
        if container.attrs["State"]["Pid"] in (0, pid):
            with contextlib.suppress(NotFound):  # it is gone already
                container.wait(condition="removed", timeout=20)
    assert pid not in [container.attrs["State"]["Pid"] for container in containers(host)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("image", "said"), [("no-such-image", "has no image 'no-such-image': docker build"), (engine.BASE, "none in which")]
)
def test_image_that_will_not_do_is_one_sentence(host: str, run: Callable[..., Any], image: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        run(start(NUMPY, Isolation(DOCKER, image)))


@pytest.mark.slow
def test_unknown_package_and_runtime_are_said(host: str, run: Callable[..., Any]) -> None:
    with pytest.raises(SandboxError, match="'scipy', which is not installed"):
        run(start(Environment("odd", ("numpy", "scipy")), Isolation(DOCKER, engine.IMAGE)))
    with pytest.raises(SandboxError, match=r"the Docker engine refuses the container: .*no-such-runtime"):
        run(start(NUMPY, Isolation(DOCKER, engine.IMAGE, "no-such-runtime")))
    assert containers(host) == []


@pytest.mark.slow
def test_records_are_those_of_namespaces_but_for_the_place(
    host: str, tmp_path: Path, notebook: Callable[..., bytes], keep_reference: Callable[[], Any]
) -> None:
    course = create_course(tmp_path / "course")
    config = course.dir / "course.toml"
    text = config.read_text(encoding="utf-8")
    head, _, _ = text.partition("[environments")
    config.write_text(f'{head}[environments.numpy]\npackages = ["numpy"]\n', encoding="utf-8")
    with keep_reference():
        assert main(["compile", "softmax", "--course", str(course.dir)]) == 0
    handed_in = tmp_path / "class"
    handed_in.mkdir()
    (handed_in / "ann.ipynb").write_bytes(notebook(RIGHT))
    (handed_in / "bob.py").write_text(WRONG, encoding="utf-8")
    (handed_in / "cas.py").write_text(RIGHT + "\nimport os\nos._exit(3)\n", encoding="utf-8")
    graded = {}
    for kind, options in (("namespaces", []), ("docker", ["--image", engine.IMAGE])):
        out = tmp_path / kind
        command = ["grade", "softmax", str(handed_in), "--course", str(course.dir), "--out", str(out)]
        assert main([*command, "--isolation", kind, *options]) == 0
        graded[kind] = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    places = {record["image"] for record in graded["docker"]}
    assert len(places) == 1
    assert next(iter(places)).startswith("sha256:")
    assert {record["image"] for record in graded["namespaces"]} == {""}
    for here, there in zip(graded["namespaces"], graded["docker"], strict=True):
        assert here["key"] != there["key"]
        for record in (here, there):
            for name in ("key", "isolation", "image", "measured"):
                del record[name]
        assert here == there
    assert [record["points"] for record in graded["docker"]] == [10.0, 0.0, 10.0]


@pytest.mark.slow
def test_worker_image_holds_nothing_of_the_examiner(host: str) -> None:
    import docker

    look = (
        "import os; print('\\n'.join(os.path.join(folder, name) for folder, _, names in os.walk('/')"
        " if not folder.startswith(('/proc', '/sys')) for name in names if 'autograder' in folder + name))"
    )
    client = docker.DockerClient(base_url=host)
    command = ["-c", look]
    printed = client.containers.run(engine.IMAGE, command, entrypoint="python3", remove=True, network_mode="none")
    client.close()
    assert {path.removeprefix("/opt/worker/") for path in printed.decode().split()} == copied()


# Without one


def copied() -> set[str]:
    """The files of ours that the Dockerfile puts into the worker image."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY autograder/")]
    found = [path for names in lines for name in names for path in ROOT.glob(name)]
    return {path.relative_to(ROOT).as_posix() for path in found}


def test_worker_image_is_made_of_what_its_server_imports_and_no_more() -> None:
    needed, waiting = set(), ["autograder/sandbox/server_contained.py"]
    while waiting:
        path = waiting.pop()
        if path in needed:
            continue
        needed.add(path)
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                parts = name.split(".")
                for length in range(1, len(parts) + 1):
                    stem = "/".join(parts[:length])
                    waiting += [p for p in (f"{stem}.py", f"{stem}/__init__.py") if (ROOT / p).is_file()]
    assert needed <= copied()
    assert {path for path in copied() - needed if not path.startswith("autograder/sandbox/worker")} == set()


def test_profile_lets_student_code_do_what_the_jail_lets_it_do() -> None:
    profile = json.loads(docker_container.profile())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = {name for rule in profile["syscalls"] for name in rule["names"]}
    assert set(seccomp.ALLOWED) <= allowed
    beyond = allowed - set(seccomp.ALLOWED)
    assert not beyond & {"ptrace", "bpf", "keyctl", "io_uring_setup", "process_vm_readv", "kexec_load", "init_module"}


@pytest.mark.parametrize("nested", [True, False])
def test_gpus_and_runtime_are_asked_for(nested: bool) -> None:
    options = Options(runtime="runsc", gpus=-1)
    made = host_config(options, "/folder", nested=nested, memory_mib=512, disk_mib=16, processes=64)
    assert made["Runtime"] == "runsc"
    assert made["DeviceRequests"] == [{"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}]
    assert "DeviceRequests" not in host_config(Options(), "/folder", nested=nested, memory_mib=512, processes=64)


def test_single_container_covers_what_is_not_of_its_environment() -> None:
    hidden = ("/opt/libraries/torch", "/opt/libraries/six.py")
    made = host_config(Options(), "/folder", nested=False, memory_mib=512, disk_mib=16, processes=64, hidden=hidden)
    covers = {mount["Target"]: mount["Type"] for mount in made["Mounts"]}
    assert covers == {"/run/autograder": "bind", "/opt/libraries/torch": "tmpfs", "/opt/libraries/six.py": "bind"}


def test_without_an_engine_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(SandboxError, match=r"no Docker engine answers: .*DOCKER_HOST"):
        asyncio.run(start(NUMPY, Isolation(DOCKER)))
