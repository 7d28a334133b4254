"""How many replies could not be read as an answer?"""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="unparsed_share",
    title="share of replies that could not be read",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.03,
    columns=("unparsed",),
    values=lambda frame: frame["unparsed"].astype(float),
)
