"""One look: signals of two windows compared, judged together, and turned into alerts.

A look has two layers. Every signal of every pair of windows gives a `Finding`: the evidence for all rows, for each
slice, and where it moved. The findings' p-values are adjusted together (Benjamini and Hochberg); what then remains
significant and is larger than the signal's floor, in the direction that is bad, becomes an alert.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftgate.benchmarks.stats import benjamini_hochberg, holm
from driftgate.flows.errors import DriftgateError
from driftgate.monitor._alerts import alerts_among
from driftgate.monitor._canaries import paired_counts, steady_ones, with_anchors
from driftgate.monitor._days import OF_DAYS, WEEK, Units, on_other_weekdays, weaker
from driftgate.monitor._found import Finding, Look, Windows, worsening
from driftgate.monitor._gross import with_gross
from driftgate.monitor._weights import alike
from driftgate.monitor.alert import Alert, Hint, Period
from driftgate.monitor.attribution import hints
from driftgate.monitor.detectors import DETECTORS, USUAL, Evidence
from driftgate.monitor.pooling import Part, combined, reaches
from driftgate.monitor.signals import SIGNALS, Signal

__all__ = ["Alert", "Finding", "Look", "Period", "Windows", "look"]

_MOST_SLICES = 50
_SLICE_ROWS = 10


def look(
    windows: Sequence[Windows],
    *,
    telemetry: pd.DataFrame | None = None,
    canaries: pd.DataFrame | None = None,
    signals: Sequence[str | Signal] | None = None,
    detectors: Mapping[str, str] | None = None,
    floors: Mapping[str, float] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> Look:
    """Compare windows in every signal and say what moved for the worse.

    Where nothing changed, a look raises any alert with probability at most ``alpha``, whatever the number of windows:
    of the same canaries, the newest look and several looks pooled may be compared side by side, and each signal raises
    one alert at most, of the window with the strongest evidence. Over n looks it is at most n times ``alpha`` (see
    `driftgate.monitor.pooling`).

    A change may be confined to a slice and hidden in the whole, so both are tested, each with half of the level: the
    whole, and the slices with Bonferroni's correction. Slices are named by Holm's procedure, provided that their
    interval and that of all other rows do not overlap; otherwise the signal moved everywhere.

    Parameters
    ----------
    windows
        The periods to compare, of telemetry or of canary answers.
    telemetry, canaries
        The frames (columns: see `driftgate.monitor.signals` and the telemetry record), with rows of all periods.
    signals
        Names of signals, or signals of the caller's own; None for all of the registry.
    detectors
        By signal, the detector to use in place of the kind's usual one.
    floors
        By signal, the floor to use in place of its own.
    alpha
        The level of this look.
    seed
        Of permutations.

    Returns
    -------
    Look

    Raises
    ------
    DriftgateError
        A name is unknown, windows want a frame that was not given, a frame lacks a column, or a detector does not take
        a signal's kind of values.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> march, june = datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC)
    >>> windows = Windows("canaries", Period(march, june), Period(june, datetime(2023, 9, 1, tzinfo=UTC)))
    >>> def answers(time, right):
    ...     return pd.DataFrame({"time": time, "key": range(80), "slice": ["prime"] * 40 + ["composite"] * 40,
    ...                          "answer": "yes", "correct": [1.0] * right + [0.0] * (40 - right) + [1.0] * 40})
    >>> frame = pd.concat([answers(march, 38), answers(june, 10)])
    >>> from textwrap import fill
    >>> print(fill(look([windows], canaries=frame, signals=["canary_accuracy"]).alerts[0].summary, 100))
    Canary accuracy fell on slice 'prime' from 95.0% to 25.0% (-70.0 points, 95% interval -81.9 to
    -54.6; 40 now against 40 before), likely cause: the model.
    """
    named = signals if signals is not None else SIGNALS.names()
    chosen = [one if isinstance(one, Signal) else SIGNALS.get(one) for one in named]
    for name in (*(detectors or {}), *(floors or {})):
        SIGNALS.get(name)
    findings: list[Finding] = []
    context: dict[Windows, Callable[[], tuple[Hint, ...]]] = {}
    for pair in windows:
        frame = telemetry if pair.of == "telemetry" else canaries
        if frame is None:
            raise DriftgateError(f"windows of {pair.of} are to be compared", f"pass the frame of {pair.of}")
        before, now = _within(frame, pair.reference), _within(frame, pair.current)
        # Reference and current periods of canaries differ in length by design: their volume says nothing.
        of_volume = (pair.reference, pair.current) if pair.of == "telemetry" and pair.periods == 1 else ()
        context[pair] = partial(hints, before, now, *of_volume)
        units = None
        if pair.of == "canaries":
            before, now = with_anchors(before, now)
        else:
            before, now = alike(before), alike(now)
            weekly = pair.periods > 1 or pair.reference.end - pair.reference.start >= WEEK
            of_before, of_now = (Units.of(side, pair.current, pair.periods, weekly=weekly) for side in (before, now))
            units = of_before, of_now
        for signal in chosen:
            if signal.of_canaries == (pair.of == "canaries") and (pair.periods == 1 or signal.kind in OF_DAYS):
                detector = (detectors or {}).get(signal.name, signal.detector or USUAL[signal.kind])
                floor = (floors or {}).get(signal.name, signal.floor)
                judge = _Judge(signal, detector, floor, alpha, seed)
                findings.append(judge.find(pair, before, now, units))
    judged = _adjusted(findings)
    return Look(judged, alerts_among([finding for finding in judged if finding.alarms(alpha)], judged, context, alpha))


def _adjusted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings with p-values by Benjamini and Hochberg over signals; windows of traffic by Bonferroni before.

    A signal of traffic is one hypothesis, however many windows are compared: text, which is compared in fewer and whose
    p-values have a least one, does not pay for the windows of the others.
    """
    windows = Counter(f.signal.name for f in findings if f.windows.of == "telemetry" and f.p_value is not None)
    own = [None if f.p_value is None else min(1.0, f.p_value * windows.get(f.signal.name, 1)) for f in findings]
    # A finding of canaries stands for itself, a signal of traffic for its surest window.
    units = [f.signal.name if f.windows.of == "telemetry" else str(place) for place, f in enumerate(findings)]
    best: dict[str, float] = {}
    for unit, p in zip(units, own, strict=True):
        if p is not None:
            best[unit] = min(p, best.get(unit, 1.0))
    adjusted = []
    for unit, p in zip(units, own, strict=True):
        if p is not None:
            p = benjamini_hochberg(list({**best, unit: p}.values()))[list(best).index(unit)]
        adjusted.append(p)
    return tuple(replace(finding, adjusted_p_value=p) for finding, p in zip(findings, adjusted, strict=True))


