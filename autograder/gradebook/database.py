"""How is a gradebook opened, and how is it written to?

SQLite or PostgreSQL by the URL. Opening brings the tables to this version. A writer holds the one lock
there is, so what it read stays so until it has written; everything it writes is there, or nothing is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from autograder.course.errors import CourseError

_LOCK = 0x6772616465  # any number, the same for every writer
_PATIENCE_S = 60  # for another process that is writing


class Gradebook:
    """An open gradebook. `reading` and `writing` give a connection; close it when done."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def place(self) -> str:
        """Where it is, for people: without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer comes between."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> "Gradebook":
        return self

    def __exit__(self, *ended: object) -> None:
        self.close()


def open_gradebook(url: str, *, base: Path = Path(".")) -> Gradebook:
    """Open the gradebook at a URL, made if it is not there yet. CourseError says why it cannot be.

    base: the folder from which a relative path of SQLite counts: the course's, wherever one works.
    """
    try:
        parsed = _with_driver(make_url(url), base)
        engine = create_engine(parsed, **_options(parsed))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise CourseError(
            f"the gradebook {url} cannot be opened: {error}; sqlite:///FILE needs nothing, postgresql:// needs "
            "`pip install gradient-autograder[postgres]`"
        ) from error
    if parsed.get_backend_name() == "sqlite":
        _only_for_us(parsed)
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    book = Gradebook(engine)
    try:
        _bring_up_to_date(book)
    except OperationalError as error:
        book.close()
        raise CourseError(f"the gradebook {book.place} cannot be opened: {_first_line(error)}") from error
    except CommandError as error:
        book.close()
        raise CourseError(
            f"the gradebook {book.place} was written by a newer autograder ({error}): use that version"
        ) from error
    except SQLAlchemyError as error:
        book.close()
        raise CourseError(f"{book.place} is no gradebook: {_first_line(error)}") from error
    return book


def now() -> datetime:
    return datetime.now(UTC)


def _with_driver(url: URL, base: Path) -> URL:
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.database and url.database != ":memory:":
        return url.set(database=str(base / url.database))
    return url


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        # In memory there is one connection to keep; a file is opened each time, which takes a tenth of a
        # millisecond, so that nothing is open across a fork.
        in_memory = not url.database or url.database == ":memory:"
        return {"connect_args": {"timeout": _PATIENCE_S}} | ({} if in_memory else {"poolclass": NullPool})
    return {"connect_args": {"connect_timeout": 10}}


def _only_for_us(url: URL) -> None:
    """A new file can be read by its owner alone: grades are nobody else's."""
    path = Path(url.database or ":memory:")
    if path.name != ":memory:" and path.parent.is_dir():
        path.touch(mode=0o600, exist_ok=True)


def _on_connect(connection: Any, _: object) -> None:
    """Transactions are begun by us: by itself the driver begins them late, after what was read first."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up_to_date(book: Gradebook) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    with book.reading() as connection:
        known = inspect(connection).get_table_names()
        if "alembic_version" in known:
            (version,) = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
            if version == head:
                return
    with book.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
