"""How many calls fail?"""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal, failed

SIGNAL = Signal(
    name="error_rate",
    title="error rate",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.02,
    columns=("error",),
    values=failed,
    gross=0.1,
)
