"""Format 8: reasoning and cached tokens of every answer are kept, and what is known of deployments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from driftgate.ledger.migrations import there

revision = "8"
down_revision = "7"


def upgrade() -> None:
    """Add the columns and the table; of answers of before nobody knows these tokens."""
    for name in ("reasoning_tokens", "cached_tokens"):
        if name not in there(op.get_bind(), "outcomes"):
            op.add_column("outcomes", sa.Column(name, sa.Integer()))
    if there(op.get_bind(), "deployments"):
        return
    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("target", sa.String(), nullable=False, index=True),
        sa.Column("model", sa.String(), nullable=False, index=True),
        sa.Column("capabilities", sa.JSON()),
        sa.Column("served", sa.String(), nullable=False),
        sa.Column("ends", sa.String()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
