"""Format 10: what people say of texts that a judge graded is kept, so that a gate can correct the judge by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from driftgate.ledger.migrations import there

revision = "10"
down_revision = "9"


def upgrade() -> None:
    """Make the table, empty."""
    if there(op.get_bind(), "calibrations"):
        return
    op.create_table(
        "calibrations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("evaluator", sa.String(), nullable=False),
        sa.Column("pin", sa.String(), nullable=False, index=True),
        sa.Column("cell_id", sa.Integer(), sa.ForeignKey("cells.id")),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
