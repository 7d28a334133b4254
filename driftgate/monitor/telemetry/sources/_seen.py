"""What files of calls hold, before a look wants them: how many calls, of which time, and what they tell."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
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
    >>> seen.told[:22], seen.untold[:3]
    ('latency', ('error', 'request_model', 'input_tokens'))
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
    def told(self) -> str:
        """The fields that calls tell, with the share where not all do."""
        shares = {name: self._counts[name] / self.calls for name in EXPECTED if self._counts[name]}
        return ", ".join(name + ("" if share == 1.0 else f" (of {share:.1%})") for name, share in shares.items())

    @property
    def untold(self) -> tuple[str, ...]:
        """The fields that no call tells."""
        return tuple(name for name in EXPECTED if not self._counts[name])

    @property
    def without_error(self) -> int:
        """Of how many calls it is not known whether they failed."""
        return self.calls - self._counts["error"]

    @property
    def left_in_words(self) -> str:
        """What was read and is no call, by reason."""
        return in_words(self.left)


def _told(value: object, name: str) -> bool:
    return value is not None and (value != "" or name == "error")
