"""Format 1, as driftgate 0.1.0 wrote it: tokens and costs that nobody stated were kept as 0."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from driftgate.ledger._making import make_tables

revision = "1"
down_revision = None

_tables = sa.MetaData()
_TIME = sa.DateTime(timezone=True)
_LINE = (("cell_id", "cells.id"), ("sample_id", "samples.id"))

sa.Table("meta", _tables, sa.Column("key", sa.String, primary_key=True), sa.Column("value", sa.Text, nullable=False))
sa.Table(
    "runs",
    _tables,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("suite", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("finished_at", _TIME),
    sa.Column("plan", sa.JSON, nullable=False),
    sa.Column("plan_hash", sa.String, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("version", sa.String, nullable=False),
)
sa.Table(
    "cells",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("flow", sa.String, nullable=False),
    sa.Column("variant", sa.String, nullable=False),
    sa.Column("dataset", sa.String, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.UniqueConstraint("run_id", "ordinal"),
)
sa.Table(
    "samples",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String, nullable=False, unique=True),
    sa.Column("dataset", sa.String, nullable=False),
    sa.Column("split", sa.String, nullable=False),
    sa.Column("subset", sa.String, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("upstream_id", sa.String, nullable=False),
    sa.Column("category", sa.String, nullable=False),
    sa.Column("super_category", sa.String, nullable=False),
    sa.Column("cluster", sa.String, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
)
sa.Table(
    "asked",
    _tables,
    sa.Column("cell_id", sa.ForeignKey("cells.id"), primary_key=True),
    sa.Column("sample_id", sa.ForeignKey("samples.id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, nullable=False),
)
sa.Table(
    "outcomes",
    _tables,
    *(sa.Column(name, sa.ForeignKey(target), primary_key=True) for name, target in _LINE),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("correct", sa.Float),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("finish_reason", sa.String, nullable=False),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("cost", sa.Float, nullable=False),
    sa.Column("latency", sa.Float),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("served_model", sa.String, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cached", sa.Boolean, nullable=False),
    sa.Column("finished_at", _TIME, nullable=False),
)
sa.Table(
    "node_outputs",
    _tables,
    *(sa.Column(name, sa.ForeignKey(target), primary_key=True) for name, target in _LINE),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("node", sa.String, primary_key=True),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("output", sa.JSON),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
)
sa.Table(
    "evaluations",
    _tables,
    *(sa.Column(name, sa.ForeignKey(target), primary_key=True) for name, target in _LINE),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("node", sa.String, primary_key=True),
    sa.Column("evaluator", sa.String, primary_key=True),
    sa.Column("metric", sa.String, primary_key=True),
    sa.Column("value", sa.Float),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
)
sa.Table(
    "scores",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("cell_id", sa.ForeignKey("cells.id"), nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
    sa.Column("metric", sa.String, nullable=False),
    sa.Column("slice_kind", sa.String, nullable=False),
    sa.Column("slice", sa.String, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Index("scores_by_cell", "cell_id", "metric", "slice_kind"),
)
sa.Table(
    "evaluated_lines",
    _tables,
    *(sa.Column(name, sa.ForeignKey(target), primary_key=True) for name, target in _LINE),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("node", sa.String, primary_key=True),
    sa.Column("evaluator", sa.String, primary_key=True),
    sa.Column("inputs", sa.JSON, nullable=False),
    sa.Column("outputs", sa.JSON, nullable=False),
)
sa.Table(
    "aggregations",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("cell_id", sa.ForeignKey("cells.id"), nullable=False),
    sa.Column("node", sa.String, nullable=False),
    sa.Column("evaluator", sa.String, nullable=False),
    sa.Column("metric", sa.String, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("at", _TIME, nullable=False),
    sa.Index("aggregations_by_cell", "cell_id", "at"),
)
sa.Table(
    "verdicts",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("gate", sa.String, nullable=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Index("verdicts_by_run", "run_id"),
)
sa.Table(
    "replies",
    _tables,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("reply", sa.JSON, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
)
sa.Table(
    "promotions",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slot", sa.String, nullable=False, index=True),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("at", _TIME, nullable=False),
)
sa.Table(
    "promotion_evidence",
    _tables,
    sa.Column("promotion_id", sa.ForeignKey("promotions.id"), primary_key=True),
    sa.Column("details", sa.JSON, nullable=False),
)
sa.Table(
    "trained_models",
    _tables,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("config", sa.JSON, nullable=False),
    sa.Column("lineage", sa.JSON, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
)
sa.Table(
    "anchor_grades",
    _tables,
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("pin", sa.String, primary_key=True),
    sa.Column("item", sa.String, primary_key=True),
    sa.Column("anchors", sa.String, nullable=False),
    sa.Column("grade", sa.Float),
    sa.Column("judge", sa.String, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Index("anchor_grades_by_pin", "pin", "anchors"),
)


def upgrade() -> None:
    """Make what a process of 0.1.0 that was killed had not made yet."""
    make_tables(op.get_bind(), _tables)
