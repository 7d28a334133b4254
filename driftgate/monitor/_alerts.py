"""The alerts of a look: which findings alarm, and what else changed beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from driftgate.monitor._found import UNDIRECTED, Finding, Windows
from driftgate.monitor.alert import Alert, Hint, Moved, sentence
from driftgate.monitor.attribution import likeliest
from driftgate.monitor.signals import Kind

_EFFECT_UNIT: Mapping[Kind, Any] = {
    "paired_binary": "difference of shares",
    "proportion": "difference of shares",
    "continuous": "relative change",
    "histogram": "population stability index above chance",
    "text": "share of traffic",
}


def alerts_among(
    alarming: Sequence[Finding],
    findings: Sequence[Finding],
    context: Mapping[Windows, Callable[[], tuple[Hint, ...]]],
    alpha: float,
) -> tuple[Alert, ...]:
    names = {finding.signal.name for finding in alarming}
    asked = {finding.signal.name for finding in findings if finding.signal.of_canaries and finding.p_value is not None}
    alerts: list[Alert] = []
    for finding in _strongest(alarming):
        found = list(context[finding.windows]())
        if finding.windows.of == "telemetry":
            if "input_drift" in names and not any(hint.cause == "input" for hint in found):
                found.append(Hint("input", "the inputs' text changed in the same look"))
            if asked & names:
                found.append(Hint("model", "canaries moved in the same look"))
            elif asked:
                found.append(Hint("unknown", "canaries are quiet in the same look"))
        alerts.append(alert_of(finding, tuple(found)))
    # What moved against the sliding reference and against that which does not is one alert, the surest.
    said: dict[tuple[object, ...], Alert] = {}
    for alert in alerts:
        said.setdefault((alert.signal, alert.moved, alert.slices), alert)
    return tuple(said.values())


def _strongest(alarming: Sequence[Finding]) -> list[Finding]:
    """The findings with the strongest evidence first; of windows of canaries one for each signal."""
    ordered = sorted(alarming, key=lambda f: (cast(float, f.adjusted_p_value), f.windows.looks))
    seen: set[str] = set()
    kept = []
    for finding in ordered:
        if not finding.signal.of_canaries or finding.signal.name not in seen:
            kept.append(finding)
        seen.add(finding.signal.name)
    return kept


def alert_of(finding: Finding, found: tuple[Hint, ...]) -> Alert:
    """What a finding tells the person who is paged, with what else changed."""
    signal, place = finding.signal, finding.place
    effect = cast(float, place.effect.estimate)
    moved: Moved = "changed" if signal.kind in UNDIRECTED else "rose" if effect > 0 else "fell"
    alert = Alert(
        signal=signal.name,
        title=signal.title,
        unit=signal.unit,
        moved=moved,
        slices=finding.moved,
        reference=finding.windows.reference,
        current=finding.windows.current,
        n_reference=place.n_reference,
        n_current=place.n_current,
        reference_value=place.reference_value,
        current_value=place.current_value,
        effect=effect,
        effect_low=place.effect.low,
        effect_high=place.effect.high,
        effect_unit=_EFFECT_UNIT[signal.kind],
        floor=finding.floor,
        p_value=cast(float, finding.p_value),
        adjusted_p_value=cast(float, finding.adjusted_p_value),
        detector=place.method,
        detail=dict(place.detail),
        cause=likeliest(found, of_canaries=signal.of_canaries, signal=signal.name),
        hints=found,
        summary="",
        looks=finding.windows.looks,
        periods=finding.windows.periods,
    )
    return replace(alert, summary=sentence(alert))
