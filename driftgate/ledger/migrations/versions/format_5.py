"""Format 5: which models the lines of a cell asked is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the table; of cells of before it is empty, and what they asked is taken from their outcomes."""
    if sa.inspect(op.get_bind()).has_table("asked_models"):
        return
    op.create_table(
        "asked_models",
        sa.Column("cell_id", sa.Integer(), sa.ForeignKey("cells.id"), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
    )
