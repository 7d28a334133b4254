"""Upgrade a ledger of format 3, in which only a suite's name told what a run was made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Connection, String, bindparam, column, inspect, select, table, update

_runs = table("runs", column("id", String), column("suite", String), column("kind", String), column("plan", JSON))


def give_kinds(connection: Connection) -> None:
    """Add the column, and fill it from what is known of each run."""
    if "kind" not in {one["name"] for one in inspect(connection).get_columns("runs")}:
        connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN kind VARCHAR NOT NULL DEFAULT 'benchmark'")
    found = {row.id: kind_of(row.suite, row.plan) for row in connection.execute(select(_runs))}
    others = [{"run": run, "is": kind} for run, kind in found.items() if kind != "benchmark"]
    if others:
        connection.execute(update(_runs).where(_runs.c.id == bindparam("run")).values(kind=bindparam("is")), others)


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
