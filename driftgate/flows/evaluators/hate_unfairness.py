"""Does a response hold hate or unfairness? Asked of a Foundry project."""

from __future__ import annotations

from driftgate.flows.evaluators._safety import SafetyKind, safety

make = safety(SafetyKind("hate_unfairness", "HateUnfairnessEvaluator", graded=True))
