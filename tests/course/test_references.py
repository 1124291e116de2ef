"""Are the topics of a course found, and its authors told where a reference is broken?"""

import sys
from pathlib import Path

import numpy as np
import pytest

from autograder.course.create import create_course
from autograder.course.errors import CourseError
from autograder.course.load import Course, load_assignment
from autograder.course.references import load_topics, reference_digest, topic_of

TOPIC = """
from autograder.topic import Array, Float, topic

@topic(lecture="deck", returns=("y",))
def {name}(x: Float[Array, "N"]) -> Float[Array, "N"]:
    return x {operation}
"""


def write(course: Course, name: str, text: str) -> Path:
    path = course.dir / "reference" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_load_topics_of_a_new_course_finds_its_topic(new_course: Course) -> None:
    topics = load_topics(new_course)
    assert list(topics) == ["softmax"]
    assert load_topics(new_course)["softmax"] is topics["softmax"]


def test_load_topics_looks_into_subpackages_and_counts_an_imported_topic_once(new_course: Course) -> None:
    write(new_course, "units/__init__.py", "")
    write(new_course, "units/one.py", TOPIC.format(name="double", operation="* 2"))
    write(new_course, "again.py", "from reference.units.one import double\n")
    assert list(load_topics(new_course)) == ["double", "softmax"]


def test_load_topics_of_another_course_replaces_the_package(tmp_path: Path) -> None:
    first, second = create_course(tmp_path / "one"), create_course(tmp_path / "two")
    write(first, "extra.py", TOPIC.format(name="change", operation="+ 1"))
    write(second, "extra.py", TOPIC.format(name="change", operation="- 1"))
    plus, minus = load_topics(first)["change"], load_topics(second)["change"]
    ones = np.ones(2)
    assert plus(ones).tolist() == [2.0, 2.0]
    assert minus(ones).tolist() == [0.0, 0.0]


def test_load_topics_sees_an_edit_of_the_same_second(new_course: Course) -> None:
    write(new_course, "extra.py", TOPIC.format(name="change", operation="+ 1"))
    assert load_topics(new_course)["change"](np.ones(1)).tolist() == [2.0]
    write(new_course, "extra.py", TOPIC.format(name="change", operation="+ 2"))
    assert load_topics(new_course)["change"](np.ones(1)).tolist() == [3.0]


def test_load_topics_leaves_the_path_and_the_course_as_they_were(new_course: Course) -> None:
    before = list(sys.path)
    load_topics(new_course)
    assert sys.path == before
    assert not list(new_course.dir.rglob("__pycache__"))


def test_load_topics_with_two_of_one_name_names_both_modules(new_course: Course) -> None:
    write(new_course, "extra.py", TOPIC.format(name="softmax", operation="* 2"))
    with pytest.raises(CourseError, match=r"'softmax', in reference\.activations and reference\.extra"):
        load_topics(new_course)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\ny = x +\n", ["broken.py, line 2: SyntaxError"]),
        ("x = 1\n\nimport nothing_of_the_kind\n", ["broken.py, line 3: ModuleNotFoundError", "nothing_of_the_kind"]),
        ("def f():\n    return 1 / 0\n\nf()\n", ["broken.py, line 2: ZeroDivisionError"]),
        (
            TOPIC.format(name="f", operation="* 2") + 'f.misconception("m", ("x * 3", "x"), hint="h")\n',
            ["broken.py, line 7: EditError", "matches 0 times"],
        ),
    ],
    ids=["syntax", "import", "exception", "edit"],
)
def test_load_topics_of_a_broken_module_names_file_and_line(new_course: Course, text: str, words: list[str]) -> None:
    write(new_course, "broken.py", text)
    with pytest.raises(CourseError) as caught:
        load_topics(new_course)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert not [name for name in sys.modules if name.startswith("reference.")]


def test_load_topics_without_a_package_says_what_to_add(new_course: Course) -> None:
    (new_course.dir / "reference" / "__init__.py").unlink()
    with pytest.raises(CourseError, match=r"__init__\.py"):
        load_topics(new_course)


def test_load_topics_of_a_file_that_cannot_be_imported_says_rename(new_course: Course) -> None:
    write(new_course, "my-topics.py", "")
    with pytest.raises(CourseError, match="rename"):
        load_topics(new_course)


def test_topic_of_an_unknown_topic_names_question_and_nearest(new_course: Course) -> None:
    path = new_course.dir / "assignments" / "softmax" / "assignment.toml"
    text = path.read_text(encoding="utf-8").replace('topic = "softmax"', 'topic = "sotfmax"')
    path.write_text(text, encoding="utf-8")
    assignment = load_assignment(new_course, "softmax")
    with pytest.raises(CourseError, match=r"question softmax: .*'sotfmax' \(did you mean 'softmax'\?\)"):
        topic_of(load_topics(new_course), assignment, assignment.questions[0])


def test_reference_digest_changes_with_contents_names_and_data_but_not_caches(new_course: Course) -> None:
    seen = [reference_digest(new_course)]
    write(new_course, "__pycache__/x.pyc", "cache")
    assert reference_digest(new_course) == seen[0]
    for name, text in (("a.py", "x = 1"), ("a.py", "x = 2"), ("data/a.csv", "1,2")):
        write(new_course, name, text)
        seen.append(reference_digest(new_course))
    (new_course.dir / "reference" / "a.py").rename(new_course.dir / "reference" / "b.py")
    seen.append(reference_digest(new_course))
    assert len(set(seen)) == len(seen)
