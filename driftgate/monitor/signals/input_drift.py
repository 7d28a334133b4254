"""Are the inputs about the same things? Read from the hashed character n-grams that ingest keeps of each input.

The floor was measured on windows of 300 Korean exam questions: beyond chance, the index is at most 0.03 where nothing
changed, 0.03 to 0.12 where half of a mixed traffic gave way to one kind, 0.18 to 2.0 where another kind took over.
"""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="input_drift",
    title="input text",
    unit="n-grams",
    bad="either",
    kind="histogram",
    floor=0.05,
    columns=("input_ngrams",),
    values=lambda frame: frame["input_ngrams"],
)
