"""How grave a sign is: what kind of evidence it is, how large the effect surely is, and how long it has lasted."""

from __future__ import annotations

from datetime import datetime, timedelta

from driftgate.monitor.alert import Alert
from driftgate.monitor.incidents._kinds import KINDS
from driftgate.monitor.incidents._values import Severity, raised

_QUALITY = ("canaries", "answers")
"""Subjects of looks that measure how good the model is."""
_FAILING = ("error_rate", "empty_share")
"""Signals of calls that give a user nothing."""
_SURE = 2.0
"""So many times the floor, with 95% confidence, is graver than the kind of evidence says."""
_LONG = timedelta(hours=24)


def severity_of(alert: Alert, subject: str) -> Severity:
    """How grave an alert is.

    Where answers are worse or calls fail it is ``high``, else ``medium``, and ``low`` where only users ask something
    else; one step graver where the effect is surely twice its floor or more, by the end of its 95% interval that is
    nearer to 0.

    Parameters
    ----------
    subject : str
        What was looked at.
    """
    grave = subject in _QUALITY or alert.signal in _FAILING
    step = (1 if grave else 0) - (1 if alert.cause == "input" and not grave else 0)
    return raised(
        "medium", step + (sure_effect(alert.effect, alert.effect_low, alert.effect_high) >= _SURE * alert.floor)
    )


def sure_effect(effect: float, low: float | None, high: float | None) -> float:
    """How large an effect is at least, by its interval.

    Examples
    --------
    >>> sure_effect(-0.2, -0.3, -0.1), sure_effect(0.2, -0.1, 0.5), sure_effect(0.2, None, None)
    (0.1, 0.0, 0.2)
    """
    if low is None or high is None:
        return abs(effect)
    return 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))


def severity_of_blindness(kind: str, lasting: timedelta) -> Severity:
    """How grave it is that something cannot be measured: one step graver after a day.

    Examples
    --------
    >>> severity_of_blindness("endpoint_down", timedelta(hours=1))
    'high'
    >>> severity_of_blindness("endpoint_down", timedelta(hours=25))
    'critical'
    """
    return raised(KINDS[kind].severity, int(lasting >= _LONG))


def severity_of_retirement(now: datetime, ends: datetime) -> Severity:
    """How grave it is that a deployment ends: ``medium`` in its last 30 days, ``high`` in its last 7, then critical."""
    left = ends - now
    steps = sum(left <= timedelta(days=days) for days in (30, 7, 0))
    return raised("low", steps)
