"""Channels that lead to receivers on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_net import LoopbackNet
from notified import SECRET, Desk, MailServer

from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.notifications import NotificationsConfig

TEAMS = "prod-161.westeurope.logic.azure.com"
HOSTS = ("hooks.slack.com", TEAMS, "events.pagerduty.com", "ops.example.com")


class World:
    """A mail server, and desks at the addresses of services."""

    def __init__(self, mail: MailServer, desks: dict[str, Desk]) -> None:
        self.mail, self.desks = mail, desks


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    desks = {host: Desk() for host in HOSTS}
    net = LoopbackNet(tmp_path_factory.mktemp("net"), desks)
    net.start()
    for name, value in net.environment.items():
        monkeypatch.setenv(name, value)
    with MailServer() as mail:
        addresses = {
            "MAIL_URL": mail.address,
            "SLACK_URL": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
            "TEAMS_URL": f"workflows://{TEAMS}:443/0123456789abcdef/s1gnature-of-some-length",
            "PAGER_URL": "pagerduty://1234567890abcdef1234567890abcdef@apikey0123456789",
            "HOOK_SECRET": SECRET,
        }
        for name, value in addresses.items():
            monkeypatch.setenv(name, value)
        yield World(mail, desks)
    net.stop()
    assert net.refused == []


def channels(*names: str) -> NotificationsConfig:
    """Settings of these channels."""
    every = {
        "mail": {"kind": "apprise", "service_url": "${env:MAIL_URL}"},
        "slack": {"kind": "apprise", "service_url": "${env:SLACK_URL}"},
        "teams": {"kind": "apprise", "service_url": "${env:TEAMS_URL}"},
        "pager": {"kind": "apprise", "service_url": "${env:PAGER_URL}"},
        "hook": {"kind": "webhook", "url": "https://ops.example.com/driftgate", "secret": "${env:HOOK_SECRET}"},
    }
    return NotificationsConfig.model_validate({"channels": {name: every[name] for name in names}})


@pytest.fixture
def ledger(tmp_path: Path, location: str) -> Iterator[Ledger]:
    opened = open_ledger(location, tmp_path)
    yield opened
    opened.close()
