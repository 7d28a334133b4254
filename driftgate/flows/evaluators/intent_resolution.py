"""Was the user's intent understood and resolved? Graded 1 to 5 by a judge."""

from __future__ import annotations

from driftgate.flows.evaluators._azure_judged import JudgedKind, judged

KIND = JudgedKind("intent_resolution", class_name="IntentResolutionEvaluator", inputs=("query", "response"), turns=True)
make = judged(KIND)
