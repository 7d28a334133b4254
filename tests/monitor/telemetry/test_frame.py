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
from driftgate.monitor.sampling import is_drawn
from driftgate.monitor.telemetry import (
    COLUMNS,
    ModelCall,
    Store,
    frame,
    sample,
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


def test_ngrams_are_read_of_so_many_calls(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(480 * n, input_ngrams=ngrams(f"text {n}") if n % 4 else None) for n in range(12)])
        whole, some, again = (
            sample(tmp_path, START, END, most_texts=most).calls["input_ngrams"] for most in (None, 5, 5)
        )
    assert some.isna().tolist() == whole.isna().tolist()
    read = some.dropna()[some.dropna().map(len) > 0]
    assert len(read) == 5
    assert all(tuple(kept) == tuple(whole[place]) for place, kept in read.items())
    assert [*map(list, some.dropna())] == [*map(list, again.dropna())]


def test_a_sample_is_of_whole_traces_and_stands_for_all_calls(tmp_path: Path, make_call: Make) -> None:
    made = [make_call(n, trace_id=f"{n // 3:032x}", weight=1 + n % 2) for n in range(1200)]
    with Store(tmp_path) as store:
        store.append(made)
        spooled = sample(tmp_path, START, END, most=300)
        store.compact()
        kept = sample(tmp_path, START, END, most=300)
    assert 270 <= len(kept.calls) <= 300 and kept.share == len(kept.calls) / 1200
    assert set(kept.calls.groupby("trace_id").size()) == {3}
    assert kept.calls["weight"].sum() == pytest.approx(1800, rel=0.02)
    assert spooled.calls["span_id"].tolist() == kept.calls["span_id"].tolist()
    assert sample(tmp_path, START, END, most=1200).share == 1.0
    half = sample(tmp_path, START, make_call(600).time, most=300)
    assert 270 <= len(half.calls) <= 300 and half.calls["weight"].sum() == pytest.approx(900, rel=0.02)


def test_a_sample_takes_files_of_an_earlier_version(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(n) for n in range(1000)])
        store.compact()
        store.append([make_call(n) for n in range(1000, 1440)])
        store.compact()
    for part in sorted(tmp_path.glob("*/calls-*-00000001.parquet")):
        table = pq.read_table(part)
        pq.write_table(table.drop_columns(["bucket"]).sort_by("time"), part)
    assert len(frame(tmp_path, START, END)) == 1440
    found = sample(tmp_path, START, END, most=400)
    assert 360 <= len(found.calls) <= 400
    assert found.calls["weight"].sum() == pytest.approx(1440)
    assert found.calls["time"].is_monotonic_increasing


def test_of_a_trace_that_holds_all_calls_all_are_read(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(n, trace_id="1") for n in range(50)])
        found = sample(tmp_path, START, END, most=10)
    assert len(found.calls) == 50 and found.share == 1.0


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


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.5, 1.0])
def test_only_calls_that_are_drawn_to_be_graded_or_told_of_are_held(
    tmp_path: Path, make_call: Make, rate: float
) -> None:
    said = ('{"label": "fail", "name": "Relevance", "score": 2.0}',)
    with Store(tmp_path) as store:
        store.append([make_call(n, evaluations=said if n % 50 == 0 else None) for n in range(300)])
        store.compact()
        store.append([make_call(n) for n in range(300, 400)])
        every = frame(tmp_path, START, END, columns=("trace_id", "span_id", "evaluations"))
        held = frame(tmp_path, START, END, columns=("trace_id", "span_id"), graded=(rate, 7))
    wanted = [
        span
        for trace, span, results in every.itertuples(index=False)
        if results is not None or is_drawn(trace, span, rate, 7)
    ]
    assert len(every) == 400 and held["span_id"].tolist() == wanted
