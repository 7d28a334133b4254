"""Where what was asked and answered is told, and what a look makes of it where that changes or ends.

A service that moves texts into a table of their own, or an application that sends them as log records from now on,
changes the telemetry and not the traffic. So only what would have been told in both places is compared, the change is
a finding of its own, and texts that are kept from the reader are no texts that are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftgate.monitor.alert import Period
from driftgate.monitor.detectors import MIN_ROWS
from driftgate.monitor.telemetry._record import OF_INPUT, OF_OUTPUT

if TYPE_CHECKING:
    import pandas as pd

SIGNAL = "telemetry_layout"
"""Under which name a change is kept among a look's findings."""
_SIDES = {"input": OF_INPUT, "output": OF_OUTPUT}
_PLACE = {"span": "span", "apart": "apart", "apart_long": "apart", "withheld": "withheld"}
_IN_WORDS = {"span": "in the spans", "apart": "in records of their own", "withheld": "where they may not be read"}
_FEW = 0.1
"""The share of calls from which it is worth a word, or keeps a look from being quiet."""
_ROLE = (
    "give the identity that reads Azure Monitor the role Privileged Monitoring Data Reader, or name under "
    "traffic.signals those that need no texts"
)


@dataclass(frozen=True)
class Layout:
    """Where the texts of a look's calls are told."""

    events: Sequence[dict[str, Any]] = ()
    """Changes between the two windows, as findings."""
    withheld: str = ""
    """Of how many calls of the current window the texts are kept from the reader, in words; empty: of a few, or none.
    """
    cut: str = ""
    """Of how many they were cut on the way."""

    @property
    def told(self) -> str:
        """What a reader of the result has to know."""
        return "; ".join(filter(None, (*(event["told"] for event in self.events), self.withheld, self.cut)))

    @property
    def remedy(self) -> str:
        """What to do about texts that are kept from the reader."""
        return _ROLE


def comparable(*frames: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """Calls of which as much is told in each frame.

    Where some texts were cut for their length, those as long are left out that come from where they are whole: they
    would be inputs that there were never before.
    """
    for side, columns in _SIDES.items():
        place = f"{side}_from"
        if any((frame[place] == "cut").any() for frame in frames):
            frames = tuple(_blanked(frame, columns, frame[place] == "apart_long") for frame in frames)
    return frames


def layout(before: pd.DataFrame, now: pd.DataFrame, reference: Period, current: Period) -> Layout:
    """Where the texts of two windows are told."""
    events = [found for side in _SIDES if (found := _event(side, before, now, reference, current)) is not None]
    return Layout(
        events,
        _of_so_many(now, "withheld", "was not read where it is kept (AppGenAIContent)"),
        _of_so_many(now, "cut", "was cut on the way, and half a text is none"),
    )


def _event(
    side: str, before: pd.DataFrame, now: pd.DataFrame, reference: Period, current: Period
) -> dict[str, Any] | None:
    places = [frame[f"{side}_from"].map(_PLACE).dropna() for frame in (before, now)]
    if min(map(len, places)) < MIN_ROWS:
        return None
    shares = [{place: float((of == place).mean()) for place in _IN_WORDS} for of in places]
    moved = {place: shares[1][place] - shares[0][place] for place in _IN_WORDS}
    if max(map(abs, moved.values())) < _FEW:
        return None
    to, origin = max(moved, key=moved.__getitem__), min(moved, key=moved.__getitem__)
    day = _day(side, before, now, to)
    values = [share[to] for share in shares]
    told = (
        f"telemetry: since {day} the {side} of calls is told {_IN_WORDS[to]}, before {_IN_WORDS[origin]} "
        f"({values[0]:.0%} of the reference window, {values[1]:.0%} of the current one)"
    )
    return telemetry_event(
        SIGNAL,
        told,
        (values[0], values[1]),
        (len(places[0]), len(places[1])),
        (reference, current),
        "share of calls by where their texts are told",
    )


def telemetry_event(
    signal: str,
    told: str,
    shares: tuple[float, float],
    calls: tuple[int, int],
    windows: tuple[Period, Period],
    method: str,
) -> dict[str, Any]:
    """A change of the telemetry itself, as a finding of a look: without a p-value, for it is no alert.

    Parameters
    ----------
    shares, calls, windows
        Of the reference and of the current window.
    """
    evidence = {
        "p_value": None,
        "effect": shares[1] - shares[0],
        "low": None,
        "high": None,
        "reference_value": shares[0],
        "current_value": shares[1],
        "n_reference": calls[0],
        "n_current": calls[1],
        "method": method,
    }
    reference, current = windows
    return {
        "signal": signal,
        "looks": 1,
        "reference": [reference.start.isoformat(), reference.end.isoformat()],
        "current": [current.start.isoformat(), current.end.isoformat()],
        "floor": _FEW,
        "moved": [],
        "p_value": None,
        "adjusted_p_value": None,
        "evidence": evidence,
        "everywhere": evidence,
        "slices": {},
        "told": told,
    }


def _day(side: str, before: pd.DataFrame, now: pd.DataFrame, to: str) -> str:
    """The first day of those that follow each other to the end on which a tenth of the calls or more is told there."""
    import pandas as pd

    both = pd.concat([frame[["time", f"{side}_from"]] for frame in (before, now)])
    places = both[f"{side}_from"].map(_PLACE)
    told = both["time"][places.notna()].dt.date
    shares = (places.dropna() == to).groupby(told).mean()
    days = shares[shares >= _FEW].index
    since = days[-1]
    for day in reversed(shares.index):
        if shares[day] < _FEW:
            break
        since = day
    return f"{since:%Y-%m-%d}"


def _of_so_many(now: pd.DataFrame, place: str, said: str) -> str:
    found = []
    for side in _SIDES:
        count = int((now[f"{side}_from"] == place).sum())
        if count and count >= _FEW * len(now):
            found.append(f"the {side} of {count:,} of {len(now):,} calls {said}")
    return "; ".join(found)


def _blanked(frame: pd.DataFrame, columns: Sequence[str], rows: pd.Series[bool]) -> pd.DataFrame:
    if not rows.any():
        return frame
    return frame.assign(**{name: frame[name].mask(rows) for name in columns if name in frame.columns})
