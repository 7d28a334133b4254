"""Format 2: tokens and costs that nobody stated are empty; what a model was asked without is kept.

No run's content hash changes. What 0 meant in outcomes of format 1 is told by
:func:`driftgate.benchmarks.costs.cell_frame`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "2"
down_revision = "1"

_MAY_BE_EMPTY: dict[str, TypeEngine[Any]] = {
    "input_tokens": sa.Integer(),
    "output_tokens": sa.Integer(),
    "cost": sa.Float(),
}


def upgrade() -> None:
    """Let the columns be empty, and make the table."""
    op.create_table(
        "left_out",
        sa.Column("cell_id", sa.Integer, sa.ForeignKey("cells.id"), primary_key=True),
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("parameter", sa.String, primary_key=True),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        if_not_exists=True,
    )
    columns = sa.inspect(op.get_bind()).get_columns("outcomes")
    if all(column["nullable"] for column in columns if column["name"] in _MAY_BE_EMPTY):
        return
    with op.batch_alter_table("outcomes") as outcomes:  # SQLite cannot change a column: the table is made anew
        for name, kind in _MAY_BE_EMPTY.items():
            outcomes.alter_column(name, existing_type=kind, nullable=True)
