"""What a look finds: the windows it compared, each signal's finding between two of them, and the alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from driftgate.monitor.alert import Alert, Period
from driftgate.monitor.detectors import Evidence
from driftgate.monitor.pooling import reaches
from driftgate.monitor.signals import Kind, Signal

UNDIRECTED: tuple[Kind, ...] = ("histogram", "text")
"""Kinds whose effect is a distance, which has no direction."""


@dataclass(frozen=True)
class Windows:
    """Two periods of telemetry or of canary answers that are compared."""

    of: Literal["telemetry", "canaries"]
    reference: Period
    current: Period
    looks: int = 1
    """How many looks at canaries the current period pools."""
    periods: int = 1
    """How many periods of the monitor's the current one of telemetry pools."""
    choosing: Period | None = None
    """The beginning of a reference of canaries that chooses those that are steady; see `driftgate.monitor.pooling`."""


@dataclass(frozen=True)
class Finding:
    """What one signal did between two windows."""

    signal: Signal
    windows: Windows
    floor: float
    everywhere: Evidence
    slices: Mapping[str, Evidence]
    """Of every slice that has enough rows in both windows; empty where there are fewer than two."""
    moved: tuple[str, ...]
    """The slices that moved for the worse while the rest did not as much; empty where none stands out."""
    place: Evidence
    """Of the moved slices together, or ``everywhere``."""
    p_value: float | None
    """Corrected for the slices; of canaries 1 where the loss is below the floor."""
    steady: Evidence | None = None
    """Of the canaries that were always right where steady ones are chosen."""
    adjusted_p_value: float | None = None
    """After Benjamini and Hochberg over the findings of the look."""

    def alarms(self, alpha: float) -> bool:
        """Whether there is evidence at level ``alpha`` and an effect above the floor, in the bad direction."""
        return (
            self.adjusted_p_value is not None
            and self.adjusted_p_value <= alpha
            and reaches(worsening(self.signal, self.place), self.floor)
        )


@dataclass(frozen=True)
class Look:
    """All findings of one look, and the alerts among them."""

    findings: tuple[Finding, ...]
    alerts: tuple[Alert, ...]


def worsening(signal: Signal, found: Evidence) -> float:
    """How far the signal moved in the bad direction; negative for the other one, 0 if that is not known."""
    effect = found.effect.estimate
    if effect is None:
        return 0.0
    if signal.kind in UNDIRECTED or signal.bad == "higher":
        return effect
    return -effect if signal.bad == "lower" else abs(effect)
