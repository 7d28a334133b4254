"""How many replies call a tool?"""

from __future__ import annotations

from driftgate.flows.finish import TOOLS
from driftgate.monitor.signals._signal import Signal, stopped_by

SIGNAL = Signal(
    name="tool_call_share",
    title="share of replies that call a tool",
    unit="share",
    bad="either",
    kind="proportion",
    floor=0.03,
    columns=("finish_reason", "error"),
    values=stopped_by(TOOLS),
)
