"""The tables of the review store as queries use them. ``migrations`` makes and changes them."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Integer, MetaData, String, Table, Text

metadata = MetaData()


def _number() -> Column[int]:
    return Column("number", Integer, primary_key=True)


def _recording() -> Column[str]:
    return Column("recording", ForeignKey("recordings.hash"), nullable=False)


def _short(name: str) -> Column[str]:
    """A name of ours, or a moment."""
    return Column(name, String(40), nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


recordings = Table(
    "recordings",
    metadata,
    Column("hash", String(64), primary_key=True),
    _text("name"),
    Column("patient", String(64), nullable=False),
    Column("fold", Integer, nullable=False),
    _short("added_at"),
)
"""Recordings by the hash of their content. ``patient`` is a salted hash, ``fold`` (1-10) follows
from it and never changes."""

filed = Table(
    "filed",
    metadata,
    _number(),
    _recording(),
    _short("label_set"),
    _text("codes"),
    _text("origin"),
    _text("filed_by"),
    _short("filed_at"),
)
"""The labels on file as they were brought in; of several the last one counts."""

reviews = Table(
    "reviews",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    _recording(),
    _short("label_set"),
    _text("reviewer"),
    _short("decided_at"),
    Column("action", String(20), nullable=False),
    _text("codes"),
    _text("comment"),
    Column("seconds", Float(53), nullable=False),
    _text("evidence"),
    Column("stage", String(20), nullable=False),
    Column("revises", Integer),
    Column("seen", Integer, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

assignments = Table(
    "assignments",
    metadata,
    _number(),
    _text("round"),
    _recording(),
    _short("label_set"),
    _text("reviewer"),
    _text("assigned_by"),
    _short("assigned_at"),
)

honeypots = Table(
    "honeypots",
    metadata,
    _number(),
    _recording(),
    _short("label_set"),
    _text("codes"),
    _text("set_by"),
    _short("set_at"),
)
"""Recordings whose answer is known, to see how an annotator does."""

snapshots = Table(
    "snapshots",
    metadata,
    _number(),
    Column("hash", String(64), nullable=False, unique=True),
    _short("label_set"),
    Column("head", String(64), nullable=False),
    _text("provenance"),
    _text("taken_by"),
    _short("taken_at"),
)

grants = Table(
    "grants",
    metadata,
    _number(),
    _text("person"),
    Column("role", String(20), nullable=False),
    _text("granted_by"),
    _short("granted_at"),
)
"""Who may do what; of several the last one counts."""

issues = Table(
    "issues",
    metadata,
    _number(),
    _recording(),
    Column("tool", String(40), nullable=False),
    Column("is_issue", Integer, nullable=False),
    Column("score", Float(53)),
    _text("given"),
    _text("predicted"),
    _text("origin"),
    _text("imported_by"),
    _short("imported_at"),
)
"""What another program found about the labels on file; of several the last one counts."""

APPEND_ONLY = tuple(table.name for table in metadata.sorted_tables)
"""Nothing in the store is ever changed or removed."""

run_states = Table(
    "run_states",
    metadata,
    _number(),
    Column("run", String(120), nullable=False),
    _text("name"),
    Column("state", String(20), nullable=False),
    _text("sentence"),
    _text("noted_by"),
    _short("noted_at"),
)
"""What became of training runs, and who asked for it; of several rows the last one counts."""
