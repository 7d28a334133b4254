"""Is a response well written? Graded 1 to 5 by a judge."""

from __future__ import annotations

from driftgate.flows.evaluators._judged import JudgedKind, judged

KIND = JudgedKind("fluency", "FluencyEvaluator", inputs=("response",))
make = judged(KIND)