@dataclass(frozen=True)
class _Judge:
    """How one signal is compared."""

    signal: Signal
    detector: str
    floor: float
    alpha: float
    seed: int

    def find(
        self, windows: Windows, before: pd.DataFrame, now: pd.DataFrame, units: tuple[Units, Units] | None
    ) -> Finding:
        rows = _Rows.of(self.signal, before, now, units)
        everywhere = self.compare(rows, None)
        names = rows.slices()
        slices = {name: self.compare(rows, [name]) for name in names}
        tested = [self.evidence(found) for found in slices.values()]
        judged = dict(zip(slices, zip(slices.values(), holm(tested), strict=True), strict=True))
        # What the whole hides below the floor is said of the slices, whether or not they stand apart from the rest.
        hidden = self.signal.of_canaries and not reaches(worsening(self.signal, everywhere), self.floor)
        moved = self.standing_out(rows, judged, apart=not hidden)
        place = self.compare(rows, moved) if moved else everywhere
        p_value, steady = self.evidence(everywhere), None
        if self.signal.of_canaries and p_value is not None:
            if windows.choosing is not None:
                among = steady_ones(self.signal, before, now, windows.choosing)
                steady = self.compare(_Rows.of(self.signal, *among, None), None)
            parts = [self.part(found) for found in slices.values()] if len(names) > 1 else []
            p_value = combined(self.part(everywhere), parts, self.floor, None if steady is None else self.part(steady))
        elif len(names) > 1 and p_value is not None:
            best = min(
                (p for name, p in zip(names, tested, strict=True) if name in moved and p is not None), default=1.0
            )
            p_value = min(1.0, 2.0 * p_value, 2.0 * len(names) * best)
        return Finding(self.signal, windows, self.floor, everywhere, slices, tuple(moved), place, p_value, steady)

    def compare(self, rows: _Rows, slices: Sequence[str] | None, *, others: bool = False) -> Evidence:
        """Compare the rows of some slices, of all others than these, or (None) of all."""
        detector = DETECTORS.get(self.detector)
        if detector.kind != self.signal.kind:
            raise DriftgateError(
                f"detector '{self.detector}' compares {detector.kind} values and signal '{self.signal.name}' has "
                f"{self.signal.kind} ones",
                f"use '{USUAL[self.signal.kind]}'",
            )
        (reference, of_reference), (current, of_current) = rows.pick(slices, others=others)
        how: dict[str, Any] = {"bad": self.signal.bad, "resolution": self.signal.resolution, "seed": self.seed}
        if of_reference is None or of_current is None:
            return detector.compare(reference, current, **how)
        matched = of_reference.matched
        if detector.by_block:
            how["blocks"] = (of_reference.block[matched], of_current.block)
        found = detector.compare(reference[matched], current, **how)
        left = weaker(self.signal, found, (reference, current), (of_reference, of_current))
        compared = (reference[matched], current), (of_reference.pick(matched), of_current)
        gross = with_gross(self.signal, left, *compared)
        return on_other_weekdays(self.signal, gross, self.floor, (of_reference, of_current))

    def evidence(self, found: Evidence) -> float | None:
        """The p-value; 1 for a move in the direction that is not bad."""
        if found.p_value is None:
            return None
        return found.p_value if worsening(self.signal, found) > 0.0 else 1.0

    def part(self, found: Evidence) -> Part:
        """What a part of the canaries says."""
        return Part(worsening(self.signal, found), 1.0 if found.p_value is None else found.p_value)

    def standing_out(
        self, rows: _Rows, slices: Mapping[str, tuple[Evidence, float | None]], *, apart: bool
    ) -> list[str]:
        """The slices that moved for the worse, if the rest of the rows did not move as much or need not stand apart."""
        strong = {
            name: found
            for name, (found, p) in slices.items()
            if p is not None and p <= self.alpha and reaches(worsening(self.signal, found), self.floor)
        }
        if not strong or (apart and len(strong) == len(slices)):
            return []
        # Slices of a signal that may move both ways are named in the direction of the surest one.
        surest = min(strong.values(), key=lambda found: cast(float, found.p_value))
        sign = np.sign(cast(float, surest.effect.estimate))
        names = [name for name, found in strong.items() if np.sign(cast(float, found.effect.estimate)) == sign]
        if not apart:
            return names
        together, rest = self.compare(rows, names).effect, self.compare(rows, names, others=True).effect
        if together.low is None or together.high is None or rest.low is None or rest.high is None:
            return names
        return names if (together.low > rest.high if sign > 0 else together.high < rest.low) else []


