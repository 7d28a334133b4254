"""How long does a call take? A failed call's time says nothing about the model's speed."""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal, failed

SIGNAL = Signal(
    name="latency",
    title="latency",
    unit="s",
    bad="higher",
    kind="continuous",
    floor=0.25,
    columns=("latency", "error"),
    values=lambda frame: frame["latency"].astype(float).mask(failed(frame) == 1),
    resolution=0.001,
)
