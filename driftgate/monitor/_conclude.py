"""What a look comes to: whether anything moved, and whether it could have been seen.

The answers that are missing are taken at their best and at their worst (Manski's bounds [1]_), as the gate does. A
canary signal moved where it moved with every missing answer taken for right; a look is quiet where it is quiet with
every one taken for wrong. In between, and where so many are missing that a loss as large as the floor could hide among
them, it is unmeasurable. So a wrong answer that becomes a failed call never makes a look better.

References
----------
.. [1] Manski (2003). Partial Identification of Probability Distributions. Springer.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftgate.monitor._canaries import measured, taken_for, with_absent, with_lost
from driftgate.monitor.alert import Alert
from driftgate.monitor.blindness import of_answers
from driftgate.monitor.drift import Look
from driftgate.monitor.looks import Conclusion
from driftgate.monitor.signals import SIGNALS

if TYPE_CHECKING:
    import pandas as pd

NOT_ASKED = ("failed", "missing")
"""Outcomes that say nothing of the model."""
UNMEASURED = (*NOT_ASKED, "filtered")
"""Outcomes without a reply by the model."""
_ARITHMETIC = 1e-9
_NAMED = 3
"""Models that are named."""
_ANSWERED = 0.5
"""A reference answers at least so many of its canaries; of a model that says nothing no loss can be seen."""


@dataclass(frozen=True)
class Compared:
    """A comparison of canaries, and the alerts that stand whatever the missing answers would have been."""

    conclusion: Conclusion
    look: Look | None = None
    """None where nothing could be compared."""
    alerts: tuple[Alert, ...] = ()


def smallest_loss(floors: Mapping[str, float] | None) -> float:
    """The loss of canary accuracy that is worth a person's time, as a share."""
    return (floors or {}).get("canary_accuracy", SIGNALS.get("canary_accuracy").floor)


def fit_for_reference(answers: pd.DataFrame, smallest: float) -> Conclusion:
    """Whether a canary run can be what later ones are compared with."""
    asked, outcomes = len(answers), answers["outcome"]
    lost, answered = int(outcomes.isin(NOT_ASKED).sum()), int((outcomes == "answered").sum())
    if lost and lost >= smallest * asked:
        told = f"{lost} of {asked} canaries were not measured ({counts_in_words(answers)})"
        return Conclusion("unmeasurable", told, "", of_answers(answers))
    if answered < _ANSWERED * asked:
        found = (
            f"{answered} of {asked} canaries were answered ({counts_in_words(answers)}); a reference needs half of them"
        )
        return Conclusion("unmeasurable", found, "", of_answers(answers))
    return Conclusion("reference")


def compare_canaries(
    reference: pd.DataFrame,
    answers: pd.DataFrame,
    compare: Callable[[Sequence[pd.DataFrame]], Look],
    *,
    smallest: float,
    number: int,
    anew: str,
    earlier: Sequence[pd.DataFrame] = (),
) -> Compared:
    """Compare canary answers with their reference, by themselves and pooled with those of earlier looks.

    What is missing from earlier looks, which said so themselves, is taken for right: it is no reason for an alert now.

    Parameters
    ----------
    compare
        Compares looks, the newest last, with the reference.
    anew
        The command that begins a reference anew.
    earlier
        The answers of the looks to pool, the oldest first.
    smallest
        The share of unmeasured canaries from which a look cannot be quiet: a loss as large would be worth an alert.
    """
    wanted = measured(reference)
    lost = wanted - measured(answers)
    unmeasurable = _unmeasurable(lost, wanted, answers, anew)
    if lost == wanted:
        return Compared(unmeasurable)
    answers = with_absent(answers, reference)
    earlier = [with_absent(frame, reference) for frame in earlier]
    found = compare([*earlier, answers])
    alerts, doubtful = found.alerts, len(lost) >= smallest * len(wanted) if lost else False
    if any(frame["correct"].isna().any() for frame in (*earlier, answers)):
        at_best = [taken_for(frame, reference, right=True) for frame in (*earlier, answers)]
        at_worst = taken_for(answers, reference, right=False)
        sure = {alert.signal for alert in compare(at_best).alerts}
        alerts = tuple(alert for alert in found.alerts if alert.signal in sure)
        if answers["correct"].isna().any() and not doubtful:
            gaps = any(frame["correct"].isna().any() for frame in earlier)
            doubtful = bool(found.alerts or compare([*at_best[:-1], at_worst]).alerts) or (
                gaps and bool(compare([*earlier, at_worst]).alerts)
            )
    if alerts:
        return Compared(Conclusion("moved", "; ".join(found_in_words(alert) for alert in alerts)), found, alerts)
    if doubtful:
        return Compared(unmeasurable, found)
    all_wrong = reference.drop_duplicates("key", keep="last").assign(time=answers["time"].iloc[0], correct=None)
    if not compare([*earlier, taken_for(all_wrong, reference, right=False)]).alerts:
        told = f"{len(wanted)} canaries are too few for look {number}: not even all wrong would be an alert"
        remedy = f"raise the monitor's canaries.limit, and begin a reference with them: {anew}"
        return Compared(Conclusion("inconclusive", told, remedy, "too_few"), found)
    if (missed := nothing_to_lose(reference, smallest)) is not None:
        remedy = f"see whether the model and the right answers are what you mean, then {anew}"
        return Compared(Conclusion("inconclusive", missed, remedy, "too_few"), found)
    told = "; ".join(
        filter(None, (_answered_by(reference, answers), _unseen(reference, answers["time"].iloc[0], compare, smallest)))
    )
    return Compared(Conclusion("quiet", told), found)


