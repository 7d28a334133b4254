"""A look at prompts: what the answers to the same questions hang on, judged and kept in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, RunRow, find_run
from driftgate.monitor._alerts import alert_of
from driftgate.monitor._conclude import counts_in_words, found_in_words
from driftgate.monitor._forms import form_frame, with_kinds
from driftgate.monitor.alert import Alert
from driftgate.monitor.attribution import hints
from driftgate.monitor.blindness import Blindness, of_answers, of_error
from driftgate.monitor.drift import Finding, Look
from driftgate.monitor.findings import whole
from driftgate.monitor.looks import (
    Conclusion,
    LookRow,
    comparisons_made,
    find_look,
    keep_look,
    looks_of,
    pin_reference,
    pinned_reference,
    reference_candidates,
)
from driftgate.monitor.otherwise import PARAPHRASE
from driftgate.monitor.prompt_drift import (
    Known,
    Missing,
    Repeatability,
    Sides,
    against_reference,
    findings,
    known_of,
    repeatability,
    too_few,
    within_look,
)
from driftgate.monitor.prompt_signals import Measure
from driftgate.monitor.rereference import how_to_begin_anew, reference_name
from driftgate.monitor.signals import Signal
from driftgate.monitor.watch import Watched

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.monitor.config import PromptDriftConfig

_KEY = "prompts-"
_LOST = 0.05
"""The share of a form's answers that may be missing: as many as the smallest floor of a signal."""
FEWEST = 10
"""Questions of which something is said."""


@dataclass(frozen=True)
class PromptLook:
    """A look at prompts, and how well the model repeats itself."""

    watched: Watched
    repeatability: Repeatability | None = None
    """None where nobody answered."""


def look_at_prompts(
    ledger: Ledger, monitor: str, champion: str, run: RunRow, config: PromptDriftConfig, *, level: float
) -> PromptLook:
    """Judge a run at prompts, by itself and against the reference of the same champion, and keep what was found.

    The first looks that measured the prompts, and in which nothing moved against those before them, are the reference;
    they are pinned. Looking twice at the same run changes nothing.

    Parameters
    ----------
    champion : str
        The champion as it was put in place.
    level : float
        The chance that the look raises a false alarm.
    """
    key = _KEY + run.id
    name = named(reference_name(ledger, monitor, champion))
    kept = find_look(ledger, key)
    earlier = _reference(ledger, monitor, name, config.reference_looks)
    if kept is not None:
        earlier = [one for one in earlier if one != run.id]
    runs = [*earlier, run.id]
    frames = [form_frame(ledger, find_run(ledger, one)) for one in runs]
    frame, before = _kinds(frames)
    again = repeatability(frame)
    if kept is not None:
        return PromptLook(Watched(kept, kept.conclusion or Conclusion("unmeasurable", blindness="unmeasurable")), again)
    pinned = bool(pinned_reference(ledger, monitor, name))
    judged = _judge(frame, before, config, level, how_to_begin_anew(monitor))
    told = "" if pinned else f"look {len(earlier) + 1} of the {config.reference_looks} that are the reference"
    conclusion, number = judged.conclusion, 1 + comparisons_made(ledger, monitor, name) if earlier else 0
    if not pinned and not judged.in_time and conclusion.result in ("quiet", "moved"):
        number = 0
        if conclusion.result == "quiet":
            conclusion = Conclusion("reference", "; ".join(filter(None, (told, conclusion.reason))))
    row = LookRow(
        0, monitor, name, key, number, [whole(one) for one in judged.look.findings], datetime.now(UTC), conclusion
    )
    row = keep_look(ledger, row, judged.look.alerts)
    _reference(ledger, monitor, name, config.reference_looks)
    return PromptLook(Watched(row, row.conclusion or conclusion, judged.look, judged.look.alerts), again)


def could_not_look_at_prompts(
    ledger: Ledger, monitor: str, champion: str, problem: DriftgateError, run_id: str = ""
) -> PromptLook:
    """Keep a look at prompts that could not be made."""
    now = datetime.now(UTC)
    conclusion = Conclusion("unmeasurable", problem.message, problem.remedy, of_error(problem))
    key = _KEY + (run_id or f"{monitor}-{now:%Y%m%dT%H%M%S%f}")
    return PromptLook(
        Watched(keep_look(ledger, LookRow(0, monitor, named(champion), key, 0, [], now, conclusion)), conclusion)
    )


def newest_look_at_prompts(ledger: Ledger, monitor: str) -> LookRow | None:
    """The newest look of a monitor at prompts."""
    return next((row for row in looks_of(ledger, monitor) if row.of == "prompts"), None)


def named(champion: str) -> str:
    """What looks at a champion's prompts are kept under, apart from those at its canaries."""
    return f"{champion} prompts"


@dataclass(frozen=True)
class _Judged:
    conclusion: Conclusion
    look: Look
    in_time: bool = False
    """Whether something moved against earlier looks."""


