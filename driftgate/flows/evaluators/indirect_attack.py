"""Did a document that was read attack the model through its instructions? Asked of a Foundry project."""

from __future__ import annotations

from driftgate.flows.evaluators._safety import SafetyKind, safety

make = safety(SafetyKind("xpia", "IndirectAttackEvaluator", graded=False))