def _answered_by(reference: pd.DataFrame, answers: pd.DataFrame) -> str:
    """Which model answers that answered nothing of the reference, in words; empty where none does."""
    before, now = (
        set(frame["response_model"]) - {""} if "response_model" in frame.columns else set()
        for frame in (reference, answers)
    )
    if not before or not now - before:
        return ""
    return (
        f"answered by {', '.join(sorted(now - before)[:_NAMED])}; the reference by {', '.join(sorted(before)[:_NAMED])}"
    )


def nothing_to_lose(reference: pd.DataFrame, smallest: float) -> str | None:
    """That the reference has too few right answers to lose as many as the floor, in words; None where it has enough.

    Of a model that is wrong from the start no look could say that it got worse. Answers that nothing grades are another
    matter: of these only agreement is looked at.
    """
    last = reference.sort_values("time", kind="stable").drop_duplicates("key", keep="last")
    graded = last["correct"].dropna()
    best = float(reference.groupby("key")["correct"].max().clip(0.0, 1.0).sum())
    if graded.empty or best >= smallest * len(measured(last)) - _ARITHMETIC:
        return None
    return (
        f"of {len(measured(last))} canaries the reference answered {best:.3g} right: no loss of canary accuracy as "
        f"large as the floor, {100 * smallest:.3g} points, could be seen"
    )


def _unseen(
    reference: pd.DataFrame, at: pd.Timestamp, compare: Callable[[Sequence[pd.DataFrame]], Look], smallest: float
) -> str:
    """Which losses one look does not show, in words; empty where it shows one as large as the floor.

    Of the canaries that the reference met right when it last asked them, as few are taken for wrong as make an alert,
    in an order that is the same at each look.
    """
    last = reference.sort_values("time", kind="stable").drop_duplicates("key", keep="last").assign(time=at)
    right = sorted(last.loc[last["correct"].eq(1.0), "key"], key=_at_random)
    asked = len(measured(last))

    def alarms(count: int) -> bool:
        return bool(compare([with_lost(last, right[:count])]).alerts)

    few, enough = max(1, math.ceil(smallest * asked - _ARITHMETIC)), len(right)
    if few > enough or alarms(few):
        return ""
    while enough - few > 1:  # few are not enough, and all are
        middle = (few + enough) // 2
        few, enough = (few, middle) if alarms(middle) else (middle, enough)
    told = f"not to be seen in one look: a loss of canary accuracy below {100 * enough / asked:.1f} points"
    return f"{told}, with a floor of {100 * smallest:.3g}; smaller ones show over several looks"


def _at_random(key: object) -> bytes:
    return hashlib.sha256(str(key).encode("utf-8", "surrogatepass")).digest()


def found_in_words(alert: Alert) -> str:
    """Which window of a look found an alert, and by how much."""
    pooled = f"pooled over the last {alert.looks} looks" if alert.looks > 1 else "in this look"
    where = f" on {', '.join(alert.slices)}" if alert.slices else ""
    interval = "" if alert.effect_low is None else f" [{alert.effect_low:+.3f}, {alert.effect_high:+.3f}]"
    return f"{alert.signal}{where} {pooled}: {alert.effect:+.3f}{interval}"


def _unmeasurable(lost: set[object], wanted: set[object], answers: pd.DataFrame, anew: str) -> Conclusion:
    unasked = wanted - set(answers["key"])
    why = "; ".join(filter(None, (counts_in_words(answers), f"{len(unasked)} not asked any more" if unasked else "")))
    found = f"{len(lost)} of the reference's {len(wanted)} canaries were not measured ({why})"
    remedy = f"{anew} begins a reference with other canaries" if unasked else ""
    return Conclusion("unmeasurable", found, remedy, "canaries_changed" if unasked else of_answers(answers))


def counts_in_words(answers: pd.DataFrame) -> str:
    """What became of the canaries that have no answer, and what was said most often."""
    counts = answers.loc[answers["outcome"] != "answered", "outcome"].value_counts()
    said = answers.loc[answers["outcome"].isin(UNMEASURED), "error"].replace("", None).dropna().mode()
    told = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
    return told + (f": {said.iloc[0]}" if len(said) else "")
