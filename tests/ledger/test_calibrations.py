"""Calibrations are kept as they were given, on every database, and in ledgers of an earlier format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text

from driftgate.benchmarks.datasets import Sample
from driftgate.ledger import Ledger, SampleLabel, add_calibration, calibrations_of, check_ledger, open_ledger


def test_the_newest_calibration_comes_first_and_each_is_of_its_pin_and_place(
    ledger: Ledger, samples: Callable[..., list[Sample]], add: Callable[..., Any]
) -> None:
    _, cell, ids = add(ledger, samples(3))
    first, second, third = ids.values()
    labels = [SampleLabel(first, True, "aa"), SampleLabel(second, None, ""), SampleLabel(third, False, "bb")]
    add_calibration(ledger, "n.e", "pin", {"kappa": 0.5}, cell_id=cell, labels=labels)
    add_calibration(ledger, "n.e", "pin", {"kappa": 0.7, "말": "글"})
    add_calibration(ledger, "n.e", "another", {})
    add_calibration(ledger, "m.e", "pin", {})
    newest, oldest = calibrations_of(ledger, "pin", "n.e")
    assert (newest.cell_id, list(newest.labels), newest.details) == (None, [], {"kappa": 0.7, "말": "글"})
    assert (oldest.cell_id, list(oldest.labels), oldest.details) == (cell, labels, {"kappa": 0.5})
    assert oldest.created_at.tzinfo is not None and oldest.created_at <= newest.created_at
    assert not check_ledger(ledger).faults


def test_a_ledger_of_format_9_gets_the_table_and_keeps_its_rows(
    ledger: Ledger, location: str, tmp_path: Path, samples: Callable[..., list[Sample]], add: Callable[..., Any]
) -> None:
    add(ledger, samples(2))
    with ledger.write() as connection:
        connection.execute(text("DROP TABLE calibrations"))
        connection.execute(text("UPDATE meta SET value = '9' WHERE key = 'version'"))
    opened = open_ledger(location, tmp_path)
    with opened.read() as connection:
        tables = inspect(connection)
        assert tables.has_table("calibrations")
        assert [one["column_names"] for one in tables.get_indexes("calibrations")] == [["pin"]]
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar_one() == 1
        assert connection.execute(text("SELECT value FROM meta WHERE key = 'version'")).scalar_one() == "10"
    add_calibration(opened, "n.e", "pin", {})
    assert len(calibrations_of(opened, "pin", "n.e")) == 1
    opened.close()
