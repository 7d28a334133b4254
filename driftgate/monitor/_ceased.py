"""Fields of calls that most of those that told them do so no longer.

A signal that is read from such a field is unmeasurable by itself (:mod:`driftgate.monitor._traffic`). What no signal is
read from, such as who asks or the prompt's hash, is missed as well: by it calls are known to hang together, and a cause
is found. So a look says it, whatever else it comes to, and keeps it among its findings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from driftgate.monitor._told import telemetry_event
from driftgate.monitor.alert import Period
from driftgate.monitor.detectors import MIN_ROWS
from driftgate.monitor.signals._signal import failed

if TYPE_CHECKING:
    import pandas as pd

SIGNAL = "telemetry_fields"
"""Under which name it is kept among a look's findings."""
WHO = ("conversation", "user")
"""By which calls are known to hang together."""
CAUSES = ("prompt_hash", "template_hash", "system_hash", "prompt_version", "response_model", "fingerprint")
"""By which a cause is found."""
_FIELDS = (
    *("error", "finish_reason", "input_tokens", "output_tokens", "latency", "time_to_first_token"),
    *("reasoning_tokens", "cached_tokens", "output_chars", "refused", "unparsed", "malformed"),
    *(*WHO, "tenant", "slice", *CAUSES),
)
_FEW = 0.1
"""The share of calls from which a field is missed."""
_MOST = 0.5
"""Of the share of calls that told it, what is left of a field that is missed, at most."""
_FAR = 5.0
"""Standard errors, as calls hang together."""


def told_share(calls: pd.DataFrame, name: str) -> float:
    """The share of calls that tell a field; 0 of a column that is not there."""
    if name not in calls.columns or not len(calls):
        return 0.0
    column = calls[name]
    return float((column.notna() & (column.astype(object) != "")).mean() if name != "error" else column.notna().mean())


def ceased(before: pd.DataFrame, now: pd.DataFrame, names: Sequence[str] = _FIELDS) -> list[tuple[str, float, float]]:
    """Fields that are told no more, or by far fewer calls, with the shares of both windows; failed calls apart.

    Examples
    --------
    >>> import pandas as pd
    >>> was = pd.DataFrame({"error": [""] * 50, "user": ["a", "b"] * 25, "latency": 1.0})
    >>> ceased(was, was.assign(user=""))
    [('user', 1.0, 0.0)]
    """
    before, now = ((side[failed(side) != 1] if "error" in side.columns else side) for side in (before, now))
    n, m = len(before), len(now)
    if min(n, m) < MIN_ROWS:
        return []
    found = []
    for name in names:
        usual, share = told_share(before, name), told_share(now, name)
        chance = math.sqrt(usual * (1.0 - usual) * (1.0 / n + 1.0 / m))
        if usual >= _FEW and share < _MOST * usual and usual - share > _FAR * chance:
            found.append((name, usual, share))
    return found


def in_words(name: str, usual: float, share: float) -> str:
    """What is said of one field.

    Examples
    --------
    >>> in_words("prompt_hash", 1.0, 0.0)
    'prompt_hash is told by no call of the current window, and by 100% of those before'
    """
    told = f"{share:.0%} of the calls" if share else "no call"
    return f"{name} is told by {told} of the current window, and by {usual:.0%} of those before"


def as_event(
    missed: Sequence[tuple[str, float, float]], calls: tuple[int, int], reference: Period, current: Period
) -> dict[str, Any]:
    """The fields that are missed, at least one, as a finding of a look; its figures are those of the most missed."""
    _, usual, share = max(missed, key=lambda one: one[1] - one[2])
    told = f"telemetry: {'; '.join(in_words(*one) for one in missed)}"
    return telemetry_event(SIGNAL, told, (usual, share), calls, (reference, current), "share of calls that tell it")
