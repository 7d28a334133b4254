"""Format 9: details are packed into pages, each text is kept once, and what was forgotten, when and by whom.

Rows of before are read where they are, and are packed by the next ``driftgate nightly`` or ``driftgate ledger pack``,
a cell at a time; a ledger of many gigabytes is therefore opened as fast as a small one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "9"
down_revision = "8"


def upgrade() -> None:
    """Make the tables, all empty."""
    at = sa.DateTime(timezone=True)
    op.create_table(
        "texts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "pages",
        sa.Column("cell_id", sa.Integer(), sa.ForeignKey("cells.id"), primary_key=True),
        sa.Column("part", sa.String(), primary_key=True),
        sa.Column("ordinal", sa.Integer(), primary_key=True),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "forgettings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", at, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("done", at),
        sa.Column("counts", sa.JSON(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "forgotten_runs",
        sa.Column("forgetting_id", sa.Integer(), sa.ForeignKey("forgettings.id"), primary_key=True),
        sa.Column("run_id", sa.String(), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("remains", sa.String(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "forgotten_lines",
        sa.Column("cell_id", sa.Integer(), sa.ForeignKey("cells.id"), primary_key=True),
        sa.Column("sample_id", sa.Integer(), sa.ForeignKey("samples.id"), primary_key=True),
        sa.Column("at", at, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        if_not_exists=True,
    )
