"""What a receiver takes is bounded: days, memory, and what waits."""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import otlp_bodies as otlp
import pytest

from driftgate.monitor.telemetry import Clock, Intake, Reason, Refused, Store, decode, decode_logs, left_out
from driftgate.monitor.telemetry._otlp import room_for
from driftgate.monitor.telemetry._room import Full, Room

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INTAKE = Intake(clock=Clock(now=lambda: NOW))
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}


def test_3000_random_clocks_make_no_2755_days(tmp_path: Path) -> None:
    rng = random.Random(3)
    until = int(NOW.timestamp())
    spans = [otlp.span(n, CHAT, startTimeUnixNano=str(rng.randrange(until) * 10**9)) for n in range(1, 3_001)]
    spans += [otlp.span(9_000 + n, CHAT) for n in range(50)]
    decoded = decode(otlp.body(*spans), otlp.JSON, intake=INTAKE)
    assert len(decoded.calls) + decoded.left[Reason.FAR_CLOCK] == 3_050
    assert decoded.left[Reason.FAR_CLOCK] == decoded.rejected > 2_900
    with Store(tmp_path) as store:
        store.append(decoded.calls)
        store.note(decoded.left)
        store.compact()
        assert len(list(tmp_path.glob("????-??-??"))) < 70
    assert left_out(tmp_path, datetime.now(UTC)) == decoded.left


@pytest.mark.parametrize(
    ("away", "taken"),
    [
        (timedelta(0), True),
        (timedelta(days=-399), True),
        (timedelta(days=-401), False),
        (timedelta(hours=23), True),
        (timedelta(hours=25), False),
        (timedelta(days=365 * 500), False),
    ],
)
def test_a_clock_that_is_far_off_is_not_believed(away: timedelta, taken: bool) -> None:
    start = str(int((NOW + away).timestamp()) * 10**9)
    span = decode(otlp.body(otlp.span(1, CHAT, startTimeUnixNano=start)), otlp.JSON, intake=INTAKE)
    record = otlp.log(1, "gen_ai.user.message", {"content": "x"}, timeUnixNano=start)
    log = decode_logs(otlp.logs_body(record), otlp.JSON, intake=INTAKE)
    for found in (span, log):
        assert (len(found.calls), dict(found.left)) == ((1, {}) if taken else (0, {Reason.FAR_CLOCK: 1}))


def test_bodies_are_decoded_together_only_while_they_are_small() -> None:
    async def most_at_once(sizes: list[int]) -> tuple[int, list[int]]:
        room, inside, most, order = Room(100, 1_000), 0, 0, []

        async def one(size: int) -> None:
            nonlocal inside, most
            async with room.take(size):
                inside += size
                most = max(most, inside)
                order.append(size)
                await asyncio.sleep(0)
                inside -= size

        await asyncio.gather(*map(one, sizes))
        async with asyncio.timeout(5), room.take(100):  # all of it was given back
            return most, order

    assert asyncio.run(most_at_once([30, 30, 30, 30, 30]))[0] == 90
    assert asyncio.run(most_at_once([90, 90, 90]))[0] == 90
    assert asyncio.run(most_at_once([250, 10, 250, 10]))[0] == 250  # larger than the room: alone
    assert asyncio.run(most_at_once([90, 91, 1, 92]))[1] == [90, 91, 1, 92]  # nobody is overtaken


def test_who_gives_up_waiting_takes_no_room_along() -> None:
    async def check() -> None:
        room = Room(100, 1_000)

        async def wait(size: int) -> None:
            async with room.take(size):
                await asyncio.sleep(0)

        async with room.take(100):
            waiting = [asyncio.create_task(wait(60)) for _ in range(6)]
            await asyncio.sleep(0)
            for task in waiting[::2]:
                task.cancel()
        waiting[1].cancel()  # let in at this moment
        await asyncio.gather(*waiting, return_exceptions=True)
        async with asyncio.timeout(5), room.take(100):
            assert sum(task.cancelled() for task in waiting) == 4

    asyncio.run(check())


def test_only_so_much_may_wait() -> None:
    room = Room(100, 250)
    for _ in range(2):
        room.hold(100)
    with pytest.raises(Full):
        room.hold(100)
    room.release(100)
    room.hold(100)
    room.release(200)
    room.hold(900)  # the only one
    with pytest.raises(Full):
        room.hold(1)


def test_the_room_of_a_compressed_body_is_known_before_it_is_read() -> None:
    body = otlp.body(*(otlp.span(n, CHAT) for n in range(1, 50)))
    packed = gzip.compress(body)
    assert room_for(packed, "gzip", 2**20) == len(body)
    assert room_for(packed, "gzip", 1_000) == 1_000
    assert room_for(zlib.compress(body), "deflate", 2**20) == 2**20
    assert len(decode(packed, otlp.JSON, "gzip").calls) == 49


@pytest.mark.parametrize("lie", [b"\x00\x00\x00\x00", b"\x10\x00\x00\x00"])
def test_a_body_that_grows_beyond_what_it_says_is_refused(lie: bytes) -> None:
    packed = gzip.compress(otlp.body(*(otlp.span(n, CHAT) for n in range(1, 50))))
    for body in (packed[:-4] + lie, packed + packed):
        with pytest.raises(Refused) as caught:
            decode(body, otlp.JSON, "gzip")
        assert caught.value.status == 400


def test_counts_of_what_was_left_out_add_up_over_restarts(tmp_path: Path) -> None:
    counts: dict[str, Any] = {Reason.UNKNOWN: 2, Reason.AGENT: 1}
    today = datetime.now(UTC)
    for times in (1, 2):
        with Store(tmp_path) as store:
            store.note(counts)
            assert store.left_out(today)[Reason.UNKNOWN] == 2 * times
    assert left_out(tmp_path, today) == {Reason.UNKNOWN: 4, Reason.AGENT: 2}
    assert left_out(tmp_path, today + timedelta(days=1)) == {}
    (tmp_path / "left_out.json").write_text("[1", encoding="utf-8")
    assert left_out(tmp_path, today) == {}
    with Store(tmp_path) as store:
        store.note(counts)
    assert left_out(tmp_path, today)[Reason.AGENT] == 1
