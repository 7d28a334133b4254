"""Who moved? Seven suspects, each with the numbers for and against it.

A signal moves because the prompt template changed, because users ask something else, because the provider serves
another model, because the judge judges otherwise, because answers are extracted or formatted otherwise, because
telemetry was lost or is laid out anew, or because the service fails. What can be counted is counted for each; what
cannot be told is said too, as it clears nobody.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from driftgate.flows.refusals import is_refusal
from driftgate.monitor._ceased import ceased
from driftgate.monitor.alert import Alert
from driftgate.monitor.attribution import newcomers
from driftgate.monitor.signals import SIGNALS, Signal

if TYPE_CHECKING:
    import pandas as pd

Name = Literal["template", "inputs", "provider", "judge", "extraction", "telemetry", "service"]
NAMES: tuple[Name, ...] = ("template", "inputs", "provider", "judge", "extraction", "telemetry", "service")

_TEMPLATE = ("prompt_hash", "template_hash", "system_hash", "prompt_version")
_PROVIDER = ("request_model", "response_model", "fingerprint")
_SIGNALS: Mapping[Name, tuple[str, ...]] = {
    "inputs": ("input_drift", "input_length", "korean_input_share"),
    "judge": ("addressing_share",),
    "extraction": ("unparsed_share", "malformed_share"),
    "service": ("error_rate", "empty_share", "truncation_share"),
}
"""Signals that speak for a suspect where they moved, and against it where they did not."""
_HALF = 0.5
"""The share of a move that a suspect explains from which that speaks for it."""
_LEAST = 10
"""Calls that a cell of two windows needs to be compared."""
_FENCE = re.compile(r"```[\w+-]*")


@dataclass(frozen=True)
class Suspect:
    """One of the seven, and what speaks for and against it."""

    name: Name
    for_it: tuple[str, ...] = ()
    against: tuple[str, ...] = ()

    @property
    def told(self) -> bool:
        """Whether anything is known of it."""
        return bool(self.for_it or self.against)


@dataclass(frozen=True)
class Lost:
    """What became of canaries that were right in the reference and are not now."""

    wrong: int = 0
    unparsed: int = 0
    refused: int = 0
    unanswered: int = 0
    """Truncated, filtered or failed."""
    form_only: int = 0
    """Of those: how many replies are the same as before but for fences, marks and spaces."""
    fences: int = 0
    """Of those: how many have code fences where they had none, or the other way about."""

    @property
    def all(self) -> int:
        """Together."""
        return self.wrong + self.unparsed + self.refused + self.unanswered


def lost_canaries(before: pd.DataFrame, now: pd.DataFrame) -> Lost:
    """What became of canaries that were right.

    Parameters
    ----------
    before, now
        Rows of canaries with ``key``, ``outcome``, ``correct`` and, where texts are kept, ``response``.

    Examples
    --------
    >>> import pandas as pd
    >>> was = pd.DataFrame({"key": [1, 2], "outcome": "answered", "correct": 1.0, "response": ['{"a": 1}', "B"]})
    >>> now = pd.DataFrame({"key": [1, 2], "outcome": ["unparsed", "answered"], "correct": 0.0,
    ...                     "response": ['```json\\n{"a": 1}\\n```', "C"]})
    >>> found = lost_canaries(was, now)
    >>> found.unparsed, found.wrong, found.form_only, found.fences
    (1, 1, 1, 1)
    """
    right = before[before["correct"] == 1.0].drop_duplicates("key", keep="last").set_index("key")
    rows = now[now["key"].isin(right.index) & ~(now["correct"] == 1.0)].drop_duplicates("key", keep="last")
    counts: dict[str, int] = dict.fromkeys(("wrong", "unparsed", "refused", "unanswered", "form_only", "fences"), 0)
    for row in rows.to_dict("records"):
        reply, then = _text(row.get("response")), _text(right.loc[row["key"]].get("response"))
        if reply and is_refusal(reply):
            counts["refused"] += 1
        elif row["outcome"] in ("answered", "unparsed"):
            counts["wrong" if row["outcome"] == "answered" else "unparsed"] += 1
        else:
            counts["unanswered"] += 1
        if reply and then and reply != then and bare(reply) == bare(then):
            counts["form_only"] += 1
            counts["fences"] += ("```" in reply) != ("```" in then)
    return Lost(**counts)


def bare(reply: str) -> str:
    """A reply without what only gives it a form: code fences, marks of emphasis, headings, space.

    Examples
    --------
    >>> bare("```json\\n{\\"a\\": 1}\\n```") == bare('{"a":1}'), bare("**B**") == bare("B"), bare("B") == bare("C")
    (True, True, False)
    """
    return re.sub(r"[\s*_`#]+", "", _FENCE.sub("", reply))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def suspects(
    alert: Alert,
    findings: Sequence[Mapping[str, Any]],
    before: pd.DataFrame | None,
    now: pd.DataFrame | None,
    *,
    canaries: str = "",
    quiet_canaries: bool | None = None,
    lost: Lost | None = None,
    anchors: Mapping[str, bool] | None = None,
) -> tuple[Suspect, ...]:
    """The seven suspects of an alert.

    Parameters
    ----------
    findings
        Those of its look, as the ledger keeps them.
    before, now
        Rows of the two windows; None where they are kept no more.
    canaries
        What the nearest look at the monitor's canaries says, in words.
    quiet_canaries
        Whether that look was quiet; None where nothing is known.
    lost
        Of an alert on canaries, what became of those that were right.
    anchors
        Of an alert on graded answers, what the judge's anchors say, and whether that puts the judge in doubt.
    """
    found: dict[Name, tuple[list[str], list[str]]] = {name: ([], []) for name in NAMES}
    _by_signal(alert, findings, found)
    found["telemetry"][0].extend(_untold(findings))
    for hint in alert.hints:
        named: dict[str, Name] = {"prompt": "template", "service": "service", "telemetry": "telemetry"}
        if hint.cause in named:
            found[named[hint.cause]][0].append(hint.text)
    if before is not None and now is not None and len(before) and len(now):
        for name, columns in (("template", _TEMPLATE), ("provider", _PROVIDER)):
            _by_label(alert, found[name], before, now, columns)  # type: ignore[index]
        _by_mix(alert, found["inputs"], before, now)
        _by_label(alert, found["telemetry"], before, now, ("dialect",))
    if quiet_canaries is not None:
        found["provider"][1 if quiet_canaries else 0].append(canaries)
    for told, doubtful in (anchors or {}).items():
        found["judge"][0 if doubtful else 1].append(told)
    signal = registered(alert.signal)
    if signal is not None and not signal.of_canaries:
        found["judge"][1].append(f"{alert.title} is counted, and nothing judges it")
    if lost is not None and lost.all:
        _by_form(lost, found)
    return tuple(Suspect(name, *(tuple(dict.fromkeys(side)) for side in found[name])) for name in NAMES)


@cache  # plugins are looked for among all distributions, and a page asks this of hundreds of findings
def registered(name: str) -> Signal | None:
    """The signal of a name; None of one that a look made for itself, of what was said of answers or of prompts."""
    return SIGNALS.get(name) if name in SIGNALS.names() else None


def _by_form(lost: Lost, found: Mapping[Name, tuple[list[str], list[str]]]) -> None:
    if lost.form_only:
        fences = f", {lost.fences} by code fences" if lost.fences else ""
        told = f"{lost.form_only} of {lost.all} replies that are no longer right say the same in another form{fences}"
        found["extraction"][0 if lost.form_only >= _HALF * lost.all else 1].append(told)
        if lost.form_only >= _HALF * lost.all:
            found["provider"][1].append("only the form of the replies changed, not what they say")
    told = f"{lost.unparsed} of {lost.all} lost canaries have a reply that cannot be read"
    found["extraction"][0 if lost.unparsed >= _HALF * lost.all else 1].append(told)
    told = f"{lost.unanswered} of {lost.all} lost canaries have no whole reply"
    found["service"][0 if lost.unanswered >= _HALF * lost.all else 1].append(told)


def _by_signal(
    alert: Alert, findings: Sequence[Mapping[str, Any]], found: Mapping[Name, tuple[list[str], list[str]]]
) -> None:
    """What other signals of the look say."""
    for name, signals in _SIGNALS.items():
        for signal in signals:
            of_signal = [
                one for one in findings if one["signal"] == signal and one["everywhere"]["p_value"] is not None
            ]
            if not of_signal or signal == alert.signal:
                continue
            surest = min(of_signal, key=lambda one: one.get("adjusted_p_value") or 1.0)
            moved = (surest.get("adjusted_p_value") or 1.0) <= 0.05 and _far(surest)
            found[name][0 if moved else 1].append(in_words(surest))
    own = next((name for name, signals in _SIGNALS.items() if alert.signal in signals), None)
    if own is not None:
        found[own][0].append(f"it is {alert.title} that moved")


def _untold(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Signals that calls of the look do not tell: whether calls failed always, others where earlier calls told them."""
    told = []
    for one in findings:
        evidence = one["everywhere"]
        signal, was, now = one["signal"], evidence["n_reference"], evidence["n_current"]
        known = registered(signal)
        if known is None or known.of_canaries or evidence["p_value"] is not None or now >= _LEAST:
            continue
        if was >= _LEAST or signal == "error_rate":
            told.append(f"{signal} is not known: {now:,} calls of the current window tell it, and {was:,} before")
    return told


