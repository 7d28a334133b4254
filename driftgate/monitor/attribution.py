"""What else changed between two windows: the first places to look."""

from __future__ import annotations

import numpy as np
import pandas as pd

from driftgate.monitor._ceased import CAUSES, WHO, ceased, in_words
from driftgate.monitor._volume import lost
from driftgate.monitor.alert import Cause, Hint, Period
from driftgate.monitor.signals import failed as call_failed

_NEW_SHARE = 0.05
"""A value is new where at least so many of the current rows and hardly any of the reference rows have it."""
_OLD_SHARE = 0.005
_HALF = 0.5
_MIX_SHARE = 0.1
"""A slice's share of the traffic must change by so much to be mentioned."""
_IDENTITY: tuple[tuple[str, Cause, str], ...] = (
    ("prompt_hash", "prompt", "prompt template"),
    ("request_model", "model", "requested model"),
    ("response_model", "model", "response model"),
    ("fingerprint", "model", "system fingerprint"),
)

_LABELS = (*CAUSES, *WHO)


def hints(
    reference: pd.DataFrame, current: pd.DataFrame, before: Period | None = None, now: Period | None = None
) -> tuple[Hint, ...]:
    """List what changed beside the signals: prompt template, model identity, mix of slices, volume, errors.

    Parameters
    ----------
    reference, current
        Rows of telemetry or of canary answers; columns that a frame lacks are passed over.
    before, now
        The frames' periods, for the volume; None leaves it out.

    Examples
    --------
    >>> before = pd.DataFrame({"response_model": ["gpt-4-0314"] * 40})
    >>> now = pd.DataFrame({"response_model": ["gpt-4-0314"] * 10 + ["gpt-4-0613"] * 30})
    >>> [hint.text for hint in hints(before, now)]
    ['response model gpt-4-0613 is new, on 75% of calls']
    """
    if reference.empty or current.empty:
        return ()
    found = [
        Hint(cause, f"{words} {value} is new, on {100 * share:.0f}% of calls")
        for column, cause, words in _IDENTITY
        for value, share in newcomers(reference, current, column)
    ]
    if "outcome" in current.columns:
        return (*found, *_lost(reference, current))
    untold = [Hint("telemetry", in_words(*one)) for one in ceased(reference, current, _LABELS)]
    beside = (*_mix(reference, current), *_volume(reference, current, before, now), *_errors(reference, current))
    return (*found, *untold, *beside)


def likeliest(found: tuple[Hint, ...], *, of_canaries: bool, signal: str) -> Cause:
    """The likeliest cause of a signal's move.

    Canaries are the same prompts in both windows: unless their template changed, or most of those that were right have
    no whole reply now, it is the model that moved. Of production traffic the first that applies is taken: template,
    model, inputs, service, telemetry.

    Examples
    --------
    >>> likeliest((), of_canaries=True, signal="canary_accuracy")
    'model'
    >>> likeliest((Hint("input", "..."), Hint("model", "...")), of_canaries=False, signal="latency")
    'model'
    """
    causes = {hint.cause for hint in found}
    if of_canaries:
        others: tuple[Cause, ...] = ("prompt", "service")
        return next((cause for cause in others if cause in causes), "model")
    own: dict[str, Cause] = {"input_drift": "input", "error_rate": "service"}
    if signal in own:
        return own[signal]
    order: tuple[Cause, ...] = ("prompt", "model", "input", "service", "telemetry")
    return next((cause for cause in order if cause in causes), "unknown")


def newcomers(reference: pd.DataFrame, current: pd.DataFrame, column: str) -> list[tuple[str, float]]:
    if column not in reference.columns or column not in current.columns:
        return []
    old = reference[column].fillna("").value_counts(normalize=True)
    new = current[column].fillna("").value_counts(normalize=True)
    return [
        (str(value), float(share))
        for value, share in new.items()
        if value and share >= _NEW_SHARE and old.get(value, 0.0) < _OLD_SHARE
    ]


def _lost(reference: pd.DataFrame, current: pd.DataFrame) -> list[Hint]:
    """Whether most of the canaries that were right and are not now have no whole reply.

    A reply that cannot be read may refuse, so that it speaks of the model.
    """
    right = set(reference.loc[reference["correct"] == 1.0, "key"])
    outcomes = current.loc[current["key"].isin(right) & (current["correct"] != 1.0), "outcome"]
    cut = int((~outcomes.isin(["answered", "unparsed"])).sum())
    if not len(outcomes) or cut < _HALF * len(outcomes):
        return []
    return [Hint("service", f"{cut} of {len(outcomes)} answers to canaries that were right have no whole reply")]


def _mix(reference: pd.DataFrame, current: pd.DataFrame) -> list[Hint]:
    if "slice" not in reference.columns or "slice" not in current.columns:
        return []
    from scipy import stats

    counts = pd.concat([reference["slice"].value_counts(), current["slice"].value_counts()], axis=1).fillna(0.0)
    if len(counts) < 2:
        return []
    table = counts.to_numpy().T
    shares = table / table.sum(axis=1, keepdims=True)
    change = shares[1] - shares[0]
    widest = int(np.abs(change).argmax())
    if abs(change[widest]) < _MIX_SHARE or stats.chi2_contingency(table).pvalue > 0.001:
        return []
    was, now = 100 * shares[:, widest]
    return [Hint("input", f"slice '{counts.index[widest]}' went from {was:.0f}% to {now:.0f}% of calls")]


def _volume(reference: pd.DataFrame, current: pd.DataFrame, before: Period | None, now: Period | None) -> list[Hint]:
    if before is None or now is None or "time" not in reference.columns:
        return []
    found = lost(pd.concat([reference, current]), before, now)
    return [Hint("telemetry", found.words)] if found is not None else []


def _errors(reference: pd.DataFrame, current: pd.DataFrame) -> list[Hint]:
    def failed(frame: pd.DataFrame) -> float:
        return float(call_failed(frame).mean() if "error" in frame.columns else frame["correct"].isna().mean())

    if not all({"error", "correct"} & set(frame.columns) for frame in (reference, current)):
        return []
    was, now = failed(reference), failed(current)
    if not now - was >= 0.05:  # nor where it is not known of any call
        return []
    return [Hint("service", f"calls that fail went from {100 * was:.0f}% to {100 * now:.0f}%")]
