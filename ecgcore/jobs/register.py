"""The runs in the workspace's database: who asked for what, when, and what became of it.

The folder tells what a run does now; the database tells who may ask, and keeps what was asked and
how it ended, for all who share it, on whatever machine the folder lies.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from ecgcore.jobs.folder import log_line
from ecgcore.jobs.values import State, now
from ecgcore.review import tables
from ecgcore.review.connection import StoreError
from ecgcore.review.store import ReviewStore
from ecgcore.review_work import open_store
from ecgcore.workspace import Workspace


@dataclass(frozen=True)
class Noted:
    """The last word about a run: ``by`` is who asked for it, "" where its process says so."""

    run: str
    name: str
    state: str
    sentence: str
    by: str
    at: str


def record(store: ReviewStore, by: str, run: str, name: str, state: str) -> None:
    """Note what a person asks of a run. Raises Forbidden where their role does not allow it, and
    StoreError."""
    with store.database.writing() as connection:
        store.require(connection, by, "train")
        connection.execute(
            tables.run_states.insert().values(
                run=run, name=name, state=state, sentence="", noted_by=by, noted_at=now()
            )
        )


def note_state(workspace: Workspace, run: str, name: str, state: State, sentence: str) -> None:
    """Note what a run's process says. A database that fails stops no training: it is logged."""
    try:
        store = open_store(workspace)
        with store.database.writing() as connection:
            connection.execute(
                tables.run_states.insert().values(
                    run=run, name=name, state=state, sentence=sentence, noted_by="", noted_at=now()
                )
            )
        store.database.engine.dispose()
    except StoreError as error:
        log_line(f"not noted in the database: {error}")


def last_words(store: ReviewStore, by: str) -> dict[str, Noted]:
    """The last word about each run, by the run. Raises Forbidden, StoreError."""
    table = tables.run_states
    newest = select(func.max(table.c.number)).group_by(table.c.run)
    with store.database.reading() as connection:
        store.require(connection, by, "read")
        rows = connection.execute(select(table).where(table.c.number.in_(newest)))
        return {
            row.run: Noted(row.run, row.name, row.state, row.sentence, row.noted_by, row.noted_at)
            for row in rows
        }