def _far(finding: Mapping[str, Any]) -> bool:
    effect = finding["everywhere"]["effect"]
    return effect is not None and abs(effect) >= finding["floor"]


def in_words(finding: Mapping[str, Any]) -> str:
    """A finding as the ledger keeps it, as ``error_rate +0.2 points [-0.3, +0.8], p 0.4``."""
    told = finding["everywhere"]
    name, effect, low, high = finding["signal"], *(told[side] for side in ("effect", "low", "high"))
    if effect is None:
        return f"{name}: not known"
    signal = registered(name)
    relative = finding.get("kind", signal.kind if signal is not None else "") == "continuous"

    def written(value: float) -> str:
        return f"{value:+.0%}" if relative else f"{100 * value:+.1f}"

    limits = "" if low is None or high is None else f" [{written(low)}, {written(high)}]"
    return f"{name} {written(effect)}{'' if relative else ' points'}{limits}, p {told['p_value']:.2g}"


def _by_label(
    alert: Alert, found: tuple[list[str], list[str]], before: pd.DataFrame, now: pd.DataFrame, columns: Sequence[str]
) -> None:
    """Whether a label is new, and whether calls whose label is not new moved as well."""
    for column in columns:
        told = int((now[column].fillna("") != "").sum()) if column in before and column in now else 0
        if not told:
            continue
        words = column.replace("_", " ")
        new = newcomers(before, now, column)
        if not new:
            if not ceased(before, now, [column]):  # of the others nobody knows, which clears nobody
                found[1].append(f"no {words} is new among {told:,} calls")
            continue
        for value, share in new:
            found[0].append(f"{words} {value} is new, on {share:.0%} of calls")
        old = now[~now[column].fillna("").isin([value for value, _ in new])]
        moved, all_moved = (_moved(alert, before, side) for side in (old, now))
        if moved is not None and all_moved:
            side = 1 if moved / all_moved >= _HALF else 0
            found[side].append(f"calls whose {words} is not new moved by {_written(alert, moved)}")


