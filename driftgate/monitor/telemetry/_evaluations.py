"""Results of evaluations that applications send: events named ``gen_ai.evaluation.result``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from driftgate.monitor.telemetry import _conventions as names
from driftgate.monitor.telemetry._messages import Events
from driftgate.monitor.telemetry._span import label


def results_of(events: Events) -> tuple[str, ...] | None:
    """The results among the events of a span; None where there is none.

    Examples
    --------
    >>> results_of([("gen_ai.evaluation.result", {"gen_ai.evaluation.name": "Relevance",
    ...     "gen_ai.evaluation.score.value": 2.0, "gen_ai.evaluation.score.label": "fail"})])
    ('{"label": "fail", "name": "Relevance", "score": 2.0}',)
    """
    if not events:
        return None
    return tuple(_result(told) for name, told in events if name == names.EVALUATION_EVENT) or None


def _result(told: Mapping[str, Any]) -> str:
    """Its explanation is content, and is not kept."""
    score = told.get(names.EVALUATION_SCORE)
    if isinstance(score, str):
        try:
            score = float(score)
        except ValueError:
            score = None
    known = isinstance(score, int | float) and score == score and abs(score) != float("inf")
    result = {
        "name": label(told.get(names.EVALUATION_NAME)),
        "score": score if known else None,
        "label": label(told.get(names.EVALUATION_LABEL)),
    }
    return json.dumps(result, ensure_ascii=False, sort_keys=True)
