"""Are the inputs about the same things? Read from the hashed character n-grams that ingest keeps of each input.

The floor was measured on 2,000 Korean exam questions a side, `python -m benchmarks.perf.text_drift` with seeds 0 to 2:
where nothing changed, none of thirty windows was an alert; where one topic of ten went from 10% to 25%, 24 were, and to
30%, 29.
"""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="input_drift",
    title="input text",
    unit="share",
    bad="either",
    kind="text",
    floor=0.02,
    columns=("input_ngrams",),
    values=lambda frame: frame["input_ngrams"],
)
