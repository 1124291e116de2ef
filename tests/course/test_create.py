"""Does a new course work as it is?"""

from pathlib import Path

import numpy as np
import pytest

from autograder.course.create import create_course
from autograder.course.errors import CourseError
from autograder.course.load import Course, assignment_ids, load_assignment
from autograder.course.references import load_topics, topic_of
from autograder.notebook.read import read


def test_create_course_makes_an_assignment_whose_topics_exist(new_course: Course) -> None:
    assert assignment_ids(new_course) == ["softmax"]
    assignment = load_assignment(new_course, "softmax")
    topics = load_topics(new_course)
    assert [topic_of(topics, assignment, question).name for question in assignment.questions] == ["softmax"]


def test_create_course_keeps_key_and_suites_out_of_git(new_course: Course) -> None:
    lines = (new_course.dir / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"*.key", ".autograder/"} <= set(lines)


def test_create_course_solution_agrees_with_the_reference(new_course: Course) -> None:
    topic = load_topics(new_course)["softmax"]
    solution = read(new_course.dir / "solutions" / "softmax" / "softmax.py")
    names: dict[str, object] = {}
    for cell in solution.cells:
        exec(cell.source, names)  # our own file, not a student's
    assert topic.case_maker is not None
    for case in topic.case_maker(np.random.default_rng(2024)):
        np.testing.assert_allclose(names["softmax"](**case.inputs), topic(**case.inputs), rtol=1e-12)  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["file", "folder with something"])
def test_create_course_never_overwrites(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "course"
    if kind == "file":
        place.write_text("mine", encoding="utf-8")
    else:
        place.mkdir()
        (place / "course.toml").write_text("mine", encoding="utf-8")
    with pytest.raises(CourseError, match="name a"):
        create_course(place)
    assert [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()] == ["mine"]


def test_create_course_in_an_empty_folder_is_fine(tmp_path: Path) -> None:
    assert create_course(tmp_path).dir == tmp_path
