"""Readers that were trained on labelled texts: what rules do not tell, by the runs of characters in it.

The weights stand beside this file, one file a reader. ``python -m benchmarks.perf.speech_training`` makes them anew.
"""

from __future__ import annotations

from driftgate.flows.learned._features import features
from driftgate.flows.learned._reader import Reader, reader

__all__ = ["Reader", "features", "reader"]
