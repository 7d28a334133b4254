"""How long are the inputs? A failed call's are as long as any other's."""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="input_length",
    title="length of inputs",
    unit="tokens",
    bad="either",
    kind="continuous",
    floor=0.25,
    columns=("input_tokens",),
    values=lambda frame: frame["input_tokens"].astype(float),
    resolution=1.0,
)
