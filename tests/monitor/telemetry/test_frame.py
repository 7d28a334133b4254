"""Reading: the frame the signals are given, and the daily aggregates."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import (
    COLUMNS,
    ModelCall,
    Store,
    frame,
)

Make = Callable[..., ModelCall]
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)


@pytest.fixture(params=["UTC", "Asia/Seoul", "America/Los_Angeles"])
def machine_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def test_an_empty_folder_gives_an_empty_frame_of_the_right_types(tmp_path: Path) -> None:
    table = frame(tmp_path / "none", START, END)
    assert tuple(table.columns) == COLUMNS
    assert str(table["time"].dtype) == "datetime64[ns, UTC]"
    assert {str(table[name].dtype) for name in ("latency", "input_tokens", "refused", "weight")} == {"float64"}


def test_the_frame_has_the_promised_types(tmp_path: Path, make_call: Make) -> None:
    counts = ngrams("Is 17 prime?")
    with Store(tmp_path) as store:
        store.append(
            [
                make_call(0),
                make_call(1, refused=True, unparsed=False, input_ngrams=counts, input_tokens=7, output_text="A"),
            ]
        )
        store.compact()
        table = frame(tmp_path, START, END)
    assert table["time"].tolist() == [pd.Timestamp("2026-03-01T09:00Z"), pd.Timestamp("2026-03-01T09:01Z")]
    assert np.isnan(table["refused"][0])
    assert np.isnan(table["input_tokens"][0])
    assert table.loc[1, ["refused", "unparsed", "input_tokens", "weight"]].tolist() == [1.0, 0.0, 7.0, 1.0]
    assert table["input_ngrams"][0] is None
    assert tuple(table["input_ngrams"][1]) == counts
    assert table["output_text"].tolist() == [None, "A"]
    assert table["error"].tolist() == ["", ""]


def test_ngrams_are_read_of_so_many_calls_a_day(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(480 * n, input_ngrams=ngrams(f"text {n}") if n % 4 else None) for n in range(12)])
        whole, some, again = (frame(tmp_path, START, END, texts_a_day=most)["input_ngrams"] for most in (None, 1, 1))
    assert some.isna().tolist() == whole.isna().tolist()
    read = some.dropna()[some.dropna().map(len) > 0]
    assert len(read) == 5  # a text of each day
    assert all(tuple(kept) == tuple(whole[place]) for place, kept in read.items())
    assert [*map(list, some.dropna())] == [*map(list, again.dropna())]


def test_the_period_is_half_open_and_labels_select(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(n, slice="even" if n % 2 == 0 else "odd") for n in range(6)])
    first = make_call(0).time
    assert len(frame(tmp_path, first, first + timedelta(minutes=3))) == 3
    chosen = frame(tmp_path, START, END, only={"slice": "odd", "request_model": "gpt-4o"}, columns=("time", "slice"))
    assert chosen["slice"].tolist() == ["odd"] * 3
    assert list(chosen.columns) == ["time", "slice"]


def test_a_column_or_time_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="did you mean 'slice'"):
        frame(tmp_path, START, END, only={"slise": "x"})
    with pytest.raises(DriftgateError, match="did you mean 'latency'"):
        frame(tmp_path, START, END, columns=("latencies",))
    with pytest.raises(DriftgateError, match="time zone"):
        frame(tmp_path, START.replace(tzinfo=None), END)


def test_a_file_of_before_there_was_a_column_is_read_with_nothing_in_it(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        for number in range(2):
            store.append([make_call(number, refused=True, addressed=True)])
            store.compact()
    old, _ = sorted(tmp_path.glob("*/*.parquet"))
    pq.write_table(pq.read_table(old).drop_columns(["addressed"]), old)
    table = frame(tmp_path, START, END)
    assert table["refused"].tolist() == [1.0, 1.0]
    assert np.isnan(table["addressed"][0]) and table["addressed"][1] == 1.0
    _, young = sorted(tmp_path.glob("*/*.parquet"))
    pq.write_table(pq.read_table(young).drop_columns(["addressed"]), young)
    assert frame(tmp_path, START, END)["addressed"].isna().all()
