"""The example class gets what a fair teacher would give, student by student, however it is run."""

import asyncio
import os
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from autograder.course.load import load_assignment, load_course
from autograder.grading.batch import Class, grade_class
from autograder.report.analysis import analyse
from autograder.report.entries import items_of
from autograder.report.tally import Entry, Tally
from autograder.sandbox.session import SandboxError
from autograder.suite.compile import compile_suite

ROOT = Path(__file__).parents[2]
EXPECTED = tomllib.loads((ROOT / "examples/class/expected.toml").read_text(encoding="utf-8"))["students"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def assignment():
    return load_assignment(load_course(ROOT), "foundations")


def graded(assignment, jobs: int) -> Class:
    course = load_course(ROOT)
    suite = compile_suite(course, assignment)
    try:
        return asyncio.run(grade_class(course, assignment, suite, [ROOT / "examples/class"], jobs=jobs))
    except* SandboxError as errors:
        pytest.skip(f"no jail on this machine: {errors.exceptions[0]}")


@pytest.fixture(scope="module")
def with_two_jobs(assignment):
    return {record.student: record for record in graded(assignment, max(2, os.cpu_count() or 1)).records}


@pytest.fixture(scope="module")
def with_one_job(assignment):
    return {record.student: record for record in graded(assignment, 1).records}


def test_every_student_has_an_expectation_and_a_record(with_two_jobs):
    assert sorted(with_two_jobs) == sorted(EXPECTED)
    assert len(EXPECTED) >= 40


@pytest.mark.parametrize("student", sorted(EXPECTED))
def test_student_gets_what_is_fair(student, with_two_jobs, assignment):
    expected, record = EXPECTED[student], with_two_jobs[student]
    assert record.state == expected.get("state", "graded"), record.notes
    if record.state != "graded":
        assert record.points is None
        assert record.notes
        return
    named = expected.get("questions", {})
    assert set(named) <= {question.id for question in assignment.questions}
    for question in record.questions:
        wanted = named.get(question.id, {})
        evidence = [(c.id, str(c.outcome), c.message, c.evidence) for c in question.checks if c.outcome != "passed"]
        assert question.points == wanted.get("points", question.max_points), (question.id, evidence)
        if "outcomes" in wanted:
            assert sorted({str(check.outcome) for check in question.checks}) == wanted["outcomes"], evidence
        if "diagnosis" in wanted:
            found = {check.diagnosis.name for check in question.checks if check.diagnosis}
            assert found == {wanted["diagnosis"]}, evidence
    assert record.points == pytest.approx(sum(question.points for question in record.questions), abs=1e-9)


def test_records_are_identical_with_one_job_and_with_two(with_two_jobs, with_one_job):
    def identity(record):
        return record.model_dump(exclude={"measured"})

    for student, record in with_two_jobs.items():
        assert identity(record) == identity(with_one_job[student]), student


def test_report_of_the_class_is_what_the_expectations_add_up_to(with_two_jobs, assignment):
    tally = Tally(items_of(assignment, manual=False))
    for record in with_two_jobs.values():
        given = {question.id: question.points for question in record.questions}
        tally.add(Entry(record.student, str(record.state), record.points, given, record))
    report = analyse(tally, assignment.max_points)
    graded = {name: each for name, each in EXPECTED.items() if each.get("state", "graded") == "graded"}
    assert report.states["graded"] == len(graded)
    assert report.students == len(EXPECTED)
    named = defaultdict(set)
    for question in report.questions:
        wanted = [each.get("questions", {}).get(question.item.id, {}) for each in graded.values()]
        points = [each.get("points", question.item.max_points) for each in wanted]
        assert question.mean_share * question.item.max_points == pytest.approx(sum(points) / len(points))
        assert question.discrimination > 0.2  # who fails one question fails others, in this class
        for student, each in zip(graded, wanted, strict=True):
            if "diagnosis" in each:
                named[question.item.id, each["diagnosis"]].add(student)
    found = {(known.question, known.name): set(who) for known, who in report.known}
    assert len(named) > 10
    assert not {key: who - found.get(key, set()) for key, who in named.items() if who - found.get(key, set())}
    assert set(report.costs) == {"wall_s", "cpu_s", "peak_mib"}
    assert report.unknown
