"""How many replies talk to a judge, in words, forged turns or a grade of their own?

Ingest decides it where content is seen (`addresses_judge`); where it did not and the text was kept, it is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftgate.flows.addressing import addresses_judge
from driftgate.monitor.signals._signal import Signal

if TYPE_CHECKING:
    import pandas as pd


def _values(frame: pd.DataFrame) -> pd.Series[Any]:
    addressed = frame["addressed"].astype(float)
    if "output_text" not in frame.columns:
        return addressed
    texts = frame.loc[addressed.isna(), "output_text"].dropna()
    return addressed.fillna(texts.map(addresses_judge).astype(float))


SIGNAL = Signal(
    name="addressing_share",
    title="share of replies that address a judge",
    unit="share",
    bad="higher",
    kind="proportion",
    floor=0.01,
    columns=("addressed",),
    values=_values,
)
