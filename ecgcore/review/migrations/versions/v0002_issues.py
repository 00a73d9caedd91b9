"""The second version: what other programs found about labels on file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ecgcore.review.migrations.versions.v0001_first import forbid_changes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, its index and its triggers."""
    op.create_table(
        "issues",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("recording", sa.String(64), sa.ForeignKey("recordings.hash"), nullable=False),
        sa.Column("tool", sa.String(40), nullable=False),
        sa.Column("is_issue", sa.Integer, nullable=False),
        sa.Column("score", sa.Float(53)),
        sa.Column("given", sa.Text, nullable=False),
        sa.Column("predicted", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("imported_by", sa.Text, nullable=False),
        sa.Column("imported_at", sa.String(40), nullable=False),
    )
    op.create_index("issues_of_recording", "issues", ["recording"])
    forbid_changes(op.get_bind().dialect.name, ("issues",))
