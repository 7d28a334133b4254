"""How many replies talk to a judge, in words, forged turns or a grade of their own?"""

from __future__ import annotations

from driftgate.flows.addressing import addresses_judge
from driftgate.monitor.signals._signal import Signal, told_of_text

SIGNAL = Signal(
    name="addressing_share",
    title="share of replies that address a judge",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.01,
    columns=("addressed",),
    values=told_of_text("addressed", addresses_judge),
)
