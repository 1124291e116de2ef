"""Does the instructor's notebook of every assignment earn all points, and each wrong one what is fair?

In this process where that is possible; a slow test grades all of it in the jail, as a class is graded.
"""

import asyncio
import contextlib
import functools
import runpy
import tomllib
from dataclasses import replace
from pathlib import Path

import jupytext
import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.course.load import load_assignment, load_course
from autograder.grading.batch import grade_class
from autograder.grading.diagnosis import diagnose
from autograder.notebook.read import find, read
from autograder.sandbox.inprocess import LocalQuestion
from autograder.sandbox.session import SandboxError
from autograder.suite.compile import compile_suite
from autograder.suite.draw import FEW_DRAWS
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.right import show
from autograder.suite.sample_size import sample_size
from autograder.topic.kinds import arguments
from tests.reference.helpers import TOPICS

pytestmark = pytest.mark.slow  # one battery over all topics: run this file alone while writing one

SEED = 31
ROOT = Path(__file__).parent.parent.parent
COURSE = load_course(ROOT)
ASSIGNMENTS = {
    path.parent.name: load_assignment(COURSE, path.parent.name)
    for path in sorted(ROOT.glob("assignments/*/assignment.toml"))
}
QUESTIONS = {
    f"{assignment.id}/{question.id}": question
    for assignment in ASSIGNMENTS.values()
    for question in assignment.questions
}
TRAINERS = [name for name, question in QUESTIONS.items() if TOPICS[question.topic].training is not None]
EXAMINED = [name for name, question in QUESTIONS.items() if TOPICS[question.topic].exam is not None]
WRONG = {path.parent.parent.name: path.parent for path in sorted(ROOT.glob("solutions/*/wrong/expected.toml"))}
EXPECTED = {
    (assignment, student): expected
    for assignment, folder in WRONG.items()
    for student, expected in tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))["students"].items()
}
# Only a jail can show these; a student with one of them is graded by the slow test alone.
IN_JAIL = frozenset({"timed_out", "out_of_memory", "crashed", "forbidden", "not_graded"})

assignments = pytest.mark.parametrize("assignment", ASSIGNMENTS)
questions = pytest.mark.parametrize("name", QUESTIONS)


def source_of(assignment):
    return ROOT / "solutions" / assignment / f"{assignment}.py"


@functools.cache
def solution(assignment):
    return runpy.run_path(str(source_of(assignment)))


@functools.cache
def plan_of(name):
    question, seed = QUESTIONS[name], np.random.SeedSequence(SEED)
    topic, worth = TOPICS[question.topic], Worth(question.id, question.points, question.weights)
    draws = sample_size(topic, seed) if topic.kind == "sampler" else FEW_DRAWS
    return draw_plan(topic, worth, seed, draws=draws)


@functools.cache
def diagnosing_plan_of(name):
    """The plan with what each misconception shows, so that a mistake can be named."""
    plan = plan_of(name)
    wrong = {each.name: show(plan.topic, each.names, plan.cases.values()) for each in plan.topic.misconceptions}
    return replace(plan, wrong=wrong)


@questions
def test_solution_earns_all_points(name):
    result = drive(plan_of(name), LocalQuestion(solution(name.partition("/")[0])).ask)
    assert result.total == QUESTIONS[name].points, result.verdicts


@pytest.mark.parametrize("name", TRAINERS)
def test_solution_ends_the_long_run_where_the_reference_does(name):
    topic = TOPICS[QUESTIONS[name].topic]
    run = topic.training.draw(np.random.default_rng(SEED))
    inputs = arguments(topic.parameters, run).values()
    expected = topic.training.loss(run, topic.main(*inputs))
    trained = solution(name.partition("/")[0])[topic.name](*inputs)
    assert topic.training.loss(run, trained) <= expected * (1 + 1e-3)


@pytest.mark.parametrize("name", EXAMINED)
def test_solution_passes_the_exam_as_the_reference_does(name):
    topic = TOPICS[QUESTIONS[name].topic]
    run = topic.exam.draw(np.random.default_rng(SEED))
    inputs = arguments(topic.parameters, run).values()
    expected = topic.exam.accuracy(run, topic.main(*inputs))
    trained = solution(name.partition("/")[0])[topic.name](*inputs)
    assert topic.exam.accuracy(run, trained) >= expected - 0.02


@assignments
def test_points_of_an_assignment_add_up_to_100(assignment):
    assert ASSIGNMENTS[assignment].max_points == 100


@assignments
def test_solution_regions_stand_inside_function_bodies(assignment):
    """What is left of a cell without its solution must still define what is asked for, with its docstring."""
    notebook = jupytext.reads(source_of(assignment).read_text(encoding="utf-8"), fmt="py:percent")
    with_solution = [cell.source for cell in notebook.cells if "### BEGIN SOLUTION" in cell.source]
    wanted = [set(TOPICS[question.topic].reference) for question in ASSIGNMENTS[assignment].questions]
    assert len(with_solution) == len(wanted)
    for source, names in zip(with_solution, wanted, strict=True):
        stub: dict[str, object] = {"np": np}
        if "torch" in source:
            stub["torch"] = pytest.importorskip("torch")
        exec(without_solution(source), stub)
        assert stub.keys() - {"__builtins__", "np", "torch"} == names
        for name in names:
            methods = [each for key, each in vars(stub[name]).items() if callable(each) and key != "__init__"]
            assert all(each.__doc__ for each in (stub[name], *methods))