@dataclass(frozen=True)
class _Rows:
    """The values of both windows with their slices; of canaries the two stand in pairs."""

    reference: NDArray[Any]
    current: NDArray[Any]
    reference_slices: NDArray[Any]
    current_slices: NDArray[Any]
    units: tuple[Units, Units] | None = None
    """Days and blocks; None of canaries, each of which is asked once a look."""

    @classmethod
    def of(cls, signal: Signal, before: pd.DataFrame, now: pd.DataFrame, units: tuple[Units, Units] | None) -> _Rows:
        if signal.of_canaries:
            pairs = paired_counts(signal, before, now)
            sides = [pairs[[f"sum_{side}", f"count_{side}"]].to_numpy(float) for side in ("reference", "current")]
            return cls(sides[0], sides[1], _labels(pairs), _labels(pairs))
        first, second = signal.read(before), signal.read(now)
        return cls(
            _array(signal, first),
            _array(signal, second),
            _labels(before.loc[first.index]),
            _labels(now.loc[second.index]),
            None if units is None else (units[0].pick(first.index.to_numpy()), units[1].pick(second.index.to_numpy())),
        )

    def slices(self) -> list[str]:
        """Names of the slices with enough rows in both windows, the largest ones; empty if there are fewer than two."""
        names = np.concatenate([self.reference_slices[:1], self.current_slices[:1]])
        if all((side == names[0]).all() for side in (self.reference_slices, self.current_slices) if side.size):
            return []
        compared = self.reference_slices if self.units is None else self.reference_slices[self.units[0].matched]
        before = pd.Series(compared, dtype=object).value_counts()
        now = pd.Series(self.current_slices, dtype=object).value_counts()
        smaller = pd.concat([before, now], axis=1).fillna(0).min(axis=1)
        large = smaller[smaller >= _SLICE_ROWS].sort_values(ascending=False, kind="stable").head(_MOST_SLICES)
        return sorted(map(str, large.index))

    def pick(self, slices: Sequence[str] | None, *, others: bool = False) -> tuple[_Side, _Side]:
        units = self.units or (None, None)
        sides = (self.reference, self.reference_slices, units[0]), (self.current, self.current_slices, units[1])
        if slices is None:
            return (self.reference, units[0]), (self.current, units[1])
        picked: list[_Side] = []
        for values, labels, of_side in sides:
            chosen = np.isin(labels, slices) != others
            picked.append((values[chosen], None if of_side is None else of_side.pick(chosen)))
        return picked[0], picked[1]


_Side = tuple[NDArray[Any], Units | None]


def _array(signal: Signal, values: pd.Series[Any]) -> NDArray[Any]:
    if signal.kind == "histogram" and len(values):
        return np.stack(values.to_list())
    if signal.kind == "text":
        return values.to_numpy(dtype=object)
    return values.to_numpy(dtype=float)


def _labels(frame: pd.DataFrame) -> NDArray[Any]:
    if "slice" not in frame.columns:
        return np.full(len(frame), "")
    return frame["slice"].fillna("").to_numpy(dtype=str)


def _within(frame: pd.DataFrame, period: Period) -> pd.DataFrame:
    # A fresh index: rows of concatenated frames may share theirs, and signals are read by it.
    chosen = (frame["time"] >= period.start) & (frame["time"] < period.end)
    return frame[chosen].reset_index(drop=True)
