"""What a look at traffic comes to where no signal moved: it is quiet only where something could have been seen.

A window is evidence where its calls are there (:mod:`driftgate.monitor._volume`), where they tell what is looked at,
and where what they are compared with is no outage itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from driftgate.monitor._days import POOLED, anchored
from driftgate.monitor._found import worsening
from driftgate.monitor._told import Layout
from driftgate.monitor._visible import Short, too_short, unseen
from driftgate.monitor.alert import Period
from driftgate.monitor.detectors import MIN_ROWS
from driftgate.monitor.drift import Finding, Windows
from driftgate.monitor.looks import Conclusion
from driftgate.monitor.pooling import reaches
from driftgate.monitor.signals import SIGNALS
from driftgate.monitor.telemetry._record import OF_INPUT, OF_OUTPUT

if TYPE_CHECKING:
    import pandas as pd

_ERRORS = "error_rate"
"""Without it an outage is not seen, so calls that do not tell it are never passed over."""
_FIT = ("error_rate", "empty_share")
"""Signals of which a reference has a low share, or is an outage."""
_OUTAGE = 0.5
"""The share of the reference's calls that failed, or said nothing, from which it is no reference."""
_TOLD = 0.5
"""The share of calls that tell a signal, of the reference's, below which a window does not tell it."""
_FAR = 5.0
"""Standard errors by which fewer calls tell a signal than chance makes of them, where calls hang together."""
_LATER = 0.1
"""The share of calls dated after the look, or of spans that were refused, that is more than a few."""
_DAY = timedelta(days=1)
_WEEK = 7
"""Days of a reference from which it is told how much days differ."""
_MANY = 1000.0
"""More times as many calls than this are not counted."""
_SPANS = "check what the application's spans carry, and the monitor's traffic.signals"


@dataclass(frozen=True)
class Beside:
    """What is known of the telemetry beside the calls of a look."""

    later: int = 0
    """How many calls are dated after the look."""
    unread: str = ""
    """What was received since the current window began and is in no dialect that is known, in words."""
    refused: int = 0
    """How many spans of that time could not be taken."""
    shares: tuple[float, float] = (1.0, 1.0)
    """Of the calls of the reference and of the current window that were read."""
    removed: str = ""
    """Which days of the windows are past their retention, in words."""


@dataclass(frozen=True)
class Calls:
    """The calls of a look at traffic."""

    before: pd.DataFrame
    """Of the reference window, each as good as any other."""
    now: pd.DataFrame
    """Of the current window."""
    lost: str = ""
    """Which calls are missing from the current window, in words."""
    beside: Beside = Beside()
    rows: tuple[int, int] | None = None
    """How many rows the two windows had before those of unequal weight were made alike."""
    compared: int = 0
    """How many calls of the reference window are of the weekdays that are compared; 0: all."""
    anchor: Period | None = None
    """The reference that does not slide; None where there is none yet that is older than the sliding one."""
    anchored: int = 0
    """How many calls it has."""
    layout: Layout = Layout()  # noqa: RUF009 - a frozen value
    """Where the texts of the calls are told."""
    silent: str = ""
    """Which part of the traffic fell silent, in words."""

    @property
    def left_out(self) -> tuple[int, int]:
        """How many rows were left out of each window, so that all stand for as many calls."""
        kept = len(self.before), len(self.now)
        first, second = self.rows or kept
        return first - kept[0], second - kept[1]

    @property
    def told(self) -> str:
        """What else a reader of the result has to know."""
        count = self.beside.later
        later = f"{count:,} calls are dated after the look and were not compared" if count else ""
        gone, rows = sum(self.left_out), sum(self.rows or ())
        left_out = f"rows of unequal weight: {gone:,} of {rows:,} were left out" if gone else ""
        unread = f"received and not kept: {self.beside.unread}" if self.beside.unread else ""
        told = (self.silent, self.layout.told, later, left_out, self._drawn, unread, self.beside.removed)
        return "; ".join(filter(None, told))

    @property
    def _drawn(self) -> str:
        """Of which window a sample was compared."""
        windows = zip(("reference", "current window"), self.rows or (0, 0), self.beside.shares, strict=True)
        of = [
            f"{rows:,} of about {round(rows / share):,} calls of the {name}"
            for name, rows, share in windows
            if share < 1.0
        ]
        return f"compared were {' and '.join(of)}, whole traces drawn at random" if of else ""


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
        or _unfit(calls.before)
        or _withheld(calls, named)
        or _untold(findings, calls, named)
        or _adrift(calls)
        or _short_of_floors([one for one in short if one.signal in (floors or {})])
        or _blind([one for one in short if one.blind])
        or _undecided(single, short, alpha)
    )
    if found is not None:
        return Conclusion(found.result, "; ".join(filter(None, (found.reason, calls.told))), found.remedy)
    unlooked = "" if any(finding.signal.name == _ERRORS for finding in findings) else "errors are not looked at"
    return Conclusion(
        "quiet", "; ".join(filter(None, (unlooked, _unanchored(single, findings, calls), unseen(short), calls.told)))
    )


