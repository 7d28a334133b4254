"""Does a response hold protected material, such as lyrics? Asked of a Foundry project."""

from __future__ import annotations

from driftgate.flows.evaluators._safety import SafetyKind, safety

make = safety(SafetyKind("protected_material", "ProtectedMaterialEvaluator", graded=False))
