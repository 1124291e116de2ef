"""Every misconception, put into the instructor's notebook, is failed in the jail, and named in the feedback.

One notebook holds one misconception of each question; its cell is complete in itself, so that what is wrong in one
question does not reach another.
"""

import asyncio

import pytest

from autograder.course.load import load_assignment
from autograder.course.references import load_topics
from autograder.grading.batch import grade_class
from autograder.sandbox.session import SandboxError
from autograder.suite.compile import compile_suite
from tests.conftest import ROOT
from tests.grading.as_students import cell_of, notebook_with

pytestmark = pytest.mark.slow

ASSIGNMENTS = sorted(path.parent.name for path in (ROOT / "assignments").glob("*/assignment.toml"))


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_each_misconception_in_the_solution_is_failed_and_named(name, flagship, tmp_path):
    assignment, topics = load_assignment(flagship, name), load_topics(flagship)
    asked = {question.id: topics[question.topic] for question in assignment.questions}
    planted = {}
    for number in range(max(len(topic.misconceptions) for topic in asked.values())):
        chosen = {q: topic.misconceptions[number] for q, topic in asked.items() if number < len(topic.misconceptions)}
        planted[f"wrong-{number:02}"] = chosen
        cells = [cell_of(asked[question], misconception) for question, misconception in chosen.items()]
        notebook_with(ROOT / "solutions" / name / f"{name}.py", cells, tmp_path / f"wrong-{number:02}.ipynb")
    suite = compile_suite(flagship, assignment)
    try:
        graded = asyncio.run(grade_class(flagship, assignment, suite, [tmp_path], jobs=2))
    except* SandboxError as errors:
        pytest.skip(f"no jail on this machine: {errors.exceptions[0]}")
    unlike = []
    for record in graded.records:
        questions = {question.id: question for question in record.questions}
        for question, misconception in planted[record.student].items():
            result = questions[question]
            named = {check.diagnosis.name for check in result.checks if check.diagnosis}
            if result.points is None or result.points >= result.max_points:
                unlike.append(f"{question}: {misconception.name!r} earned {result.points}")
            elif named != {misconception.equivalent_to or misconception.name}:
                unlike.append(f"{question}: {misconception.name!r} was named {sorted(named)}")
    assert not unlike, "\n".join(unlike)
