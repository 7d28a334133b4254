"""Looks at canaries and what they found, kept in the ledger.

A look is a run of the canary set through its flow by the live model. The first looks after a champion was put in
place are its reference; every later one is compared with them, canary by canary. What could not be measured is kept
and said as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_folder
from driftgate.ledger import Ledger, RunRow, cells_of, find_run, outcome_frame
from driftgate.monitor._conclude import UNMEASURED, compare_canaries, fit_for_reference, smallest_loss
from driftgate.monitor._days import Units, anchored
from driftgate.monitor._traffic import Calls, alike, conclude_traffic
from driftgate.monitor._volume import lost
from driftgate.monitor.alert import Alert
from driftgate.monitor.config import TrafficConfig
from driftgate.monitor.drift import Look, Period, Windows, look
from driftgate.monitor.looks import (
    AlertRow,
    Conclusion,
    LookRow,
    alerts_of,
    comparisons_made,
    find_look,
    first_quiet,
    keep_look,
    looks_of,
    pin_reference,
    pinned_reference,
    reference_candidates,
)
from driftgate.monitor.signals import SIGNALS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AlertRow",
    "LookRow",
    "Watched",
    "alerts_of",
    "canary_frame",
    "could_not_look",
    "look_at_canaries",
    "look_at_traffic",
    "looks_of",
]

_FAST = timedelta(minutes=5)
"""How far the clock of an application may be ahead."""
_TEXTS_A_DAY = 2000
"""As many as are compared of a window, so that what a look holds does not grow with the traffic."""
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Watched:
    """What a look came to."""

    row: LookRow
    conclusion: Conclusion
    look: Look | None = None
    """None where nothing was compared."""
    alerts: tuple[Alert, ...] = ()

    @property
    def regression(self) -> Alert | None:
        """The alert that calls for a repair: canaries, which are asked the same every time, are answered worse.

        Nothing else does: that calls are slow, fail or ask something else is no reason to train a model.
        """
        return next((a for a in self.alerts if a.cause == "model" and SIGNALS.get(a.signal).of_canaries), None)


def look_at_canaries(
    ledger: Ledger,
    monitor: str,
    champion: str,
    run: RunRow,
    *,
    reference_looks: int = 1,
    floors: Mapping[str, float] | None = None,
    alpha: float = 0.05,
) -> Watched:
    """Compare a canary run with the reference of the same champion, and keep what was found.

    The first looks that measured the canaries and agree with each other become the reference, and their runs are
    pinned: however many looks follow, they are what is compared with. Looking twice at the same run changes nothing.

    Parameters
    ----------
    champion : str
        The champion as it was put in place; another one begins a reference of its own.
    reference_looks : int
        How many of a champion's first looks are its reference.

    Returns
    -------
    Watched
        A reference look has no comparison and no alerts.
    """
    smallest, answers = smallest_loss(floors), canary_frame(ledger, run)
    kept = find_look(ledger, run.id)
    reference = _reference(ledger, monitor, champion, reference_looks, smallest)
    if not reference or run.id in reference or (kept is not None and kept.number == 0):
        first = _with_remedy(fit_for_reference(answers, smallest), run)
        if kept is None and first.result == "reference":
            first = _agreeing(ledger, monitor, champion, answers, floors, alpha)
        row = _keep(ledger, monitor, champion, run.id, first)
        _reference(ledger, monitor, champion, reference_looks, smallest)
        return Watched(row, row.conclusion or first)
    number = kept.number if kept is not None else 1 + comparisons_made(ledger, monitor, champion)
    frames = [canary_frame(ledger, find_run(ledger, run_id)) for run_id in reference]
    windows = Windows("canaries", _period(frames), _period([answers]))
    import pandas as pd

    def compare(current: pd.DataFrame) -> Look:
        both = pd.concat([*frames, current])
        return look([windows], canaries=both, floors=floors, alpha=alpha, number=number)

    found = compare_canaries(pd.concat(frames, ignore_index=True), answers, compare, smallest=smallest, number=number)
    conclusion = _with_remedy(found.conclusion, run)
    row = _keep(ledger, monitor, champion, run.id, conclusion, found.look, found.alerts, number=number)
    return Watched(row, conclusion, found.look, found.alerts)


def look_at_traffic(
    ledger: Ledger,
    monitor: str,
    folder: Path,
    traffic: TrafficConfig,
    now: datetime,
    *,
    floors: Mapping[str, float] | None = None,
    evidence: Path | None = None,
) -> Watched:
    """Compare the newest telemetry with the days before, and keep what was found.

    Parameters
    ----------
    folder : Path
        The telemetry store's folder.
    evidence : Path, optional
        Folder for evidently's report of the two windows, written where something moved.
    """
    import pandas as pd

    from driftgate.monitor.telemetry import COLUMNS, frame

    middle = now - timedelta(days=traffic.current_days)
    start = middle - timedelta(days=traffic.reference_days)
    only = {"request_model": traffic.request_model} if traffic.request_model else {}
    columns = tuple(name for name in COLUMNS if name != "input_text")

    def read(period: Period) -> pd.DataFrame:
        return frame(folder, period.start, period.end, only=only, columns=columns, texts_a_day=_TEXTS_A_DAY)

    calls = read(Period(start, now))
    windows = Windows("telemetry", Period(start, middle), Period(middle, now))
    recent = calls["time"] >= middle
    before, current = alike(calls[~recent]), alike(calls[recent])
    fixed = _anchor(ledger, monitor, traffic, start)
    older = read(Period(fixed.start, min(fixed.end, start))) if fixed is not None else calls[:0]
    pairs = [windows] if fixed is None or older.empty else [windows, Windows("telemetry", fixed, windows.current)]
    seen = Calls(
        before,
        current,
        lost(calls, windows.reference, windows.current),
        len(frame(folder, now + _FAST, _LAST, only=only, columns=("time",))),
        (int((~recent).sum()), int(recent.sum())),
        int(Units.of(before, windows.current).matched.sum()),
        fixed,
        len(older),
    )
    chosen = traffic.signals or [name for name in SIGNALS.names() if not SIGNALS.get(name).of_canaries]
    every = pd.concat([alike(older), before, current])
    found = look(pairs, telemetry=every, signals=chosen, floors=floors, alpha=traffic.alpha)
    conclusion = (
        Conclusion("moved", seen.told) if found.alerts else conclude_traffic(found.findings, seen, traffic.signals)
    )
    key = _key("traffic", monitor, now)
    row = _keep(ledger, monitor, traffic.request_model, key, conclusion, found, found.alerts, number=1, at=now)
    if found.alerts and evidence is not None:
        from driftgate.monitor.evidence import write_evidence

        make_folder(evidence)
        write_evidence(before, current, evidence / f"{key}.html")
    return Watched(row, conclusion, found, found.alerts)


def _anchor(ledger: Ledger, monitor: str, traffic: TrafficConfig, start: datetime) -> Period | None:
    """The reference that does not slide; None where there is none yet that is older than the sliding one."""
    begun = traffic.anchor
    if begun is None:
        quiet = first_quiet(ledger, monitor, traffic.request_model)
        if quiet is None:
            return None
        begun = quiet.at - timedelta(days=traffic.current_days + traffic.reference_days)
    return anchored(begun, traffic.reference_days, start)


def could_not_look(
    ledger: Ledger,
    monitor: str,
    of: Literal["canaries", "traffic"],
    champion: str,
    problem: DriftgateError,
    run_id: str = "",
) -> Watched:
    """Keep a look that could not be made: nothing is known of the model, which is no good news.

    Parameters
    ----------
    run_id : str
        The run that was begun, if one was.
    """
    now = datetime.now(UTC)
    conclusion = Conclusion("unmeasurable", problem.message, problem.remedy)
    key = run_id or _key("traffic" if of == "traffic" else "canary", monitor, now)
    return Watched(_keep(ledger, monitor, champion, key, conclusion, at=now), conclusion)


def canary_frame(ledger: Ledger, run: RunRow) -> pd.DataFrame:
    """The answers of a canary run as the signals read them.

    Returns
    -------
    pandas.DataFrame
        A row for each canary: ``time`` (of the run's beginning), ``key`` (the sample's), ``slice`` (category),
        ``answer``, ``correct``, ``response_model``, ``fingerprint``, ``prompt_hash``, ``outcome`` and ``error``.
    """
    import pandas as pd

    frames = []
    for cell in cells_of(ledger, run.id):
        frame = outcome_frame(ledger, cell.id)
        measured = ~frame["outcome"].isin(UNMEASURED)
        frames.append(
            pd.DataFrame(
                {
                    "time": pd.Timestamp(run.created_at),
                    "key": frame["key"],
                    "slice": frame["category"],
                    "answer": frame["answer"].fillna("").where(measured),
                    # What was not measured is no evidence against the model; what it left unanswered is.
                    "correct": frame["correct"].astype(float).fillna(0.0).where(measured),
                    "response_model": frame["served_model"].fillna(""),
                    "fingerprint": frame["fingerprint"].fillna(""),
                    "prompt_hash": str(cell.details.get("flow_hash", "")),
                    "outcome": frame["outcome"],
                    # A reply that was cut has words of its own, and is no error of the service.
                    "error": frame["error"].fillna("").mask(frame["outcome"] == "truncated", ""),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _period(frames: Sequence[pd.DataFrame]) -> Period:
    start = min(frame["time"].min() for frame in frames).to_pydatetime()
    end = max(frame["time"].max() for frame in frames).to_pydatetime()
    return Period(start, end + timedelta(microseconds=1))


def _plain(finding: Any) -> dict[str, Any]:
    evidence = asdict(finding.place)
    return {
        "signal": finding.signal.name,
        "reference": [edge.isoformat() for edge in (finding.windows.reference.start, finding.windows.reference.end)],
        "moved": list(finding.moved),
        "p_value": finding.p_value,
        "adjusted_p_value": finding.adjusted_p_value,
        "evidence": {k: v for k, v in evidence.items() if isinstance(v, (int, float, str, type(None)))},
    }


def _reference(ledger: Ledger, monitor: str, champion: str, looks: int, smallest: float) -> tuple[str, ...]:
    """The runs of a champion's reference; they are pinned as soon as there are enough that measured the canaries."""
    if pinned := pinned_reference(ledger, monitor, champion):
        return pinned
    fit: list[str] = []
    for row in reference_candidates(ledger, monitor, champion):
        # A look that was made before results were kept is judged now.
        if row.conclusion is None:
            answers = canary_frame(ledger, find_run(ledger, row.run_id))
            if fit_for_reference(answers, smallest).result != "reference":
                continue
        fit.append(row.run_id)
        if len(fit) == looks:
            return pin_reference(ledger, monitor, champion, fit)
    return ()


