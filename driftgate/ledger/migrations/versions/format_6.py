"""Format 6: every ledger has the table ``left_out``.

Two versions of driftgate called their ledgers format 2. Those of the one (commits 40e051a to 2dad095) let tokens and
costs be empty and had no such table, and format 2's script takes a ledger that says 2 for done.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Make the table where it is not there; of cells of before it is empty: they were asked with everything."""
    op.create_table(
        "left_out",
        sa.Column("cell_id", sa.Integer(), sa.ForeignKey("cells.id"), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("parameter", sa.String(), primary_key=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        if_not_exists=True,
    )
