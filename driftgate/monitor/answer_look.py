"""A look at production's answers: what evaluators, judges and users said of them, now against the days before.

A judge that its anchors do not admit says nothing: its signals are unmeasurable. Of a judge whose error people's labels
tell, the share of passes moves by less than people's would, so its floor is as much smaller, and the rate that people
would give stands beside it; see `driftgate.monitor.known_errors`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from driftgate.benchmarks.judges import JudgeCheck
from driftgate.ledger import Ledger
from driftgate.monitor.alert import Period
from driftgate.monitor.detectors import MIN_ROWS, Evidence
from driftgate.monitor.drift import Finding, Look, Windows, look
from driftgate.monitor.findings import whole
from driftgate.monitor.graded import GradedCall
from driftgate.monitor.known_errors import Errors
from driftgate.monitor.looks import Conclusion, LookRow, keep_look
from driftgate.monitor.signals import Signal
from driftgate.monitor.watch import Watched

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.monitor.config import EvaluateConfig

TOLD = "told."
"""What the signals begin with that applications tell."""
_GOOD = frozenset({"pass", "passed", "positive", "good", "correct", "thumbs_up", "up", "like", "yes", "true"})
_BAD = frozenset({"fail", "failed", "negative", "bad", "incorrect", "thumbs_down", "down", "dislike", "no", "false"})
_MOST_TOLD = 20
_MOST = 0.5
"""Of the share of calls that told their content before: with less of it most have ceased to."""
_RESOLUTION = 0.05
"""Of grades: the smallest difference that means anything."""


@dataclass(frozen=True)
class Drawn:
    """Calls of the current window that were drawn to be graded, and those of the window before it."""

    slice: str | None
    """None: of all slices."""
    calls: int
    told: int
    """Of these, how many tell what was asked and answered, or told it when they were graded."""
    before: int
    told_before: int

    @property
    def ceased(self) -> bool:
        """Whether most of those that tell it do so no longer.

        The calls that still do are not those that did: what is said of them is not said of the rest.
        """
        return self.calls >= MIN_ROWS and self.told * self.before < _MOST * self.told_before * self.calls

    @property
    def said(self) -> str:
        """In words."""
        of = "" if self.slice is None else f" of slice {self.slice!r}"
        told = f"{self.told:,} tell" if self.told else "none tells"
        earlier = f"; of those before it {self.told_before:,} of {self.before:,} do" if self.told_before else ""
        calls = f"{self.calls:,} calls{of} in the current window were drawn"
        return f"{calls}, and {told} what was asked and answered{earlier}"


@dataclass(frozen=True)
class Answers:
    """What a look at answers has: the calls of both windows, and what was said of them."""

    calls: pd.DataFrame
    """A row a call, as `driftgate.monitor.telemetry.frame` reads it, with ``evaluations``; those that were neither
    drawn nor told of by an application may be left out."""
    graded: Sequence[GradedCall]
    drawn: Sequence[Drawn]
    """What was drawn, first of all slices and then of each."""
    checks: Mapping[str, JudgeCheck] = field(default_factory=dict)
    """Of every judge, what its anchors say, by evaluator."""
    errors: Mapping[str, Errors] = field(default_factory=dict)
    """Of judges whose error is known, by evaluator."""
    stopped: str = ""
    """Why not all was graded that was to be; empty where it was."""


def look_at_answers(ledger: Ledger, monitor: str, config: EvaluateConfig, answers: Answers, now: datetime) -> Watched:
    """Compare what was said of the newest answers with what was said of those before, and keep what was found."""
    middle = now - timedelta(days=config.current_days)
    windows = Windows("telemetry", Period(middle - timedelta(days=config.reference_days), middle), Period(middle, now))
    rows = _rows(answers)
    named = _evaluators_of(answers)
    doubtful = {name: check.told for name, check in answers.checks.items() if check.doubtful}
    signals = [
        _signal(name, rows[name], config, answers.errors.get(named.get(name, "")))
        for name in sorted(set(rows.columns) - set(answers.calls.columns))
        if named.get(name, "") not in doubtful
    ]
    found = (
        look([windows], telemetry=rows, signals=signals, alpha=config.alpha) if signals and len(rows) else Look((), ())
    )
    found = replace(found, findings=tuple(_by_people(one, rows, answers, named) for one in found.findings))
    conclusion = _conclude(found, answers, config, windows, doubtful)
    key = f"answers-{monitor}-{now:%Y%m%dT%H%M%S%f}"
    number = 1 if found.findings else 0
    row = LookRow(
        0, monitor, config.request_model, key, number, [whole(one) for one in found.findings], now, conclusion
    )
    return Watched(keep_look(ledger, row, found.alerts), conclusion, found, found.alerts)


def _rows(answers: Answers) -> pd.DataFrame:
    """The calls, with a column for each signal; NaN where nothing was said."""
    import pandas as pd

    calls = answers.calls.reset_index(drop=True)
    places = {key: place for place, key in enumerate(zip(calls["trace_id"], calls["span_id"], strict=True))}
    columns: dict[str, dict[int, float]] = {}
    for one in answers.graded:
        if (place := places.get(one.key)) is not None:
            for name, value in one.values.items():
                columns.setdefault(name, {})[place] = value
    told: dict[str, dict[int, float]] = {}
    for place, results in enumerate(calls["evaluations"]):
        for name, value in _told(results).items():
            told.setdefault(TOLD + name, {})[place] = value
    commonest = sorted(told, key=lambda name: (-len(told[name]), name))[:_MOST_TOLD]
    columns |= {name: told[name] for name in commonest}
    return calls.assign(**{name: pd.Series(found, dtype=float).reindex(calls.index) for name, found in columns.items()})


def _told(results: Any) -> dict[str, float]:
    """What an application says of an answer, by name; of several results of a name their mean."""
    found: dict[str, list[float]] = {}
    for text in results if results is not None else ():
        result = json.loads(text)
        label = str(result.get("label") or "").strip().lower()
        value = 1.0 if label in _GOOD else 0.0 if label in _BAD else result.get("score")
        if value is not None and result.get("name"):
            found.setdefault(str(result["name"]), []).append(float(value))
    return {name: sum(values) / len(values) for name, values in found.items()}


def _evaluators_of(answers: Answers) -> dict[str, str]:
    """By signal, the evaluator that gives it."""
    return {name: name.partition(".")[0] for one in answers.graded for name in one.values}


def _signal(name: str, values: pd.Series[Any], config: EvaluateConfig, errors: Errors | None) -> Signal:
    of_two = bool(values.dropna().isin([0.0, 1.0]).all())
    floor = config.floor
    if errors is not None and errors.kept > 0:
        floor = min(1.0, floor * errors.kept)
    return Signal(
        name=name,
        title=f"share of answers that pass {name}" if of_two else f"{name} of answers",
        unit="share" if of_two else "points",
        bad="lower",
        kind="proportion" if of_two else "continuous",
        floor=floor,
        columns=(name,),
        values=lambda frame: frame[name],
        resolution=0.0 if of_two else _RESOLUTION,
    )


def _by_people(finding: Finding, rows: pd.DataFrame, answers: Answers, named: Mapping[str, str]) -> Finding:
    """The finding with the rates that people would give, where the judge's error is known."""
    errors = answers.errors.get(named.get(finding.signal.name, ""))
    if errors is None or finding.signal.kind != "proportion":
        return finding
    name, period = finding.signal.name, finding.windows.current
    current = rows[(rows["time"] >= period.start) & (rows["time"] < period.end)]

    def corrected(evidence: Evidence, chosen: pd.DataFrame) -> Evidence:
        values = chosen[name].dropna()
        if not len(values):
            return evidence
        estimate, low, high = errors.by_people(int(values.sum()), len(values))
        known = {"by_people": estimate, "by_people_low": low, "by_people_high": high, "labels": float(errors.labels)}
        return replace(evidence, detail={**evidence.detail, **known})

    return replace(
        finding,
        everywhere=corrected(finding.everywhere, current),
        slices={place: corrected(one, current[current["slice"] == place]) for place, one in finding.slices.items()},
    )