def _by_mix(alert: Alert, found: tuple[list[str], list[str]], before: pd.DataFrame, now: pd.DataFrame) -> None:
    """How much of the move is left where the reference has the current window's mix of slices."""
    if "slice" not in before or "slice" not in now or before["slice"].nunique() < 2:
        return
    signal = registered(alert.signal)
    whole = _moved(alert, before, now)
    if signal is None or not whole:
        return
    sides = [_levels(signal, side) for side in (before, now)]
    shared = sides[0].index.intersection(sides[1].index)
    if not len(shared):
        return
    weights = sides[1].loc[shared, "count"]
    covered = float(weights.sum()) / max(len(signal.read(now)), 1)
    left = float((weights * (sides[1].loc[shared, "mean"] - sides[0].loc[shared, "mean"])).sum() / weights.sum())
    told = (
        f"with the reference's slices in the shares of now, {_written(alert, left)} of {_written(alert, whole)} is left"
    )
    if covered < 0.9:
        told += f" ({covered:.0%} of calls are of slices that were there before)"
    found[0 if abs(left) < _HALF * abs(whole) else 1].append(told)


def _levels(signal: Signal, frame: pd.DataFrame) -> pd.DataFrame:
    """By slice the mean and the number of values, where there are enough."""
    values = _linear(signal, frame)
    by_slice = values.groupby(frame.loc[values.index, "slice"].fillna("")).agg(["mean", "count"])
    return by_slice[by_slice["count"] >= _LEAST]


def _linear(signal: Signal, frame: pd.DataFrame) -> pd.Series[Any]:
    values = signal.read(frame).astype(float)
    return (values + signal.resolution).map(math.log) if signal.kind == "continuous" else values


def _moved(alert: Alert, before: pd.DataFrame, now: pd.DataFrame) -> float | None:
    """The difference of the signal's means, of numbers of their logarithms; None where it has none."""
    signal = registered(alert.signal)
    if signal is None or signal.kind not in ("proportion", "continuous"):
        return None
    sides = [_linear(signal, side) for side in (before, now)]
    if min(map(len, sides)) < _LEAST:
        return None
    return float(sides[1].mean() - sides[0].mean())


def _written(alert: Alert, difference: float) -> str:
    relative = alert.effect_unit == "relative change"
    return f"{math.expm1(difference):+.0%}" if relative else f"{100 * difference:+.1f} points"
