"""Looks at canaries and what they found, kept in the ledger.

A look is a run of the canary set through its flow by the live model. The first looks after a champion was put in
place are its reference; every later one is compared with them, canary by canary, by itself and pooled with the looks
before it. What could not be measured is kept and said as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_folder
from driftgate.ledger import Ledger, RunRow, find_run
from driftgate.monitor._answers import canary_frame
from driftgate.monitor._calls import Beside
from driftgate.monitor._conclude import compare_canaries, fit_for_reference, smallest_loss
from driftgate.monitor._examined import MOST, examine, windows_at
from driftgate.monitor._reference import grown_reference, pooled_look, reference_runs, take_for_reference
from driftgate.monitor._silence import LABELS as PARTS
from driftgate.monitor.alert import Alert
from driftgate.monitor.blindness import of_error
from driftgate.monitor.config import REFERENCE_GROWS_TO, REFERENCE_LOOKS, TrafficConfig
from driftgate.monitor.drift import Look, Period
from driftgate.monitor.findings import whole
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
    runs_to_pool,
)
from driftgate.monitor.pooling import WINDOWS, Budget
from driftgate.monitor.rereference import how_to_begin_anew, reference_name
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
_MOST_CALLS = 40_000
"""As many are compared of a window: a share is then known to half a point, and the smallest floor is two."""
_MOST_TEXTS = 14_000
"""Of a window, as the test of texts draws 2,000, maybe of one weekday."""
_UNREAD = ("input_text", "trace_id", "span_id", "parent_id", "part", "response_hash")
"""Columns that no signal is read from."""
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

        Nothing else does: that calls are slow, fail or ask something else is no reason to train a model. Nor is it that
        a few canaries changed, however surely, where others like them need not have: the interval over canaries must
        leave out 0.
        """
        return next((a for a in self.alerts if a.cause == "model" and _of_others_too(a)), None)


def _of_others_too(alert: Alert) -> bool:
    return SIGNALS.get(alert.signal).of_canaries and alert.effect_high is not None and alert.effect_high < 0.0


def look_at_canaries(
    ledger: Ledger,
    monitor: str,
    champion: str,
    run: RunRow,
    *,
    reference_looks: int = REFERENCE_LOOKS,
    grows_to: int = REFERENCE_GROWS_TO,
    floors: Mapping[str, float] | None = None,
    budget: Budget = Budget(),  # noqa: B008 - a frozen value
    probe: bool = False,
) -> Watched:
    """Compare a canary run with the reference of the same champion, and keep what was found.

    The first looks that measured the canaries and agree with each other become the reference, and their runs are
    pinned: however many looks follow, they are what is compared with, until a person begins a reference anew. The run
    is compared by itself and pooled with the looks before it; see `driftgate.monitor.pooling`. Looking twice at the
    same run changes nothing.

    Parameters
    ----------
    champion : str
        The champion as it was put in place; another one begins a reference of its own.
    reference_looks : int
        How many of a champion's first looks are its reference.
    grows_to : int
        How many looks the reference grows to while nothing moves; see `driftgate.monitor.pooling`.
    budget : Budget
        How many false alarms a year of looks may raise.
    probe : bool
        Whether few canaries are asked several times; see `driftgate.monitor.detectors.few_changed`.

    Returns
    -------
    Watched
        A look of the reference has alerts only where it is worse than those before it.
    """
    smallest, answers = smallest_loss(floors), canary_frame(ledger, run)
    kept = find_look(ledger, run.id)
    name = kept.champion if kept is not None else reference_name(ledger, monitor, champion)
    reference = reference_runs(ledger, monitor, name, reference_looks, smallest)
    if not reference or run.id in reference or (kept is not None and kept.number == 0):
        if kept is not None:
            return Watched(kept, kept.conclusion or fit_for_reference(answers, smallest))
        taken = take_for_reference(
            ledger,
            monitor,
            name,
            answers,
            looks=reference_looks,
            smallest=smallest,
            floors=floors,
            level=budget.level_of_reference(reference_looks),
        )
        first = _with_remedy(taken.conclusion, run)
        row = _keep(ledger, monitor, name, run.id, first, taken.look, taken.alerts)
        reference_runs(ledger, monitor, name, reference_looks, smallest)
        return Watched(row, row.conclusion or first, taken.look, taken.alerts)
    number = kept.number if kept is not None else 1 + comparisons_made(ledger, monitor, name)
    before = kept.id if kept is not None else None
    pooled = runs_to_pool(ledger, monitor, name, WINDOWS[-1] - 1, before=before)
    whole = grown_reference(ledger, monitor, name, reference, grows_to, before=before)
    frames, earlier = ([canary_frame(ledger, find_run(ledger, one)) for one in runs] for runs in (whole, pooled))

    def compare(current: Sequence[pd.DataFrame]) -> Look:
        return pooled_look(frames, current, floors, budget.level, pinned=len(reference), probe=probe)

    import pandas as pd

    found = compare_canaries(
        pd.concat(frames[: len(reference)], ignore_index=True),
        answers,
        compare,
        smallest=smallest,
        number=number,
        anew=how_to_begin_anew(monitor),
        earlier=earlier,
    )
    conclusion = _with_remedy(found.conclusion, run)
    row = _keep(ledger, monitor, name, run.id, conclusion, found.look, found.alerts, number=number)
    return Watched(row, conclusion, found.look, found.alerts)


