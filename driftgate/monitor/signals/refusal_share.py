"""How many replies refuse?"""

from __future__ import annotations

from driftgate.flows.refusals import is_refusal
from driftgate.monitor.signals._signal import Signal, told_of_text

SIGNAL = Signal(
    name="refusal_share",
    title="share of replies that refuse",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.03,
    columns=("refused",),
    values=told_of_text("refused", is_refusal),
)
