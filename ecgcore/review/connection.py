"""The database behind the store: SQLite in WAL mode, or PostgreSQL by URL.

Writers take turns, so that each sees what the one before wrote: on SQLite by a lock on a file
beside the database, held by the kernel and released when a process dies; on PostgreSQL by an
advisory lock of the transaction. SQLite flushes every commit to the disk (``synchronous`` FULL):
what was acknowledged survives a kill.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    NoSuchModuleError,
    OperationalError,
)

from ecgcore.review.values import ReviewError

_TURN = 0x45434C42
"""The advisory lock's number on PostgreSQL: "ECLB"."""
_BUSY_SECONDS = 30


class StoreError(ReviewError):
    """A database that cannot be used: which, what is allowed, what to do."""


def sqlite_url(path: Path) -> str:
    """The URL of a database file."""
    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


class Database:
    """One database and the turns of its writers. Raises StoreError where it cannot be opened."""

    def __init__(self, url: str) -> None:
        self._lock: Path | None = None
        self.engine = self._engine(url)
        try:
            with self.writing() as connection:
                _migrate(connection)
        except (StoreError, DatabaseError) as error:
            raise StoreError(
                f"{self.name} cannot be opened as a review store ({_cause(error)}); give a "
                "database that is a review store or is empty, and whose server runs"
            ) from error

    @property
    def name(self) -> str:
        """The database without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of everything."""
        with self._usable(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer's overlaps; committed at the end, or not at all."""
        with self._usable(), self._turn(), self.engine.connect() as opened:
            connection = opened.execution_options(writes=True)
            with connection.begin():
                if self._lock is None:
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))
                yield connection

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """A database that fails (disk full, damaged, server gone) as a StoreError. What it refuses
        by its own rules stays what it is."""
        try:
            yield
        except DatabaseError as error:
            if type(error) not in (DatabaseError, OperationalError):
                raise
            raise StoreError(
                f"{self.name} cannot be read or written ({_cause(error)}); see that there is room "
                "on the disk and the server runs, or restore a copy. Nothing was written"
            ) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        with self._lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _engine(self, url: str) -> Engine:
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "postgresql":
                return create_engine(parsed.set(drivername="postgresql+psycopg"))
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreError(
                f"{url.rsplit('@', maxsplit=1)[-1]!r} is no database URL; allowed: "
                "sqlite:///path, or postgresql://user:password@host/database"
            ) from error
        if parsed.get_backend_name() != "sqlite" or not parsed.database:
            raise StoreError(
                f"a review store on {parsed.get_backend_name()}; allowed: SQLite in a file, "
                "PostgreSQL"
            )
        path = Path(parsed.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = path.with_name(path.name + ".lock")
        engine = create_engine(parsed)
        event.listen(engine, "connect", _dress_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine


def _cause(error: BaseException) -> str:
    """The driver's own words, without the statement that failed."""
    return str(getattr(error, "orig", None) or getattr(error.__cause__, "orig", None) or error)


def _dress_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    """SQLAlchemy, not the driver, begins transactions; see its chapter on SQLite."""
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON",
        f"busy_timeout={_BUSY_SECONDS * 1000}",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(connection: Connection) -> None:
    """Bring the tables to the newest version."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
