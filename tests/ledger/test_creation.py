"""Many processes may open a new ledger at the same moment."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import inspect

from driftgate.ledger import open_ledger
from driftgate.ledger._making import lock


def test_twelve_open_a_new_ledger_at_once(location: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(12) as pool:
        ledgers = list(pool.map(lambda _: open_ledger(location, tmp_path), range(12)))
    assert {"runs", "cells", "outcomes", "promotions"} <= set(inspect(ledgers[0].engine).get_table_names())
    for ledger in ledgers:
        ledger.close()


OPENS = """
import sys
from pathlib import Path
from driftgate.ledger import open_ledger

for _ in range(2):
    open_ledger(sys.argv[1], Path(sys.argv[2])).close()
print([name for name in ("alembic", "mako") if name in sys.modules])
"""


def test_a_ledger_that_is_up_to_date_opens_without_alembic(location: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPENS, location, str(tmp_path)], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "[]\n"


def test_a_ledger_that_is_up_to_date_opens_while_another_writes(location: str, tmp_path: Path) -> None:
    first = open_ledger(location, tmp_path)
    with first.write() as connection:
        lock(connection)
        open_ledger(location, tmp_path).close()  # would wait for half a minute, and for ever
    first.close()
