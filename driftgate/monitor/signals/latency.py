"""How long does a call take? A failed call's time says nothing about the model's speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftgate.monitor.signals._signal import Signal, failed

if TYPE_CHECKING:
    import pandas as pd


def _seconds(frame: pd.DataFrame) -> pd.Series[Any]:
    """Seconds of the calls that did not fail; none where all are 0, as of a clock that stands still."""
    seconds = frame["latency"].astype(float).mask(failed(frame) == 1)
    return seconds if (seconds > 0).any() else seconds.mask(seconds == 0)


SIGNAL = Signal(
    name="latency",
    title="latency",
    unit="s",
    bad="higher",
    kind="continuous",
    floor=0.25,
    columns=("latency", "error"),
    values=_seconds,
    resolution=0.001,
)
