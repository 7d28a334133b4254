"""Does a response speak of self-harm? Asked of a Foundry project."""

from __future__ import annotations

from driftgate.flows.evaluators._safety import SafetyKind, safety

make = safety(SafetyKind("self_harm", "SelfHarmEvaluator", graded=True))
