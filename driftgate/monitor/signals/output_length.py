"""How long are the replies? Failed calls have none."""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal, failed

SIGNAL = Signal(
    name="output_length",
    title="length of replies",
    unit="tokens",
    bad="either",
    kind="continuous",
    floor=0.25,
    columns=("output_tokens", "error"),
    values=lambda frame: frame["output_tokens"].astype(float).mask(failed(frame) == 1),
    resolution=1.0,
)
