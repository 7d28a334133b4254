"""How many replies were cut, by a limit on tokens or by the context window?"""

from __future__ import annotations

from driftgate.flows.finish import LENGTH
from driftgate.monitor.signals._signal import Signal, stopped_by

SIGNAL = Signal(
    name="truncation_share",
    title="share of replies that were cut",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.02,
    columns=("finish_reason", "error"),
    values=stopped_by(LENGTH),
)
