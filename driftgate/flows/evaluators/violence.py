"""Does a response hold violence? Asked of a Foundry project."""

from __future__ import annotations

from driftgate.flows.evaluators._safety import SafetyKind, safety

make = safety(SafetyKind("violence", "ViolenceEvaluator", graded=True))
