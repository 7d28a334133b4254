"""Is a response well written? Graded 1 to 5 by a judge."""

from __future__ import annotations

from driftgate.flows.evaluators._azure_judged import JudgedKind, judged

KIND = JudgedKind("fluency", class_name="FluencyEvaluator", inputs=("response",))
make = judged(KIND)