def _agreeing(
    ledger: Ledger,
    monitor: str,
    champion: str,
    answers: pd.DataFrame,
    floors: Mapping[str, float] | None,
    alpha: float,
) -> Conclusion:
    """Whether a look agrees with the reference looks before it; looks that do not are no reference together.

    What broke may have been before or after, so it is looked for in both directions.
    """
    import pandas as pd

    earlier = [
        canary_frame(ledger, find_run(ledger, row.run_id))
        for row in reference_candidates(ledger, monitor, champion)
        if row.conclusion is not None
    ]
    if not earlier:
        return Conclusion("reference")
    before = pd.concat(earlier, ignore_index=True)
    # Both frames may be of one moment, and the direction in which they are compared is not that of time.
    old, new = (datetime(2000, 1, day, tzinfo=UTC) for day in (1, 2))
    windows = Windows("canaries", Period(old, new), Period(new, new + timedelta(days=1)))
    for first, second in ((before, answers), (answers, before)):
        both = pd.concat([first.assign(time=pd.Timestamp(old)), second.assign(time=pd.Timestamp(new))])
        # From number 2 on, so that both directions and all reference looks together spend no more than the level.
        found = look([windows], canaries=both, floors=floors, alpha=alpha, number=len(earlier) + 1)
        if found.alerts:
            was, is_ = (float(frame["correct"].mean()) for frame in (before, answers))
            told = f"this look has {is_:.0%} of its canaries right and the reference before it {was:.0%}"
            return Conclusion(
                "unmeasurable",
                f"{told}: they are no reference together",
                "look again; where it stays so, find out which is right, and give the monitor another name to begin a "
                "reference anew",
            )
    return Conclusion("reference")


def _with_remedy(conclusion: Conclusion, run: RunRow) -> Conclusion:
    if conclusion.result != "unmeasurable" or conclusion.remedy:
        return conclusion
    return replace(conclusion, remedy=f"driftgate runs show {run.id} says what became of them")


def _key(of: str, monitor: str, at: datetime) -> str:
    """What a look without a run of its own is known by."""
    return f"{of}-{monitor}-{at:%Y%m%dT%H%M%S%f}"


def _keep(
    ledger: Ledger,
    monitor: str,
    champion: str,
    run_id: str,
    conclusion: Conclusion,
    found: Look | None = None,
    alerts: Sequence[Alert] = (),
    *,
    number: int = 0,
    at: datetime | None = None,
) -> LookRow:
    findings = [_plain(finding) for finding in found.findings] if found is not None else []
    number = number if found is not None else 0
    row = LookRow(0, monitor, champion, run_id, number, findings, at or datetime.now(UTC), conclusion)
    return keep_look(ledger, row, alerts)
