"""What several pages say of monitors: how each stands, when it looks next, and how its signals went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from driftgate.api.watching import Sight, sights
from driftgate.monitor.blindness import Blindness
from driftgate.monitor.config import MonitorConfig
from driftgate.monitor.cron import Crontab
from driftgate.monitor.looks import LookRow
from driftgate.monitor.suspects import registered
from driftgate.service.console._chart import Point, Series, Unit
from driftgate.service.console._memo import BRIEF
from driftgate.service.console._page import Console

_FAR = timedelta(days=366)
_GRACE = timedelta(hours=1)
"""How long after it was due a look may come before it is overdue; looks take a while."""
_ASKED_FOR = "prompts"
"""Looked at seldom, on a schedule of its own or when somebody asks."""
Standing = Literal["fine", "moved", "inconclusive", "unmeasurable", "overdue", "unknown", "reference"]


@dataclass(frozen=True)
class Watched:
    """How a monitor stands with one of the things that it looks at."""

    monitor: str
    of: str
    standing: Standing
    """``unknown`` where nothing has looked, ``overdue`` where a look should have come; never fine by default."""
    result: str
    """Of the newest look."""
    why: str
    at: datetime | None
    """When it last looked."""
    conclusive: datetime | None
    """When it last looked and could tell."""
    next: datetime | None
    since: datetime | None
    """Since when it has stood so."""
    blindness: Blindness | None = None
    """What the newest look lacked that could not tell."""


def watched(console: Console) -> list[Watched]:
    """Every monitor of the workspace with each thing that it looks at; read once for everything on a page."""
    return console.memo.get("watched", BRIEF / 2, lambda: _read(console, datetime.now(UTC)))


def _read(console: Console, at: datetime) -> list[Watched]:
    config = console.workspace.files.config.monitors
    found = sights(console.workspace.files, console.workspace.ledger)
    return [_watched(console, one, config[one.monitor], at) for one in found]


def _watched(console: Console, sight: Sight, config: MonitorConfig, now: datetime) -> Watched:
    newest = sight.newest
    result = newest.conclusion.result if newest is not None and newest.conclusion is not None else ""
    due = last_due(config.cron, config.timezone, now - _GRACE)
    late = sight.of != _ASKED_FOR and newest is not None and due is not None and newest.at < due
    standing: Standing
    if newest is None:
        standing = "unknown"
    elif late:
        standing = "overdue"
    elif result in ("moved", "inconclusive", "unmeasurable", "reference"):
        standing = result
    else:
        standing = "fine" if result == "quiet" else "unknown"
    told = newest.conclusion.why if newest is not None and newest.conclusion is not None else ""
    return Watched(
        sight.monitor,
        sight.of,
        standing,
        result,
        told,
        newest.at if newest else None,
        sight.good.at if sight.good else None,
        None if sight.of == _ASKED_FOR else next_due(config.cron, config.timezone, now),
        _since(console, sight, result) if newest is not None and result != "quiet" else None,
        newest.conclusion.blindness if newest is not None and newest.conclusion is not None else None,
    )


def _since(console: Console, sight: Sight, result: str) -> datetime | None:
    """When the first of the looks in a row came that all ended as the newest did."""
    since = None
    for look in recent_looks(console, sight.monitor):
        if look.of != sight.of:
            continue
        if look.conclusion is None or look.conclusion.result != result:
            break
        since = look.at
    return since


def recent_looks(console: Console, monitor: str) -> Sequence[LookRow]:
    """The newest looks of a monitor, the newest first; read at most once in a while."""
    from driftgate.monitor.looks import looks_of

    ledger = console.workspace.ledger
    return console.memo.get(("looks", monitor), 2.0, lambda: looks_of(ledger, monitor, SHOWN_LOOKS))


SHOWN_LOOKS = 240
"""Looks that a chart goes back; ten days of hourly ones."""


def next_due(cron: str, timezone: str, now: datetime) -> datetime | None:
    """The next time that a crontab has, in UTC; None where none comes within a year.

    Examples
    --------
    >>> next_due("30 2 * * *", "Asia/Seoul", datetime(2026, 11, 27, 18, 0, tzinfo=UTC)).isoformat()
    '2026-11-28T17:30:00+00:00'
    """
    return Crontab.parse(cron).next(ZoneInfo(timezone), now, now + _FAR)


def last_due(cron: str, timezone: str, now: datetime) -> datetime | None:
    """The last time that a crontab had, in UTC.

    Examples
    --------
    >>> last_due("0 * * * *", "UTC", datetime(2026, 11, 27, 18, 20, tzinfo=UTC)).isoformat()
    '2026-11-27T18:00:00+00:00'
    """
    return Crontab.parse(cron).latest(ZoneInfo(timezone), now - _FAR, now)


def series_of(looks: Sequence[LookRow], of: str) -> list[Series]:
    """How every signal went over looks at one thing; what could not be measured is a gap."""
    mine = sorted((look for look in looks if look.of == of), key=lambda look: look.at)
    names = dict.fromkeys(f["signal"] for look in mine for f in look.findings if "everywhere" in f)
    return [_series(name, mine) for name in names]


def _series(name: str, looks: Sequence[LookRow]) -> Series:
    signal = registered(name)
    levels = any(
        f["everywhere"].get("current_value") is not None
        for look in looks
        for f in look.findings
        if f.get("signal") == name and "everywhere" in f
    )
    points = [_point(name, look, levels) for look in looks]
    said = "share" if signal is None else signal.unit
    unit: Unit = "share" if said == "share" else "seconds" if said == "s" else "number"
    title = name.replace("_", " ") if signal is None else signal.title
    return Series(title, points, unit if levels else "points")


def _point(name: str, look: LookRow, levels: bool) -> Point:
    """The narrowest window of a look that compared a signal, against what it was compared with."""
    result = look.conclusion.result if look.conclusion is not None else ""
    why = look.conclusion.why if look.conclusion is not None else ""
    found = [f for f in look.findings if f.get("signal") == name and "everywhere" in f]
    if not found:
        return Point(look.at, None, status=result or "unmeasurable", told=why)
    one = min(found, key=lambda f: (f.get("looks", 1), f.get("periods", 1)))
    told: Mapping[str, Any] = one["everywhere"]
    effect, floor, reference = told.get("effect"), float(one.get("floor") or 0.0), told.get("reference_value")
    if not levels:
        return Point(look.at, effect, told.get("low"), told.get("high"), -floor, floor, _of_signal(one, result), why)
    value = told.get("current_value")
    signal = registered(name)
    relative = signal is not None and signal.kind == "continuous"
    room = None if reference is None else abs(reference) * floor if relative else floor
    low, high = told.get("low"), told.get("high")
    interval = (None, None)
    if reference is not None and low is not None and high is not None:
        interval = (reference * (1 + low), reference * (1 + high)) if relative else (reference + low, reference + high)
    return Point(
        look.at,
        value,
        *interval,
        None if room is None or reference is None else reference - room,
        None if room is None or reference is None else reference + room,
        _of_signal(one, result) if value is not None else result or "unmeasurable",
        why if value is None else "",
    )


def _of_signal(finding: Mapping[str, Any], result: str) -> str:
    """A look that moved says so of the signals that did."""
    if result != "moved":
        return result
    return "moved" if finding.get("moved") or (finding.get("adjusted_p_value") or 1.0) < _NOTABLE else "quiet"


_NOTABLE = 0.01
