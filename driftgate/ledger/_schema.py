"""The ledger's tables. Rows are added and never changed; only a run's status moves, and what is old moves out.

Rows of :data:`DETAILS` are packed into ``pages`` when their run has ended, and move to the archive, whose files
``archives`` names; they are read from any of these by :func:`driftgate.ledger._details.detail_rows`. Texts of an
expired run are removed from all of them.

Texts have no length: what a dataset or a service calls itself is not ours to cut.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

VERSION = 10
"""1: tokens and costs that nobody stated were kept as 0. 2: a sample was known by its place in its file. 3: by what it
asks. 4: a run has a kind. 5: which models a cell asked is kept. 6: two formats that were both called 2 have the same
tables. 7: details move to an archive, and texts can be expired. 8: reasoning and cached tokens are kept, and what is
known of deployments. 9: details are packed, each text is kept once, and it is kept what was forgotten. 10: what
people say of texts that a judge graded is kept; see :mod:`driftgate.ledger.migrations`."""
metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, UTC inside and aware outside, also on SQLite, which keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a naive time is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone does not belong into the ledger")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("suite", String, nullable=False),
    Column("kind", String, nullable=False, server_default="benchmark"),  # see driftgate.ledger._kinds
    Column("status", String, nullable=False),  # running, interrupted, stopped, complete
    Column("reason", Text, nullable=False, default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("plan", JSON, nullable=False),  # everything that was asked for, without secrets
    Column("plan_hash", String, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("version", String, nullable=False),  # of driftgate
)

cells = Table(
    "cells",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("model", String, nullable=False),
    Column("flow", String, nullable=False),
    Column("variant", String, nullable=False),
    Column("dataset", String, nullable=False),
    Column("signature", Text, nullable=False),
    Column("details", JSON, nullable=False),
    UniqueConstraint("run_id", "ordinal"),
)

samples = Table(
    "samples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False),  # what runs are paired by: of all editions of a sample the same
    Column("edition", String, nullable=False, unique=True),  # changes with anything that is kept of it
    Column("dataset", String, nullable=False),
    Column("split", String, nullable=False),
    Column("subset", String, nullable=False),
    Column("position", Integer, nullable=False),  # where it stood when this edition was first asked
    Column("upstream_id", String, nullable=False),
    Column("category", String, nullable=False),
    Column("super_category", String, nullable=False),
    Column("cluster", String, nullable=False),
    Column("data", JSON, nullable=False),
)

asked = Table(
    "asked",
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("sample_id", ForeignKey("samples.id"), primary_key=True),
    Column("ordinal", Integer, nullable=False),  # place in the dataset
)

_line = (("cell_id", "cells.id"), ("sample_id", "samples.id"))

asked_models = Table(
    "asked_models",  # which models the lines of a cell asked, the cell's own or another
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("model", String, primary_key=True),
)

outcomes = Table(
    "outcomes",
    metadata,
    *(Column(name, ForeignKey(target), primary_key=True) for name, target in _line),
    Column("round", Integer, primary_key=True),  # counts asks of a sample: see driftgate.ledger._repeats
    Column("outcome", String, nullable=False),
    Column("answer", Text),
    Column("correct", Float),  # the primary metric; empty where it could not be measured
    Column("rule", String, nullable=False),
    Column("error", Text, nullable=False),
    Column("finish_reason", String, nullable=False),
    Column("input_tokens", Integer),  # these three are empty where nobody stated them
    Column("output_tokens", Integer),
    Column("cost", Float),
    Column("latency", Float),  # seconds the successful model calls took, retries aside
    Column("seconds", Float, nullable=False),  # seconds the whole line took
    Column("served_model", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("cached", Boolean, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("reasoning_tokens", Integer),  # of the output; empty where nobody stated them, and before format 8
    Column("cached_tokens", Integer),  # of the input, likewise
)

node_outputs = Table(
    "node_outputs",
    metadata,
    *(Column(name, ForeignKey(target), primary_key=True) for name, target in _line),
    Column("round", Integer, primary_key=True),
    Column("node", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("output", JSON),
    Column("seconds", Float, nullable=False),
    Column("error", Text, nullable=False),
)

evaluations = Table(
    "evaluations",
    metadata,
    *(Column(name, ForeignKey(target), primary_key=True) for name, target in _line),
    Column("round", Integer, primary_key=True),
    Column("node", String, primary_key=True),
    Column("evaluator", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("value", Float),
    Column("label", Text, nullable=False),
    Column("error", Text, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cell_id", ForeignKey("cells.id"), nullable=False),
    Column("signature", Text, nullable=False),
    Column("metric", String, nullable=False),
    Column("slice_kind", String, nullable=False),  # all, category, super_category
    Column("slice", String, nullable=False),
    Column("value", Float),
    Column("low", Float),
    Column("high", Float),
    Column("n", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("scores_by_cell", "cell_id", "metric", "slice_kind"),
)

left_out = Table(
    "left_out",  # parameters that a model of a cell was asked without, as its service refuses them
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("model", String, primary_key=True),
    Column("parameter", String, primary_key=True),
    Column("words", Text, nullable=False),  # the service's
    Column("at", UtcDateTime, nullable=False),
)

evaluated_lines = Table(
    "evaluated_lines",  # of evaluation flows: what their aggregation nodes need
    metadata,
    *(Column(name, ForeignKey(target), primary_key=True) for name, target in _line),
    Column("round", Integer, primary_key=True),
    Column("node", String, primary_key=True),
    Column("evaluator", String, primary_key=True),
    Column("inputs", JSON, nullable=False),
    Column("outputs", JSON, nullable=False),  # by node of the evaluation flow
)

aggregations = Table(
    "aggregations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cell_id", ForeignKey("cells.id"), nullable=False),
    Column("node", String, nullable=False),  # with its evaluator; both empty for the cell's own flow
    Column("evaluator", String, nullable=False),
    Column("metric", String, nullable=False),  # empty in the one row that says that it ran, and why it failed
    Column("value", Float),
    Column("error", Text, nullable=False),
    Column("n", Integer, nullable=False),  # lines it was taken from
    Column("at", UtcDateTime, nullable=False),
    Index("aggregations_by_cell", "cell_id", "at"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("gate", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("details", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("verdicts_by_run", "run_id"),
)

replies = Table(
    "replies",
    metadata,
    Column("key", String, primary_key=True),
    Column("reply", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("run_id", String),  # for which it was asked first; empty before format 7
)

deployments = Table(
    "deployments",  # what is known of each, the newest last
    metadata,
    Column("id", Integer, primary_key=True),
    Column("target", String, nullable=False, index=True),  # hash of provider, address and name
    Column("model", String, nullable=False, index=True),  # the name in the workspace
    Column("capabilities", JSON),  # empty where nobody asked it
    Column("served", String, nullable=False),
    Column("ends", String),  # the day, as ISO 8601 has it; empty where it is not known
    Column("at", UtcDateTime, nullable=False),
)

DETAILS = (node_outputs, evaluations, evaluated_lines)
"""What moves to the archive: what nodes and evaluators did on each sample. Scores stand without it."""

archives = Table(
    "archives",
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("file", String, primary_key=True),  # the SHA-256 of its content, which is its name
    Column("rows", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

expired_runs = Table(
    "expired_runs",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("content", String, nullable=False),  # its hash with the texts, which verdicts hold
    Column("remains", String, nullable=False),  # the hash of what is left, by which a change is noticed
)

expired_samples = Table(
    "expired_samples",  # of which no run that is left holds the text; it comes back when a run asks them anew
    metadata,
    Column("sample_id", ForeignKey("samples.id"), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

texts = Table(
    "texts",  # each once, however many pages name it
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),  # SHA-256
    Column("data", LargeBinary, nullable=False),  # compressed
    Column("uses", Integer, nullable=False),  # pages that name it; it goes with the last of them
)

pages = Table(
    "pages",  # rows of DETAILS of runs that have ended, see driftgate.ledger._pages
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("part", String, primary_key=True),  # the table
    Column("ordinal", Integer, primary_key=True),
    Column("low", Integer, nullable=False),  # the least and the greatest sample
    Column("high", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

forgettings = Table(
    "forgettings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),  # sample, matching, run, user
    Column("subject", String, nullable=False),  # the sample's key or the run; never a text or a user
    Column("done", UtcDateTime),  # empty until everything is gone, files and free pages included
    Column("counts", JSON, nullable=False),
)

forgotten_runs = Table(
    "forgotten_runs",
    metadata,
    Column("forgetting_id", ForeignKey("forgettings.id"), primary_key=True),
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("content", String, nullable=False),  # as in expired_runs
    Column("remains", String, nullable=False),
)

forgotten_lines = Table(
    "forgotten_lines",  # of which a text was forgotten: what was said there is not scored again
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("sample_id", ForeignKey("samples.id"), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("hash", String, nullable=False),  # SHA-256 of what was there, see driftgate.ledger._forget_lines
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slot", String, nullable=False, index=True),
    Column("model", String, nullable=False),
    Column("action", String, nullable=False),  # install, promote, rollback
    Column("run_id", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

promotion_evidence = Table(
    "promotion_evidence",
    metadata,
    Column("promotion_id", ForeignKey("promotions.id"), primary_key=True),
    # the gates that passed, the content hash of every run they rest on, and what a rollout did to an endpoint's traffic
    Column("details", JSON, nullable=False),
)

trained_models = Table(
    "trained_models",
    metadata,
    Column("name", String, primary_key=True),
    Column("config", JSON, nullable=False),  # as a model of the workspace file
    Column("lineage", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

anchor_grades = Table(
    "anchor_grades",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("pin", String, primary_key=True),  # of the evaluator, its prompt and its judge
    Column("item", String, primary_key=True),
    Column("anchors", String, nullable=False),  # hash of the anchors' texts
    Column("grade", Float),
    Column("judge", String, nullable=False),  # the model that the service says it served
    Column("error", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("anchor_grades_by_pin", "pin", "anchors"),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("evaluator", String, nullable=False),  # node.evaluator
    Column("pin", String, nullable=False, index=True),  # of the evaluator, its prompt and its judge
    Column("cell_id", ForeignKey("cells.id")),  # whose samples were labelled; empty where texts of a file were
    Column("labels", JSON, nullable=False),  # sample, whether it passes by people, hash of what they read
    Column("details", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
