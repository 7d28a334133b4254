"""A run is found by its id or a part of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import find_run, open_ledger, start_run


def test_a_run_is_found_however_many_came_after_it(tmp_path: Path) -> None:
    ledger = open_ledger("ledger.db", tmp_path)
    old = start_run(ledger, "suite", {}, "hash", 0, "0.1", id="an_old-run").id
    start_run(ledger, "suite", {}, "hash", 0, "0.1", id="anXold-run")
    with ledger.write() as connection:
        connection.execute(
            text(
                "INSERT INTO runs (id, suite, status, reason, created_at, plan, plan_hash, seed, version) "
                "VALUES (:run, 'suite', 'complete', '', '2030-01-01 00:00:00', '{}', 'h', 0, '0.1')"
            ),
            [{"run": f"run-{n}"} for n in range(1100)],
        )
    assert find_run(ledger, old).id == find_run(ledger, "an_old").id == old
    assert find_run(ledger, "latest").id.startswith("run-")
    with pytest.raises(DriftgateError, match="0 runs fit 'AN_OLD'"):
        find_run(ledger, "AN_OLD")
    with pytest.raises(DriftgateError, match="2 runs fit 'old'"):
        find_run(ledger, "old")
    ledger.close()
