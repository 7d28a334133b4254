"""A user is forgotten: their calls go from the spool and from Parquet, all that was told of them too, and no others."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import otlp_bodies as otlp
import pyarrow.parquet as pq
import pytest

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.telemetry import (
    Gone,
    Intake,
    InUse,
    ModelCall,
    Store,
    decode,
    decode_logs,
    forget_user,
    frame,
    pseudonyms,
)

Make = Callable[..., ModelCall]
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
ANSWER = "Kim's parcel is in Busan."


def forget(store: Store, user: str) -> Gone:
    """Forget a user in a store that stays open."""
    store.compact()
    gone = forget_user(store.folder, user, dry=True)
    store.remove(gone)
    return gone


def calls_of(folder: Path) -> list[str]:
    return frame(folder, START - timedelta(days=400), START + timedelta(days=400))["span_id"].tolist()


def has(folder: Path, text: str) -> list[str]:
    """Files in which a text stands: as it is, or in a column of a Parquet file."""
    found = []
    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            if any(text in str(value) for row in pq.read_table(path).to_pylist() for value in row.values()):
                found.append(path.name)
        elif path.is_file() and text.encode() in path.read_bytes():
            found.append(path.name)
    return found


def test_a_users_calls_go_from_spool_and_parquet_and_no_others(tmp_path: Path, make_call: Make) -> None:
    known = pseudonyms(tmp_path)
    with Store(tmp_path) as store:
        for number in range(8):
            who = known("kim@example.kr" if number % 4 == 0 else "lee")
            store.append([make_call(number * 1_000, user=who), make_call(number * 1_000 + 1)])
            if number == 4:
                store.compact()
    planned = forget_user(tmp_path, "kim@example.kr", dry=True)
    assert len(calls_of(tmp_path)) == 16
    done = forget_user(tmp_path, "kim@example.kr")
    assert done == planned
    assert (done.calls, done.rows, done.days) == (2, 2, {date(2026, 3, 1): 1, date(2026, 3, 4): 1})
    assert len(calls_of(tmp_path)) == 14
    assert has(tmp_path, known("kim@example.kr")) == []
    assert forget_user(tmp_path, "kim@example.kr").calls == 0


@pytest.mark.parametrize("compacted", [False, True])
def test_all_that_was_told_of_a_call_goes_with_it(tmp_path: Path, compacted: bool) -> None:
    intake = Intake(redact=str, pseudonym=pseudonyms(tmp_path))
    outer = otlp.span(1, CHAT | {"user.id": "kim", "gen_ai.completion": ANSWER}, "litellm")
    bodies = [
        otlp.body(otlp.span(2, CHAT, parentSpanId=f"{1:016x}")),  # the call within the one that names the user
        otlp.body(outer),
        otlp.body(otlp.span(3, CHAT | {"user.id": "lee"})),
    ]
    logs = otlp.logs_body(*(otlp.log(n, "gen_ai.choice", {"message": {"content": ANSWER}}) for n in (2, 9)))
    with Store(tmp_path) as store:
        for body in bodies:
            store.append(decode(body, otlp.JSON, intake=intake).calls)
        store.append(decode_logs(logs, otlp.JSON, intake=intake).calls)
        if compacted:
            store.compact()
    assert calls_of(tmp_path) == [f"{2:016x}", f"{3:016x}"]
    assert forget_user(tmp_path, "kim").calls == 1
    assert calls_of(tmp_path) == [f"{3:016x}"]
    assert len(has(tmp_path, ANSWER)) == 1  # of the ninth span, of which nobody knows whose it is
    assert len(has(tmp_path, f"{9:016x}")) == 1


def test_a_span_around_calls_of_two_users_goes_with_the_last_of_them(tmp_path: Path) -> None:
    intake = Intake(pseudonym=pseudonyms(tmp_path))
    spans = [otlp.span(1, CHAT)] + [
        otlp.span(n, CHAT | {"user.id": who}, parentSpanId=f"{1:016x}") for n, who in ((2, "kim"), (3, "lee"))
    ]
    with Store(tmp_path) as store:
        for span in spans:  # apart, so that they are joined when they are read
            store.append(decode(otlp.body(span), otlp.JSON, intake=intake).calls)
        assert (forget(store, "kim").rows, calls_of(tmp_path)) == (1, [f"{3:016x}"])
        store.append(decode(otlp.body(spans[0]), otlp.JSON, intake=intake).calls)
        assert (forget(store, "lee").calls, calls_of(tmp_path)) == (1, [])


def test_a_span_around_calls_in_other_files_stays_while_one_of_them_does_and_is_no_call(tmp_path: Path) -> None:
    intake = Intake(pseudonym=pseudonyms(tmp_path))
    spans = [otlp.span(1, CHAT)] + [
        otlp.span(n, CHAT | {"user.id": who}, parentSpanId=f"{1:016x}") for n, who in ((2, "kim"), (3, "lee"))
    ]
    with Store(tmp_path) as store:
        for span in spans:
            store.append(decode(otlp.body(span), otlp.JSON, intake=intake).calls)
            store.compact()
    gone = forget_user(tmp_path, "kim")
    assert (gone.calls, gone.rows, calls_of(tmp_path)) == (1, 1, [f"{3:016x}"])
    gone = forget_user(tmp_path, "lee")
    assert (gone.calls, gone.rows, calls_of(tmp_path)) == (1, 2, [])


def test_what_stands_for_a_user_can_be_given_for_them(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(0, user="5d41402abc4b2a76"), make_call(1)])
    assert forget_user(tmp_path, "5d41402abc4b2a76").calls == 1
    assert not (tmp_path / "users.key").exists()  # asking makes none


def test_a_damaged_segment_that_has_them_goes_too(tmp_path: Path, make_call: Make) -> None:
    known = pseudonyms(tmp_path)
    with Store(tmp_path) as store:
        for number in range(3):
            store.append([make_call(number, user=known("kim"))])
        (segment,) = (tmp_path / "spool").glob("*.spool")
        data = bytearray(segment.read_bytes())
        data[len(data) // 2] ^= 1
        segment.write_bytes(data)
        store.compact()
    assert len(list((tmp_path / "spool").glob("*.damaged"))) == 1
    forget_user(tmp_path, "kim")
    assert has(tmp_path, known("kim")) == []


def test_nobody_is_forgotten_while_another_process_writes_and_nobody_without_a_name(tmp_path: Path) -> None:
    with Store(tmp_path):
        assert forget_user(tmp_path, "kim", dry=True).calls == 0
        with pytest.raises(InUse):
            forget_user(tmp_path, "kim")
    with pytest.raises(DriftgateError, match="which user"):
        forget_user(tmp_path, " ")
    assert forget_user(tmp_path / "never", "kim").calls == 0
    assert not (tmp_path / "never").exists()


def test_killed_between_two_files_the_next_compaction_does_the_rest(tmp_path: Path, make_call: Make) -> None:
    known = pseudonyms(tmp_path)
    others = []
    with Store(tmp_path) as store:
        for day in range(30):
            theirs = make_call(day * 1_440, user=known("kim"))
            told = make_call(day * 1_440, part="choice", output_text=ANSWER)  # names nobody, and is of the same call
            other = make_call(day * 1_440 + 1, user=known("lee"))
            others.append(other.span_id)
            store.append([theirs, told, other])
        store.compact()
    third = sorted(tmp_path.glob("*/calls-*.parquet"))[2]
    inode = third.stat().st_ino
    program = Path(__file__).with_name("forgetting_process.py")
    process = subprocess.Popen([sys.executable, program, tmp_path, "kim"], cwd=ROOT)
    while third.stat().st_ino == inode and process.poll() is None:
        time.sleep(0.0002)
    process.kill()
    process.wait()
    assert 0 < len(has(tmp_path, ANSWER)) < 30 and (tmp_path / "forgetting.json").exists()
    assert sorted(others) == sorted(set(calls_of(tmp_path)) & set(others))
    with Store(tmp_path) as store:
        store.compact()
    assert calls_of(tmp_path) == others
    assert has(tmp_path, ANSWER) == has(tmp_path, known("kim")) == []
    assert not (tmp_path / "forgetting.json").exists()


@pytest.mark.parametrize("compacting", [False, True])
@pytest.mark.parametrize("named", [0, 1, 2])
def test_a_call_is_theirs_whichever_of_its_rows_names_them(tmp_path: Path, named: int, compacting: bool) -> None:
    """A copy of the span without its user, or a log record of it, comes before or after the one that names them."""
    intake = Intake(redact=str, pseudonym=pseudonyms(tmp_path))
    whose = {"user.id": "kim"}
    rows = [
        decode(otlp.body(otlp.span(1, CHAT | (whose if named == 0 else {}))), otlp.JSON, intake=intake).calls,
        decode_logs(
            otlp.logs_body(otlp.log(1, "gen_ai.choice", {"message": {"content": ANSWER}})), otlp.JSON, intake=intake
        ).calls,
        decode(otlp.body(otlp.span(1, CHAT | (whose if named == 2 else {}))), otlp.JSON, intake=intake).calls,
    ]
    if named == 1:
        rows.insert(1, decode(otlp.body(otlp.span(1, CHAT | whose)), otlp.JSON, intake=intake).calls)
    with Store(tmp_path) as store:
        for some in rows:
            store.append(some)
            if compacting:
                store.compact()
    assert forget_user(tmp_path, "kim").calls == 1
    assert (calls_of(tmp_path), has(tmp_path, ANSWER)) == ([], [])
