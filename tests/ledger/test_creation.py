"""Many processes may open a new ledger at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import inspect

from driftgate.ledger import open_ledger


def test_twelve_open_a_new_ledger_at_once(location: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(12) as pool:
        ledgers = list(pool.map(lambda _: open_ledger(location, tmp_path), range(12)))
    assert {"runs", "cells", "outcomes", "promotions"} <= set(inspect(ledgers[0].engine).get_table_names())
    for ledger in ledgers:
        ledger.close()