def _blind(short: Sequence[Short]) -> Conclusion | None:
    """Whether not even a gross change of a signal could have been seen."""
    if not short:
        return None
    remedy = (
        f"wait for more days, or lengthen traffic.current_days; {_needed(short)}. "
        "traffic.signals names the signals that are looked at"
    )
    told = f"not even a gross change could have been seen: {'; '.join(f'{one.signal}: {one.told}' for one in short)}"
    return Conclusion("inconclusive", told, remedy)


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
    told = "; ".join(f"{one.signal.title} {_by_how_much(one)}" for one in moved)
    days = int(moved[0].everywhere.detail["days"])
    of_days = "a single day" if days == 1 else f"{days} days"
    found_out = f"{told}; a reference of {of_days} does not tell whether days differ as much"
    return Conclusion("inconclusive", found_out, "look at the calls; from a week of reference on days are told apart")


def _by_how_much(found: Finding) -> str:
    before, now = found.everywhere.reference_value or 0.0, found.everywhere.current_value or 0.0
    if found.signal.kind == "continuous":
        return f"went from {before:.3g} to {now:.3g} {found.signal.unit}"
    return f"went from {before:.1%} to {now:.1%}"


def _short_of_floors(short: Sequence[Short]) -> Conclusion | None:
    """Whether an effect that the workspace names could have been there unseen."""
    if not short:
        return None
    told = "; ".join(f"{one.signal}: {one.told}" for one in short)
    remedy = f"wait for more days, lengthen traffic.reference_days, or name a larger floor; {_needed(short)}"
    return Conclusion("inconclusive", f"what floors names could not have been seen: {told}", remedy)


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
        return Conclusion("unmeasurable", found, remedy)
    if calls.beside.refused >= max(2, _LATER * came):
        found = f"{calls.beside.refused:,} spans could not be taken, beside {came:,} calls of the current window"
        return Conclusion("unmeasurable", found, "mend what sends them, or its clock; its exporter is told why")
    remedy = "check that the application sends its spans, and the monitor's traffic.request_model"
    if not now:
        return Conclusion("unmeasurable", "no call was recorded in the current window", remedy)
    if calls.lost:
        return Conclusion("unmeasurable", calls.lost, f"{remedy}; it cannot be told whether calls or telemetry ceased")
    if min(before, now) < MIN_ROWS:
        found = f"{now:,} calls in the current window and {before:,} in the reference; each needs {MIN_ROWS}"
        return Conclusion("inconclusive", found, "lengthen traffic.current_days or wait for more calls")
    if calls.left_out[0] > before or calls.left_out[1] > now:
        found = "a few calls stand for so many that most of the others say little"
        return Conclusion("inconclusive", found, "sample production at one fixed rate")
    return None


def _unfit(before: pd.DataFrame) -> Conclusion | None:
    """Whether the reference window is an outage."""
    for name in _FIT:
        signal = SIGNALS.get(name)
        values = signal.read(before)
        if len(values) >= MIN_ROWS and (share := float(values.mean())) >= _OUTAGE:
            found = f"the {signal.title} of the reference window is {share:.0%}: an outage is no reference"
            remedy = "wait until the reference window is sound, or lengthen traffic.reference_days"
            return Conclusion("unmeasurable", found, remedy)
    return None


