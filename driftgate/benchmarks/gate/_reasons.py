"""Verdicts in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from driftgate.benchmarks.gate._config import RuleConfig
from driftgate.benchmarks.gate._evidence import Evidence, corrected, corrected_at_worst
from driftgate.benchmarks.gate._verdict import Verdict

_NAMED = 8
"""How many slices a sentence names."""


def decide(checks: Sequence[tuple[RuleConfig, Evidence]]) -> list[tuple[Verdict, float | None]]:
    """The verdict on each check of a gate, with the p-value against it, corrected by Holm over all that were tested."""
    every = [evidence for _, evidence in checks]
    return [
        (concluded(rule, evidence, p_fail, p_worst), p_fail)
        for (rule, evidence), p_fail, p_worst in zip(checks, corrected(every), corrected_at_worst(every), strict=True)
    ]


def concluded(rule: RuleConfig, evidence: Evidence, p_fail: float | None, p_worst: float | None) -> Verdict:
    """The verdict on one check, with the corrected p-values against it, as it is and with what is missing at worst."""
    if evidence.p_pass is not None and evidence.p_pass <= rule.alpha and not evidence.lost:
        return "pass"
    if p_fail is not None and p_fail <= rule.alpha:
        return "fail"
    at_worst = evidence.missing > 0 and p_worst is not None and p_worst <= rule.alpha
    return "unmeasurable" if evidence.depends or evidence.lost or at_worst else "inconclusive"


def explain(rule: RuleConfig, evidence: Evidence, verdict: Verdict, p_fail: float | None, checks: int) -> str:
    """Why the verdict is what it is, with the numbers that a doubter asks for."""
    parts = [_sentence(rule, evidence, verdict, p_fail, checks)]
    if verdict == "inconclusive" and evidence.needed is not None:
        parts.append(f"about {evidence.needed:,} samples would decide if the truth is as observed")
    if evidence.detectable is not None:
        unit = " of the ratio" if rule.by_ratio and rule.opponent else ""
        parts.append(f"detectable: {evidence.detectable:.3g}{unit}")
    if verdict in ("pass", "fail") and evidence.missing:
        parts.append(f"{evidence.missing:,} of {evidence.asked:,} samples {evidence.lacking}, whatever they were")
    return "; ".join([*parts, *evidence.notes])


def _sentence(rule: RuleConfig, evidence: Evidence, verdict: Verdict, p_fail: float | None, checks: int) -> str:
    if verdict == "pass":
        if evidence.counted:
            return "counted, not sampled: it holds"
        bound = (
            ""
            if evidence.bound is None
            else f", {_end(rule)} {evidence.bound:.4g} with {100 * (1 - rule.alpha):g}% confidence"
        )
        return f"shown ({evidence.method}): p = {_p(evidence.p_pass)}{bound}"
    if verdict == "fail":
        if evidence.counted:
            return _naming("counted, not sampled: it does not hold", evidence.failing)
        among = f", {_p(p_fail)} corrected over {checks} checks" if checks > 1 else ""
        return _naming(f"the opposite is shown ({evidence.method}): p = {_p(evidence.p_fail)}{among}", evidence.failing)
    if verdict == "unmeasurable":
        if evidence.lost and not evidence.depends:
            return evidence.lost
        if not evidence.missing:
            return evidence.why_none or "there is nothing to measure"
        low, high = evidence.extremes
        between = (
            ""
            if low is None or high is None or not math.isfinite(high - low) or low == high
            else f" (from {low:.4g} to {high:.4g})"
        )
        return (
            f"{evidence.missing:,} of {evidence.asked:,} samples {evidence.lacking}, "
            f"and whether the rule holds depends on them{between}"
        )
    if evidence.p_pass is None and evidence.p_fail is None:
        return evidence.why_none or "it cannot be tested"
    p_values = f"p = {_p(evidence.p_pass)} for it, {_p(evidence.p_fail)} against it"
    undecided = f" in {_listed(evidence.undecided)}" if evidence.undecided else ""
    return f"neither the rule nor its opposite is shown{undecided} ({p_values})"


def _naming(text: str, slices: tuple[str, ...]) -> str:
    return f"{text}; fails in {_listed(slices)}" if slices else text


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _end(rule: RuleConfig) -> str:
    return "at least" if rule.side == "above" else "at most"


def _p(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2g}"
