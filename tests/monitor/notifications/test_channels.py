"""Every channel takes a message to a receiver as its service is shaped, and says why where it cannot."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from aiohttp import web
from loopback_net import Received
from notified import Desk, verified

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.notifications import deliver, send_test, statuses
from driftgate.monitor.notifications.channels import CHANNELS
from tests.monitor.notifications.conftest import TEAMS, World, channels

EVERY = ("mail", "slack", "teams", "pager", "hook")
TITLE = "driftgate space: a test of channel '{}'"


def text_at(world: World, channel: str) -> str:
    """All that a channel's receiver was told."""
    if channel == "mail":
        (mail,) = world.mail.mails
        assert mail["to"] == "ops@example.com" and "driftgate@example.com" in mail["from"]
        return f"{mail['subject']} {mail.get_body(('plain',)).get_content()}"
    host = {"slack": "hooks.slack.com", "teams": TEAMS, "pager": "events.pagerduty.com", "hook": "ops.example.com"}
    (request,) = world.desks[host[channel]].taken
    if channel == "slack":
        assert request.path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    if channel == "teams":
        assert request.json["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    if channel == "hook":
        assert verified(request) and not verified(request, "another secret")
    return json.dumps(request.json, ensure_ascii=False).replace("\\", "")  # Teams' Markdown is escaped


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
@pytest.mark.parametrize("channel", EVERY)
async def test_a_test_message_arrives(world, ledger, channel) -> None:
    await send_test(ledger, "space", channels(*EVERY), channel)
    told = text_at(world, channel)
    assert (TITLE.format(channel) in told and "No incident is behind it." in told) or channel == "hook"
    (status,) = statuses(ledger)
    assert (status.channel, status.fails, status.waiting) == (channel, False, 0)
    assert status.sent_at is not None and datetime.now(UTC) >= status.sent_at


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
@pytest.mark.parametrize("channel", EVERY)
async def test_what_is_not_taken_is_said_without_secrets(world, ledger, channel, monkeypatch) -> None:
    for desk in world.desks.values():
        desk.status, desk.answer = 403, "no entry"
    world.mail.refuses = True
    with pytest.raises(DriftgateError) as raised:
        await send_test(ledger, "space", channels(*EVERY), channel)
    assert f"channel '{channel}'" in str(raised.value)
    (status,) = statuses(ledger)
    assert status.fails and status.given_up == 1 and status.waiting == 0
    for secret in ("TIiajkdnlazkcOXrIdevi7FQ", "s1gnature-of-some-length", "1234567890abcdef1234567890abcdef"):
        assert secret not in status.failure and secret not in str(raised.value)
    if channel == "hook":
        assert "HTTP 403: no entry" in status.failure


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_who_serves_does_not_send_a_test_a_second_time(world, ledger, status) -> None:
    served = []

    class Busy(Desk):
        """Its process delivers what waits while it takes a test."""

        async def __call__(self, request: Received) -> web.Response:
            if not served:
                served.append(await deliver(ledger, "space", channels("hook"), holder="served"))
            return await super().__call__(request)

    world.desks["ops.example.com"] = desk = Busy(status)
    try:
        await send_test(ledger, "space", channels("hook"), "hook")
    except DriftgateError:
        assert status == 403
    assert [one.sent for one in served] == [0] and len(desk.taken) == (status == 200)
    (told,) = statuses(ledger)
    assert (told.waiting, told.given_up, told.fails) == (0, status == 403, status == 403)
    again = await deliver(ledger, "space", channels("hook"), patience=0)
    assert again.sent == 0 and again.channels == (told,)


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
async def test_an_address_that_is_none_and_a_secret_that_is_short_are_said(world, ledger, monkeypatch) -> None:
    monkeypatch.setenv("SLACK_URL", "nothing://at all")
    with pytest.raises(DriftgateError, match="no address that apprise knows"):
        await send_test(ledger, "space", channels("slack"), "slack")
    monkeypatch.setenv("HOOK_SECRET", "short-one")
    with pytest.raises(DriftgateError, match="at least 16 are needed"):
        await send_test(ledger, "space", channels("hook"), "hook")
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(DriftgateError, match="HOOK_SECRET"):
        await send_test(ledger, "space", channels("hook"), "hook")
    with pytest.raises(DriftgateError, match="no channel 'hok'; did you mean 'hook'"):
        await send_test(ledger, "space", channels("hook"), "hok")
    assert not world.desks["ops.example.com"].taken


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
@pytest.mark.parametrize("channel", EVERY)
async def test_a_host_that_the_workspace_does_not_name_is_not_asked(world, ledger, channel) -> None:
    from driftgate.flows.network import Network, NetworkConfig, enter

    enter(Network(NetworkConfig(allow=["127.0.0.2"])))
    with pytest.raises(DriftgateError, match=r"network\.allow does not name it"):
        await send_test(ledger, "space", channels(*EVERY), channel)
    assert not world.mail.mails and not any(desk.taken for desk in world.desks.values())


@pytest.mark.parametrize("name", CHANNELS.names())
def test_secrets_of_a_channel_are_references(name) -> None:
    fields = {"apprise": {"service_url": "slack://A/B/C"}, "webhook": {"url": "https://x.example/", "secret": "plain"}}
    with pytest.raises(Exception, match="a secret does not belong into this file"):
        CHANNELS.get(name).config.model_validate({"kind": name, **fields[name]})
