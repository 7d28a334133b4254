"""Files as a source: read once, mapped, and told of by name and row when wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger
from driftgate.monitor.ngrams import ngrams
from driftgate.monitor.telemetry import Intake, ModelCall, Store, frame, to_arrow
from driftgate.monitor.telemetry.sources import SOURCES, parse_config

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)


@pytest.fixture
def collect(tmp_path: Path, ledger: Ledger) -> Callable[..., int]:
    (tmp_path / "in").mkdir()

    def run(intake: Intake | None = None, **settings: Any) -> int:
        config = parse_config({"source": "files", "folder": tmp_path / "in", **settings})
        with Store(tmp_path / "store") as store:
            return SOURCES.get("files").collect(config, store, ledger, intake or Intake(), END).calls

    return run


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def test_parquet_of_model_calls_comes_back_as_it_was(
    tmp_path: Path, collect: Callable[..., int], make_call: Callable[..., ModelCall]
) -> None:
    calls = [make_call(0, refused=True, input_ngrams=ngrams("Is 17 prime?"), weight=3), make_call(1, error=None)]
    pq.write_table(pa.Table.from_batches([to_arrow(calls)]), tmp_path / "in" / "calls.parquet")
    assert collect(pattern="*.parquet") == 2
    table = frame(tmp_path / "store", START, END)
    assert table["span_id"].tolist() == [call.span_id for call in calls]
    assert table["weight"].tolist() == [3.0, 1.0]
    assert tuple(table["input_ngrams"][0]) == calls[0].input_ngrams
    assert table["error"].tolist() == ["", None]  # whether it failed was not known, and is not known now


def test_a_null_beside_errors_alone_says_that_nothing_went_wrong(tmp_path: Path, collect: Callable[..., int]) -> None:
    rows = [{"time": 1772355600 + n, "error": "timeout" if n == 0 else None} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "calls.parquet")
    assert collect(pattern="*.parquet") == 3
    assert frame(tmp_path / "store", START, END)["error"].tolist() == ["timeout", "", ""]


def test_columns_are_mapped_and_features_computed(tmp_path: Path, collect: Callable[..., int]) -> None:
    row = {"asked_at": "2026-03-01 18:00:00", "deployment": "gpt-4o", "question": "17은 소수?", "answer": "네", "ms": 1}
    write(tmp_path / "in" / "log.jsonl", [row])
    names = {"time": "asked_at", "request_model": "deployment", "input_text": "question", "output_text": "answer"}
    assert collect(Intake(refused=lambda text: text == "네"), columns=names, time_zone="Asia/Seoul") == 1
    call = frame(tmp_path / "store", START, END).iloc[0]
    assert call["time"].isoformat() == "2026-03-01T09:00:00+00:00"
    assert (call["request_model"], call["output_chars"], call["refused"]) == ("gpt-4o", 1.0, 1.0)
    assert tuple(call["input_ngrams"]) == ngrams("17은 소수?")
    assert (call["input_text"], call["output_text"]) == (None, None)


def test_who_asked_and_with_which_prompt_is_read_and_a_user_is_nobodys_name(
    tmp_path: Path, collect: Callable[..., int]
) -> None:
    told = {"tenant": "acme", "conversation": "c-7", "prompt_name": "triage", "prompt_version": "3", "tool_calls": 2}
    row = {"time": 1772355600, "customer": "kim@example.kr", "time_to_first_token": 0.25, "cached_tokens": 9, **told}
    write(tmp_path / "in" / "log.jsonl", [row])
    assert collect(Intake(pseudonym=lambda user: f"{len(user):016x}"), columns={"user": "customer"}) == 1
    call = frame(tmp_path / "store", START, END).iloc[0]
    assert {name: call[name] for name in told} == told
    assert (call["user"], call["time_to_first_token"], call["cached_tokens"]) == (f"{14:016x}", 0.25, 9.0)


def test_reading_again_changes_nothing_and_a_grown_file_brings_what_is_new(
    tmp_path: Path, collect: Callable[..., int]
) -> None:
    path = tmp_path / "in" / "log.jsonl"
    rows = [{"time": 1772355600 + n // 2, "request_model": "m"} for n in range(10)]  # every row has an equal one
    write(path, rows)
    assert collect() == 10
    assert collect() == 0
    write(path, [*rows, {"time": 1772355700}])
    assert collect() == 11
    assert len(frame(tmp_path / "store", START, END)) == 11


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_one_more_column_makes_no_call_another(tmp_path: Path, collect: Callable[..., int], ending: str) -> None:
    path = tmp_path / "in" / f"log.{ending}"

    def export(rows: list[dict[str, Any]]) -> int:
        if ending == "jsonl":
            write(path, rows)
        else:
            path.write_text("".join(",".join(map(str, row)) + "\n" for row in (rows[0], *(r.values() for r in rows))))
        return collect(pattern=f"*.{ending}")

    rows = [{"time": 1772355600 + n // 2, "request_model": "m"} for n in range(10)]
    told = [row | {"user": f"u{n}", "fingerprint": f"fp{n}"} for n, row in enumerate(rows)]
    assert export(rows) == 10
    assert export(told) == 10
    assert len(frame(tmp_path / "store", START, END)) == 10
    export([*told, told[-1] | {"time": 1772355700}])
    found = frame(tmp_path / "store", START, END)
    assert len(found) == 11
    path = tmp_path / "in" / f"other.{ending}"  # another file tells its own rows apart by all that it has
    export([row | {"user": "another"} for row in told])
    assert len(frame(tmp_path / "store", START, END)) == 21


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{}", "row 2: 'time' is None"),
        ("[1]", "row 2 is no JSON object"),
        ('{"time": "yesterday"}', "row 2: 'time' is 'yesterday'"),
        ('{"time": 1e300}', "row 2: 'time'"),
        ('{"time": 0, "latency": "slow"}', "row 2: 'latency' is 'slow'"),
        ('{"time": 0, "latency": -1}', "row 2: 'latency' is -1"),
        ('{"time": 0, "output_text": 3}', "row 2: 'output_text' is 3"),
        ('{"time": 0, "input_ngrams": [1, 2]}', "row 2: 'input_ngrams'"),
    ],
)
def test_a_wrong_row_is_told_by_file_and_number(
    tmp_path: Path, collect: Callable[..., int], line: str, said: str
) -> None:
    (tmp_path / "in" / "log.jsonl").write_text('{"time": 0}\n' + line + "\n")
    with pytest.raises(DriftgateError) as caught:
        collect()
    assert said in str(caught.value)
    assert "log.jsonl" in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path, collect: Callable[..., int]) -> None:
    (tmp_path / "in" / "log.jsonl").write_text('{"time": 1772355600}\n', encoding="utf-8-sig")
    assert collect() == 1


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_is_still_written_is_no_row_yet(tmp_path: Path, collect: Callable[..., int], cut: int) -> None:
    path, row = tmp_path / "in" / "log.jsonl", '{"time": 1772355600, "request_model": "모델"}'
    path.write_bytes(f"{row}\n{row}".encode()[:-cut])
    assert collect() == 1
    path.write_text(f"{row}\n{row}", encoding="utf-8")  # whole, though without an end
    assert collect() == 2
    assert len(frame(tmp_path / "store", START, END)) == 2
    path.write_bytes(f"{row[:-cut]}\n{row}\n".encode())
    with pytest.raises(DriftgateError, match="row 1 is no JSON object"):
        collect()


def test_wrong_settings_are_told(tmp_path: Path, collect: Callable[..., int]) -> None:
    columns = ({"columns": {"model": "m"}}, {"columns": {"error": "Success"}})
    for wrong in (*columns, {"absent_error": "ok"}, {"time_zone": "Asia/Soul"}, {"patern": "*"}):
        with pytest.raises(ValidationError):
            collect(**wrong)
    (tmp_path / "in" / "a.xlsx").write_text("x")
    with pytest.raises(DriftgateError, match="neither"):
        collect(pattern="*.xlsx")
    (tmp_path / "in" / "a.parquet").write_text("x")
    with pytest.raises(DriftgateError, match="no Parquet file"):
        collect(pattern="*.parquet")
    with pytest.raises(DriftgateError, match="does not exist"):
        collect(folder=tmp_path / "nowhere")
    with pytest.raises(DriftgateError, match="did you mean 'files'"):
        parse_config({"source": "fils"})
