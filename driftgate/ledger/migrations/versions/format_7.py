"""Format 7: details of old runs move to an archive, and their texts can be expired."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from driftgate.ledger.migrations import there

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Make the tables, all empty, and the column; which run asked for a reply of before is not known."""
    at = sa.DateTime(timezone=True)
    op.create_table(
        "archives",
        sa.Column("cell_id", sa.Integer(), sa.ForeignKey("cells.id"), primary_key=True),
        sa.Column("file", sa.String(), primary_key=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("at", at, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "expired_runs",
        sa.Column("run_id", sa.String(), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("at", at, nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("remains", sa.String(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "expired_samples",
        sa.Column("sample_id", sa.Integer(), sa.ForeignKey("samples.id"), primary_key=True),
        sa.Column("at", at, nullable=False),
        if_not_exists=True,
    )
    if "run_id" not in there(op.get_bind(), "replies"):
        op.add_column("replies", sa.Column("run_id", sa.String()))
