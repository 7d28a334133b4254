"""Are the replies about the same things, in the same words? Read from the n-grams that ingest keeps of each reply.

A failed call has no reply, and one that is empty says nothing.
"""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal, failed

SIGNAL = Signal(
    name="output_drift",
    title="text of replies",
    unit="share",
    bad="either",
    kind="text",
    floor=0.02,
    columns=("output_ngrams", "output_chars", "error"),
    values=lambda frame: frame["output_ngrams"].mask((failed(frame) == 1) | (frame["output_chars"] == 0), None),
)
