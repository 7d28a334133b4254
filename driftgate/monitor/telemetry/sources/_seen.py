"""What files of calls hold, before a look wants them: how many calls, of which time, and what they tell."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from driftgate.monitor.telemetry._reasons import Reason, in_words
from driftgate.monitor.telemetry._record import ModelCall

EXPECTED: Final = MappingProxyType(
    {
        "error": "whether the call failed",
        "request_model": "the model",
        "latency": "seconds",
        "input_tokens": "tokens read",
        "output_tokens": "tokens written",
        "finish_reason": "why the reply ended",
        "input_ngrams": "the input (input_text)",
        "output_chars": "the answer (output_text)",
        "user": "who asked",
    }
)
"""What looks at traffic read of a call, in words."""
_FAST = timedelta(minutes=5)
"""How far the clock of an application may be ahead."""


class Seen:
    """What calls tell, while they are read one after the other.

    Examples
    --------
    >>> from datetime import UTC
    >>> seen = Seen()
    >>> for second in (5, 9):
    ...     seen.add(ModelCall(datetime(2026, 3, 1, 9, 0, second, tzinfo=UTC), "", "", latency=1.0, error=None))
    >>> seen.span
    '2026-03-01 09:00 to 2026-03-01 09:00 UTC'
    >>> seen.in_words[:60]
    '2 calls of 2026-03-01 09:00 to 2026-03-01 09:00 UTC; told: l'
    >>> seen.lacks("say it")
    ['a look expects of each call whether it failed, and 2 do not tell; say it']
    """

    def __init__(self) -> None:
        self.calls = 0
        self.left: Counter[Reason] = Counter()
        self._counts: Counter[str] = Counter()
        self._first: datetime | None = None
        self._last: datetime | None = None

    def add(self, call: ModelCall) -> None:
        """Count what a call tells."""
        if call.part:  # a log record of a call, which is told by itself
            return
        self.calls += 1
        self._first = min(call.time, self._first or call.time)
        self._last = max(call.time, self._last or call.time)
        self._counts.update(name for name in EXPECTED if _told(getattr(call, name), name))

    @property
    def span(self) -> str:
        """From when to when the calls are."""
        return f"{self._first:%Y-%m-%d %H:%M} to {self._last:%Y-%m-%d %H:%M} UTC" if self._first else ""

    @property
    def in_words(self) -> str:
        """How many calls of which time, what was left out and why, and what calls tell and do not."""
        if not self.calls:
            return "; ".join(filter(None, ("no call is among them", self._left)))
        shares = {name: self._counts[name] / self.calls for name in EXPECTED if self._counts[name]}
        told = ", ".join(name + ("" if share == 1.0 else f" (of {share:.1%})") for name, share in shares.items())
        by_none = ", ".join(name for name in EXPECTED if not self._counts[name])
        parts = (
            f"{counted(self.calls, 'call')} of {self.span}",
            self._left,
            f"told: {told or 'nothing'}",
            f"told by none: {by_none}" if by_none else "",
        )
        return "; ".join(filter(None, parts))

    @property
    def _left(self) -> str:
        return f"left out: {in_words(self.left)}" if self.left else ""

    def lacks(self, how_to_tell_errors: str) -> list[str]:
        """What a look would lack, each with what to do."""
        if not self.calls:
            return ["see what the application writes, and the page on telemetry for what is a call"]
        found = []
        if untold := self.calls - self._counts["error"]:
            expected = f"a look expects of each call whether it failed, and {untold:,} do not tell"
            found.append(f"{expected}; {how_to_tell_errors}")
        if self._last is not None and self._last > datetime.now(UTC) + _FAST:
            found.append("the newest call is dated after now; set time_zone, or correct the application's clock")
        return found


def counted(count: int, what: str) -> str:
    """A number of things in words.

    Examples
    --------
    >>> counted(1, "file"), counted(2_000, "row")
    ('1 file', '2,000 rows')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _told(value: object, name: str) -> bool:
    return value is not None and (value != "" or name == "error")
