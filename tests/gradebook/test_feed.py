"""Is everything that was graded in the gradebook once, however often and in whatever order it comes?"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from autograder.course.policy import Policy
from autograder.gradebook.archive import packed, unpacked
from autograder.gradebook.database import Gradebook
from autograder.gradebook.facts import handins, policy_in_force, students_of
from autograder.gradebook.feed import Feed, Receipt, enrol, record_of, start_term
from autograder.gradebook.moments import moment_of
from autograder.gradebook.tables import METADATA
from autograder.notebook.files import Listing
from autograder.notebook.find import Source, source_of
from autograder.notebook.read import Unreadable, read
from tests.gradebook.made import record, source

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def counted(book: Gradebook) -> dict[str, int]:
    with book.reading() as connection:
        tables = ("students", "submissions", "attempts", "records", "gradings")
        return {
            t: connection.execute(select(func.count()).select_from(METADATA.tables[t])).scalar_one() for t in tables
        }


def test_what_is_fed_twice_is_there_once(book: Gradebook) -> None:
    for _ in range(2):
        feed = Feed(book, "hw")
        for student in ("ada", "李雷"):
            handed = source(student, f"x = '{student}'")
            feed.keep(handed, record(handed, 7.0))
        assert feed.waiting == []
    assert counted(book) == {"students": 2, "submissions": 2, "attempts": 2, "records": 2, "gradings": 2}


def test_the_same_bytes_are_one_record_of_two_students(book: Gradebook) -> None:
    feed, ada, bob = Feed(book, "hw"), source("ada", "x = 1"), source("bob", "x = 1")
    feed.keep(ada, record(ada, 7.0))
    known = feed.known(record(bob, 7.0).key)
    assert known is not None
    assert known.student == ""
    feed.keep(bob, known.model_copy(update={"student": "bob"}))
    assert counted(book) == {"students": 2, "submissions": 1, "attempts": 2, "records": 1, "gradings": 2}
    with book.reading() as connection:
        assert [each.student for each in handins(connection)] == ["ada", "bob"]


def test_record_comes_back_as_it_was_without_the_student(book: Gradebook) -> None:
    handed = source("ada", "x = 1")
    kept = record(handed, 7.0)
    Feed(book, "hw").keep(handed, kept)
    with book.reading() as connection:
        assert record_of(connection, kept.key) == kept.model_copy(update={"student": ""})
        assert record_of(connection, "0" * 64) is None


def test_something_else_handed_in_is_a_further_attempt(book: Gradebook) -> None:
    feed = Feed(book, "hw")
    for text in ("one", "two", "two", "one"):
        handed = source("ada", text)
        feed.keep(handed, record(handed, 7.0))
    with book.reading() as connection:
        assert [each.number for each in handins(connection)] == [1, 2, 3]
    assert counted(book)["submissions"] == 2


def test_a_time_that_is_known_says_which_attempt_it_is(book: Gradebook) -> None:
    feed = Feed(book, "hw", {"ada": Receipt(NOON)})
    one, two = source("ada", "one"), source("ada", "two")
    feed.keep(one, record(one, 7.0))
    Feed(book, "hw", {"ada": Receipt(NOON.replace(hour=13))}).keep(two, record(two, 8.0))
    feed.keep(one, record(one, 7.0))
    with book.reading() as connection:
        assert len(handins(connection)) == 2


def test_another_suite_does_not_change_a_grade_by_itself(book: Gradebook) -> None:
    handed = source("ada", "x = 1")
    Feed(book, "hw").keep(handed, record(handed, 7.0))
    feed = Feed(book, "hw")
    feed.keep(handed, record(handed, 9.0, suite="two"))
    assert feed.waiting == ["ada"]
    with book.reading() as connection:
        (found,) = handins(connection)
        assert found.record == record(handed, 7.0).key
        assert record_of(connection, record(handed, 9.0, suite="two").key) is not None


def test_a_fault_of_ours_is_an_attempt_and_no_record(book: Gradebook) -> None:
    handed = source("ada", "x = 1")
    Feed(book, "hw").keep(handed, record(handed, None))
    assert counted(book) == {"students": 1, "submissions": 1, "attempts": 1, "records": 0, "gradings": 0}
    Feed(book, "hw").keep(handed, record(handed, 7.0))
    assert counted(book) == {"students": 1, "submissions": 1, "attempts": 1, "records": 1, "gradings": 1}


def test_several_write_at_once_and_nothing_is_lost(book: Gradebook) -> None:
    def feed(number: int) -> None:
        for text in ("one", "two"):
            handed = source(f"student{number % 5}", f"{text} {number}")
            Feed(book, "hw").keep(handed, record(handed, 7.0))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(feed, range(20)))
    with book.reading() as connection:
        found = handins(connection)
    assert len(found) == 40
    for student in {each.student for each in found}:
        assert [each.number for each in found if each.student == student] == list(range(1, 9))


def test_policy_is_that_of_the_first_grading_until_another_is_adopted(book: Gradebook, flagship) -> None:
    start_term(book, Policy(attempt="best"))
    start_term(book, Policy(attempt="last"))
    with book.reading() as connection:
        assert policy_in_force(connection, flagship).attempt == "best"


def test_enrol_adds_who_is_new_and_a_name_that_was_not_known(book: Gradebook) -> None:
    with book.writing() as connection:
        enrol(connection, {"ada": "", "bob": "Bob"})
        assert enrol(connection, {"ada": "Ada", "bob": "", "eve": "Eve"}) == 1
        assert students_of(connection) == {"ada": "Ada", "bob": "Bob", "eve": "Eve"}


def folder_of(tmp_path, files: dict[str, bytes]) -> Source:
    for name, contents in files.items():
        path = tmp_path / "ada" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    return source_of(tmp_path / "ada")


@pytest.mark.parametrize(
    "files",
    [
        {"hw.py": b"import helper", "helper.py": b"y = 1", "data/x.csv": b"1,2"},
        {"inner/hw.ipynb": b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'},
        {"作业.py": "x = '你好'".encode(), "a b.txt": b""},
    ],
    ids=["helpers", "wrapped", "names"],
)
def test_a_folder_comes_back_from_its_archive_byte_for_byte(tmp_path, files: dict[str, bytes]) -> None:
    handed = folder_of(tmp_path, files)
    submission = read(handed)
    kept = packed(handed, submission.digest)
    assert kept is not None
    again = read(unpacked("ada", *kept))
    assert (again.digest, again.cells, dict(again.files)) == (submission.digest, submission.cells, submission.files)
    assert packed(handed, submission.digest) == kept


def test_a_file_that_is_no_notebook_is_kept_too() -> None:
    broken = Source("ada", "ada.ipynb", ".ipynb", lambda: Listing(("ada.ipynb",), lambda _: b"\x89PNG"))
    with pytest.raises(Unreadable) as caught:
        read(broken)
    assert packed(broken, caught.value.digest) is not None


def test_files_that_changed_meanwhile_are_not_kept_as_what_was_graded() -> None:
    assert packed(source("ada", "x = 2"), read(source("ada", "x = 1")).digest) is None


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-03-14T12:00+00:00", None, NOON),
        ("2026-03-14T12:00:00Z", None, NOON),
        ("2026-03-14-13-00-00", BERLIN, NOON),  # Blackboard
        ("2026-03-14-13-00-00", None, None),  # of which zone, nobody has said
        ("2026-03-14 12:00:00.000000 UTC", None, NOON),  # nbgrader
        ("2026-03-14 13:00:00 Europe/Berlin", None, NOON),
        ("2026-03-14 13:00:00 Mars/Olympus", None, None),
        ("2026-03-14 13:00", BERLIN, NOON),
        ("yesterday", BERLIN, None),
        ("", BERLIN, None),
    ],
)
def test_moment_of_what_an_lms_writes(text: str, zone, moment) -> None:
    assert moment_of(text, zone) == moment
