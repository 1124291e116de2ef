"""Killed by SIGKILL at any moment, a grading goes on where it was: nothing lost, nothing doubled."""

import os
from pathlib import Path

import pytest

from autograder.report.results import Results
from tests.gradebook.killing import facts, kill_at_random, make_term, run_to_the_end
from tests.gradebook.made import record, source

STUDENTS, KILLS = 40, 5


@pytest.mark.slow
def test_killed_at_five_random_moments_it_is_as_if_undisturbed(tmp_path: Path) -> None:
    undisturbed, killed = make_term(tmp_path / "one", STUDENTS), make_term(tmp_path / "two", STUDENTS)
    # The same key, so that both have the same hidden inputs.
    (killed.course / "course.key").write_bytes((undisturbed.course / "course.key").read_bytes())
    for name in ("suite.bin", "proof.json"):
        kept = Path(".autograder") / "suites" / "softmax" / name
        (killed.course / kept).write_bytes((undisturbed.course / kept).read_bytes())
    document = run_to_the_end(undisturbed)
    assert document["submissions"] == STUDENTS
    assert kill_at_random(killed, STUDENTS, KILLS, seed=6) >= KILLS - 1
    assert facts(killed) == facts(undisturbed)
    assert not list(killed.out.glob(".results.jsonl*"))


def test_results_of_a_killed_run_are_known_and_its_torn_line_is_cut_off(tmp_path: Path) -> None:
    ada, bob = source("ada", "x = 1"), source("bob", "x = 2")
    killed = Results(tmp_path)
    killed.keep(ada, record(ada, 7.0))
    killed.close()
    journal = tmp_path / ".results.jsonl.journal"
    journal.write_bytes(journal.read_bytes() + b'{"key": "half a li')
    again = Results(tmp_path)
    assert again.known(record(ada, 7.0).key) == record(ada, 7.0)
    assert again.known(record(bob, 7.0).key) is None
    again.keep(ada, record(ada, 7.0))
    again.keep(bob, record(bob, None))
    assert [(each.student, each.points) for each in again] == [("ada", 7.0), ("bob", None)]
    again.write()
    again.close(done=True)
    assert os.listdir(tmp_path) == ["results.jsonl"]
    third = Results(tmp_path)
    assert third.known(record(ada, 7.0).key) == record(ada, 7.0)
    assert third.known(record(bob, None).key) is None  # a fault of ours is graded again
    assert len(third) == 0  # nobody has handed in yet, this time
    third.close()


def test_two_runs_do_not_write_one_folder(tmp_path: Path) -> None:
    first = Results(tmp_path)
    with pytest.raises(Exception, match="another `autograder grade` is writing"):
        Results(tmp_path)
    first.close()
    Results(tmp_path).close()
