"""Does a response answer the question that was asked? Graded 1 to 5 by a judge."""

from __future__ import annotations

from driftgate.flows.evaluators._azure_judged import JudgedKind, judged

KIND = JudgedKind("relevance", class_name="RelevanceEvaluator", inputs=("query", "response"))
make = judged(KIND)
