"""Does a gradebook keep what happened, whoever asks for something else, in both databases?"""

import pytest
from sqlalchemy import Connection, delete, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from autograder.course.errors import CourseError
from autograder.gradebook.database import Gradebook, now, open_gradebook
from autograder.gradebook.tables import APPEND_ONLY, METADATA, decisions, students

ROW = {
    "kind": "comment", "student": "ada", "assignment": "hw", "question": "", "text": "好", "author": "ta",
    "reason": "asked",
}  # fmt: skip


def fill(connection: Connection) -> None:
    """A row in every table."""
    at = now()
    connection.execute(insert(METADATA.tables["students"]).values(student="ada", name="Ada", at=at))
    rows = {
        "submissions": {"digest": "d", "suffix": ".py", "archive": b"\0zip"},
        "attempts": {"assignment": "hw", "student": "ada", "number": 1, "submission": "d", "place": "x", "at": at},
        "records": {
            "key": "k", "assignment": "hw", "suite": "s", "state": "graded", "points": {"q": 1.5},
            "document": {"message": "\0 \ud800 😀"}, "at": at,
        },
        "regrades": {"assignment": "hw", "author": "ta", "reason": "r", "never_lower": False, "at": at},
        "gradings": {"attempt": 1, "record": "k", "at": at},
        "policies": {"document": {}, "author": "ta", "reason": "r", "at": at},
        "decisions": {**ROW, "at": at},
    }  # fmt: skip
    for table, values in rows.items():
        connection.execute(insert(METADATA.tables[table]).values(values))


def test_tables_are_those_that_the_migrations_make(book: Gradebook) -> None:
    with book.reading() as connection:
        made = inspect(connection)
        assert set(made.get_table_names()) == {*METADATA.tables, "alembic_version"}
        for name, table in METADATA.tables.items():
            found = {column["name"]: column["nullable"] for column in made.get_columns(name)}
            assert found == {column.name: column.nullable for column in table.columns}, name


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_history_can_neither_be_changed_nor_removed(book: Gradebook, table: str) -> None:
    with book.writing() as connection:
        fill(connection)
    known = METADATA.tables[table]
    column = next(column for column in known.columns if not column.foreign_keys and column.name != "id")
    with book.reading() as connection:
        before = connection.execute(select(known)).all()
    assert before
    for statement in (update(known).values({column: before[0]._mapping[column]}), delete(known)):
        with pytest.raises(DBAPIError, match="append-only"), book.writing() as connection:
            connection.execute(statement)
    with book.reading() as connection:
        assert connection.execute(select(known)).all() == before
    if book.engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="append-only"), book.writing() as connection:
            connection.execute(text(f"TRUNCATE {table} CASCADE"))


def test_values_come_back_as_they_were(book: Gradebook) -> None:
    with book.writing() as connection:
        fill(connection)
    with book.reading() as connection:
        row = connection.execute(select(METADATA.tables["records"])).one()
        said = connection.execute(select(decisions)).one()
    assert row.document == {"message": "\0 \ud800 😀"}
    assert row.at.tzinfo is not None
    assert said.text == "好"


@pytest.mark.parametrize(
    "wrong", [{"author": ""}, {"reason": ""}, {"kind": "bribe"}, {"withdraws": 99}], ids=lambda wrong: next(iter(wrong))
)
def test_database_itself_refuses_a_decision_without_author_or_reason(book: Gradebook, wrong: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), book.writing() as connection:
        connection.execute(insert(decisions).values({**ROW, "at": now(), **wrong}))


def test_a_record_of_a_fault_of_ours_is_refused(book: Gradebook) -> None:
    values = {"key": "k", "assignment": "hw", "suite": "s", "state": "not_graded", "points": {}, "document": {}}
    with pytest.raises(IntegrityError), book.writing() as connection:
        connection.execute(insert(METADATA.tables["records"]).values(**values, at=now()))


def test_what_is_written_is_written_whole_or_not_at_all(book: Gradebook) -> None:
    def write_and_fail() -> None:
        with book.writing() as connection:
            fill(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with book.reading() as connection:
        assert connection.execute(select(students)).all() == []


def test_opening_again_keeps_what_is_there(url: str) -> None:
    with open_gradebook(url) as book, book.writing() as connection:
        fill(connection)
    with open_gradebook(url) as book, book.reading() as connection:
        assert len(connection.execute(select(students)).all()) == 1


def test_gradebook_of_a_newer_version_is_refused(url: str) -> None:
    with open_gradebook(url) as book, book.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CourseError, match="newer autograder"):
        open_gradebook(url)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("sqlite:////nowhere/at/all.db", "unable to open"),
        ("postgresql://ta@/x?host=/nowhere", "cannot be opened"),
        ("sqlite+nosuch:///x", "cannot be opened"),
    ],
)
def test_gradebook_that_cannot_be_opened_says_so_in_a_sentence(url: str, word: str) -> None:
    with pytest.raises(CourseError, match=word) as caught:
        open_gradebook(url)
    assert "\n" not in str(caught.value)


def test_file_that_is_no_database_is_refused_and_left_alone(tmp_path) -> None:
    path = tmp_path / "gradebook.db"
    path.write_text("student,points\nada,7\n" * 100, encoding="utf-8")
    with pytest.raises(CourseError, match="no gradebook"):
        open_gradebook(f"sqlite:///{path}")
    assert path.read_text(encoding="utf-8").startswith("student,points")


def test_new_file_is_for_its_owner_alone_and_beside_the_course(tmp_path) -> None:
    open_gradebook("sqlite:///gradebook.db", base=tmp_path).close()
    assert (tmp_path / "gradebook.db").stat().st_mode & 0o077 == 0
