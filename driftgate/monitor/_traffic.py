"""What a look at traffic comes to where no signal moved: it is quiet only where something could have been seen.

A window is evidence where its calls are there (:mod:`driftgate.monitor._volume`), where they tell what is looked at,
and where what they are compared with is no outage itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from driftgate.monitor._calls import Calls
from driftgate.monitor._ceased import WHO
from driftgate.monitor._days import OF_DAYS, POOLED, UNMATCHED, WEEK, anchored
from driftgate.monitor._found import worsening
from driftgate.monitor._untold import ERRORS, TOLD, nameless, names_of, untold, withheld
from driftgate.monitor._visible import Short, by_how_much, leaning, too_short, unseen
from driftgate.monitor.alert import Period
from driftgate.monitor.detectors import MIN_ROWS
from driftgate.monitor.drift import Finding, Windows
from driftgate.monitor.looks import Conclusion
from driftgate.monitor.pooling import reaches
from driftgate.monitor.signals import SIGNALS

if TYPE_CHECKING:
    import pandas as pd

_FIT = ("error_rate", "empty_share")
"""Signals of which a reference has a low share, or is an outage."""
_OUTAGE = 0.5
"""The share of the reference's calls that failed, or said nothing, from which it is no reference."""
_LATER = 0.1
"""The share of calls dated after the look, or of spans that were refused, that is more than a few."""
_DAY = timedelta(days=1)
_WEEK = 7
"""Days of a reference from which it is told how much days differ."""
_MANY = 1000.0
"""More times as many calls than this are not counted."""


def compared(now: datetime, length: timedelta, reference: timedelta, anchor: datetime | None) -> list[Windows]:
    """What a look compares: the newest period with those before it, and several of the newest with those before them.

    Beside the reference that slides there is one that does not, where it is known. The windows that pool periods are
    compared with it alone, or while there is none with the sliding one's beginning: a slow change has reached a
    reference that ends where they begin. They are at most half as long as a reference.

    Parameters
    ----------
    length, reference : timedelta
        Of a period, and of the reference.
    anchor : datetime, optional
        Where the reference begins that does not slide.

    Returns
    -------
    list of Windows
        The newest period and the sliding reference first.
    """
    middle = now - length
    sliding = Windows("telemetry", Period(middle - reference, middle), Period(middle, now))
    fixed = anchored(anchor, reference / _DAY, sliding.reference.start) if anchor is not None else None
    pairs = [sliding, *([Windows("telemetry", fixed, sliding.current)] if fixed is not None else [])]
    begun = anchor if anchor is not None else sliding.reference.start
    for periods in POOLED:
        since = now - periods * length
        end = min(begun + reference, since)
        if 2 * periods * length <= reference and end - begun >= periods * length:
            pairs.append(Windows("telemetry", Period(begun, end), Period(since, now), periods=periods))
    return pairs


def conclude_traffic(
    every: Sequence[Finding],
    calls: Calls,
    named: Sequence[str] | None,
    *,
    floors: Mapping[str, float] | None = None,
    alpha: float = 0.01,
) -> Conclusion:
    """What a look at traffic comes to where nothing moved.

    Parameters
    ----------
    named : sequence of str, optional
        The signals that the workspace asks for; None for all that the telemetry has.
    floors : mapping of str to float, optional
        The effects that the workspace names: where one could not have been seen, the look is inconclusive.
    alpha : float
        The level of the look.
    """
    single = [finding for finding in every if finding.windows.periods == 1]
    findings = [finding for finding in single if calls.anchor is None or finding.windows.reference != calls.anchor]
    short = too_short(every, alpha)
    found = (
        _unseen(calls)
        or _silent(calls)
        or nameless(calls)
        or _unfit(calls.before)
        or withheld(calls, named)
        or untold(findings, calls, named)
        or _adrift(calls)
        or _short_of_floors([one for one in short if one.signal in (floors or {})])
        or _blind([one for one in short if one.blind])
        or _unasked(short, calls)
        or _undecided(single, short, alpha)
        or _building(findings, short, calls)
    )
    if found is not None:
        return replace(found, reason="; ".join(filter(None, (found.reason, calls.told))))
    unlooked = "" if any(finding.signal.name == ERRORS for finding in findings) else "errors are not looked at"
    told = (leaning(findings), unlooked, _unanchored(single, findings, calls), unseen(short), calls.told)
    return Conclusion("quiet", "; ".join(filter(None, told)))


