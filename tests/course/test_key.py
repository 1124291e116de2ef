"""Is the key a secret, and is a bad one told apart?"""

import hashlib
import stat
from pathlib import Path

import pytest

from autograder.course.errors import CourseError
from autograder.course.key import KEY_BYTES, fingerprint, load_key
from autograder.course.load import Course


def test_load_key_of_a_new_course_is_random_and_private(new_course: Course) -> None:
    key = load_key(new_course)
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(new_course.key_file.stat().st_mode) == 0o600


def test_load_key_of_two_new_courses_differ(tmp_path: Path) -> None:
    from autograder.course.create import create_course

    first, second = (load_key(create_course(tmp_path / name)) for name in ("one", "two"))
    assert first != second


def test_load_key_of_the_flagship_is_the_public_one(flagship: Course) -> None:
    assert flagship.key_file.name == "demo.key"
    assert flagship.key_file.read_text(encoding="ascii").startswith("# Public on purpose")
    assert len(load_key(flagship)) == KEY_BYTES


def test_fingerprint_tells_no_more_than_a_hash() -> None:
    key = bytes(range(32))
    assert fingerprint(key) == hashlib.sha256(key).hexdigest()[:16]


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "zz" * 32, "# only a comment\n", "ключ"])
def test_load_key_that_is_no_key_says_what_it_must_be(new_course: Course, text: str) -> None:
    new_course.key_file.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=r"course\.key"):
        load_key(new_course)


def test_load_key_that_is_missing_says_how_to_go_on(new_course: Course) -> None:
    new_course.key_file.unlink()
    with pytest.raises(CourseError, match="backup"):
        load_key(new_course)
