"""Stores to test with: an SQLite file a test, and one PostgreSQL server for all of a file's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ecgcore.review.connection import sqlite_url
from ecgcore.review.store import KnownRecording, ReviewStore
from tests.review.servers import postgres, postgres_is_here

HASHES = tuple(f"{number:064x}" for number in range(1, 8))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if not postgres_is_here():
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed; CI installs it")
        pytest.skip("needs Debian's package postgresql")
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "review.db")
    server: str = request.getfixturevalue("server")
    name = f"t{abs(hash(request.node.nodeid)):x}"
    engine = create_engine(
        server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def store(url: str) -> Iterator[ReviewStore]:
    """A store that knows the recordings of ``HASHES``."""
    opened = ReviewStore(url)
    opened.register("ann", (KnownRecording(one, f"record {one[-1]}", one) for one in HASHES))
    yield opened
    opened.database.engine.dispose()
