"""How many replies are in Korean? A model that answers Koreans in English has moved."""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="korean_output_share",
    title="share of replies in Korean",
    unit="share",
    bad="either",
    kind="proportion",
    floor=0.03,
    columns=("output_korean",),
    values=lambda frame: frame["output_korean"].astype(float),
)
