"""Is a mistake that was adopted read as text, and refused with a sentence where its file does not fit?"""

import sys
from pathlib import Path

import pytest

from autograder.course.adopted import adopted_digests, load_adopted, place_of, text_of
from autograder.course.errors import CourseError
from autograder.course.load import Course
from autograder.course.references import load_topics

HEAD = '# /// adopted\n# name = "doubled"\n# hint = "Why twice?"\n# ///\n'
RUNS = "import sys\nsys.modules['adopted_code_ran'] = sys\n"


def write(course: Course, text: str, topic: str = "softmax", name: str = "doubled.py") -> Path:
    path = course.dir / "adopted" / topic / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_adopted_is_read_and_never_run(new_course: Course) -> None:
    path = write(new_course, HEAD + RUNS)
    (adopted,) = load_adopted(new_course, load_topics(new_course))["softmax"]
    assert (adopted.name, adopted.hint, adopted.source, adopted.path) == ("doubled", "Why twice?", RUNS, path)
    assert "adopted_code_ran" not in sys.modules


@pytest.mark.parametrize("words", ["doubled", 'a "quoted" \\ name', "梯度翻倍", "a\ttab"])
def test_adopted_is_read_as_it_was_written(words: str, new_course: Course) -> None:
    write(new_course, text_of(words, f"hint: {words}", "x = 1\n"))
    (adopted,) = load_adopted(new_course, load_topics(new_course))["softmax"]
    assert (adopted.name, adopted.hint, adopted.source) == (words, f"hint: {words}", "x = 1\n")


@pytest.mark.parametrize(
    ("text", "topic", "words"),
    [
        ("x = 1\n", "softmax", "must begin with the lines `# /// adopted`"),
        (HEAD.replace("hint", "hnit"), "softmax", "unknown key 'hnit' (did you mean 'hint'?)"),
        (HEAD.replace('# hint = "Why twice?"\n', ""), "softmax", "the key 'hint' is missing"),
        (HEAD.replace('"doubled"', "doubled"), "softmax", "is not valid TOML"),
        (HEAD, "sofmax", "must be called as a topic is (did you mean 'softmax'?)"),
        (HEAD.replace("doubled", "not normalised"), "softmax", "called 'not normalised' is declared already"),
    ],
    ids=["no head", "unknown key", "missing key", "no TOML", "unknown topic", "declared name"],
)
def test_adopted_that_does_not_fit_is_a_sentence(text: str, topic: str, words: str, new_course: Course) -> None:
    path = write(new_course, text, topic)
    with pytest.raises(CourseError) as caught:
        load_adopted(new_course, load_topics(new_course))
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_two_files_of_one_name_are_refused(new_course: Course) -> None:
    write(new_course, HEAD)
    write(new_course, HEAD, name="twice.py")
    with pytest.raises(CourseError, match=r"stands in .*doubled.py already"):
        load_adopted(new_course, load_topics(new_course))


def test_digests_follow_every_byte_of_the_topics_that_are_asked(new_course: Course) -> None:
    path = write(new_course, HEAD)
    first = adopted_digests(new_course, ["softmax"])
    path.write_text(HEAD + "\n", encoding="utf-8")
    assert first != adopted_digests(new_course, ["softmax"])
    assert adopted_digests(new_course, ["another"]) == []


def test_place_is_made_of_the_name(new_course: Course) -> None:
    topic = load_topics(new_course)["softmax"]
    path = place_of(new_course, topic, "../Scores, doubled!", ())
    assert path == new_course.dir / "adopted" / "softmax" / "scores-doubled.py"
    path.parent.mkdir(parents=True)
    path.write_text("", encoding="utf-8")
    with pytest.raises(CourseError, match="is there already"):
        place_of(new_course, topic, "scores doubled", ())
    with pytest.raises(CourseError, match="holds no letter"):
        place_of(new_course, topic, "...", ())
    with pytest.raises(CourseError, match="is declared already"):
        place_of(new_course, topic, "not normalised", ())
