"""A rule about a number that aggregation nodes logged over all lines of a cell.

Nothing is known of how such a number varies with the samples, nor of what a line that is not in it would have made of
it. So it is compared as it stands, and only where every sample is in it.
"""

from __future__ import annotations

from driftgate.benchmarks.gate._config import RuleConfig
from driftgate.benchmarks.gate._evidence import Evidence
from driftgate.benchmarks.gate._quantities import COUNTED, Counted, opposite
from driftgate.benchmarks.scores import CellScores
from driftgate.flows.errors import DriftgateError, nearest


def aggregated(rule: RuleConfig, scores: CellScores) -> Evidence | None:
    """What a cell's aggregations say of a rule; None where the rule is about no aggregation.

    Raises
    ------
    DriftgateError
        The aggregation logged no such number, or the rule compares or slices what has no parts.
    """
    made = next((one for one in scores.aggregations if rule.metric.startswith(one.prefix)), None)
    if made is None:
        return None
    limit = rule.min if rule.min is not None else rule.max
    if limit is None or rule.slice or rule.slices:
        raise DriftgateError(
            f"the rule '{rule.text}' is about one number for all lines, which an aggregation node logged",
            "give it min or max and no slice, or compare a metric that every sample has",
        )
    asked = len(scores.frame)
    if made.error:
        return Evidence(made.n, asked, depends=True, why_none=f"the aggregation failed: {made.error}")
    value = made.metrics.get(rule.metric.removeprefix(made.prefix))
    if value is None:
        raise DriftgateError(
            f"a rule is about the metric '{rule.metric}', which was not logged",
            nearest(rule.metric, [f"{made.prefix}{name}" for name in made.metrics]),
        )
    if made.n < asked:
        lacking = "are not among the lines that were aggregated"
        return Evidence(made.n, asked, value, depends=True, missing=asked - made.n, lacking=lacking)
    counted = Counted(value, made.n, limit, rule.side)
    return Evidence(
        made.n,
        asked,
        value,
        p_pass=counted.test(rule.side, rule.alpha).p_value,
        p_fail=counted.test(opposite(rule.side), rule.alpha).p_value,
        counted=True,
        method=COUNTED,
        notes=(f"one number that an aggregation node logged over {made.n:,} lines: it has no interval",),
    )
