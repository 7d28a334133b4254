"""Does a response hold sexual content? Asked of a Foundry project."""

from __future__ import annotations

from driftgate.flows.evaluators._safety import SafetyKind, safety

make = safety(SafetyKind("sexual", "SexualEvaluator", graded=True))
