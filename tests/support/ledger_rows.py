"""Everything a run left in the ledger, to be compared with what another run left; and replies of every kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from chat_endpoint import AZURE_FILTERED, Answer, Status, Step
from sqlalchemy import create_engine, inspect, text

_CLOCKS = {"latency", "seconds", "finished_at", "created_at", "at", "attempts", "began_at", "ended_at"}
_TABLES = (
    "samples",
    "cells",
    "asked",
    "asked_models",
    "left_out",
    "outcomes",
    "node_outputs",
    "evaluations",
    "evaluated_lines",
    "aggregations",
    "scores",
)


def reply(prompt: str) -> Step:
    """A reply of every kind, the same each time a question is asked."""
    number = int(re.findall(r"문제 (\d+)번은", prompt)[-1])
    if number % 17 == 3:
        return Status(400, AZURE_FILTERED)
    if number % 13 == 5:
        return Answer("모르겠습니다", seconds=0.02)
    return Answer("ABCD"[(number + number // 10) % 4], seconds=0.02)


def rows_of(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything a run left in the ledger, by table, samples by their keys and without clocks and ids of runs."""
    engine = create_engine(f"sqlite:///{folder / '.driftgate/ledger.db'}")
    tables = inspect(engine)
    found: dict[str, list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        keys = dict(connection.execute(text("select id, key from samples")).all())  # type: ignore[arg-type]
        for table in _TABLES:
            names = [column["name"] for column in tables.get_columns(table)]
            rows = [row._mapping for row in connection.execute(text(f"select * from {table}"))]
            rows = [row for row in rows if "latency" not in str(row.get("metric", ""))]
            wanted = [name for name in names if name not in {"id", "run_id", "details", *_CLOCKS}]
            found[table] = sorted(
                tuple(repr(keys[row[name]] if name == "sample_id" else row[name]) for name in wanted) for row in rows
            )
    engine.dispose()
    return found
