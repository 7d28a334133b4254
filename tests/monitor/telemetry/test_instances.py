"""Two processes that write one telemetry folder: all of it is read, and nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftgate.monitor.telemetry import (
    InUse,
    ModelCall,
    Reason,
    Store,
    compact_others,
    forget_user,
    frame,
    left_out,
    open_free,
    places,
    pseudonyms,
    removed,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def call(number: int, user: str = "") -> ModelCall:
    ids = (f"{number // 3:032x}", f"{number:016x}")
    return ModelCall(NOON + timedelta(seconds=number), *ids, request_model="m", latency=1.0, user=user)


def seen(folder: Path) -> list[str]:
    return sorted(frame(folder, NOON, NOON + HOUR)["span_id"])


def expected(numbers: range) -> list[str]:
    return sorted(f"{number:016x}" for number in numbers)


def test_each_has_a_store_of_its_own_and_readers_read_all(tmp_path: Path) -> None:
    with open_free(Store, tmp_path) as first, open_free(Store, tmp_path) as second:
        assert (first.folder, second.folder) == (tmp_path, tmp_path / "instances" / "1")
        first.append([call(number) for number in range(0, 300)])
        second.append([call(number) for number in range(200, 500)])  # a hundred reached both, as a retried export does
        assert seen(tmp_path) == expected(range(500))
        first.compact()
        assert seen(tmp_path) == expected(range(500))
        second.compact()
        assert seen(tmp_path) == expected(range(500))
        for store in (first, second):
            store.note({Reason.UNKNOWN: 2})
    now = datetime.now(UTC)
    assert left_out(tmp_path, now)[Reason.UNKNOWN] == 4
    assert places(tmp_path) == [tmp_path, tmp_path / "instances" / "1"]
    with open_free(Store, tmp_path) as next_one:
        assert next_one.folder == tmp_path  # the first that nobody writes


def test_what_a_killed_process_left_is_read_and_compacted_by_another(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from driftgate.monitor.telemetry import Store, open_free\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_instances as t\n"
        "store = open_free(Store, Path(sys.argv[1])); store.append([t.call(n) for n in range(100, 200)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    with open_free(Store, tmp_path) as own:
        done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=os.environ, check=False)
        assert done.returncode == -signal.SIGKILL
        own.append([call(number) for number in range(0, 100)])
        assert seen(tmp_path) == expected(range(200))
        assert sum(each.calls for each in compact_others(Store, tmp_path, own)) == 100
        assert seen(tmp_path) == expected(range(200))
        assert compact_others(Store, tmp_path, own)[0].calls == 0


def test_retention_holds_for_every_store(tmp_path: Path) -> None:
    for number in (0, 1):
        with open_free(Store, tmp_path) as first, open_free(Store, tmp_path) as second:
            (first, second)[number].append([call(number)])
    compact_others(lambda place: Store(place, keep_days=1), tmp_path)
    assert seen(tmp_path) == []
    assert sorted(one.calls for one in removed(tmp_path)) == [1, 1]


def test_a_user_is_forgotten_in_all_of_them(tmp_path: Path) -> None:
    with open_free(Store, tmp_path) as first, open_free(Store, tmp_path) as second:
        name = pseudonyms(tmp_path)("kim")
        first.append([call(0, name), call(1, "other")])
        second.append([call(3, name), call(4, "other")])
        assert forget_user(tmp_path, "kim", dry=True).calls == 2
        with pytest.raises(InUse):
            forget_user(tmp_path, "kim")
    assert forget_user(tmp_path, "kim").calls == 2
    assert seen(tmp_path) == [f"{number:016x}" for number in (1, 4)]


def test_all_know_a_user_by_one_pseudonym(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: pseudonyms(tmp_path)("kim"), range(8)))
    assert len(names) == 1
    (tmp_path / "users.key").write_bytes(b"half")  # of one that was killed while it made the key
    assert len(pseudonyms(tmp_path)("kim")) == 16
