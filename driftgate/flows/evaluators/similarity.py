"""Does a response mean the same as the right one? Graded 1 to 5 by a judge."""

from __future__ import annotations

from driftgate.flows.evaluators._azure_judged import JudgedKind, judged

KIND = JudgedKind("similarity", class_name="SimilarityEvaluator", inputs=("query", "response", "ground_truth"))
make = judged(KIND)
