"""Numbers, times and costs as a person reads them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from driftgate.service.console._words import say


def moment(value: datetime | None) -> str:
    """A time, to the minute.

    Examples
    --------
    >>> moment(datetime(2026, 11, 27, 15, 4, 59, tzinfo=UTC)), moment(None)
    ('2026-11-27 15:04', '')
    """
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"


def ago(value: datetime | None, language: str, now: datetime | None = None) -> str:
    """How long ago, or in how long, in the largest unit that is whole.

    Examples
    --------
    >>> at = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
    >>> ago(at, "en", at.replace(hour=18)), ago(at, "ko", at.replace(hour=18)), ago(at, "en", at.replace(hour=14))
    ('3 hours ago', '3시간 전', 'in 1 hour')
    """
    if value is None:
        return ""
    passed = ((now or datetime.now(UTC)) - value).total_seconds()
    size = abs(passed)
    unit, n = "minute", int(size // 60)
    for name, length in (("day", 86400), ("hour", 3600)):
        if size >= length * (2 if name == "day" else 1):
            unit, n = name, int(size // length)
            break
    if n == 0:
        return say("time.now", language)
    words = say(f"time.{unit}" if n == 1 or language != "en" else f"time.{unit}s", language, n=n)
    return say("time.ago" if passed > 0 else "time.in", language, span=words)


def share(value: float | None, digits: int = 1) -> str:
    """A share in percent; of what is not known a dash.

    Examples
    --------
    >>> share(0.7134), share(None)
    ('71.3%', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f}%"


def points(value: float | None) -> str:
    """A difference of shares in points.

    Examples
    --------
    >>> points(-0.0213)
    '-2.1'
    """
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:+.1f}"


def number(value: Any) -> str:
    """A number that is read at a glance.

    Examples
    --------
    >>> number(35030), number(0.71342), number(12.0), number(None), number("a")
    ('35,030', '0.713', '12', '–', 'a')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if (float(value).is_integer() and abs(value) >= 1) or value == 0 else f"{value:,.3g}"


def seconds(value: float | None) -> str:
    """A length of time.

    Examples
    --------
    >>> seconds(0.0421), seconds(3.27), seconds(75), seconds(7530), seconds(None)
    ('42 ms', '3.3 s', '1 min 15 s', '2 h 5 min', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def money(value: float | None) -> str:
    """A cost, without its currency; unknown is unknown and not nothing.

    Examples
    --------
    >>> money(0.00123), money(12.5), money(0.0), money(None)
    ('0.00123', '12.50', '0.00', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.3g}"
