"""The tables of the review store as queries use them. ``migrations`` makes and changes them."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Integer, MetaData, String, Table, Text

metadata = MetaData()

recordings = Table(
    "recordings",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("patient", String(64), nullable=False),
    Column("fold", Integer, nullable=False),
    Column("added_at", String(40), nullable=False),
)
"""Recordings by the hash of their content. ``patient`` is a salted hash, ``fold`` (1-10) follows
from it and never changes."""

filed = Table(
    "filed",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("recording", ForeignKey("recordings.hash"), nullable=False),
    Column("label_set", String(40), nullable=False),
    Column("codes", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("filed_by", Text, nullable=False),
    Column("filed_at", String(40), nullable=False),
)
"""The labels on file as they were brought in; of several the last one counts."""

reviews = Table(
    "reviews",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("recording", ForeignKey("recordings.hash"), nullable=False),
    Column("label_set", String(40), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("decided_at", String(40), nullable=False),
    Column("action", String(20), nullable=False),
    Column("codes", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("stage", String(20), nullable=False),
    Column("revises", Integer),
    Column("seen", Integer, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

assignments = Table(
    "assignments",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("round", Text, nullable=False),
    Column("recording", ForeignKey("recordings.hash"), nullable=False),
    Column("label_set", String(40), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("assigned_by", Text, nullable=False),
    Column("assigned_at", String(40), nullable=False),
)

honeypots = Table(
    "honeypots",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("recording", ForeignKey("recordings.hash"), nullable=False),
    Column("label_set", String(40), nullable=False),
    Column("codes", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", String(40), nullable=False),
)
"""Recordings whose answer is known, to see how an annotator does."""

snapshots = Table(
    "snapshots",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("label_set", String(40), nullable=False),
    Column("head", String(64), nullable=False),
    Column("provenance", Text, nullable=False),
    Column("taken_by", Text, nullable=False),
    Column("taken_at", String(40), nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("person", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", String(40), nullable=False),
)
"""Who may do what; of several the last one counts."""

APPEND_ONLY = tuple(table.name for table in metadata.sorted_tables)
"""Nothing in the store is ever changed or removed."""
