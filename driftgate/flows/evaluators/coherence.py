"""Does a response hang together? Graded 1 to 5 by a judge."""

from __future__ import annotations

from driftgate.flows.evaluators._azure_judged import JudgedKind, judged

KIND = JudgedKind("coherence", class_name="CoherenceEvaluator", inputs=("query", "response"))
make = judged(KIND)
