"""Nothing that is to be told is lost or told twice, whoever is killed and whichever channel fails."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from notified import verified

from driftgate.ledger import Ledger
from driftgate.monitor.incidents import IncidentsConfig, Sign, incidents, reopen, resolve, settle, silence
from driftgate.monitor.notifications import deliver, statuses
from driftgate.monitor.notifications._outbox import renew
from driftgate.monitor.notifications._tables import messages
from tests.monitor.notifications.conftest import World, channels

CONFIG = IncidentsConfig()


def sign(cause: str, severity: str = "high", since: datetime | None = None) -> Sign:
    return Sign("watch", cause, "endpoint_down", severity, "canaries", f"{cause} is down", "start it", since=since)


def stands(ledger: Ledger, *signs: Sign, over: str = "it is over") -> None:
    settle(ledger, "of-", signs, datetime.now(UTC), CONFIG, over=over)


def told(world: World) -> list[list[tuple[str, str]]]:
    """Event and cause of everything that the webhook took, message by message."""
    taken = world.desks["ops.example.com"].taken
    assert all(map(verified, taken))
    return [sorted((event["event"], event["incident"]["cause"]) for event in one.json["events"]) for one in taken]


async def test_what_comes_together_is_one_message_and_nothing_is_told_twice(world, ledger) -> None:
    config = channels("hook")
    stands(ledger, sign("of-a"), sign("of-b"))
    assert (await deliver(ledger, "space", config)).sent == 1
    assert (await deliver(ledger, "space", config)).sent == 0
    stands(ledger, sign("of-a"), sign("of-b"))  # nothing new
    assert (await deliver(ledger, "space", config)).sent == 0
    stands(ledger, sign("of-a", "critical"), sign("of-b"))
    await deliver(ledger, "space", config)
    stands(ledger)
    await deliver(ledger, "space", config)
    stands(ledger, sign("of-a"))
    await deliver(ledger, "space", config)
    assert told(world) == [
        [("opened", "of-a"), ("opened", "of-b")],
        [("worse", "of-a")],
        [("resolved", "of-a"), ("resolved", "of-b")],
        [("reopened", "of-a")],
    ]
    keys = [one.headers["idempotency-key"] for one in world.desks["ops.example.com"].taken]
    assert len(set(keys)) == 4 and keys == [one.json["key"] for one in world.desks["ops.example.com"].taken]


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_a_channel_that_fails_is_tried_again_with_the_same_key_and_holds_up_no_other(world, ledger) -> None:
    config = channels("hook", "slack")
    hook, slack = world.desks["ops.example.com"], world.desks["hooks.slack.com"]
    hook.status = 503
    stands(ledger, sign("of-a"))
    done = await deliver(ledger, "space", config, patience=0.0)
    assert done.sent == 1 and len(slack.taken) == 1
    fails = {one.channel: one for one in done.channels}
    assert fails["hook"].fails and fails["hook"].waiting == 1 and "HTTP 503" in fails["hook"].failure
    assert not fails["slack"].fails
    hook.status = 200
    assert (await deliver(ledger, "space", config, patience=3.0)).sent == 1
    assert told(world) == [[("opened", "of-a")]] and len(slack.taken) == 1
    assert not any(one.fails for one in statuses(ledger))


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_a_silenced_incident_is_told_of_once_its_silence_is_over(world, ledger, monkeypatch) -> None:
    config = channels("hook")
    stands(ledger, sign("of-a"))
    await deliver(ledger, "space", config)
    (one,) = incidents(ledger)
    silence(ledger, one.id, datetime.now(UTC) + timedelta(hours=1), "kim")
    stands(ledger, sign("of-a", "critical"))
    assert (await deliver(ledger, "space", config)).sent == 0
    silence(ledger, one.id, datetime.now(UTC), "kim")
    assert (await deliver(ledger, "space", config)).sent == 1
    assert (await deliver(ledger, "space", config)).sent == 0
    assert told(world) == [[("opened", "of-a")], [("still_open", "of-a")]]


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_an_open_incident_is_told_of_again_until_somebody_acknowledges_it(world, ledger) -> None:
    from driftgate.monitor.incidents import acknowledge

    config = channels("hook").model_copy(update={"renotify_hours": 1e-5})
    stands(ledger, sign("of-a"))
    for _ in range(2):
        await deliver(ledger, "space", config)
        await asyncio.sleep(0.1)  # longer than renotify_hours
    acknowledge(ledger, incidents(ledger)[0].id, "kim")
    await deliver(ledger, "space", config)
    assert told(world) == [[("opened", "of-a")], [("still_open", "of-a")]]


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_rules_say_who_is_told_of_what(world, ledger) -> None:
    rules = [
        {"to": ["hook"], "events": ["opened"], "least_severity": "critical"},
        {"to": ["slack"], "kinds": ["endpoint_down"], "monitors": ["watch"]},
        {"to": ["hook"], "monitors": ["another"]},
    ]
    config = channels("hook", "slack")
    config = type(config).model_validate({**config.model_dump(serialize_as_any=True), "rules": rules})
    stands(ledger, sign("of-a", "high"), sign("of-b", "critical"))
    await deliver(ledger, "space", config)
    resolve(ledger, incidents(ledger)[0].id, "kim", "known")
    await deliver(ledger, "space", config)
    assert told(world) == [[("opened", "of-b")]]
    assert len(world.desks["hooks.slack.com"].taken) == 2


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_a_process_that_serves_gathers_for_a_while_and_others_leave_it_to_it(world, ledger) -> None:
    config = channels("hook").model_copy(update={"group_seconds": 0.3})
    stands(ledger, sign("of-a"))
    assert (await deliver(ledger, "space", config, holder="server")).sent == 0
    stands(ledger, sign("of-a"), sign("of-b"))
    left = await deliver(ledger, "space", config)
    assert left.elsewhere and left.sent == 0
    while not told(world):
        await deliver(ledger, "space", config, holder="server")
    assert told(world) == [[("opened", "of-a"), ("opened", "of-b")]]
    assert not renew(ledger, "another")


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from driftgate.ledger import open_ledger
from driftgate.monitor.notifications import NotificationsConfig
from driftgate.monitor.notifications import _deliver
stage, config = sys.argv[2], NotificationsConfig.model_validate_json(sys.argv[3])
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(_deliver, {"routed": "gather", "gathered": "waiting", "sent": "mark_sent"}[stage], die)
ledger = open_ledger("ledger.db", Path(sys.argv[1]))
asyncio.run(_deliver.deliver(ledger, "space", config))
"""


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
@pytest.mark.parametrize("stage", ["routed", "gathered", "sent"])
def test_a_kill_between_loses_nothing(world, ledger, tmp_path, stage, monkeypatch) -> None:
    config = channels("hook")
    stands(ledger, sign("of-a"))
    given = config.model_dump_json(serialize_as_any=True)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), stage, given], env={**os.environ}, timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert not renew(ledger, "another")  # the right of the one that was killed lasts for a while
    later = time.time() + 91
    monkeypatch.setattr("driftgate.monitor.notifications._outbox.time.time", lambda: later)
    asyncio.run(deliver(ledger, "space", config))
    taken = world.desks["ops.example.com"].taken
    assert {one.headers["idempotency-key"] for one in taken} == {taken[0].json["key"]}  # maybe twice, and known as one
    assert [event["event"] for event in taken[0].json["events"]] == ["opened"]
    assert len(taken) == (2 if stage == "sent" else 1)


