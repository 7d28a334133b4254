"""How many replies have no text? One that calls a tool needs none, and a failed call has no reply.

Tokens do not tell: a reasoning model that says nothing may have thought for thousands of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftgate.flows.finish import TOOLS, finish_reason
from driftgate.monitor.signals._signal import Signal, failed

if TYPE_CHECKING:
    import pandas as pd


def _values(frame: pd.DataFrame) -> pd.Series[Any]:
    chars = frame["output_chars"].astype(float)
    empty = (chars == 0).astype(float).where(chars.notna() & (failed(frame) != 1))
    if "finish_reason" not in frame.columns:
        return empty
    return empty.mask(empty.notna() & (frame["finish_reason"].map(finish_reason) == TOOLS), 0.0)


SIGNAL = Signal(
    name="empty_share",
    title="share of replies without text",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.03,
    columns=("output_chars", "error"),
    values=_values,
    gross=0.1,
)