def _blind(short: Sequence[Short]) -> Conclusion | None:
    """Whether not even a gross change of a signal could have been seen."""
    if not short:
        return None
    remedy = (
        f"wait for more days, or lengthen traffic.current_days; {_needed(short)}. "
        "traffic.signals names the signals that are looked at"
    )
    told = f"not even a gross change could have been seen: {'; '.join(f'{one.signal}: {one.told}' for one in short)}"
    return Conclusion("inconclusive", told, remedy, "too_few")


def _undecided(findings: Sequence[Finding], short: Sequence[Short], alpha: float) -> Conclusion | None:
    """Whether a signal moved by more than its floor, call by call surely, in days too few to tell how days differ."""
    unseen_ones, level = {one.signal for one in short}, alpha / max(1, len(findings))
    moved = [
        found
        for found in findings
        if found.signal.name in unseen_ones
        and found.everywhere.detail.get("days", _WEEK) < _WEEK
        and found.everywhere.detail.get("p_by_call", 1.0) <= level
        and reaches(worsening(found.signal, found.everywhere), found.floor)
    ]
    if not moved:
        return None
    told = "; ".join(f"{one.signal.title} {by_how_much(one)}" for one in moved)
    days = int(moved[0].everywhere.detail["days"])
    of_days = "a single day" if days == 1 else f"{days} days"
    found_out = f"{told}; a reference of {of_days} does not tell whether days differ as much"
    remedy = "look at the calls; from a week of reference on days are told apart"
    return Conclusion("inconclusive", found_out, remedy, "too_few")


def _building(findings: Sequence[Finding], short: Sequence[Short], calls: Calls) -> Conclusion | None:
    """Whether the reference has no day like the current one yet: how far weekdays are apart is then not known."""
    unmatched = [found for found in findings if found.everywhere.detail.get(UNMATCHED)]
    if not unmatched:
        return None
    begun = calls.before["time"].min()
    found = (
        "the reference is being built: it has no day of the same weekday, and weekdays may be unlike each other; its "
        f"calls begin on {begun:%Y-%m-%d}"
    )
    moved = [
        f"{one.signal.title} {by_how_much(one)}"
        for one in unmatched
        if one.signal.kind in OF_DAYS and reaches(worsening(one.signal, one.everywhere), one.floor)
    ]
    remedy = f"look again from {begun + WEEK:%Y-%m-%d} on; until then only moves of three floors are alerts"
    return Conclusion(
        "inconclusive", "; ".join(filter(None, [found, *moved, unseen(short)])), remedy, "reference_building"
    )


def _short_of_floors(short: Sequence[Short]) -> Conclusion | None:
    """Whether an effect that the workspace names could have been there unseen."""
    if not short:
        return None
    told = "; ".join(f"{one.signal}: {one.told}" for one in short)
    remedy = f"wait for more days, lengthen traffic.reference_days, or name a larger floor; {_needed(short)}"
    return Conclusion("inconclusive", f"what floors names could not have been seen: {told}", remedy, "too_few")


def _needed(short: Sequence[Short]) -> str:
    """How much more shows a change as large as the floor."""
    needed = max(one.times for one in short)
    more = f"about {needed:,.0f} times as many calls or days" if needed < _MANY else "far more calls or days"
    return f"a change as large as the floor takes {more}"


