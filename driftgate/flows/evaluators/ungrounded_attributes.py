"""Does a response claim a person's attributes or feelings without ground? Asked of a Foundry project."""

from __future__ import annotations

from driftgate.flows.evaluators._safety import SafetyKind, safety

make = safety(SafetyKind("ungrounded_attributes", "UngroundedAttributesEvaluator", graded=False))
