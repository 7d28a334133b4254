"""Does a response say only what its context says? Graded 1 to 5 by a judge; ``support`` measures it without one."""

from __future__ import annotations

from driftgate.flows.evaluators._azure_judged import JudgedKind, judged

KIND = JudgedKind(
    "groundedness", class_name="GroundednessEvaluator", inputs=("response", "context"), optional=("query",)
)
make = judged(KIND)
