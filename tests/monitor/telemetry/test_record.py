"""The record: what it gained is kept, found again, redacted as every label is, and unknown of older files."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import otlp_bodies as otlp
import pyarrow.parquet as pq
import pytest

from driftgate.api.telemetry import intake
from driftgate.flows.scrubbing import keep_secret
from driftgate.monitor.telemetry import COLUMNS, ModelCall, Store, decode, frame, pseudonyms

Make = Callable[..., ModelCall]
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)
OLD = (
    *("time", "trace_id", "span_id", "operation", "provider", "request_model", "response_model", "fingerprint"),
    *("prompt_hash", "slice", "finish_reason", "error", "input_tokens", "output_tokens", "latency", "output_chars"),
    *("refused", "addressed", "unparsed", "input_ngrams", "input_text", "output_text", "weight"),
)
"""The columns of a telemetry folder of before the record grew."""
NEW = {
    "time_to_first_token": 0.05,
    "conversation": "thread_9",
    "user": "0123456789abcdef",
    "tenant": "team-2",
    "prompt_name": "refund",
    "prompt_version": "3",
    "system_hash": "aa" * 8,
    "template_hash": "bb" * 8,
    "reasoning_tokens": 2,
    "cached_tokens": 8,
    "tool_calls": 1,
    "evaluations": ('{"label": "fail", "name": "Relevance", "score": 2.0}',),
    "dialect": "otel_genai",
}


def test_what_the_record_gained_is_kept_and_found_again(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(0, **NEW), make_call(1)])
        for _ in range(2):
            table = frame(tmp_path, START, END)
            found = table.loc[0, list(NEW)].to_dict()
            found["evaluations"] = tuple(found["evaluations"])
            assert found == NEW
            assert table.loc[1, ["conversation", "user", "dialect"]].tolist() == ["", "", ""]
            assert table.loc[1, ["time_to_first_token", "tool_calls", "evaluations"]].isna().all()
            store.compact()
        assert len(frame(tmp_path, START, END, only={"conversation": "thread_9"})) == 1


@pytest.mark.parametrize("files", [["old"], ["old", "new"], ["old", "spooled"]])
def test_a_folder_of_before_is_read_and_merged(tmp_path: Path, make_call: Make, files: list[str]) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(0, refused=True), make_call(1)])
        store.compact()
        (part,) = tmp_path.glob("*/*.parquet")
        pq.write_table(pq.read_table(part).select(list(OLD)), part)
        if len(files) > 1:
            store.append([make_call(2, **NEW)])
            if files[1] == "new":
                store.compact()
        for number in range(3):
            table = frame(tmp_path, START, END)
            assert tuple(table.columns) == COLUMNS
            assert table["conversation"].tolist()[:2] == ["", ""]
            assert np.isnan(table["cached_tokens"].tolist()[0])
            assert table["refused"].tolist()[0] == 1
            for more in range(4):  # so many parts that the day is merged
                store.append([make_call(100 + number * 10 + more, **NEW)])
                store.compact()
    assert len(list(tmp_path.glob("*/*.parquet"))) < 8
    assert frame(tmp_path, START, END)["conversation"].tolist()[:2] == ["", ""]


@pytest.mark.parametrize(
    "name", ["conversation", "user", "tenant", "prompt_name", "prompt_version", "system_hash", "template_hash"]
)
def test_every_label_is_redacted(tmp_path: Path, make_call: Make, name: str) -> None:
    key = keep_secret("sk-live-5f2a9c17d3")
    private = ("kim@example.kr", "900101-1234568", f"Bearer {key}")
    with Store(tmp_path) as store:
        store.append([make_call(n, **{name: f"of {text}"}) for n, text in enumerate(private)])
        store.append([make_call(9, evaluations=(f'{{"name": "{" ".join(private)}"}}',))])
        store.compact()
    told = repr(frame(tmp_path, START, END).to_dict())
    assert not [text for text in (*private, key) if text in told]
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"kim@example.kr" in file.read_bytes()]


def test_an_id_that_looks_like_the_number_of_a_card_is_an_id(tmp_path: Path, make_call: Make) -> None:
    cards = ["4111111111111111", "5500005555555559", "3530111333300000"]
    with Store(tmp_path) as store:
        store.append([make_call(n, trace_id="5b" * 16, span_id=card) for n, card in enumerate(cards)])
        store.append([make_call(9, trace_id="of kim@example.kr", span_id="9")])  # of a file: a text of anybody's
        store.compact()
    table = frame(tmp_path, START, END)
    assert table["span_id"].tolist() == [*cards, "9"]
    assert table["trace_id"].tolist()[-1] == "of <EMAIL_ADDRESS>"


def test_no_pseudonym_looks_like_the_number_of_a_card(tmp_path: Path) -> None:
    known = pseudonyms(tmp_path)
    made = {known(f"user {n}") for n in range(20_000)}
    assert len(made) == 20_000 and not [one for one in made if one.isdecimal()]


def test_a_user_is_the_same_for_the_workspace_and_another_elsewhere(tmp_path: Path) -> None:
    attributes = {"gen_ai.operation.name": "chat", "user.id": "kim@example.kr"}
    body = otlp.body(otlp.span(1, attributes), otlp.span(2, attributes | {"user.id": "lee@example.kr"}))

    def users(folder: Path) -> list[str]:
        return [call.user for call in decode(body, otlp.JSON, intake=intake(folder)).calls]

    here = users(tmp_path / "here")
    assert here == users(tmp_path / "here")  # also after a restart
    assert len({*here, *users(tmp_path / "elsewhere")}) == 4
    assert {len(user) for user in here} == {16}
    (key,) = (tmp_path / "here").iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with Store(tmp_path / "here") as store:
        store.append(decode(body, otlp.JSON, intake=intake(tmp_path / "here")).calls)
        table = frame(
            store.folder, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=1)
        )
    assert sorted(table["user"]) == sorted(here)
