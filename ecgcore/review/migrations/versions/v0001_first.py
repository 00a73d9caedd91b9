"""The first version: recordings, labels on file, reviews, assignments, honeypots, snapshots and
grants, with triggers that forbid to change or remove a row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = ("recordings", "filed", "reviews", "assignments", "honeypots", "snapshots", "grants")
_REFUSE = (
    "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION '% is append-only: rows are never changed or removed', TG_TABLE_NAME; END $$"
)
"""PostgreSQL's triggers call a function; SQLite's say it themselves."""


def _time(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(40), nullable=False)


def _of_recording() -> sa.Column[str]:
    return sa.Column("recording", sa.String(64), sa.ForeignKey("recordings.hash"), nullable=False)


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.Integer, primary_key=True)


def _set() -> sa.Column[str]:
    return sa.Column("label_set", sa.String(40), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    """Make every table, index and trigger."""
    op.create_table(
        "recordings",
        sa.Column("hash", sa.String(64), primary_key=True),
        _text("name"),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("fold", sa.Integer, nullable=False),
        _time("added_at"),
    )
    op.create_table(
        "filed",
        _number(), _of_recording(), _set(), _text("codes"), _text("origin"), _text("filed_by"),
        _time("filed_at"),
    )  # fmt: skip
    op.create_table(
        "reviews",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _of_recording(), _set(), _text("reviewer"), _time("decided_at"),
        sa.Column("action", sa.String(20), nullable=False),
        _text("codes"), _text("comment"),
        sa.Column("seconds", sa.Float(53), nullable=False),
        _text("evidence"),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("revises", sa.Integer),
        sa.Column("seen", sa.Integer, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False, unique=True),
        sa.Column("hash", sa.String(64), nullable=False),
    )  # fmt: skip
    op.create_table(
        "assignments",
        _number(), _text("round"), _of_recording(), _set(), _text("reviewer"),
        _text("assigned_by"), _time("assigned_at"),
    )  # fmt: skip
    op.create_table(
        "honeypots",
        _number(), _of_recording(), _set(), _text("codes"), _text("set_by"), _time("set_at"),
    )  # fmt: skip
    op.create_table(
        "snapshots",
        _number(),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        _set(),
        sa.Column("head", sa.String(64), nullable=False),
        _text("provenance"), _text("taken_by"), _time("taken_at"),
    )  # fmt: skip
    op.create_table(
        "grants",
        _number(), _text("person"),
        sa.Column("role", sa.String(20), nullable=False),
        _text("granted_by"), _time("granted_at"),
    )  # fmt: skip
    for table in ("filed", "reviews", "assignments"):
        op.create_index(f"{table}_of_recording", table, ["recording", "label_set"])
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(_REFUSE)
    forbid_changes(dialect, _TABLES)


def forbid_changes(dialect: str, names: tuple[str, ...]) -> None:
    """Triggers that refuse to change or remove a row of the tables."""
    for table in names:
        if dialect == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION append_only()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
            )
            continue
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only: rows are never changed or removed');"
                " END"
            )
