"""Recorded files as tests write them, and what the ledger holds of them afterwards."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from driftgate.ledger import cells_of, find_run, open_ledger, outcome_frame
from driftgate.ledger._schema import samples


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    """A CSV file with these rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def outcomes(folder: Path, run: str) -> dict[str, tuple[str, object]]:
    """Outcome and correctness by the sample's place, ``subset/position``."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        frame = outcome_frame(ledger, cells_of(ledger, find_run(ledger, run).id)[0].id)
        with ledger.read() as connection:
            stored = connection.execute(select(samples.c.id, samples.c.subset, samples.c.position))
            places = {row.id: f"{row.subset}/{row.position}" for row in stored}
        return {places[row.sample_id]: (row.outcome, row.correct) for row in frame.itertuples()}
    finally:
        ledger.close()
