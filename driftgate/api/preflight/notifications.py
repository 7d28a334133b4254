"""Whether people are told of incidents: each channel can be used, and none has failed last."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.telling import channel_statuses
from driftgate.flows.extras import MissingExtra, installed
from driftgate.monitor.notifications import ChannelStatus


def look(inspection: Inspection) -> Iterator[Finding]:
    """Look at each channel; nothing is sent, which ``driftgate notify test`` does."""
    if not (inspection.scope.whole or inspection.scope.serves):
        return
    channels = inspection.workspace.config.notifications.channels
    for name, config in channels.items():
        if config.kind == "apprise" and not installed("apprise"):
            problem = MissingExtra("monitor", f"the channel {name}")
            where = inspection.where("notifications", "channels", name)
            yield Finding("error", f"channel {name}", problem.message, problem.remedy, where)
    if inspection.ledger is None:
        return
    for status in channel_statuses(inspection.workspace, inspection.ledger):
        where = inspection.where("notifications", "channels", status.channel) if status.channel in channels else ""
        yield _of(status, where)


def _of(status: ChannelStatus, where: str) -> Finding:
    subject, remedy = f"channel {status.channel}", f"driftgate notify test {status.channel}"
    if status.fails:
        found = f"it did not take the newest message, {status.waiting} wait: {status.failure}"
        return Finding("warning", subject, found, f"mend what it says, then {remedy}", where)
    if status.sent_at is None:
        return Finding("unchecked", subject, "nothing was ever sent by it", remedy, where)
    return Finding("good", subject, f"it took a message last on {status.sent_at:%Y-%m-%d}", where=where)


CHECK = Check(look)
