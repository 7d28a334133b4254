"""Which signals calls do not tell: a change may hide in the calls that say nothing of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftgate.monitor._calls import Calls
from driftgate.monitor.blindness import Blindness, of_untold
from driftgate.monitor.detectors import MIN_ROWS
from driftgate.monitor.drift import Finding
from driftgate.monitor.looks import Conclusion
from driftgate.monitor.signals import SIGNALS
from driftgate.monitor.telemetry._record import OF_INPUT, OF_OUTPUT

if TYPE_CHECKING:
    import pandas as pd

ERRORS = "error_rate"
"""Without it an outage is not seen, so calls that do not tell it are never passed over."""
TOLD = 0.5
"""The share of calls that tell a signal, of the reference's, below which a window does not tell it."""
_FAR = 5.0
"""Standard errors by which fewer calls tell a signal than chance makes of them, where calls hang together."""
_SPANS = "check what the application's spans carry, and the monitor's traffic.signals"
_ROWS = (
    "let the application say of each call whether it failed; of files, name the column under the source's columns, or "
    "say absent_error: none where rows have it only of calls that failed"
)


def nameless(calls: Calls) -> Conclusion | None:
    """Whether more calls than before name no model: they may be of the one that is looked at, and have failed."""
    (usual, nameless), shares = calls.beside.unnamed, calls.beside.shares
    n, m = (len(side) / share for side, share in zip((calls.before, calls.now), shares, strict=True))
    was, now = usual / max(1.0, usual + n), nameless / max(1.0, nameless + m)
    chance = math.sqrt(was * (1.0 - was) * (1.0 / max(1.0, usual + n) + 1.0 / max(1.0, nameless + m)))
    if now - was < SIGNALS.get(ERRORS).floor or now - was <= _FAR * chance:
        return None
    found = (
        f"{nameless:,.0f} calls of the current window name no model, {now:.0%} of these and the {m:,.0f} that are "
        f"looked at; before it was {was:.0%}"
    )
    remedy = "let the application name the model that it asks for, or leave out traffic.request_model"
    return Conclusion("unmeasurable", found, remedy, "models_unnamed")


def withheld(calls: Calls, named: Sequence[str] | None) -> Conclusion | None:
    """Whether texts that signals are read from are kept from the reader; what is said of them stands beside it."""
    of_texts = any(set(SIGNALS.get(name).columns) & {*OF_INPUT, *OF_OUTPUT} for name in named or ())
    if not calls.layout.withheld or (named is not None and not of_texts):
        return None
    return Conclusion("unmeasurable", "texts of calls were not read", calls.layout.remedy, "no_content")


def untold(findings: Sequence[Finding], calls: Calls, named: Sequence[str] | None) -> Conclusion | None:
    """Which signals the calls do not tell."""
    now = len(calls.now)
    unread = [finding for finding in findings if finding.p_value is None]
    # What the telemetry never had and nobody asked for is passed over.
    asked = {ERRORS, *(named or ())}
    due = [f for f in unread if f.everywhere.n_reference >= MIN_ROWS or f.signal.name in asked]
    gone = unread if len(unread) == len(findings) else [f for f in due if not f.everywhere.n_current]
    if gone:
        told = f"no call of the current window tells {names_of(gone)}"
        return Conclusion("unmeasurable", told, _remedy(gone), _lacking(gone))
    fewer = [f for f in findings if (f.p_value is not None or f.signal.name == ERRORS) and _hides(f, calls)]
    if fewer:
        told = "; ".join(f"{f.everywhere.n_current:,} of {now:,} calls tell {f.signal.name}" for f in fewer)
        return Conclusion("unmeasurable", f"in the current window {told}", _remedy(fewer), _lacking(fewer))
    if told := next(filter(None, (_hidden_rise(f, calls) for f in findings if f.signal.name == ERRORS)), ""):
        return Conclusion("unmeasurable", told, _ROWS, "signals_untold")
    if due:
        told = f"fewer than {MIN_ROWS} calls of a window tell {names_of(due)}"
        return Conclusion("inconclusive", told, _SPANS, "too_few")
    return None


def _remedy(untold: Sequence[Finding]) -> str:
    """What to do about signals that calls do not tell."""
    return _ROWS if any(finding.signal.name == ERRORS for finding in untold) else _SPANS


def _lacking(untold: Sequence[Finding]) -> Blindness:
    """What it is that calls do not tell some signals."""
    read = {column for finding in untold for column in finding.signal.columns}
    return of_untold(read if read == {"error"} else read - {"error"}, {*OF_INPUT, *OF_OUTPUT})


def _hides(finding: Finding, calls: Calls) -> bool:
    """Whether a change as large as the floor may hide in the calls that do not tell a signal.

    Which calls failed is told of every call. Other signals are told by the calls that did not fail, or have text: of
    these by as many as before, but for chance. A sample of calls that tell their texts is smaller on one day than on
    another, so that the difference must be far beyond that of calls drawn one by one.
    """
    before, now = int(calls.compared) or len(calls.before), len(calls.now)
    told, was_told = finding.everywhere.n_current, finding.everywhere.n_reference
    if finding.signal.name == ERRORS:
        return told < now * (1.0 - finding.floor)
    if told < now * TOLD * was_told / before:
        return True
    well, was_well = (
        max(1.0, count * (1.0 - _failed(side))) for count, side in ((now, calls.now), (before, calls.before))
    )
    share, usual = min(1.0, told / well), min(1.0, was_told / was_well)
    chance = math.sqrt(usual * (1.0 - usual) * (1.0 / well + 1.0 / was_well))
    return share < usual * (1.0 - finding.floor) and usual - share > _FAR * chance


def _hidden_rise(finding: Finding, calls: Calls) -> str:
    """Whether errors may have risen by the floor, as calls of the reference that do not tell may all have been fine.

    Where only calls that fail say so, those that tell it are all errors, and whatever comes after is no rise.
    """
    before, told = int(calls.compared) or len(calls.before), finding.everywhere.n_reference
    was, now = finding.everywhere.reference_value, finding.everywhere.current_value
    if told >= before or was is None or now is None or now - was * told / before < finding.floor:
        return ""
    return f"{told:,} of {before:,} calls of the reference tell {finding.signal.name}, which is {now:.1%} now"


def _failed(calls: pd.DataFrame) -> float:
    """The share of calls that failed; 0 where that is not told."""
    return float((calls["error"].fillna("") != "").mean()) if "error" in calls.columns and len(calls) else 0.0


def names_of(findings: Sequence[Finding]) -> str:
    return ", ".join(finding.signal.name for finding in findings)