def look_at_traffic(
    ledger: Ledger,
    monitor: str,
    folder: Path,
    traffic: TrafficConfig,
    now: datetime,
    *,
    floors: Mapping[str, float] | None = None,
    alpha: float | None = None,
    evidence: Path | None = None,
) -> Watched:
    """Compare the newest telemetry with the days before, and keep what was found.

    Parameters
    ----------
    folder : Path
        The telemetry store's folder.
    alpha : float, optional
        The level of the look; by default that of one a day.
    evidence : Path, optional
        Folder for evidently's report of the two windows, written where something moved.
    """
    import pandas as pd

    from driftgate.monitor.telemetry import (
        COLUMNS,
        Sample,
        frame,
        in_words,
        left_out,
        removed,
        removed_in_words,
        sample,
        volumes,
    )

    only = {"request_model": traffic.request_model} if traffic.request_model else {}
    columns = tuple(name for name in COLUMNS if name not in _UNREAD)

    def read(period: Period) -> Sample:
        start, end = period.start, period.end
        return sample(folder, start, end, only=only, columns=columns, most=_MOST_CALLS, most_texts=_MOST_TEXTS)

    anchor = _anchor(ledger, monitor, traffic)
    windows = windows_at(now, traffic, anchor)[0]
    start, lasting = windows.reference.start, timedelta(days=traffic.reference_days)
    earlier, recent = read(windows.reference), read(windows.current)
    frames = [earlier.calls, recent.calls]
    if anchor is not None and anchor < start:
        frames.insert(0, read(Period(anchor, min(anchor + lasting, start))).calls)
    gone = left_out(folder, windows.current.start)
    examined = examine(
        pd.concat(frames, ignore_index=True),
        now,
        traffic,
        anchor,
        floors=floors,
        alpha=traffic.level() if alpha is None else alpha,
        volumes=None if earlier.share == recent.share == 1.0 else volumes(folder, start, now, PARTS, only=only),
        beside=Beside(
            len(frame(folder, now + _FAST, _LAST, only=only, columns=("time",))),
            in_words({reason: count for reason, count in gone.items() if reason.lost}),
            sum(count for reason, count in gone.items() if reason.refused),
            (earlier.share, recent.share),
            removed_in_words([one for one in removed(folder) if start.date() <= one.day <= now.date()]),
            _unnamed(volumes(folder, start, now, ("request_model",)), windows.current) if only else (0.0, 0.0),
        ),
    )
    conclusion, found = examined.conclusion, examined.look
    key = _key("traffic", monitor, now)
    row = _keep(
        *(ledger, monitor, traffic.request_model, key, conclusion, found, found.alerts),
        number=1,
        at=now,
        events=examined.events,
    )
    if found.alerts and evidence is not None:
        from driftgate.monitor.evidence import write_evidence

        make_folder(evidence)
        write_evidence(examined.before, examined.current, evidence / f"{key}.html")
    return Watched(row, conclusion, found, found.alerts)


def _unnamed(calls: pd.DataFrame, current: Period) -> tuple[float, float]:
    """How many calls of the reference and of the current window name no model that was asked for."""
    nameless, now = calls["request_model"] == "", calls["time"] >= current.start
    before, newest = (float(calls.loc[nameless & side, "weight"].sum()) for side in (~now, now))
    return before, newest


def _anchor(ledger: Ledger, monitor: str, traffic: TrafficConfig) -> datetime | None:
    """Where the reference begins that does not slide; None where no look was quiet yet that had most of a reference.

    A monitor that is young has few days to compare with, and is not to compare with these for ever.
    """
    if traffic.anchor is not None:
        return traffic.anchor
    periods = MOST * traffic.reference_days / traffic.current_days
    quiet = first_quiet(ledger, monitor, traffic.request_model, periods)
    return None if quiet is None else quiet.at - timedelta(days=traffic.current_days + traffic.reference_days)


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
    conclusion = Conclusion("unmeasurable", problem.message, problem.remedy, of_error(problem))
    key = run_id or _key("traffic" if of == "traffic" else "canary", monitor, now)
    return Watched(_keep(ledger, monitor, champion, key, conclusion, at=now), conclusion)


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
    events: Sequence[dict[str, Any]] = (),
) -> LookRow:
    findings = [*([whole(finding) for finding in found.findings] if found is not None else []), *events]
    number = number if found is not None else 0
    row = LookRow(0, monitor, champion, run_id, number, findings, at or datetime.now(UTC), conclusion)
    return keep_look(ledger, row, alerts)
