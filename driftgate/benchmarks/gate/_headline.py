"""A verdict in one sentence that a person understands; the statistics stand behind it."""

from __future__ import annotations

from collections.abc import Callable

from driftgate.benchmarks.gate._config import LATENCIES, RuleConfig
from driftgate.benchmarks.gate._evidence import Evidence
from driftgate.benchmarks.gate._verdict import Verdict


def headline(rule: RuleConfig, evidence: Evidence, verdict: Verdict) -> str:
    """What was found, what was wanted, and how sure that is.

    Examples
    --------
    >>> rule = RuleConfig(metric="accuracy", min=0.35)
    >>> headline(rule, Evidence(100, 100, value=0.57, low=0.472, high=0.663, bound=0.4891), "pass")
    '57.0% is above 35%: surely above 48.9%'
    >>> headline(rule, Evidence(100, 100, value=0.2, low=0.133, high=0.289), "fail")
    '20.0% is below 35%: surely below 28.9%'
    >>> headline(rule, Evidence(100, 100, value=0.37, low=0.282, high=0.468, needed=5000), "inconclusive")
    '37.0% is too close to 35% to tell: between 28.2% and 46.8%; about 5,000 samples would decide'
    >>> headline(rule, Evidence(100, 100, value=1.89), "inconclusive")  # a grade, and no share of right answers
    '1.89 is too close to 0.35 to tell'
    """
    if verdict == "unmeasurable" or evidence.value is None:
        return ""  # the reason says why, and there is no number to put before it
    share = _is_share(rule, evidence)
    wanted, told = _limit(rule, share), _teller(rule, share)
    found = told(evidence.value)
    if verdict == "inconclusive":
        between = (
            ""
            if evidence.low is None or evidence.high is None
            else (f": between {told(evidence.low)} and {told(evidence.high)}")
        )
        needed = f"; about {evidence.needed:,} samples would decide" if evidence.needed else ""
        return f"{found} is too close to {wanted} to tell{between}{needed}"
    above = (rule.side == "above") == (verdict == "pass")
    side = "above" if above else "below"
    if evidence.counted:
        at = "at least" if above else "at most"
        holds = f"{at} {wanted}" if verdict == "pass" else f"{side} {wanted}"
        return f"{found} is {holds}, counted"
    limit = evidence.bound if verdict == "pass" else (evidence.low if above else evidence.high)
    sure = "" if limit is None else f": surely {side} {told(limit)}"
    return f"{found} is {side} {wanted}{sure}"


def drifted(rule: RuleConfig, evidence: Evidence, anchor: str) -> str:
    """How far a cell is from the anchor.

    Examples
    --------
    >>> rule = RuleConfig(no_worse_than="anchor")
    >>> drifted(rule, Evidence(400, 400, value=-0.061, low=-0.102, high=-0.019), "20261101-a1b2")
    'accuracy since the anchor 20261101-a1b2: -6.1 points, between -10.2 points and -1.9 points'
    >>> drifted(rule, Evidence(0, why_none="the anchor, run 20261101-a1b2, is stopped"), "20261101-a1b2")
    'accuracy since the anchor 20261101-a1b2: not known: the anchor, run 20261101-a1b2, is stopped'
    """
    about = f"{rule.metric}[{rule.slice}]" if rule.slice else rule.metric
    told = _teller(rule, _is_share(rule, evidence))
    if evidence.value is None:
        said = f"not known: {evidence.why_none or 'too much of it is missing'}"
    else:
        said = told(evidence.value)
        if evidence.low is not None and evidence.high is not None:
            said += f", between {told(evidence.low)} and {told(evidence.high)}"
    return f"{about} since the anchor {anchor}: {said}"


def _limit(rule: RuleConfig, share: bool) -> str:
    if rule.opponent is None:
        limit = rule.min if rule.min is not None else rule.max
        assert limit is not None
        return f"{100 * limit:g}%" if share else f"{limit:g}{_unit(rule)}"
    if rule.by_ratio:
        return f"{1 + rule.margin:g} times {rule.opponent}'s" if rule.no_worse_than else f"{rule.opponent}'s"
    allowed = 0.0 if rule.better_than else rule.margin if rule.less_is_better else -rule.margin
    return f"the allowed {100 * allowed:+g} points" if share else f"the allowed {allowed:+g}"


def _teller(rule: RuleConfig, share: bool) -> Callable[[float], str]:
    if rule.opponent is not None:
        if rule.by_ratio:
            return lambda value: f"{value:.3g} times"
        return (lambda value: f"{100 * value:+.1f} points") if share else (lambda value: f"{value:+.3g}")
    return (lambda value: f"{100 * value:.1f}%") if share else (lambda value: f"{value:.4g}{_unit(rule)}")


def _is_share(rule: RuleConfig, evidence: Evidence) -> bool:
    """Whether its value is a share: accuracy is none where the primary metric is a grade on another scale."""
    graded = rule.scale is not None and tuple(rule.scale) != (0.0, 1.0)
    return rule.metric.startswith(("accuracy", "share.")) and not graded and abs(evidence.value or 0.0) <= 1.0


def _unit(rule: RuleConfig) -> str:
    return " s" if rule.metric in LATENCIES else ""
