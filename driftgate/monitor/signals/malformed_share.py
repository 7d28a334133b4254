"""How many replies are not in the format that the call asked for?"""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="malformed_share",
    title="share of replies not in the format asked for",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.02,
    columns=("malformed",),
    values=lambda frame: frame["malformed"].astype(float),
)
