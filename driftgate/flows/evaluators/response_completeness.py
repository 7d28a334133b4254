"""Does a response hold everything that the right one holds? Graded 1 to 5 by a judge."""

from __future__ import annotations

from driftgate.flows.evaluators._azure_judged import JudgedKind, judged

KIND = JudgedKind(
    "response_completeness", class_name="ResponseCompletenessEvaluator", inputs=("response", "ground_truth")
)
make = judged(KIND)
