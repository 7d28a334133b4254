"""How many inputs are in Korean? Told by most of their letters being Hangul."""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="korean_input_share",
    title="share of inputs in Korean",
    unit="share",
    bad="either",
    kind="proportion",
    floor=0.03,
    columns=("input_korean",),
    values=lambda frame: frame["input_korean"].astype(float),
)