def _conclude(
    found: Look, answers: Answers, config: EvaluateConfig, windows: Windows, doubtful: Mapping[str, str]
) -> Conclusion:
    """What the look comes to: quiet only where something could have been seen."""
    notes = "; ".join(filter(None, (*(f"{name}: {why}" for name, why in doubtful.items()), answers.stopped)))
    if found.alerts:
        from driftgate.monitor._conclude import found_in_words

        moved = "; ".join(map(found_in_words, found.alerts))
        return Conclusion("moved", "; ".join(filter(None, (moved, notes))))
    silent = [one for one in answers.drawn[:1] if not one.told] or [one for one in answers.drawn if one.ceased]
    if config.evaluators and silent:
        remedy = "let driftgate serve take them in since evaluate is set, with their content; see the telemetry page"
        return Conclusion("unmeasurable", silent[0].said, remedy, "no_content")
    if doubtful:
        remedy = "take another judge, or give it people's labels: driftgate calibrate"
        return Conclusion("unmeasurable", notes, remedy, "judge_doubted")
    if answers.stopped:
        return Conclusion("unmeasurable", answers.stopped, "see the monitor's evaluate", "grading_stopped")
    recent = [one for one in answers.graded if one.time >= windows.current.start]
    failed = [one for one in recent if one.errors]
    if failed and len(failed) >= config.floor * len(recent):
        why = next(iter(failed[-1].errors.values()))
        found_ = f"{len(failed):,} of {len(recent):,} graded calls of the current window have no grade ({why})"
        remedy = "see that the judge answers and can be read: driftgate doctor"
        return Conclusion("unmeasurable", found_, remedy, "judge_fails")
    gone = [
        one.signal.name for one in found.findings if one.everywhere.n_reference >= MIN_ROWS > one.everywhere.n_current
    ]
    if gone:
        told = f"fewer than {MIN_ROWS} answers of the current window have {', '.join(gone)}, which earlier ones had"
        remedy = "see what sends it, or raise evaluate.rate and evaluate.per_hour"
        return Conclusion("unmeasurable", told, remedy, "signals_untold")
    blind = [one.signal.name for one in found.findings if one.p_value is None]
    if blind or not found.findings:
        what = ", ".join(blind) or "anything"
        told = f"too few answers of a window have {what}; each needs {MIN_ROWS}"
        remedy = "wait for more, or raise evaluate.rate and evaluate.per_hour"
        return Conclusion("inconclusive", told, remedy, "too_few")
    return Conclusion("quiet")