def _unseen(calls: Calls) -> Conclusion | None:
    """What keeps the calls themselves from being seen."""
    before, now = len(calls.before), len(calls.now)
    came = round(now / calls.beside.shares[1])
    if calls.beside.later >= max(2, _LATER * came):
        found = "the newest calls cannot be told from those to come" if now else "no call is dated before the look"
        remedy = "set the time_zone of the telemetry source, or correct the clock of the application"
        return Conclusion("unmeasurable", found, remedy, "clock_wrong")
    if calls.beside.refused >= max(2, _LATER * came):
        found = f"{calls.beside.refused:,} spans could not be taken, beside {came:,} calls of the current window"
        mend = "mend what sends them, or its clock; its exporter is told why"
        return Conclusion("unmeasurable", found, mend, "spans_refused")
    remedy = "check that the application sends its spans, and the monitor's traffic.request_model"
    if not now:
        return Conclusion("unmeasurable", "no call was recorded in the current window", remedy, "no_traffic")
    if calls.lost:
        remedy = f"{remedy}; it cannot be told whether calls or telemetry ceased"
        return Conclusion("unmeasurable", calls.lost.words, remedy, calls.lost.blindness)
    if min(before, now) < MIN_ROWS:
        found = f"{now:,} calls in the current window and {before:,} in the reference; each needs {MIN_ROWS}"
        return Conclusion("inconclusive", found, "lengthen traffic.current_days or wait for more calls", "too_few")
    if calls.left_out[0] > before or calls.left_out[1] > now:
        found = "a few calls stand for so many that most of the others say little"
        return Conclusion("inconclusive", found, "sample production at one fixed rate", "sampled_unevenly")
    return None


def _unasked(short: Sequence[Short], calls: Calls) -> Conclusion | None:
    """Whether it is no longer told who asks, and a change as large as a floor would not be seen without it."""
    missed = [one for one in calls.missed if one[0] in WHO]
    if not missed or not short:
        return None
    told = f"without it not to be seen: {'; '.join(f'{one.signal}: {one.told}' for one in short)}"
    return Conclusion("inconclusive", told, f"let the application tell {missed[0][0]} again", "signals_untold")


def _unfit(before: pd.DataFrame) -> Conclusion | None:
    """Whether the reference window is an outage."""
    for name in _FIT:
        signal = SIGNALS.get(name)
        values = signal.read(before)
        if len(values) >= max(MIN_ROWS, TOLD * len(before)) and (share := float(values.mean())) >= _OUTAGE:
            found = f"the {signal.title} of the reference window is {share:.0%}: an outage is no reference"
            remedy = "wait until the reference window is sound, or lengthen traffic.reference_days"
            return Conclusion("unmeasurable", found, remedy, "reference_unfit")
    return None


def _adrift(calls: Calls) -> Conclusion | None:
    """Whether the calls are gone with which slow drift would show."""
    if calls.anchor is None or calls.anchored >= MIN_ROWS:
        return None
    found = f"{calls.anchored or 'no'} call is left" if calls.anchored < 2 else f"{calls.anchored} calls are left"
    told = f"{found} of the reference that began on {calls.anchor.start:%Y-%m-%d}, in which slow drift shows"
    remedy = "set traffic.anchor to a day from which calls are kept and were sound"
    return Conclusion("unmeasurable", told, remedy, "anchor_lost")


def _silent(calls: Calls) -> Conclusion | None:
    """Whether a part of the traffic is not there, though the calls of all together are."""
    if not calls.silent:
        return None
    remedy = "check that it sends its telemetry; where it has ended, name it under the monitor's traffic.ended"
    return Conclusion("unmeasurable", "a part of the traffic fell silent", remedy, "part_silent")


def _unanchored(every: Sequence[Finding], sliding: Sequence[Finding], calls: Calls) -> str:
    """Which signals the reference that does not slide does not tell, as one that was kept by an earlier version."""
    read = {finding.signal.name for finding in sliding if finding.p_value is not None}
    unread = [f for f in every if f not in sliding and f.p_value is None and f.signal.name in read]
    if not unread or calls.anchor is None:
        return ""
    return f"the reference that began on {calls.anchor.start:%Y-%m-%d} does not tell {names_of(unread)}"