def without_solution(source):
    kept, inside = [], False
    for line in source.splitlines():
        if line.strip() == "### BEGIN SOLUTION":
            assert not inside
            inside = True
            kept.append(line[: len(line) - len(line.lstrip())] + "raise NotImplementedError")
        elif line.strip() == "### END SOLUTION":
            assert inside
            inside = False
        elif not inside:
            kept.append(line)
    assert not inside
    return "\n".join(kept)


@pytest.mark.parametrize("assignment", WRONG)
def test_every_wrong_submission_has_an_expectation(assignment):
    students = [source.student for source in find([WRONG[assignment]])]
    assert sorted(students) == sorted(student for where, student in EXPECTED if where == assignment)
    known = {question.id for question in ASSIGNMENTS[assignment].questions}
    for student in students:
        expected = EXPECTED[assignment, student]
        assert expected["story"]
        assert set(expected.get("questions", {})) <= known
        assert bool(expected.get("questions")) != (expected.get("style") == "right" or "state" in expected)


def in_process():
    """What can be judged here: questions with an expectation, but not what only a jail or a long run shows.

    `jail = true` in expected.toml says of a student that their cells must not be run in this process.
    """
    for (assignment, student), expected in EXPECTED.items():
        for question, wanted in expected.get("questions", {}).items():
            name = f"{assignment}/{question}"
            long = name in TRAINERS or name in EXAMINED
            if not long and not IN_JAIL & set(wanted.get("outcomes", ())) and not expected.get("jail"):
                yield pytest.param(assignment, student, question, id=f"{assignment}/{student}: {question}")


@functools.cache
def submitted(assignment, student):
    """The names that a wrong submission defines."""
    (source,) = (source for source in find([WRONG[assignment]]) if source.student == student)
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in read(source).cells:
        with contextlib.suppress(Exception):  # a cell that fails is left, as in the jail
            exec(compile(cell.source, f"<cell {cell.number}>", "exec"), names)
    return names


@pytest.mark.parametrize(("assignment", "student", "question"), list(in_process()))
def test_wrong_question_gets_what_is_fair(assignment, student, question):
    name = f"{assignment}/{question}"
    wanted = EXPECTED[assignment, student]["questions"][question]
    plan = (diagnosing_plan_of if "diagnosis" in wanted else plan_of)(name)
    result = drive(plan, LocalQuestion(submitted(assignment, student)).ask)
    outcomes = {str(verdict.outcome) for verdict in result.verdicts.values()}
    named = diagnose(result) if "diagnosis" in wanted else {}
    diagnoses = {diagnosis.name for diagnosis in named.values()}
    assert_fair(wanted, QUESTIONS[name].points, result.total, outcomes, diagnoses)


@pytest.mark.slow
@assignments
def test_solution_and_wrong_submissions_are_graded_fairly_in_the_jail(assignment):
    loaded = ASSIGNMENTS[assignment]
    suite = compile_suite(COURSE, loaded)
    paths = [source_of(assignment), *([WRONG[assignment]] if assignment in WRONG else [])]
    try:
        graded = asyncio.run(grade_class(COURSE, loaded, suite, paths, jobs=2))
    except* SandboxError as errors:
        if "refuses" not in str(errors.exceptions[0]):
            raise  # the machine could, so the fault is ours
        pytest.skip(f"no jail on this machine: {errors.exceptions[0]}")
    records = {record.student: record for record in graded.records}
    expectations = {student: expected for (where, student), expected in EXPECTED.items() if where == assignment}
    assert records.keys() == expectations.keys() | {assignment}
    for student, record in records.items():
        expected = expectations.get(student, {})
        assert record.state == expected.get("state", "graded"), (student, record.notes)
        for question in record.questions:
            outcomes = {str(check.outcome) for check in question.checks}
            diagnoses = {check.diagnosis.name for check in question.checks if check.diagnosis}
            wanted = expected.get("questions", {}).get(question.id, {})
            assert_fair(wanted, question.max_points, question.points, outcomes, diagnoses, of=student)


def assert_fair(wanted, max_points, points, outcomes, diagnoses, *, of=""):
    """Points, outcomes and diagnosis as the expectation names them; full points where it names none."""
    assert points == pytest.approx(wanted.get("points", max_points), abs=1e-9), (of, outcomes)
    if "outcomes" in wanted:
        assert sorted(outcomes) == wanted["outcomes"], of
    if "diagnosis" in wanted:
        assert diagnoses == {wanted["diagnosis"]}, of
