"""Files that others wrote: tables in any usual encoding, OTLP in JSON, exports of a Collector, compressed or not."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import otlp_bodies as otlp
import pytest
from pydantic import ValidationError

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger
from driftgate.monitor.telemetry import Intake, Reason, Store, frame
from driftgate.monitor.telemetry.sources import SOURCES, Collected, parse_config

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
STRANGER = (
    "요청시각,배포,질문,답변,처리시간(ms),오류,지점\n"
    '2026/03/01 18:00:05,gpt-5-mini,"환불은, 며칠 걸리나요?",3일입니다.,812,,강남\n'
    "2026/03/01 18:00:07,gpt-5-mini,영업 시간은?,,95,timeout,강남\n"
)
MAP = {
    "time": "요청시각",
    "request_model": "배포",
    "input_text": "질문",
    "output_text": "답변",
    "latency": "처리시간(ms)",
    "error": "오류",
    "slice": "지점",
}
MAPPED: dict[str, Any] = {"columns": MAP, "time_zone": "Asia/Seoul", "latency_unit": "ms"}


@pytest.fixture
def read(tmp_path: Path, ledger: Ledger) -> Callable[..., Collected]:
    (tmp_path / "in").mkdir()

    def run(pattern: str = "*", **settings: Any) -> Collected:
        config = parse_config({"source": "files", "folder": tmp_path / "in", "pattern": pattern, **settings})
        with Store(tmp_path / "store") as store:
            return SOURCES.get("files").collect(config, store, ledger, Intake(), END)

    return run


def kept(tmp_path: Path) -> Any:
    return frame(tmp_path / "store", START, END)


def spans(*attributes: dict[str, Any], first: int = 1) -> dict[str, Any]:
    """A document of OTLP, of 2026-03-01."""
    found: dict[str, Any] = json.loads(otlp.body(*(otlp.span(first + n, told) for n, told in enumerate(attributes))))
    return found


CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5-mini", "gen_ai.usage.input_tokens": 12}


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        ("a.csv", STRANGER.encode(), {}),
        ("a.csv", STRANGER.encode("utf-8-sig"), {}),
        ("a.csv", STRANGER.encode("utf-16"), {}),
        ("a.csv", STRANGER.encode("cp949"), {"encoding": "cp949"}),
        ("a.csv.gz", gzip.compress(STRANGER.encode("cp949")), {"encoding": "cp949"}),
        ("a.CSV", STRANGER.replace("\n", "\r\n").encode(), {}),
    ],
)
def test_a_strangers_table_is_read(
    tmp_path: Path, read: Callable[..., Collected], name: str, content: bytes, settings: dict[str, Any]
) -> None:
    (tmp_path / "in" / name).write_bytes(content)
    assert read(**MAPPED, **settings).calls == 2
    calls = kept(tmp_path)
    assert calls["time"].iloc[0].isoformat() == "2026-03-01T09:00:05+00:00"
    assert calls["request_model"].tolist() == ["gpt-5-mini"] * 2
    assert calls["latency"].tolist() == [0.812, 0.095]
    assert calls["error"].tolist() == ["", "timeout"]
    assert calls["output_chars"].tolist() == [6.0, 0.0]
    assert calls["slice"].tolist() == ["강남"] * 2
    assert calls["input_ngrams"].notna().all()


def test_tabs_semicolons_and_the_clocks_of_other_programs_are_read(
    tmp_path: Path, read: Callable[..., Collected]
) -> None:
    (tmp_path / "in" / "a.tsv").write_text(
        "time\tlatency\trefused\n2026-03-01 오후 6:00\t0.5\tTrue\n", encoding="utf-8"
    )
    (tmp_path / "in" / "b.csv").write_text("time;latency;refused\n1772355600000;0.5;false\n1772355600.5;0.5;0\n")
    (tmp_path / "in" / "c.csv").write_text("time,latency\n2026-03-01T09:00:00.123456789Z,0.5\n2026. 3. 1. 09:00:01,\n")
    assert read().calls == 5
    calls = kept(tmp_path)
    assert sorted(calls["time"].dt.strftime("%H:%M:%S.%f")) == [
        *("09:00:00.000000", "09:00:00.123456", "09:00:00.500000", "09:00:01.000000", "18:00:00.000000")
    ]
    assert calls["refused"].dropna().tolist() == [0.0, 0.0, 1.0]
    assert calls["latency"].isna().sum() == 1


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        ("when,model\n2026-03-01,m\n", {}, "a.csv has no column 'time'; its columns are when, model"),
        (
            "when,modell\n2026-03-01,m\n",
            {"columns": {"time": "when", "request_model": "model"}},
            "a.csv has no column 'model', which 'columns' names for request_model; its columns are when, modell",
        ),
        ("time\n03/01/2026 09:00\n", {}, "row 1: 'time' is '03/01/2026 09:00'"),
        ("time,latency\n2026-03-01,fast\n", {}, "row 1: 'latency' is 'fast'"),
        ("time,latency\n2026-03-01,fast\n", {"latency_unit": "ms"}, "row 1: 'latency' is 'fast'"),
        ('time,input_text\n2026-03-01,"half\n', {}, "is not valid CSV"),
        ("time,input_text\n2026-03-01,a,b\n", {}, "has 3 fields where the header has 2"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_the_columns_it_has(
    tmp_path: Path, read: Callable[..., Collected], content: str, settings: dict[str, Any], said: str
) -> None:
    (tmp_path / "in" / "a.csv").write_text(content)
    with pytest.raises(DriftgateError) as caught:
        read(**settings)
    assert said in str(caught.value)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_an_encoding_that_is_not_said_is_named(tmp_path: Path, read: Callable[..., Collected], ending: str) -> None:
    rows = STRANGER if ending == "csv" else '{"time": "2026-03-01", "input_text": "환불은 며칠 걸리나요?"}\n'
    (tmp_path / "in" / f"a.{ending}").write_bytes(rows.encode("cp949"))
    settings = MAPPED if ending == "csv" else {}
    with pytest.raises(DriftgateError, match="encoding: cp949"):
        read(**settings)
    assert read(**settings, encoding="cp949").calls == (2 if ending == "csv" else 1)
    with pytest.raises(ValidationError, match="is no encoding"):
        read(encoding="cp-nine")


def test_columns_that_no_row_has_are_told_of_json_too(tmp_path: Path, read: Callable[..., Collected]) -> None:
    (tmp_path / "in" / "a.jsonl").write_text('{"time": "2026-03-01", "modell": "m"}\n' * 3)
    with pytest.raises(DriftgateError, match=r"has no column 'when'.*its columns are time, modell"):
        read(columns={"time": "when"})
    brought = read(columns={"request_model": "model"})  # a row may leave out what it has nothing for
    assert brought.calls == 3
    assert (
        "has no column 'model', which 'columns' names for request_model; its columns are time, modell" in brought.note
    )


def test_one_file_that_cannot_be_read_keeps_no_other(tmp_path: Path, read: Callable[..., Collected]) -> None:
    (tmp_path / "in" / "a.csv").write_text("when\n2026-03-01\n")
    (tmp_path / "in" / "b.csv").write_text("time,error\n2026-03-01,\n")
    with pytest.raises(DriftgateError, match=r"a\.csv has no column"):
        read()
    assert len(kept(tmp_path)) == 1


def test_a_call_counts_once_though_the_column_map_is_mended(tmp_path: Path, read: Callable[..., Collected]) -> None:
    (tmp_path / "in" / "a.csv").write_text("time,model,place\n2026-03-01,m,here\n2026-03-01,m,here\n")
    read(columns={"request_model": "model"})
    read(columns={"request_model": "model", "slice": "place"})
    assert len(kept(tmp_path)) == 2


def test_a_table_that_still_grows_is_read_to_its_last_whole_row(tmp_path: Path, read: Callable[..., Collected]) -> None:
    path = tmp_path / "in" / "a.csv"
    path.write_text("time,output_tokens\n2026-03-01,12\n2026-03-02,1")
    assert read().calls == 1
    path.write_text("time,output_tokens\n2026-03-01,12\n2026-03-02,123\n")
    assert read().calls == 2
    assert kept(tmp_path)["output_tokens"].tolist() == [12.0, 123.0]
    path.write_text("time,output_tokens\n2026-03-03,7")
    os.utime(path, (0, 0))  # a program that ends no last row has long ended
    assert read().calls == 1


@pytest.mark.parametrize("layout", ["one document", "one document, indented", "lines", "lines, compressed", "jsonl"])
def test_exports_of_a_collector_are_read(tmp_path: Path, read: Callable[..., Collected], layout: str) -> None:
    asked = {"key": "event.name", "value": {"stringValue": "gen_ai.user.message"}}
    logs = {
        "resourceLogs": [
            {
                "scopeLogs": [
                    {
                        "logRecords": [
                            {
                                "traceId": otlp.span(1, CHAT)["traceId"],
                                "spanId": otlp.span(1, CHAT)["spanId"],
                                "timeUnixNano": otlp.span(1, CHAT)["startTimeUnixNano"],
                                "body": {"stringValue": '{"content": "환불은 며칠 걸리나요?"}'},
                                "attributes": [asked],
                            }
                        ]
                    }
                ]
            }
        ]
    }
    every = spans(CHAT, CHAT, {"gen_ai.operation.name": "execute_tool"})
    if layout.startswith("one"):
        indent = 2 if "indented" in layout else None
        (tmp_path / "in" / "traces.json").write_text(json.dumps(every, indent=indent))
        (tmp_path / "in" / "logs.json").write_text(json.dumps(logs, indent=indent))
    else:
        documents = [
            logs,
            spans(CHAT),
            {"resourceMetrics": []},
            spans(CHAT, {"gen_ai.operation.name": "execute_tool"}, first=2),
        ]
        text = "".join(json.dumps(document) + "\n" for document in documents)
        name = {"lines": "export.json", "jsonl": "export.jsonl"}.get(layout, "export.json.gz")
        (tmp_path / "in" / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    for _ in range(2):
        read()
        calls = kept(tmp_path)
        assert (len(calls), calls["request_model"].tolist()) == (2, ["gpt-5-mini"] * 2)
        assert sorted(calls["input_from"]) == ["", "apart"]
    with Store(tmp_path / "store") as store:
        assert store.left_out(START)[Reason.TOOL] == 1


def test_what_a_growing_export_holds_beside_calls_is_counted_once(
    tmp_path: Path, read: Callable[..., Collected]
) -> None:
    path = tmp_path / "in" / "export.json"
    tool, unknown = {"gen_ai.operation.name": "execute_tool"}, {"gen_ai.something": "else"}
    path.write_text(json.dumps(spans(CHAT, tool, unknown)) + "\n")
    read()
    with path.open("a") as file:
        file.write(json.dumps(spans(tool, first=7)) + "\n")
    for _ in range(3):
        read()
    with Store(tmp_path / "store") as store:
        assert dict(store.left_out(START)) == {Reason.TOOL: 2, Reason.UNKNOWN: 1}


def test_an_export_that_is_still_written_is_read_as_far_as_it_goes(
    tmp_path: Path, read: Callable[..., Collected]
) -> None:
    whole = "".join(json.dumps(spans(CHAT, first=n)) + "\n" for n in (1, 2)).encode()
    for name, content in (("a.json", whole[:-20]), ("b.json.gz", gzip.compress(whole)[:-12])):
        (tmp_path / "in" / name).write_bytes(content)
    read()
    assert 1 <= len(kept(tmp_path)) <= 2
    (tmp_path / "in" / "b.json.gz").write_bytes(gzip.compress(whole))
    read()
    assert len(kept(tmp_path)) == 2


def test_a_pattern_that_nothing_fits_any_more_is_said(tmp_path: Path, read: Callable[..., Collected]) -> None:
    assert "no file in" in read("*.csv").note
    (tmp_path / "in" / "a.csv").write_text("time,error\n2026-03-01,\n")
    assert read("*.csv").note == ""
    (tmp_path / "in" / "a.csv").unlink()
    assert "fits its pattern '*.csv'" in read("*.csv").note


def test_a_file_that_is_cut_off_and_left_is_not_taken_for_whole(read: Callable[..., Collected], tmp_path: Path) -> None:
    rows = [{"time": f"2026-03-01T09:00:{n:02d}+00:00", "request_model": "m", "error": "", "n": n} for n in range(40)]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    plain, compressed = tmp_path / "in" / "a.jsonl", tmp_path / "in" / "b.jsonl.gz"
    plain.write_bytes(lines[:-9])
    assert read("*.jsonl").note == ""  # it is still written
    long_ago = plain.stat().st_mtime - 7200
    os.utime(plain, (long_ago, long_ago))
    assert read("*.jsonl").note == "the last row of a.jsonl is cut off, and nobody has written to it for an hour"
    assert len(kept(tmp_path)) == 39
    compressed.write_bytes(gzip.compress(lines)[:-20])
    read("*.gz")
    os.utime(compressed, (long_ago, long_ago))
    with pytest.raises(DriftgateError, match=r"b\.jsonl\.gz ends in the middle: its gzip stream is cut off"):
        read("*.gz")