def _reference(ledger: Ledger, monitor: str, name: str, looks: int) -> list[str]:
    """The runs that are the reference, or are about to be."""
    if pinned := pinned_reference(ledger, monitor, name):
        return list(pinned)
    fit = [row.run_id.removeprefix(_KEY) for row in _candidates(ledger, monitor, name)][:looks]
    return list(pin_reference(ledger, monitor, name, fit)) if len(fit) == looks else fit


def _candidates(ledger: Ledger, monitor: str, name: str) -> list[LookRow]:
    return reference_candidates(ledger, monitor, name, results=("reference", "moved"))


def _kinds(frames: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The newest answers and those of the looks before, told apart by what they say."""
    import pandas as pd

    together = with_kinds(pd.concat(frames, ignore_index=True))
    first = len(together) - len(frames[-1])
    return together.iloc[first:], together.iloc[:first] if first else None


def _judge(
    frame: pd.DataFrame, before: pd.DataFrame | None, config: PromptDriftConfig, level: float, anew: str
) -> _Judged:
    compared = within_look(frame)
    known: Mapping[str, Known] = {}
    if before is not None:
        compared += against_reference(before, frame)
        known = known_of(before, frame, config.floors, level)

    def all_of(missing: Missing = "seen") -> tuple[Finding, ...]:
        return findings(compared, config.floors, level, missing, known)

    found = all_of()
    alerting = [one for one in found if one.alarms(level)]
    lost = frame["kind"] < 0
    gone = bool(lost.any()) or (before is not None and not set(before["key"]) <= set(frame["key"]))
    doubt = ""
    if gone:
        sure = {one.signal.name for one in all_of("best") if one.alarms(level)}
        alerting = [one for one in alerting if one.signal.name in sure]
        hidden = [one.signal.name for one in all_of("worst") if one.alarms(level) and one.signal.name not in sure]
        doubt = ", ".join(hidden)
    look = Look(found, tuple(_alerts(alerting, before, frame)))
    if look.alerts:
        in_time = any(not alert.signal.startswith(("sensitivity_", "template_")) for alert in look.alerts)
        return _Judged(Conclusion("moved", "; ".join(map(found_in_words, look.alerts))), look, in_time)
    return _Judged(_without_alert(frame, before, compared, config, level, doubt, anew), look)


def _without_alert(
    frame: pd.DataFrame,
    before: pd.DataFrame | None,
    compared: Sequence[tuple[Measure | Signal, Sides]],
    config: PromptDriftConfig,
    level: float,
    doubt: str,
    anew: str,
) -> Conclusion:
    """What a look comes to where nothing moved."""
    lost = frame["kind"] < 0
    shares = lost.groupby(frame["form"]).mean()
    if doubt or (shares >= _LOST).any() or not (~lost[frame["form"] == ""]).any():
        many = f"{int(lost.sum())} of {len(frame)} answers are missing ({counts_in_words(frame)})"
        unasked = len(set(before["key"]) - set(frame["key"])) if before is not None else 0
        gone = f"; {unasked} questions of the reference are not asked any more" if unasked else ""
        hides = f"; in them may hide: {doubt}" if doubt else ""
        begin = f"{anew} begins a reference anew" if unasked else ""
        lacked: Blindness = "canaries_changed" if unasked else of_answers(frame)
        return Conclusion("unmeasurable", many + gone + hides, begin, lacked)
    asked = frame.groupby("form")["key"].nunique()
    few = f"{asked['']} questions are too few"
    remedy = "raise prompt_drift.limit or prompt_drift.repeats, or name more canaries"
    if asked[""] < FEWEST:
        return Conclusion("inconclusive", f"{few}: a look needs {FEWEST}", remedy, "too_few")
    for form in config.perturbations or ():
        if asked.get(form, 0) < FEWEST:
            found = f"{form} applies to {asked.get(form, 0)} questions; a look needs {FEWEST}"
            take_out = "take it out of prompt_drift.perturbations, or ask more questions"
            return Conclusion("inconclusive", found, take_out, "too_few")
    if config.paraphraser is not None and asked.get(PARAPHRASE, 0) < FEWEST:
        found = f"{asked.get(PARAPHRASE, 0)} questions have a paraphrase that keeps their numbers and denials"
        return Conclusion("unmeasurable", found, "name another model as prompt_drift.paraphraser", "too_few")
    if blind := too_few(compared, level):
        found = f"{few}: not even a change of {blind} in all of them would be an alert"
        return Conclusion("inconclusive", found, remedy, "too_few")
    return Conclusion("quiet")


def _alerts(alerting: Sequence[Finding], before: pd.DataFrame | None, frame: pd.DataFrame) -> list[Alert]:
    plain = frame[frame["form"] == ""]
    since = () if before is None else hints(before[before["form"] == ""], plain)
    ordered = sorted(alerting, key=lambda one: one.adjusted_p_value or 0.0)
    within = [one.windows.reference == one.windows.current for one in ordered]
    return [alert_of(one, () if alone else since) for one, alone in zip(ordered, within, strict=True)]
