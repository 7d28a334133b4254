"""Format 4: a run says what it was made for, which only its suite's name told before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from driftgate.ledger.migrations import there

revision = "4"
down_revision = "3"

_runs = sa.table(
    "runs",
    sa.column("id", sa.String),
    sa.column("suite", sa.String),
    sa.column("kind", sa.String),
    sa.column("plan", sa.JSON),
)
_PLAN_TELLS = ("parity", "recorded")
"""Names of suites that a team's own may have as well."""


def upgrade() -> None:
    """Add the column, and fill it from what is known of each run."""
    connection = op.get_bind()
    if "kind" in there(connection, "runs"):
        return
    op.add_column("runs", sa.Column("kind", sa.String(), nullable=False, server_default="benchmark"))
    suites = connection.execute(sa.select(_runs.c.suite).distinct()).scalars().all()
    kinds = {suite: kind_of(suite, {}) for suite in suites}
    for kind in set(kinds.values()) - {"benchmark"}:
        of = [suite for suite in suites if kinds[suite] == kind]
        connection.execute(sa.update(_runs).where(_runs.c.suite.in_(of)).values(kind=kind))
    told = connection.execute(sa.select(_runs).where(_runs.c.suite.in_(_PLAN_TELLS))).all()
    for run in told:
        connection.execute(sa.update(_runs).where(_runs.c.id == run.id).values(kind=kind_of(run.suite, run.plan)))


def kind_of(suite: str, plan: Mapping[str, Any]) -> str:
    """What a run was made for, from its suite's name and its plan.

    Examples
    --------
    >>> kind_of("canary-assistant", {}), kind_of("proof-assistant", {}), kind_of("nightly", {})
    ('canary', 'proof', 'benchmark')
    >>> kind_of("parity", {"cells": [{"variant": "terse"}]})  # a team's own suite of that name
    'benchmark'
    """
    if suite.startswith(("canary-", "deployed-")) or suite == "steadiness":
        return "canary"
    if suite.startswith("proof-"):
        return "proof"
    if suite == "parity" and any(str(cell.get("variant", "")).startswith("port ") for cell in plan.get("cells", ())):
        return "parity"
    if suite == "recorded" and "preset" in plan.get("config", {}):
        return "import"
    return "benchmark"
