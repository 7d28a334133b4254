"""A rule's verdict, made one harmless line of a build's log."""

from __future__ import annotations

from driftgate.benchmarks.gate._verdict import RuleVerdict
from driftgate.flows.plain import one_line


def told(rule: RuleVerdict) -> str:
    """A rule's verdict in one line."""
    return one_line(f"{rule.verdict}: {rule.cell}: {rule.rule}: {rule.told}")
