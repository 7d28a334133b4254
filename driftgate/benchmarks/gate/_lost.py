"""What an outage leaves of a rule: where more of a cell failed than its suite allows, nothing passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from driftgate.benchmarks.gate._evidence import Evidence
from driftgate.benchmarks.gate._path import Path
from driftgate.benchmarks.gate._sequential import Asked
from driftgate.benchmarks.scores import CellScores
from driftgate.benchmarks.trouble import failed_share, failed_words

if TYPE_CHECKING:
    import pandas as pd


def most_failed(plan: Mapping[str, Any]) -> float:
    """Share of a cell's samples that might fail in a run; runs of before that was asked allowed all of them."""
    config = plan.get("config")
    allowed = config.get("max_failed", 1.0) if isinstance(config, Mapping) else 1.0
    return float(allowed)


def held_back(evidence: Evidence, scores: CellScores, far: Asked | None, allowed: float) -> Evidence:
    """The evidence, which passes at no look at which more of what was asked had failed than the suite allows.

    The run then ends as unmeasurable, whatever is left of it, and no gate makes more of it.

    Parameters
    ----------
    far : Asked or None
        How far the cell was asked, of a run that its gate may stop.
    allowed : float
        The suite's ``max_failed``.
    """
    judged = scores.judged
    if far is None:
        return replace(evidence, lost=_lost(scores.asks, allowed, judged=judged) or evidence.lost)
    places = scores.asks["key"].map(far.places)
    lost = [_lost(scores.asks[places < end], allowed, judged=judged) for end in (*far.ends, far.count)]
    path = evidence.path
    if path is not None and far.ends.size and any(lost[:-1]):
        looks = range(far.ends.size if path.counted and path.looks == 1 else path.looks)
        p_values = np.array([path.at(look) for look in looks])
        p_pass = np.where([bool(lost[look]) for look in looks], 1.0, p_values[:, 0])
        path = Path(p_pass, p_values[:, 1], path.counted)
    return replace(evidence, lost=lost[-1] or evidence.lost, path=path)


def _lost(asks: pd.DataFrame, allowed: float, *, judged: bool) -> str:
    share = failed_share(asks, judged=judged)
    if share <= allowed:
        return ""
    what = failed_words(asks, judged=judged)
    return f"{share:.1%} of the samples {what}, and the suite allows {allowed:.0%} (max_failed)"
