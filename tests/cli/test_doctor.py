"""Does `doctor` tell what there is, and notice when there is nothing?"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.sandbox import escape, machine, server
from autograder.sandbox.escape import ACTS, Attempt, Trial
from autograder.sandbox.isolation import PROCESS, Isolation

ROOT = Path(__file__).parents[2]
# A user namespace in which no further one can be made: as on a machine that refuses them.
REFUSING = "echo 0 > /proc/sys/user/max_user_namespaces && exec {python} -m autograder doctor --json"


@pytest.mark.slow
def test_doctor_finds_an_isolation_that_stops_every_act(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    isolating = {fact["name"]: fact for fact in document["facts"] if fact["area"] == "isolate"}
    if not isolating["namespaces"]["ok"]:
        pytest.skip(isolating["namespaces"]["found"])
    (trial,) = (trial for trial in document["trials"] if trial["isolation"] == "namespaces")
    assert code == 0
    assert document["works"]
    assert trial["holds"]
    assert [attempt["act"] for attempt in trial["attempts"]] == list(ACTS)
    assert [attempt for attempt in trial["attempts"] if not attempt["stopped"]] == []
    proving = [attempt["act"] for attempt in trial["attempts"] if attempt["proves"]]
    assert {"read_file", "write_file", "see_process", "end_process", "use_network", "take_memory"} <= set(proving)
    # What it says of control groups is what the jail finds: it had promised groups that are somebody else's.
    (groups,) = (fact for fact in document["facts"] if fact["name"] == "cgroups")
    found = [text for name, text in trial["walls"].items() if name.startswith("cgroup")]
    assert groups["ok"] is not any(text.startswith("none:") for text in found), (groups, found)


@pytest.mark.slow
def test_every_act_succeeds_where_there_is_no_isolation() -> None:
    (trial,) = escape.run([Isolation(PROCESS)])
    assert not trial.holds
    failing = {attempt.act for attempt in trial.attempts if attempt.stopped}
    assert failing <= {"gain_rights"}  # which an ordinary user of a careful machine cannot do anywhere


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="util-linux has no unshare here")
def test_doctor_on_a_machine_without_namespaces_says_what_mends_it() -> None:
    script = REFUSING.format(python=sys.executable)
    environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", script],
        capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60,
    )  # fmt: skip
    if "unshare" in done.stderr:
        pytest.skip(done.stderr.strip())
    document = json.loads(done.stdout)
    missing = {fact["name"]: fact["mend"] for fact in document["facts"] if fact["area"] == "isolate"}
    assert done.returncode == 1
    assert document["trials"] == []
    assert "sysctl -w user.max_user_namespaces" in missing["namespaces"]
    assert "DOCKER_HOST" in missing["docker"] or "pip install" in missing["docker"]


def test_refusal_names_every_switch_that_doctor_knows() -> None:
    """Debian's was missing, where it is the one."""
    for path, _, command in machine._SWITCHES:
        assert command.removeprefix("sysctl -w ") in server._REFUSED, path


@pytest.mark.parametrize(
    ("attempts", "holds"),
    [
        ((Attempt("a", True, "", True),), True),
        ((Attempt("a", True, "", True), Attempt("b", False, "", True)), False),
        ((Attempt("a", True, "", True), Attempt("b", False, "", False)), True),
        ((Attempt("a", True, "", False),), False),
        ((), False),
    ],
)
def test_isolation_holds_by_what_proves_something(attempts: tuple[Attempt, ...], holds: bool) -> None:
    assert Trial("namespaces", attempts).holds is holds


@pytest.mark.parametrize("works", [True, False])
def test_exit_code_says_whether_anything_holds(
    works: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fact = machine.Fact("isolate", "namespaces", works, "found so", "" if works else "do this")
    trial = Trial("namespaces", (Attempt("read_file", works, "why", True),))
    monkeypatch.setattr(machine, "facts", lambda image: [fact])
    monkeypatch.setattr(escape, "run", lambda isolations: [trial] if isolations else [])
    assert main(["doctor"]) == (0 if works else 1)
    out = capsys.readouterr().out
    assert ("You can grade here" in out) is works
    assert ("to have it: do this" in out) is not works
