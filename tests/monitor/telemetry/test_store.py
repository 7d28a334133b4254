"""The store: what it acknowledges is on the disk, once, whatever happens in between."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.telemetry import Busy, ModelCall, Store, _parquet, frame, removed, removed_in_words

Make = Callable[..., ModelCall]
LONG_AGO, FAR_AHEAD = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def everything(folder: Path) -> pd.DataFrame:
    return frame(folder, LONG_AGO, FAR_AHEAD)


def span_ids(folder: Path) -> list[str]:
    return everything(folder)["span_id"].tolist()


def spool(folder: Path) -> list[Path]:
    return sorted((folder / "spool").glob("*.spool"))


def test_calls_are_read_before_and_after_compaction(tmp_path: Path, make_call: Make) -> None:
    calls = [make_call(n, slice="primes", output_chars=n) for n in range(5)]
    with Store(tmp_path) as store:
        store.append(calls)
        before = everything(tmp_path)
        assert store.compact().calls == 5
        assert spool(tmp_path) == []
    pd.testing.assert_frame_equal(before, everything(tmp_path))
    assert before["span_id"].tolist() == [call.span_id for call in calls]


def test_a_span_received_again_counts_once(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        for _ in range(2):
            store.append([make_call(1), make_call(1), make_call(2)])
        assert len(everything(tmp_path)) == 2
        store.compact()
        store.append([make_call(1)])
        assert len(everything(tmp_path)) == 2
        store.compact()
    assert len(everything(tmp_path)) == 2


def test_days_are_utc_and_small_files_are_merged(tmp_path: Path, make_call: Make) -> None:
    late = datetime(2026, 3, 1, 23, 59, 59, 999_999, UTC)
    with Store(tmp_path) as store:
        for n in range(9):
            store.append([make_call(n, time=late), make_call(n + 100, time=late + timedelta(microseconds=1))])
            store.append([make_call(0, time=late)])
            store.compact()
    assert sorted(path.name for path in tmp_path.glob("????-??-??")) == ["2026-03-01", "2026-03-02"]
    assert len(list((tmp_path / "2026-03-01").iterdir())) < 9
    assert len(everything(tmp_path)) == 18
    assert len(frame(tmp_path, late, late + timedelta(microseconds=1))) == 9


def test_a_day_that_is_large_is_merged_a_piece_at_a_time(
    tmp_path: Path, make_call: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged: list[int] = []
    with Store(tmp_path) as store:
        for n in range(7):
            store.append([make_call(n), make_call(n + 100)])
            store.compact()
        sizes = [path.stat().st_size for path in tmp_path.glob("????-??-??/*")]
        monkeypatch.setattr(_parquet, "MERGED_BYTES", int(3.5 * max(sizes)))
        concat = pa.concat_tables
        monkeypatch.setattr(_parquet.pa, "concat_tables", lambda parts: merged.append(len(parts)) or concat(parts))
        store.append([make_call(7), make_call(0)])
        store.compact()
    assert len(merged) > 1 and max(merged) <= 4 and sum(merged) == 8
    assert len(everything(tmp_path)) == 15


def test_a_day_is_dropped_when_its_time_is_over(tmp_path: Path, make_call: Make) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    with Store(tmp_path, keep_days=3) as store:
        store.append([make_call(n, time=now - timedelta(days=n)) for n in range(5)])
        store.compact(now)
        kept = everything(tmp_path)["time"].dt.date.tolist()
        assert kept == [date(2026, 3, 8), date(2026, 3, 9), date(2026, 3, 10)]
        (gone,) = store.compact(now + timedelta(days=1)).removed
        assert (gone.day, gone.calls, gone.why) == (date(2026, 3, 8), 1, "age")
    assert len(everything(tmp_path)) == 2


def test_what_was_removed_is_written_down_by_day(tmp_path: Path, make_call: Make) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    with Store(tmp_path, keep_days=3) as store:
        for _ in range(2):  # a file that has grown brings what was removed again: it goes again, and counts once
            store.append([make_call(n, time=now - timedelta(days=n % 5)) for n in range(10)])
            store.compact(now)
            assert [(one.day.day, one.calls, one.why) for one in removed(tmp_path)] == [(6, 2, "age"), (7, 2, "age")]
    assert removed_in_words(removed(tmp_path)) == (
        "4 calls of 2 days were removed (2026-03-06 to 2026-03-07; 2 by age)"
    )


def test_a_folder_that_grows_too_large_loses_its_oldest_days(tmp_path: Path, make_call: Make) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    with Store(tmp_path, keep_bytes=1) as store:
        store.append([make_call(n, time=now - timedelta(days=n)) for n in range(4)])
        gone = store.compact(now).removed
        assert [(one.day.day, one.why) for one in gone] == [(7, "size"), (8, "size"), (9, "size")]
        assert everything(tmp_path)["time"].dt.day.tolist() == [10]  # the newest stays, however large
    with Store(tmp_path, keep_bytes=2**30) as store:
        store.append([make_call(9, time=now - timedelta(days=2))])
        assert not store.compact(now).removed
    assert len(everything(tmp_path)) == 2


def test_texts_go_when_their_time_is_over_and_the_calls_stay(tmp_path: Path, make_call: Make) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    texts = {"input_text": "비밀 질문", "output_text": "비밀 답"}
    with Store(tmp_path, texts_days=3) as store:
        store.append([make_call(n, time=now - timedelta(days=n), **texts) for n in range(5)])
        assert store.compact(now).blanked == 2
        found = everything(tmp_path).sort_values("time")
        assert len(found) == 5 and found["latency"].notna().all()
        for column in texts:
            assert found[column].notna().tolist() == [False, False, True, True, True]
        assert store.compact(now).blanked == 0
        late = make_call(9, time=now - timedelta(days=4), **texts)  # comes in after its day was blanked
        store.append([late])
        assert store.compact(now).blanked == 1
        store.compact(now + timedelta(days=30))
    found = everything(tmp_path)
    assert len(found) == 6 and found[list(texts)].isna().all(axis=None)
    assert not any("비밀".encode() in part.read_bytes() for part in tmp_path.rglob("*") if part.is_file())


@pytest.mark.parametrize(
    "tail", [b"\x01", b"\x40\x00\x00\x00", b"\x40\x00\x00\x00\x01\x02\x03\x04half", b"\x00" * 4096]
)
def test_a_torn_tail_is_left_out(tmp_path: Path, make_call: Make, tail: bytes) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(1)])
    with spool(tmp_path)[0].open("ab") as segment:
        segment.write(tail)
    with Store(tmp_path) as store:
        store.append([make_call(2)])
        assert len(everything(tmp_path)) == 2
        assert store.compact().calls == 2
    assert len(everything(tmp_path)) == 2


def test_a_segment_cut_anywhere_keeps_every_whole_frame(tmp_path: Path, make_call: Make) -> None:
    written = tmp_path / "written"
    ends = []
    with Store(written) as store:
        for n in range(4):
            store.append([make_call(n)])
            ends.append(spool(written)[0].stat().st_size)
    whole = spool(written)[0].read_bytes()
    cut = tmp_path / "cut" / "spool"
    cut.mkdir(parents=True)
    for length in [0, 5, 30, ends[1] - 1, ends[1], ends[1] + 3, ends[2] - 40, ends[3]]:
        (cut / "00000001.spool").write_bytes(whole[:length])
        assert len(everything(cut.parent)) == sum(end <= length for end in ends)


def test_a_damaged_frame_costs_itself_only_and_is_kept_aside(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(1)])
        end = spool(tmp_path)[0].stat().st_size
        store.append([make_call(2)])
    path = spool(tmp_path)[0]
    data = bytearray(path.read_bytes())
    data[end - 1] ^= 0xFF
    path.write_bytes(data)
    with Store(tmp_path) as store:
        assert store.compact().calls == 1
        store.append([make_call(3)])
        store.compact()
    assert span_ids(tmp_path) == [make_call(2).span_id, make_call(3).span_id]
    assert [kept.name for kept in (tmp_path / "spool").iterdir()] == ["00000001.damaged"]


@pytest.mark.core
def test_compaction_done_twice_after_a_crash_changes_nothing(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        store.append([make_call(n) for n in range(10)])
    path = spool(tmp_path)[0]
    data = path.read_bytes()
    with Store(tmp_path) as store:
        store.compact()
        path.write_bytes(data)  # as if it had been killed after writing Parquet, before deleting the segment
        (tmp_path / "2026-03-01" / "calls-00000009-00000009.unfinished").write_bytes(b"half")
        assert len(everything(tmp_path)) == 10
    with Store(tmp_path) as store:
        store.compact()
        store.append([make_call(10)])
        store.compact()
    assert len(everything(tmp_path)) == 11
    assert not list(tmp_path.rglob("*.unfinished"))


def test_a_folder_takes_one_writer_and_frees_it(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(DriftgateError, match="takes one writer"):
        Store(tmp_path)
    with Store(tmp_path) as store, pytest.raises(DriftgateError, match="closed"):
        store.close()
        store.append([ModelCall(LONG_AGO, "1" * 32, "1" * 16)])
    with pytest.raises(DriftgateError, match="closed"):
        store.compact()


def test_a_call_that_cannot_be_stored_fails_alone(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path) as store:
        with store._segment_lock:  # meanwhile all three wait, to be written together
            first = store.submit([make_call(0)])
            good, bad = store.submit([make_call(1)]), store.submit([make_call(2, weight=2**70)])
        first.result(timeout=10)
        good.result(timeout=10)
        with pytest.raises(DriftgateError, match="cannot be stored"):
            bad.result(timeout=10)
    assert len(everything(tmp_path)) == 2


def test_too_much_at_once_is_refused_and_an_empty_request_is_not(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path, max_pending=10) as store:
        store.append([make_call(n) for n in range(25)])  # more than may wait, but nothing is waiting
        with store._segment_lock:  # the disk takes its time
            done = [store.submit([make_call(n) for n in range(100, 106)])]
            with pytest.raises(Busy, match="at most 10"):
                store.submit([make_call(n) for n in range(200, 206)])
            store.append([])
        for future in done:
            future.result(timeout=10)
    assert len(everything(tmp_path)) == 31


def test_many_threads_share_writes_and_lose_nothing(tmp_path: Path, make_call: Make) -> None:
    with Store(tmp_path, segment_bytes=20_000) as store:

        def feed(first: int) -> None:
            for n in range(first, first + 20):
                store.append([make_call(n)])

        threads = [threading.Thread(target=feed, args=(100 * t,)) for t in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            store.compact()
            seen = span_ids(tmp_path)
            assert len(seen) == len(set(seen))
        for thread in threads:
            thread.join()
        assert len(everything(tmp_path)) == 160
        store.compact()
    assert len(everything(tmp_path)) == 160


def test_a_full_disk_refuses_and_takes_up_again(tmp_path: Path) -> None:
    """The limit on file size makes writes fail in the middle, as a full disk does."""
    script = """
        import resource, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from driftgate.flows.errors import DriftgateError
        from driftgate.monitor.telemetry import ModelCall, Store

        folder = Path(sys.argv[1])
        noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        def call(n): return ModelCall(noon, f"{n:032x}", f"{n:016x}", slice="x" * 200)
        store = Store(folder)
        store.append([call(n) for n in range(1, 4)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, resource.RLIM_INFINITY))
        for _ in range(2):
            try:
                store.append([call(n) for n in range(100, 200)])
            except DriftgateError as problem:
                print(problem)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        store.append([call(n) for n in range(100, 200)])
        store.compact()
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    first, second = run.stdout.splitlines()
    assert "cannot be written" in first
    assert "cannot be written" in second
    assert len(everything(tmp_path)) == 103
