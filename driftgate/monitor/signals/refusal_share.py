"""How many replies refuse?

Ingest decides it where content is seen (`is_refusal`); where it did not and the text was kept, it is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftgate.flows.refusals import is_refusal
from driftgate.monitor.signals._signal import Signal

if TYPE_CHECKING:
    import pandas as pd


def _values(frame: pd.DataFrame) -> pd.Series[Any]:
    refused = frame["refused"].astype(float)
    if "output_text" not in frame.columns:
        return refused
    texts = frame.loc[refused.isna(), "output_text"].dropna()
    return refused.fillna(texts.map(is_refusal).astype(float))


SIGNAL = Signal(
    name="refusal_share",
    title="share of replies that refuse",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.03,
    columns=("refused",),
    values=_values,
)