def _adrift(calls: Calls) -> Conclusion | None:
    """Whether the calls are gone with which slow drift would show."""
    if calls.anchor is None or calls.anchored >= MIN_ROWS:
        return None
    found = f"{calls.anchored or 'no'} call is left" if calls.anchored < 2 else f"{calls.anchored} calls are left"
    told = f"{found} of the reference that began on {calls.anchor.start:%Y-%m-%d}, in which slow drift shows"
    return Conclusion("unmeasurable", told, "set traffic.anchor to a day from which calls are kept and were sound")


def _silent(calls: Calls) -> Conclusion | None:
    """Whether a part of the traffic is not there, though the calls of all together are."""
    if not calls.silent:
        return None
    remedy = "check that it sends its telemetry; where it has ended, name it under the monitor's traffic.ended"
    return Conclusion("unmeasurable", "a part of the traffic fell silent", remedy)


def _withheld(calls: Calls, named: Sequence[str] | None) -> Conclusion | None:
    """Whether texts that signals are read from are kept from the reader; what is said of them stands beside it."""
    of_texts = any(set(SIGNALS.get(name).columns) & {*OF_INPUT, *OF_OUTPUT} for name in named or ())
    if not calls.layout.withheld or (named is not None and not of_texts):
        return None
    return Conclusion("unmeasurable", "texts of calls were not read", calls.layout.remedy)


def _unanchored(every: Sequence[Finding], sliding: Sequence[Finding], calls: Calls) -> str:
    """Which signals the reference that does not slide does not tell, as one that was kept by an earlier version."""
    read = {finding.signal.name for finding in sliding if finding.p_value is not None}
    unread = [f for f in every if f not in sliding and f.p_value is None and f.signal.name in read]
    if not unread or calls.anchor is None:
        return ""
    return f"the reference that began on {calls.anchor.start:%Y-%m-%d} does not tell {_names(unread)}"


def _untold(findings: Sequence[Finding], calls: Calls, named: Sequence[str] | None) -> Conclusion | None:
    """Which signals the calls do not tell."""
    now = len(calls.now)
    unread = [finding for finding in findings if finding.p_value is None]
    # What the telemetry never had and nobody asked for is passed over.
    asked = {_ERRORS, *(named or ())}
    due = [f for f in unread if f.everywhere.n_reference >= MIN_ROWS or f.signal.name in asked]
    gone = unread if len(unread) == len(findings) else [f for f in due if not f.everywhere.n_current]
    if gone:
        return Conclusion("unmeasurable", f"no call of the current window tells {_names(gone)}", _SPANS)
    fewer = [f for f in findings if f.p_value is not None and _hides(f, calls)]
    if fewer:
        told = "; ".join(f"{f.everywhere.n_current:,} of {now:,} calls tell {f.signal.name}" for f in fewer)
        return Conclusion("unmeasurable", f"in the current window {told}", _SPANS)
    if due:
        return Conclusion("inconclusive", f"fewer than {MIN_ROWS} calls of a window tell {_names(due)}", _SPANS)
    return None


def _hides(finding: Finding, calls: Calls) -> bool:
    """Whether a change as large as the floor may hide in the calls that do not tell a signal.

    Which calls failed is told of every call. Other signals are told by the calls that did not fail, or have text: of
    these by as many as before, but for chance. A sample of calls that tell their texts is smaller on one day than on
    another, so that the difference must be far beyond that of calls drawn one by one.
    """
    before, now = int(calls.compared) or len(calls.before), len(calls.now)
    told, was_told = finding.everywhere.n_current, finding.everywhere.n_reference
    if finding.signal.name == _ERRORS:
        return told < now * (1.0 - finding.floor)
    if told < now * _TOLD * was_told / before:
        return True
    well, was_well = (
        max(1.0, count * (1.0 - _failed(side))) for count, side in ((now, calls.now), (before, calls.before))
    )
    share, usual = min(1.0, told / well), min(1.0, was_told / was_well)
    chance = math.sqrt(usual * (1.0 - usual) * (1.0 / well + 1.0 / was_well))
    return share < usual * (1.0 - finding.floor) and usual - share > _FAR * chance


def _failed(calls: pd.DataFrame) -> float:
    """The share of calls that failed; 0 where that is not told."""
    return float((calls["error"].fillna("") != "").mean()) if "error" in calls.columns and len(calls) else 0.0


def _names(findings: Sequence[Finding]) -> str:
    return ", ".join(finding.signal.name for finding in findings)
