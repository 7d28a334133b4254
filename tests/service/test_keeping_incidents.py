"""Processes that serve tell people, one of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chat_endpoint import ChatEndpoint
from looks import change, watched
from notified import MailServer

from driftgate.api.workspace import open_workspace
from driftgate.ledger import Ledger, open_ledger
from driftgate.monitor.incidents import IncidentsConfig, Sign, settle
from driftgate.service.incidents import keep_incidents


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer() as server:
        monkeypatch.setenv("MAIL_URL", server.address)
        yield server


def stands(ledger: Ledger, *causes: str) -> None:
    signs = [Sign("", f"of-{cause}", "nightly_failed", "high", "x", f"{cause} failed") for cause in causes]
    settle(ledger, "of-", signs, datetime.now(UTC), IncidentsConfig(), over="it is over")


async def taken(mail: MailServer, count: int) -> list[str]:
    for _ in range(600):
        if len(mail.mails) >= count:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)  # nothing more comes
    return [str(one["subject"]).partition(": ")[2] for one in mail.mails]


async def test_one_of_two_processes_tells_and_the_other_goes_on_where_it_is_gone(
    tmp_path: Path, endpoint: ChatEndpoint, mail: MailServer
) -> None:
    folder = watched(tmp_path, endpoint)
    channels = {"ops": {"kind": "apprise", "service_url": "${env:MAIL_URL}"}}
    told = {"channels": channels, "group_seconds": 0}
    change(folder, lambda config: config.update(notifications=told))
    workspace = open_workspace(folder)
    ledgers = [open_ledger(workspace.ledger, folder) for _ in range(2)]
    first, second = (asyncio.create_task(keep_incidents(workspace, ledger, every=0.05)) for ledger in ledgers)
    stands(ledgers[0], "a")
    assert await taken(mail, 1) == ["opened (high): a nightly failed"]
    first.cancel()
    await asyncio.wait([first])
    stands(ledgers[1])
    assert (await taken(mail, 2))[1:] == ["resolved (high): a nightly failed"]
    second.cancel()
    await asyncio.wait([second])
    for ledger in ledgers:
        ledger.close()