def later(ledger: Ledger, seconds: float) -> None:
    """Let everything that waits be due only in some seconds, as after many tries."""
    with ledger.write() as connection:
        rows = {"next_at": datetime.now(UTC) + timedelta(seconds=seconds), "attempts": 12}
        connection.execute(messages.update().where(messages.c.sent_at.is_(None)).values(**rows))


async def test_after_an_outage_of_the_receiver_what_happened_is_told_in_its_order(world, ledger) -> None:
    config, hook = channels("hook"), world.desks["ops.example.com"]
    hook.status = 500
    stands(ledger, sign("of-a"))
    await deliver(ledger, "space", config, patience=0.0)
    (one,) = incidents(ledger)
    resolve(ledger, one.id, "kim")
    await deliver(ledger, "space", config, patience=0.0)
    later(ledger, 3000)  # each message retries by its own clock, and the old ones wait long by now
    reopen(ledger, one.id, "kim")
    hook.status = 200
    await deliver(ledger, "space", config, patience=0.0)
    assert told(world) == [[("opened", "of-a")], [("resolved", "of-a")], [("reopened", "of-a")]]
    assert statuses(ledger)[0].waiting == 0


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_a_message_that_is_never_taken_is_dropped_for_a_newer_one_of_its_incident_alone(world, ledger) -> None:
    config, hook = channels("hook"), world.desks["ops.example.com"]
    hook.refuses = '"opened"'
    stands(ledger, sign("of-a"), sign("of-b"))
    await deliver(ledger, "space", config, patience=0.0)
    stands(ledger, sign("of-a", "critical"), sign("of-b"))
    await deliver(ledger, "space", config, patience=0.0)
    assert told(world) == [[("worse", "of-a")]]  # the poisoned one holds it up no more
    hook.refuses = ""
    await deliver(ledger, "space", config, patience=3.0)
    assert told(world) == [[("worse", "of-a")], [("opened", "of-b")]]  # of a it would say the older thing last
    (status,) = statuses(ledger)
    assert (status.waiting, status.superseded, status.given_up) == (0, 1, 0)


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_a_channel_that_takes_one_message_is_given_all_that_it_did_not_take(world, ledger) -> None:
    config, hook = channels("hook"), world.desks["ops.example.com"]
    hook.status = 500
    stands(ledger, sign("of-a"))
    await deliver(ledger, "space", config, patience=0.0)
    later(ledger, 3000)
    hook.status = 200
    await deliver(ledger, "space", config, patience=0.1)
    assert told(world) == []
    stands(ledger, sign("of-a"), sign("of-b"))
    await deliver(ledger, "space", config, patience=0.5)
    assert told(world) == [[("opened", "of-b")], [("opened", "of-a")]]
