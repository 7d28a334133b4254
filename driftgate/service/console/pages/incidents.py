"""What is to be handled, and what was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from driftgate.monitor.incidents import SEVERITIES, STATES
from driftgate.monitor.incidents._kinds import KINDS
from driftgate.service.console._page import Asked, Console, Content, Page
from driftgate.service.console._table import Column, Table, in_memory

SHOWN = 1000
COLUMNS = (
    Column("incident", link="/incidents/{incident}"),
    Column("state", "status", filter=True),
    Column("severity", "status", filter=True),
    Column("monitor", link="/monitors/{monitor}", filter=True),
    Column("kind", filter=True),
    Column("summary", "long", sort=False),
    Column("since", "time"),
    Column("seen", "time"),
    Column("signs", "number"),
    Column("acknowledged_by", filter=True),
    Column("silenced_until", "time"),
    Column("resolved", "time"),
)

CHANNELS = (
    Column("channel"),
    Column("state", "status", filter=True),
    Column("waiting", "number"),
    Column("waits_since", "time"),
    Column("given_up", "number"),
    Column("superseded", "number"),
    Column("sent", "time"),
    Column("why", "long", sort=False),
)
_KNOWN: Mapping[str, Collection[str]] = {"state": STATES, "severity": SEVERITIES, "kind": KINDS}


def _load(console: Console, asked: Asked) -> Content:
    now = datetime.now(UTC)
    rows = [
        {
            "incident": one.id,
            "state": one.state,
            "severity": one.severity,
            "monitor": one.monitor,
            "kind": one.kind,
            "summary": one.summary,
            "since": one.since,
            "seen": one.seen_at,
            "signs": one.signs,
            "acknowledged_by": one.acknowledged_by,
            "silenced_until": one.silenced_until if one.silenced(now) else None,
            "resolved": one.resolved_at,
        }
        for one in console.workspace.incidents(limit=SHOWN)
    ]
    told = [
        {
            "channel": one.channel,
            "state": "failed" if trouble else "waiting" if one.waiting else "good" if one.sent_at else "unknown",
            "waiting": one.waiting,
            "waits_since": one.oldest_at,
            "given_up": one.given_up,
            "superseded": one.superseded,
            "sent": one.sent_at,
            "why": trouble,
        }
        for one in console.workspace.channels()
        for trouble in [one.trouble(now)]
    ]
    monitors = console.workspace.files.config.monitors
    return Content(
        tables=(
            Table("incidents", COLUMNS, in_memory(rows), sort="-since", known={**_KNOWN, "monitor": monitors}),
            Table("channels", CHANNELS, in_memory(told)),
        )
    )


PAGE = Page("/incidents", "incidents", _load, menu=20)
