"""Numbers that cannot be meant: a limit off the scale of its metric, a margin that forgives everything."""

from __future__ import annotations

import math
from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, Severity
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight._rules import Judged, binding_of, evaluated, rules, values_of
from driftgate.benchmarks.gate import COUNTED, LATENCIES
from driftgate.benchmarks.metrics import METRICS

_DOUBLE = 1.0
"""As much as a margin of a ratio can sensibly forgive: twice as slow, twice as dear."""
_MILLISECONDS = 100.0
"""A latency from which, where no request takes so long, milliseconds were meant."""
_SHARES = ("passed", "safe")
"""Numbers of judges and safety evaluators that are 0 or 1."""


def look(inspection: Inspection) -> Iterator[Finding]:
    """Hold the numbers of each rule against the scale of its metric."""
    said: list[Finding] = []
    for judged in rules(inspection):
        for finding in (*_limit(judged), *_margin(judged)):
            if finding not in said:
                said.append(finding)
                yield finding


def _limit(judged: Judged) -> Iterator[Finding]:
    rule = judged.rule
    key = "min" if rule.min is not None else "max"
    limit = rule.min if rule.min is not None else rule.max
    if limit is None:
        return
    scale, sure = _scale(judged)
    if not math.isfinite(limit):
        yield _said(judged, "error", key, f"{rule.metric} {key} is {limit}", "give a number")
        return
    if scale is not None and not scale[0] <= limit <= scale[1]:
        low, high = scale
        found = f"{rule.metric} {key} is {limit:g}, and {rule.metric} lies between {low:g} and {high:g}"
        if not sure:
            found = f"{rule.metric} {key} is {limit:g}, and on the sample that was tried it was between 0 and 1"
        yield _said(judged, "error" if sure else "warning", key, found, _meant(rule.metric, limit, scale))
        return
    if scale is not None and limit == (scale[0] if key == "min" else scale[1]):
        found = f"{rule.metric} {key} is {limit:g}, the end of its scale: the rule can never fail"
        yield _said(judged, "warning", key, found, "give a limit that can be missed")
    elif rule.metric in LATENCIES:
        yield from _seconds(judged, key, limit)
    elif rule.metric in COUNTED and limit < 0:
        yield _said(judged, "error", key, f"{rule.metric} {key} is {limit:g}, and it is never below 0", "correct it")
    if (key == "min") == rule.less_is_better and rule.metric in METRICS:
        found = f"{rule.metric} {key} is {limit:g}, and less of it is better"
        if key == "max":
            found = f"{rule.metric} {key} is {limit:g}, and more of it is better"
        yield _said(judged, "warning", key, found, f"did you mean {'max' if key == 'min' else 'min'}?")


def _scale(judged: Judged) -> tuple[tuple[float, float] | None, bool]:
    """Between which values the metric lies, where that is known, and whether it is sure."""
    rule = judged.rule
    if rule.scale is not None:
        return rule.scale, True
    if rule.metric.startswith(("accuracy", "share.")):
        return (0.0, 1.0), True
    parted = evaluated(rule.metric)
    if parted is None:
        return None, False
    key, name = parted
    for cell in judged.cells:
        judge = cell.evaluators.judged.get(key)
        if judge is not None and name == judge.kind.key:
            return (judge.kind.lowest, judge.kind.highest), True
        binding = binding_of(cell, key)
        if binding is not None and binding.declared is not None and name in _SHARES:
            return (0.0, 1.0), True
        value = next((one.value for one in values_of(judged.trial(cell), key) if one.metric == name), None)
        limit = rule.min if rule.min is not None else rule.max
        if value is not None and 0.0 <= value <= 1.0 and limit is not None and 1.0 < limit <= 100.0:
            return (0.0, 1.0), False
    return None, False


def _meant(metric: str, limit: float, scale: tuple[float, float]) -> str:
    """What was probably meant.

    Examples
    --------
    >>> _meant("accuracy", 35, (0.0, 1.0)), _meant("judge.grade.relevance", 0.8, (1.0, 5.0))
    ('did you mean 0.35?', 'give a limit between 1 and 5')
    """
    if scale == (0.0, 1.0) and 1.0 < limit <= 100.0:
        grades = "; of grades on another scale, give the rule its scale" if metric.startswith("accuracy") else ""
        return f"did you mean {limit / 100:g}?" + (grades if limit <= 10 else "")
    return f"give a limit between {scale[0]:g} and {scale[1]:g}"


def _seconds(judged: Judged, key: str, limit: float) -> Iterator[Finding]:
    """A latency is in seconds, and a request is given up after the model's ``timeout``."""
    longest = max((cell.model_config.timeout for cell in judged.cells), default=None)
    found = f"{judged.rule.metric} {key} is {limit:g} seconds"
    if limit < 0:
        yield _said(judged, "error", key, f"{found}, and it is never below 0", "correct it")
    elif longest is not None and limit > longest:
        said = f"{found}, and a request is given up after {longest:g}"
        if limit >= _MILLISECONDS:
            yield _said(judged, "error", key, said, f"seconds are meant; did you mean {limit / 1000:g}?")
        else:
            yield _said(judged, "warning", key, f"{said}: the rule can hardly fail", "give a limit that can be missed")


def _margin(judged: Judged) -> Iterator[Finding]:
    rule = judged.rule
    if rule.by_ratio:
        if rule.margin > _DOUBLE:
            found = f"the margin of {rule.metric} is {rule.margin:g}, which forgives {rule.margin:.0%} more"
            yield _said(judged, "warning", "margin", found, f"a share is meant; did you mean {rule.margin / 100:g}?")
        return
    scale, sure = _scale(judged)
    if scale is None or not sure:
        return
    width = scale[1] - scale[0]
    if rule.margin >= width:
        found = f"the margin of {rule.metric} is {rule.margin:g}, which is its whole scale: the rule can never fail"
        remedy = f"did you mean {rule.margin / 100:g}?" if width == 1.0 else f"give less than {width:g}"
        yield _said(judged, "error", "margin", found, remedy)


def _said(judged: Judged, severity: Severity, key: str, found: str, remedy: str) -> Finding:
    return Finding(severity, judged.subject, found, remedy, judged.where(key))


CHECK = Check(look)
