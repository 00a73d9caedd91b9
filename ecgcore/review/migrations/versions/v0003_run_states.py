"""The third version: what became of training runs, and who asked for it; never changed either."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ecgcore.review.migrations.versions.v0001_first import forbid_changes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and its triggers."""
    op.create_table(
        "run_states",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("run", sa.String(120), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("noted_by", sa.Text, nullable=False),
        sa.Column("noted_at", sa.String(40), nullable=False),
    )
    op.create_index("run_states_of_run", "run_states", ["run"])
    forbid_changes(op.get_bind().dialect.name, ("run_states",))
