"""Findings as the ledger keeps them: every signal, window and slice, so that their history can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftgate.monitor.detectors import Evidence
    from driftgate.monitor.drift import Finding


def whole(finding: Finding) -> dict[str, Any]:
    """All that a finding says, as JSON has it.

    Returns
    -------
    dict
        ``signal``, ``kind`` (of its values), ``looks`` (how many the window pools), ``periods`` (how many of
        traffic it pools), ``reference`` and ``current`` (each a start and an end),
        ``floor``, ``moved`` (slices), ``p_value``, ``adjusted_p_value``, and evidence: ``everywhere``, ``evidence`` (of
        the slices that moved, or everywhere), ``steady`` (of the canaries that were always right in the beginning of
        the reference; None where none were chosen) and by name ``slices``. ``days`` of evidence is how many of the
        monitor's periods the reference has, where they were compared.
    """
    windows = finding.windows
    return {
        "signal": finding.signal.name,
        "kind": finding.signal.kind,
        "looks": windows.looks,
        "periods": windows.periods,
        **{side: [p.start.isoformat(), p.end.isoformat()] for side, p in _sides(finding).items()},
        "floor": finding.floor,
        "moved": list(finding.moved),
        "p_value": finding.p_value,
        "adjusted_p_value": finding.adjusted_p_value,
        "evidence": _plain(finding.place),
        "everywhere": _plain(finding.everywhere),
        "steady": None if finding.steady is None else _plain(finding.steady),
        "slices": {name: _plain(found) for name, found in finding.slices.items()},
    }


def _sides(finding: Finding) -> dict[str, Any]:
    return {"reference": finding.windows.reference, "current": finding.windows.current}


def _plain(found: Evidence) -> dict[str, Any]:
    return {
        "p_value": found.p_value,
        "effect": found.effect.estimate,
        "low": found.effect.low,
        "high": found.effect.high,
        "reference_value": found.reference_value,
        "current_value": found.current_value,
        "n_reference": found.n_reference,
        "n_current": found.n_current,
        "method": found.method,
        "days": found.detail.get("days"),
        **({"detail": dict(found.detail)} if found.detail else {}),
    }
