"""Days of telemetry that were removed by age or by size, and a record of what went, beside what is there."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from driftgate.flows.private_files import replace_file
from driftgate.monitor.telemetry import _parquet
from driftgate.monitor.telemetry._places import places

log = logging.getLogger(__name__)

_NAME = "removed.json"
_KEPT = timedelta(days=800)

Why = Literal["age", "size"]


@dataclass(frozen=True)
class Removed:
    """A day that was removed."""

    day: date
    calls: int
    """How many rows it had."""
    why: Why
    """``age``: it was older than may be; ``size``: the folder was larger."""
    at: datetime
    """When it was removed last; what comes of a day that is over goes again."""


def expire(folder: Path, first: date | None, most_bytes: int | None, now: datetime) -> list[Removed]:
    """Remove the days before ``first``, then the oldest until the rest is no larger than may be; the newest stays.

    What goes is written down before it goes: a day that is not there, and of which nothing is said, was never there.

    Returns
    -------
    list of Removed
        The days, oldest first.
    """
    held = _parquet.days_held(folder)
    going: list[Removed] = [
        Removed(day, calls, "age", now) for day, (_, calls) in held.items() if first is not None and day < first
    ]
    left = {day: size for day, (size, _) in held.items() if first is None or day >= first}
    while most_bytes is not None and len(left) > 1 and sum(left.values()) > most_bytes:
        oldest = min(left)
        del left[oldest]
        going.append(Removed(oldest, held[oldest][1], "size", now))
    if not going:
        return []
    _record(folder, going, now)
    _parquet.drop_days(folder, [one.day for one in going])
    for one in going:
        log.info("telemetry of %s was removed by %s: %d calls", one.day, one.why, one.calls)
    return going


def removed(folder: Path) -> list[Removed]:
    """The days that were removed from a telemetry folder, oldest first."""
    return sorted((one for place in places(folder) for one in _removed(place)), key=lambda one: one.day)


def _removed(folder: Path) -> list[Removed]:
    try:
        held = json.loads((folder / _NAME).read_bytes())
        return [
            Removed(date.fromisoformat(one["day"]), int(one["calls"]), one["why"], datetime.fromisoformat(one["at"]))
            for one in held
        ]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError, OSError):
        log.warning("%s cannot be read; what was removed is written down anew", folder / _NAME)
        return []


def removed_in_words(days: Sequence[Removed]) -> str:
    """What was removed, as a sentence; empty where nothing was.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 3, 10, tzinfo=UTC)
    >>> removed_in_words([Removed(date(2026, 3, 1), 900, "age", at), Removed(date(2026, 3, 2), 100, "size", at)])
    '1,000 calls of 2 days were removed (2026-03-01 to 2026-03-02; 1 by age, 1 by size)'
    """
    if not days:
        return ""
    calls = sum(one.calls for one in days)
    first, last = min(one.day for one in days), max(one.day for one in days)
    by = ", ".join(f"{n} by {why}" for why in ("age", "size") if (n := sum(one.why == why for one in days)))
    span = f"{first}" if first == last else f"{first} to {last}"
    return f"{calls:,} calls of {len(days)} day{'s' * (len(days) > 1)} were removed ({span}; {by})"


def _record(folder: Path, going: Sequence[Removed], now: datetime) -> None:
    known = {one.day: one for one in _removed(folder) if one.at > now - _KEPT}
    for one in going:
        before = known.get(one.day)
        known[one.day] = one if before is None or one.calls > before.calls else before
    told = [
        {"day": f"{day}", "calls": known[day].calls, "why": known[day].why, "at": known[day].at.isoformat()}
        for day in sorted(known)
    ]
    replace_file(folder / _NAME, json.dumps(told, indent=1).encode())
